// The result of a keygen or reshare before the chain has activated it: complete and checked, but to be used for its activation only.
import type { KeyPublic, KeyShare } from './keyshare.ts'

/** What a party holds at the end of one attempt; agreement on it is what `confirm` proves. */
export interface Prepared {
  /** 32 bytes. */
  readonly sessionId: Uint8Array
  readonly epoch: number
  readonly attempt: number
  /** T over all keys, 32 bytes. */
  readonly transcript: Uint8Array
  /** Every key, ascending keyId. */
  readonly keys: readonly KeyPublic[]
  /** This party's share of each of them; empty for a member of the old committee that leaves. */
  readonly shares: readonly KeyShare[]
}
