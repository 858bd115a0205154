// Where the mathematics of an attempt runs: in this thread, or in a worker where it would block the event loop.
import type { Signer } from '../crypto/identity.ts'
import type { Rng } from '../crypto/rng.ts'
import type { Channel } from '../protocol/channel.ts'
import { type Certificate, confirm } from '../protocol/confirm.ts'
import { keygen } from '../protocol/keygen.ts'
import type { KeyShare } from '../protocol/keyshare.ts'
import type { Prepared } from '../protocol/prepared.ts'
import { reshare } from '../protocol/reshare.ts'
import { openSession } from '../protocol/session.ts'
import { type CeremonySpec, keysOf, type SignedStart } from '../protocol/spec.ts'

/** What one attempt runs on. */
export interface RunInput {
  readonly spec: CeremonySpec
  readonly start: SignedStart
  readonly signer: Signer
  readonly channel: Channel
  readonly rng: Rng
  /** This node's shares if it deals, otherwise []. */
  readonly held: readonly KeyShare[]
  /** Aborts when the time of that round is over. */
  readonly deadline: (round: number) => AbortSignal
}

/** One attempt in its two parts; between them the caller makes the prepared result durable. */
export interface Run {
  /** Rounds 1 to 3. @throws the errors of protocol/faults.ts */
  prepare(): Promise<Prepared>
  /**
   * Round 4.
   * @param readiness 65 bytes, or null for a dealer that leaves
   */
  confirm(prepared: Prepared, readiness: Uint8Array | null): Promise<Certificate>
  /** Ends the session; its channel is closed with it. Idempotent. */
  close(): void
}

export type Runner = (input: RunInput) => Run

/** In this thread: deterministic, and the better choice for small committees. */
export const inProcess: Runner = (input) => {
  const { held, ...parts } = input
  const session = openSession(parts)
  return {
    prepare: () => (input.spec.op === 'keygen' ? keygen(session) : reshare(session, held)),
    confirm: (prepared, readiness) => confirm(session, prepared, readiness),
    close: () => session.close(),
  }
}

/** Base multiplication, point parsing with addition, batched check of a proof, Horner step: ms, noble, one 2020s core. */
const COST = { base: 0.28, add: 0.007, proof: 0.36, step: 0.033 } as const

/**
 * How long the arithmetic of an attempt takes one thread, in ms: the limit formula of docs/benchmarks.md for keygen or
 * reshare and for the batch of share proofs, over all keys. An estimate of magnitude, not a promise.
 */
export function estimateMs(spec: CeremonySpec): number {
  const { members, threshold } = spec.next
  const dealers = spec.old?.threshold ?? members.length
  const generated = spec.generated.length
  const one = (dealing: number) =>
    (threshold + 3) * COST.base +
    dealing * threshold * COST.add +
    (dealing + members.length) * COST.proof +
    threshold * COST.step +
    (members.length * threshold * COST.add) / 2
  return (keysOf(spec).length - generated) * one(dealers) + generated * one(members.length)
}
