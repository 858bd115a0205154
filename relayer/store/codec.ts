// Bodies of records that are more than a number: share sets, committees, keys and activations, strictly decoded.
import { dec, decList, EncodingError, enc } from '../crypto/enc.ts'
import {
  concat,
  fromHex,
  fromU64,
  type Hex,
  to0x,
  toAddress,
  toUint,
  u8,
  u16,
  u32,
  u64,
  utf8,
} from '../lib/bytes.ts'
import { type KeyPublic, SCHEMES } from '../protocol/keyshare.ts'
import { type Committee, MAX_MEMBERS } from '../protocol/party.ts'
import type { CeremonySpec } from '../protocol/spec.ts'
import type { Activation } from '../protocol/typed.ts'

/** Most keys that one share set can hold. */
const MAX_KEYS = 1024
const OPS: readonly CeremonySpec['op'][] = ['keygen', 'reshare', 'refresh', 'addkey']

/** The public part of a share set: what was prepared, for which committee, and which place in it is ours. */
export interface ShareRecord {
  readonly op: CeremonySpec['op']
  /** 32 bytes. */
  readonly sessionId: Uint8Array
  readonly epoch: number
  readonly attempt: number
  /** T over all keys, 32 bytes. */
  readonly transcript: Uint8Array
  /** The committee whose share it is; its epoch is `epoch`. */
  readonly committee: Committee
  /** Own 1-based index in that committee. */
  readonly index: number
  /** The epoch that it was dealt from; 0 in a keygen. */
  readonly predecessor: number
  readonly keys: readonly KeyPublic[]
}

/** All that `activate` takes; `readiness` is empty where only the event was seen. */
export interface ActivationArgs {
  readonly activation: Activation
  /** 65-byte signatures of the new members, in member order. */
  readonly readiness: readonly Hex[]
  readonly groupSignature: Hex
}

export function encodeShareRecord(record: ShareRecord): Uint8Array {
  return enc(
    utf8(record.op),
    record.sessionId,
    u64(record.epoch),
    u32(record.attempt),
    record.transcript,
    encodeCommittee(record.committee),
    u16(record.index),
    u64(record.predecessor),
    enc(...record.keys.map(encodeKey)),
  )
}

/** @throws EncodingError */
export function decodeShareRecord(bytes: Uint8Array): ShareRecord {
  const [op, sessionId, epoch, attempt, transcript, committee, index, predecessor, keys] = dec(
    bytes,
    [-1, 32, 8, 4, 32, -1, 2, 8, -1],
  )
  const record = {
    op: oneOf(OPS, text(op)),
    sessionId: own(sessionId),
    epoch: integer(epoch),
    attempt: integer(attempt),
    transcript: own(transcript),
    committee: decodeCommittee(own(committee)),
    index: integer(index),
    predecessor: integer(predecessor),
    keys: decList(own(keys), MAX_KEYS).map(decodeKey),
  }
  if (record.committee.epoch !== record.epoch) throw new EncodingError('decode: committee of another epoch')
  if (record.index < 1 || record.index > record.committee.members.length)
    throw new EncodingError('decode: index outside its committee')
  return record
}

function encodeCommittee(committee: Committee): Uint8Array {
  return enc(u64(committee.epoch), u32(committee.threshold), concat(...committee.members.map(fromHex)))
}

function decodeCommittee(bytes: Uint8Array): Committee {
  const [epoch, threshold, packed] = dec(bytes, [8, 4, -1])
  const list = own(packed)
  if (list.length % 20 !== 0 || list.length > 20 * MAX_MEMBERS)
    throw new EncodingError('decode: bad list of members')
  const members = Array.from({ length: list.length / 20 }, (_, at) =>
    toAddress(list.subarray(20 * at, 20 * at + 20)),
  )
  return { epoch: integer(epoch), threshold: integer(threshold), members }
}

function encodeKey(key: KeyPublic): Uint8Array {
  return enc(
    u32(key.keyId),
    u8(SCHEMES.indexOf(key.scheme)),
    key.groupKey,
    enc(...key.commitments),
    enc(...key.verificationShares),
  )
}

function decodeKey(bytes: Uint8Array): KeyPublic {
  const [keyId, scheme, groupKey, commitments, shares] = dec(bytes, [4, 1, -1, -1, -1])
  const name = SCHEMES[integer(scheme)]
  if (name === undefined) throw new EncodingError('decode: unknown scheme')
  return {
    keyId: integer(keyId),
    scheme: name,
    groupKey: own(groupKey),
    commitments: decList(own(commitments), MAX_MEMBERS),
    verificationShares: decList(own(shares), MAX_MEMBERS),
  }
}

export function encodeActivation(args: ActivationArgs): Uint8Array {
  const { activation, readiness, groupSignature } = args
  return enc(
    u64(activation.epoch),
    u32(activation.attempt),
    fromHex(activation.committeeHash),
    enc(
      ...activation.keys.map((key) =>
        enc(u32(key.keyId), fromHex(key.groupKey), fromHex(key.commitmentsHash)),
      ),
    ),
    fromHex(activation.transcriptHash),
    enc(...readiness.map(fromHex)),
    fromHex(groupSignature),
  )
}

/** @throws EncodingError */
export function decodeActivation(bytes: Uint8Array): ActivationArgs {
  const [epoch, attempt, committeeHash, keys, transcript, readiness, signature] = dec(
    bytes,
    [8, 4, 32, -1, 32, -1, -1],
  )
  return {
    activation: {
      epoch: integer(epoch),
      attempt: integer(attempt),
      committeeHash: to0x(own(committeeHash)),
      keys: decList(own(keys), MAX_KEYS).map((key) => {
        const [keyId, groupKey, hash] = dec(key, [4, -1, 32])
        return { keyId: integer(keyId), groupKey: to0x(own(groupKey)), commitmentsHash: to0x(own(hash)) }
      }),
      transcriptHash: to0x(own(transcript)),
    },
    readiness: decList(own(readiness), MAX_MEMBERS).map(to0x),
    groupSignature: to0x(own(signature)),
  }
}

/** A part that `dec` has checked to be there. */
export function own(part: Uint8Array | undefined): Uint8Array {
  if (part === undefined) throw new EncodingError('decode: a part is missing')
  return part
}

/** An unsigned integer of 1 to 8 bytes. @throws EncodingError above 2^53 - 1 */
export function integer(part: Uint8Array | undefined): number {
  const bytes = own(part)
  if (bytes.length < 8) return toUint(bytes)
  const value = fromU64(bytes)
  if (value === null) throw new EncodingError('decode: integer too large')
  return value
}

/** UTF-8 text. @throws EncodingError */
export function text(part: Uint8Array | undefined): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(own(part))
  } catch (cause) {
    throw new EncodingError('decode: no UTF-8', { cause })
  }
}

/** The value, which must be one of the list. @throws EncodingError */
export function oneOf<T extends string>(list: readonly T[], value: string): T {
  const found = list.find((item) => item === value)
  if (found === undefined) throw new EncodingError(`decode: unknown word`)
  return found
}
