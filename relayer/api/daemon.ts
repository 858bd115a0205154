// What the control socket and the HTTP server ask of a running daemon; node.ts provides it.
import type { SignedProbe } from '../bridge/relayer.ts'
import type { HealthCheck } from './health.ts'
import type { Address, Hex } from '../lib/bytes.ts'
import type { OperatorVerdict } from '../store/decisions.ts'

/** A request to sign a probe text with one key. */
export interface ProbeRequest {
  readonly keyId: number
  /** At most 256 bytes of UTF-8. */
  readonly text: string
  /** A member that must be among the signers. */
  readonly include?: Address
}

/** A stored evidence record. */
export interface EvidenceView {
  readonly id: string
  /** The record itself, for `truss evidence verify`. */
  readonly record: Hex
}

/** A running relayer as its own operator sees it. Statuses are plain JSON: no bigint, no secret. */
export interface Daemon {
  status(): Promise<object>
  /** Every check, the well ones included. */
  health(): Promise<readonly HealthCheck[]>
  keys(): Promise<readonly object[]>
  /** @throws InputError for a bad request, and what a failed signing throws */
  signProbe(request: ProbeRequest, signal: AbortSignal): Promise<SignedProbe>
  /** Gives the shares of the running epoch up; the node receives new ones in the next reshare. @throws InputError for another */
  declareLost(epoch: number): Promise<object>
  /** The operator's word about exactly the pending change. @throws InputError if it is not that one, or has no seat here */
  decide(verdict: OperatorVerdict, choice: { epoch: number; committeeHash: Hex }): Promise<object>
  evidence(): Promise<readonly EvidenceView[]>
}
