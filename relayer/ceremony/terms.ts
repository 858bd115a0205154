// What a ceremony is handed by whoever runs it: the parts of this node, and the terms that the chain and the operator set.
import type { Rng } from '../crypto/rng.ts'
import type { Signer } from '../crypto/identity.ts'
import type { Address } from '../lib/bytes.ts'
import type { Log } from '../lib/log.ts'
import type { Network } from '../protocol/channel.ts'
import type { KeyShare } from '../protocol/keyshare.ts'
import type { Boot } from '../protocol/nonces.ts'
import type { CeremonySpec } from '../protocol/spec.ts'
import type { Store } from '../store/store.ts'
import type { Blocks } from './blocks.ts'
import type { CeremonyView } from './view.ts'
import type { Runner } from './runner.ts'
import type { Windows } from './windows.ts'

/** The parts of this node that every ceremony uses. */
export interface CeremonyDeps {
  readonly network: Network
  readonly blocks: Blocks
  readonly store: Store
  /** The operator's key. */
  readonly signer: Signer
  readonly rng: Rng
  /** This start of this process; nonces are bound to it. */
  readonly boot: Boot
  readonly log: Log
  readonly softwareVersion: string
  /** Default: `PROTOCOL_VERSION` of the Network port. */
  readonly protocolVersion?: number
  /** Where the mathematics runs; default: `defaultRunner`, a worker thread where it would block the event loop. */
  readonly runner?: Runner
}

/** One ceremony. */
export interface CeremonyTerms extends Windows {
  readonly spec: CeremonySpec
  /** This node's active share of each held key, if it may deal; [] for newcomers and after a declared loss. */
  readonly held: readonly KeyShare[]
  /** Latest head when this node started: a window that was open then is not joined (`lastClosed`). */
  readonly upSince?: number
  /** The operator's rules: why this node does not deal for the change, or null if it does. Asked in each block. */
  readonly mayDeal?: (spec: CeremonySpec) => string | null
  /** The operator's veto: why this node takes no part at all, or null if it does. Asked in each block. */
  readonly veto?: (spec: CeremonySpec) => string | null
  /**
   * Reads the trigger block's hash again before readiness is signed; rejects if it is no longer `spec.triggerBlockHash`.
   */
  readonly recheck?: (signal: AbortSignal) => Promise<void>
  /** Kept current by the ceremony, for the status: `newView(spec)`. */
  readonly view?: CeremonyView
}

/** Everybody who has a seat in the ceremony, old or new, ascending. */
export function participantsOf(spec: Pick<CeremonySpec, 'old' | 'next'>): Address[] {
  return [...new Set([...(spec.old?.members ?? []), ...spec.next.members])].sort()
}

/** The addresses behind the old indices that a start message names. */
export function dealingOf(spec: Pick<CeremonySpec, 'old'>, dealers: readonly number[]): Address[] {
  return dealers.flatMap((index) => spec.old?.members[index - 1] ?? [])
}

/** The addresses that have a seat in an attempt: its dealers and all of the new committee, ascending. */
export function seatsOf(spec: Pick<CeremonySpec, 'old' | 'next'>, dealers: readonly number[]): Address[] {
  return [...new Set([...dealingOf(spec, dealers), ...spec.next.members])].sort()
}
