// What a ceremony is about, as every party derives it from the chain; its context, start message and session id.
import { H } from '../crypto/hash.ts'
import { TAG } from '../crypto/tags.ts'
import { type Address, concat, fromHex, u16, u32, u64, utf8 } from '../lib/bytes.ts'
import { curveOf, type KeySpec, type RegisteredKey } from './keyshare.ts'
import { type Committee, committeeHash } from './party.ts'

/** One agreed keygen, reshare, refresh or key addition, the same at every honest node. */
export interface CeremonySpec {
  readonly op: 'keygen' | 'reshare' | 'refresh' | 'addkey'
  readonly chainId: number
  readonly bridge: Address
  /** The keys that exist and are moved, ascending keyId; empty in a keygen. */
  readonly held: readonly RegisteredKey[]
  /** The keys that come into being: key 0 in a keygen, one in addkey, else none. */
  readonly generated: readonly KeySpec[]
  /** The committee that deals; null in a keygen. */
  readonly old: Committee | null
  /** The pending committee. */
  readonly next: Committee
  /** Hash of the block in which governance asked; 32 bytes. */
  readonly triggerBlockHash: Uint8Array
}

/** What the coordinator proposes for one attempt: liveness only. */
export interface StartMessage {
  /** ctx of the ceremony, 32 bytes. */
  readonly context: Uint8Array
  readonly attempt: number
  /** The t old indices that deal, strictly increasing; empty in a keygen. */
  readonly dealers: readonly number[]
  /** 32 bytes, not all zero. */
  readonly startNonce: Uint8Array
}

/** H("keyid", curve, scheme, purpose, u32 keyId, u64 chainId, bridge); the purpose is always "bridge". 32 bytes. */
export function keyDigest(key: KeySpec, chainId: number, bridge: Address): Uint8Array {
  const text = [curveOf(key.scheme), key.scheme, 'bridge'].map(utf8)
  return H(TAG.keyId, ...text, u32(key.keyId), u64(chainId), fromHex(bridge))
}

/** The 32-byte ctx that binds op, chain, bridge, keys, both epochs and committees, and the trigger block. */
export function contextOf(spec: CeremonySpec): Uint8Array {
  const { chainId, bridge, old, next } = spec
  return H(
    TAG.context,
    utf8(spec.op),
    u64(chainId),
    fromHex(bridge),
    concat(...keysOf(spec).map((key) => keyDigest(key, chainId, bridge))),
    u64(old?.epoch ?? 0),
    u64(next.epoch),
    old === null ? new Uint8Array(32) : committeeHash(chainId, bridge, old),
    committeeHash(chainId, bridge, next),
    spec.triggerBlockHash,
  )
}

/** Every key of a ceremony, held and generated, in ascending keyId. */
export function keysOf(spec: CeremonySpec): readonly KeySpec[] {
  return [...spec.held, ...spec.generated].sort((a, b) => a.keyId - b.keyId)
}

/** The only constructor of session ids: H("sid", ctx, u32 attempt, S as u16 list, startNonce); 32 bytes. */
export function sessionIdOf(start: StartMessage): Uint8Array {
  return H(
    TAG.sessionId,
    start.context,
    u32(start.attempt),
    concat(...start.dealers.map(u16)),
    start.startNonce,
  )
}

/** The session id of one key in a session over several: H("sidk", sid, keyDigest); 32 bytes. */
export function sessionOfKey(sessionId: Uint8Array, digest: Uint8Array): Uint8Array {
  return H(TAG.sessionOfKey, sessionId, digest)
}
