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

/** Whose doing, without proof, attempts failed; counted since this node took the ceremony up. */
export interface Blocker {
  readonly address: Address
  /** Attempts that it gave up without proof of anybody's fault. */
  readonly aborted: number
  /** Attempts in which this node waited for it in vain, or for which it was not there. */
  readonly silent: number
}

/** Somebody who announced itself for the attempt. */
export interface AnnouncedMember {
  readonly address: Address
  readonly protocolVersion: number
  readonly softwareVersion: string
  readonly deals: boolean
  /** Whether its operator vetoed the change. */
  readonly vetoes: boolean
  /** Why it does not deal or takes no part; empty otherwise. */
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
  /** Connected members that said nothing yet and have time to, early in a window. */
  coming: readonly Address[]
  /** The dealers of the joined start message. */
  dealers: readonly Address[]
  /** Members whose readiness this node holds. */
  ready: readonly Address[]
  /** What it waits for and for whom; null if for nobody in particular. */
  waitingFor: { readonly what: string; readonly members: readonly Address[] } | null
  /** The last failures, oldest first; at most `KEPT_FAILURES`. */
  failures: readonly AttemptFailure[]
  /** Whoever aborted or was silent, the most frequent first. */
  blockers: readonly Blocker[]
  /** How many failed since this node took the ceremony up. */
  failureCount: number
  /** Set from the fifth failed attempt on. */
  alarm: boolean
  /** First block of the next used window; null while an attempt runs. */
  nextAttemptBlock: number | null
  /** Prepared shares of earlier attempts that cannot be read: they sign nothing, and the next attempts go on without. */
  setAside: readonly { readonly attempt: number; readonly reason: string }[]
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
    coming: [],
    dealers: [],
    ready: [],
    waitingFor: null,
    failures: [],
    blockers: [],
    failureCount: 0,
    alarm: false,
    nextAttemptBlock: null,
    setAside: [],
    halted: null,
  }
}

/**
 * Adds a failure, dropping the oldest, and counts whose doing it was.
 * @param by.aborted who gave it up without proof, as far as this node was told
 * @param by.seen whom this node itself waited for in vain, with those who aborted and proven culprits or without
 */
export function noteFailure(
  view: CeremonyView,
  failure: AttemptFailure,
  by: { readonly aborted: readonly Address[]; readonly seen: readonly Address[] },
): void {
  view.failures = [...view.failures, failure].slice(-KEPT_FAILURES)
  view.failureCount += 1
  const silent = by.seen.filter((each) => ![...failure.culprits, ...by.aborted].includes(each))
  const counts = new Map(view.blockers.map((each) => [each.address, each]))
  for (const address of new Set([...by.aborted, ...silent])) {
    const before = counts.get(address) ?? { aborted: 0, silent: 0 }
    counts.set(address, {
      address,
      aborted: before.aborted + (by.aborted.includes(address) ? 1 : 0),
      silent: before.silent + (silent.includes(address) ? 1 : 0),
    })
  }
  const weight = (each: Blocker) => each.aborted + each.silent
  view.blockers = [...counts.values()].sort((a, b) => weight(b) - weight(a))
}
