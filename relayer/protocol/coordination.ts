// What a leader hands to a signing run, and what it gets back.
import type { Signer } from '../crypto/identity.ts'
import type { Rng } from '../crypto/rng.ts'
import type { FaultError } from './faults.ts'
import type { KeyPublic } from './keyshare.ts'
import type { Mailbox } from './mailbox.ts'
import type { NonceBook } from './noncebook.ts'
import type { HashedCommittee } from './party.ts'
import type { Payload } from './payload.ts'

/** What a leader needs to have something signed. */
export interface Coordination {
  readonly payload: Payload
  /** What the leader itself computes for the payload, 32 bytes; shares over anything else are refused. */
  readonly digest: Uint8Array
  /** The key that signs, of the epoch and attempt that `book.ref` names. */
  readonly key: KeyPublic
  /** The committee of that epoch; the leader is a member. */
  readonly committee: HashedCommittee
  /** What this node knows of the members' nonces: that of its own ShareSigner, or one that lives as long. */
  readonly book: NonceBook
  readonly operator: Signer
  /** Messages to ourselves must come back (withLoopback). */
  readonly mailbox: Mailbox
  readonly rng: Rng
  /** Resolves when the present session has had time enough; called again for each wait. */
  patience(): Promise<void>
  /** Indices that must be among the signers; none if absent. */
  readonly include?: readonly number[]
  /** Rejects with its reason. */
  readonly signal: AbortSignal
  /** Told of provable misbehaviour when it is found; signing goes on without the culprit. */
  onFault?(fault: FaultError): void
  /** Told that a member will not sign this, and why; signing goes on without it. */
  onRefusal?(index: number, reason: string): void
}

/** A verified signature and how it came about. */
export interface GroupSignature {
  /** 52 bytes z ‖ a (EVM), 64 (BIP340, ed25519). */
  readonly signature: Uint8Array
  /** Who signed, ascending indices. */
  readonly quorum: readonly number[]
  /** Sessions opened, 1 to n - t + 1. */
  readonly sessions: number
}
