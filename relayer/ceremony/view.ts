// What a running ceremony shows of itself: plain data that the status prints, kept current by the ceremony.
import type { Address } from '../lib/bytes.ts'
import type { CeremonySpec } from '../protocol/spec.ts'

/** waiting: between windows. activating: an activation is signed and waits for the chain. halted: governance must act. */
export type Stage = 'waiting' | 'announcing' | 'dealing' | 'prepared' | 'signing' | 'activating' | 'halted'

/** One failed attempt. */
export interface AttemptFailure {
  readonly attempt: number
  /** Latest head when it failed. */
  readonly block: number
  readonly reason: string
  /** Silent or named by others: not proven. */
  readonly suspects: readonly Address[]
  /** Proven by signed evidence. */
  readonly culprits: readonly Address[]
}

/** Somebody who announced itself for the attempt. */
export interface AnnouncedMember {
  readonly address: Address
  readonly protocolVersion: number
  readonly softwareVersion: string
  readonly deals: boolean
  /** Why an old member does not deal; empty otherwise. */
  readonly refusal: string
}

/** The state of one ceremony, now. */
export interface CeremonyView {
  readonly op: CeremonySpec['op']
  readonly epoch: number
  stage: Stage
  /** The current or the last attempt; null before the first. */
  attempt: number | null
  coordinator: Address | null
  announced: readonly AnnouncedMember[]
  /** The dealers of the joined start message. */
  dealers: readonly Address[]
  /** Members whose readiness this node holds. */
  ready: readonly Address[]
  /** What it waits for and for whom; null if for nobody in particular. */
  waitingFor: { readonly what: string; readonly members: readonly Address[] } | null
  /** The last failures, oldest first; at most `KEPT_FAILURES`. */
  failures: readonly AttemptFailure[]
  /** How many failed since this node took the ceremony up. */
  failureCount: number
  /** Set from the fifth failed attempt on. */
  alarm: boolean
  /** First block of the next used window; null while an attempt runs. */
  nextAttemptBlock: number | null
  halted: { readonly reason: string; readonly culprits: readonly Address[] } | null
}

const KEPT_FAILURES = 16

/** The view of a ceremony that has not begun. */
export function newView(spec: Pick<CeremonySpec, 'op' | 'next'>): CeremonyView {
  return {
    op: spec.op,
    epoch: spec.next.epoch,
    stage: 'waiting',
    attempt: null,
    coordinator: null,
    announced: [],
    dealers: [],
    ready: [],
    waitingFor: null,
    failures: [],
    failureCount: 0,
    alarm: false,
    nextAttemptBlock: null,
    halted: null,
  }
}

/** Adds a failure, dropping the oldest. */
export function noteFailure(view: CeremonyView, failure: AttemptFailure): void {
  view.failures = [...view.failures, failure].slice(-KEPT_FAILURES)
  view.failureCount += 1
}
