// A ceremony's spec as bytes, for evidence and certificates that are read far from the chain.
import { dec, decList, EncodingError, enc } from '../crypto/enc.ts'
import { concat, fromHex, fromU64, toAddress, toUint, u8, u32, u64, utf8 } from '../lib/bytes.ts'
import { type KeySpec, type RegisteredKey, SCHEMES } from './keyshare.ts'
import { type Committee, MAX_MEMBERS } from './party.ts'
import { type CeremonySpec, MAX_KEYS } from './spec.ts'

const OPS = ['keygen', 'reshare', 'refresh', 'addkey'] as const

/** enc(op, chainId, bridge, held, generated, old, next, trigger). */
export function encodeSpec(spec: CeremonySpec): Uint8Array {
  return enc(
    utf8(spec.op),
    u64(spec.chainId),
    fromHex(spec.bridge),
    enc(...spec.held.map((key) => enc(...keyParts(key), key.groupKey, key.commitmentsHash))),
    enc(...spec.generated.map((key) => enc(...keyParts(key)))),
    spec.old === null ? new Uint8Array() : encodeCommittee(spec.old),
    encodeCommittee(spec.next),
    spec.triggerBlockHash,
  )
}

/** @throws EncodingError if the bytes are no spec; whether it keeps the rules is `checkSpec`'s to say */
export function decodeSpec(bytes: Uint8Array): CeremonySpec {
  const [opBytes, chainId, bridge, held, generated, old, next, triggerBlockHash] = dec(
    bytes,
    [-1, 8, 20, -1, -1, -1, -1, 32],
  )
  const op = OPS.find((each) => each === Buffer.from(opBytes ?? []).toString('latin1'))
  if (!op || !chainId || !bridge || !held || !generated || !old || !next || !triggerBlockHash)
    throw new EncodingError('decode spec: op')
  return {
    op,
    chainId: integer(chainId),
    bridge: toAddress(bridge),
    held: decList(held, MAX_KEYS).map((part): RegisteredKey => {
      const [keyId, scheme, groupKey, commitmentsHash] = dec(part, [4, 1, -1, 32])
      if (!groupKey || !commitmentsHash) throw new EncodingError('decode spec: key')
      return { ...keyOf(keyId, scheme), groupKey: groupKey.slice(), commitmentsHash: commitmentsHash.slice() }
    }),
    generated: decList(generated, MAX_KEYS).map((part): KeySpec => {
      const [keyId, scheme] = dec(part, [4, 1])
      return keyOf(keyId, scheme)
    }),
    old: old.length === 0 ? null : decodeCommittee(old),
    next: decodeCommittee(next),
    triggerBlockHash: triggerBlockHash.slice(),
  }
}

function keyParts(key: KeySpec): [Uint8Array, Uint8Array] {
  return [u32(key.keyId), u8(SCHEMES.indexOf(key.scheme))]
}

function keyOf(keyId: Uint8Array | undefined, scheme: Uint8Array | undefined): KeySpec {
  const known = SCHEMES[scheme?.[0] ?? 0xff]
  if (keyId === undefined || known === undefined) throw new EncodingError('decode spec: scheme')
  return { keyId: toUint(keyId), scheme: known }
}

function encodeCommittee({ epoch, members, threshold }: Committee): Uint8Array {
  return enc(u64(epoch), u32(threshold), concat(...members.map(fromHex)))
}

function decodeCommittee(bytes: Uint8Array): Committee {
  const [epoch, threshold, members] = dec(bytes, [8, 4, -1])
  if (!epoch || !threshold || !members || members.length % 20 !== 0 || members.length > 20 * MAX_MEMBERS)
    throw new EncodingError('decode spec: committee')
  return {
    epoch: integer(epoch),
    threshold: toUint(threshold),
    members: Array.from({ length: members.length / 20 }, (_, at) =>
      toAddress(members.subarray(20 * at, 20 * at + 20)),
    ),
  }
}

/** @throws EncodingError above 2^53 - 1 */
function integer(bytes: Uint8Array): number {
  const value = fromU64(bytes)
  if (value === null) throw new EncodingError('decode spec: integer')
  return value
}
