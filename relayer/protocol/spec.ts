// What a ceremony is about, as every party derives it from the chain: its rules, context, start message and session id.
import { dec, EncodingError, enc } from '../crypto/enc.ts'
import { H } from '../crypto/hash.ts'
import { recover, type Signer } from '../crypto/identity.ts'
import { TAG } from '../crypto/tags.ts'
import { type Address, concat, equal, fromHex, toUint, u16, u32, u64, utf8 } from '../lib/bytes.ts'
import { RefusalError } from './faults.ts'
import { curveOf, type KeySpec, type RegisteredKey, SCHEMES } from './keyshare.ts'
import { type Committee, committeeHash, MAX_MEMBERS } from './party.ts'

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

/**
 * The 32-byte ctx that binds all of the spec: op, chain, bridge, the keys that exist with group key and commitments hash, the
 * keys that come into being, both epochs and committees, and the trigger block. Who reads the chain otherwise, in anything,
 * is in another session.
 */
export function contextOf(spec: CeremonySpec): Uint8Array {
  const { chainId, bridge, held, generated, old, next } = spec
  const digestOf = (key: KeySpec) => keyDigest(key, chainId, bridge)
  return H(
    TAG.context,
    utf8(spec.op),
    u64(chainId),
    fromHex(bridge),
    enc(...held.flatMap((key) => [digestOf(key), key.groupKey, key.commitmentsHash])),
    concat(...generated.map(digestOf)),
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

/** Most keys in one session: the opening of t = 100 commitments to each must fit a frame. */
export const MAX_KEYS = 8

/** A start message with its coordinator's signature. */
export interface SignedStart {
  readonly start: StartMessage
  /** 65 bytes. */
  readonly signature: Uint8Array
  /** The wire form of both. */
  readonly bytes: Uint8Array
}

/** @throws RefusalError E_AUTH if the spec breaks a rule, with a hint where the operator can do something */
export function checkSpec(spec: CeremonySpec): void {
  const { op, old, next, held, generated } = spec
  checkCommittee(next)
  if (old !== null) checkCommittee(old)
  const keys = keysOf(spec)
  for (const { keyId, scheme } of keys) {
    require(Number.isInteger(keyId) && keyId >= 0, 'check spec: key id')
    require(SCHEMES.includes(scheme), `check spec: unknown scheme ${scheme}`)
    if (scheme === 'ecdsa-secp256k1')
      throw new RefusalError(
        'E_AUTH',
        'check spec: scheme ecdsa-secp256k1 is not served by this version',
        'Register the key with the scheme frost-secp256k1-evm.',
      )
  }
  require(new Set(keys.map((key) => key.keyId)).size === keys.length, 'check spec: a key twice')
  require(keys.length >= 1 && keys.length <= MAX_KEYS, `check spec: ${keys.length} keys`)
  require(spec.triggerBlockHash.length === 32, 'check spec: trigger block hash')
  for (const key of held) {
    require(key.groupKey.length === (curveOf(key.scheme) === 'ed25519' ? 32 : 64), 'check spec: group key')
    require(key.commitmentsHash.length === 32, 'check spec: commitments hash')
  }
  if (op === 'keygen') {
    require(old === null && held.length === 0, 'check keygen: keys or a committee exist already')
    require(generated.length === 1, `check keygen: ${generated.length} keys`)
    return
  }
  require(old !== null && held.length > 0, `check ${op}: no key to move`)
  require(old !== null && old.epoch < next.epoch, `check ${op}: epoch does not rise`)
  require(generated.length === (op === 'addkey' ? 1 : 0), `check ${op}: ${generated.length} new keys`)
  if (op !== 'reshare')
    require(old?.threshold === next.threshold &&
      old.members.join() === next.members.join(), `check ${op}: members and threshold must stay`)
}

/** @throws RefusalError E_AUTH unless the start message fits the spec */
export function checkStart(spec: CeremonySpec, start: StartMessage): void {
  require(equal(start.context, contextOf(spec)), 'check start: context of another ceremony')
  require(Number.isInteger(start.attempt) &&
    start.attempt >= 0 &&
    start.attempt < 2 ** 32, 'check start: attempt')
  require(start.startNonce.length === 32 && start.startNonce.some((byte) => byte !== 0), 'check start: nonce')
  const { dealers } = start
  require(dealers.length === (spec.old?.threshold ?? 0), `check start: ${dealers.length} dealers`)
  dealers.forEach((index, at) => {
    const above = at === 0 ? 0 : (dealers[at - 1] ?? 0)
    require(Number.isInteger(index) &&
      index > above &&
      index <= (spec.old?.members.length ?? 0), 'check start: dealers')
  })
}

/** The coordinator's word for an attempt: enc(ctx, u32 attempt, dealers as u16 list, nonce, signature) on the wire. */
export function signStart(signer: Signer, start: StartMessage): SignedStart {
  const signature = signer.sign(startDigest(start))
  return { start, signature, bytes: encodeStart(start, signature) }
}

/** The wire form of a start message with its signature. */
export function encodeStart(start: StartMessage, signature: Uint8Array): Uint8Array {
  return enc(...startParts(start), signature)
}

/** The start message that bytes encode, or null; nothing else is checked. */
export function decodeStart(bytes: Uint8Array): SignedStart | null {
  try {
    const [context, attempt, dealers, startNonce, signature] = dec(bytes, [32, 4, -1, 32, 65])
    if (!context || !attempt || !dealers || !startNonce || !signature || dealers.length % 2 !== 0) return null
    const indices = Array.from({ length: dealers.length / 2 }, (_, at) =>
      toUint(dealers.subarray(2 * at, 2 * at + 2)),
    )
    return {
      start: { context, attempt: toUint(attempt), dealers: indices, startNonce },
      signature,
      bytes: bytes.slice(),
    }
  } catch (error) {
    if (error instanceof EncodingError) return null
    throw error
  }
}

/**
 * Why a start message must not be joined, or null if it may.
 * @param coordinator the address that leads the attempt that the message names
 */
export function startFault(spec: CeremonySpec, coordinator: Address, signed: SignedStart): string | null {
  try {
    checkSpec(spec)
    checkStart(spec, signed.start)
  } catch (error) {
    if (error instanceof RefusalError) return error.message
    throw error
  }
  return recover(startDigest(signed.start), signed.signature) === coordinator
    ? null
    : 'E_AUTH: check start: not signed by the coordinator'
}

/**
 * The start message of bytes that may be joined.
 * @throws RefusalError E_AUTH otherwise
 */
export function verifyStart(spec: CeremonySpec, coordinator: Address, bytes: Uint8Array): SignedStart {
  const signed = decodeStart(bytes)
  const fault = signed === null ? 'check start: malformed' : startFault(spec, coordinator, signed)
  if (signed === null || fault !== null) throw new RefusalError('E_AUTH', fault ?? '')
  return signed
}

/** What the coordinator signs; 32 bytes. */
export function startDigest(start: StartMessage): Uint8Array {
  return H(TAG.start, ...startParts(start))
}

function startParts(start: StartMessage): Uint8Array[] {
  return [start.context, u32(start.attempt), concat(...start.dealers.map(u16)), start.startNonce]
}

function checkCommittee({ epoch, members, threshold }: Committee): void {
  require(Number.isSafeInteger(epoch) && epoch >= 1, 'check committee: epoch')
  require(threshold >= 2 &&
    threshold <= members.length &&
    members.length <= MAX_MEMBERS, `check committee: threshold ${threshold} of ${members.length}`)
  require(members.every(
    (member, at) => at === 0 || (members[at - 1] ?? '') < member,
  ), 'check committee: members not in ascending order')
}

function require(holds: boolean, message: string): void {
  if (!holds) throw new RefusalError('E_AUTH', message)
}
