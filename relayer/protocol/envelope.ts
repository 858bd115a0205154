// The signed envelope in which every message of a session travels, and its frame on the wire (docs/protocols.md, Envelope).
import { dec, EncodingError, enc } from '../crypto/enc.ts'
import { H, preimage } from '../crypto/hash.ts'
import { type Signer, signedBy } from '../crypto/identity.ts'
import { TAG } from '../crypto/tags.ts'
import { type Address, concat, equal, toUint, u8, u16 } from '../lib/bytes.ts'
import { compareSeats, type Role, roleByte, type Seat, seatKey } from './party.ts'

/** One message. */
export interface Envelope {
  /** 32 bytes. */
  readonly sessionId: Uint8Array
  readonly round: number
  readonly from: Seat
  /** Null: to all, old and new. */
  readonly to: Seat | null
  readonly body: Uint8Array
}

/** An envelope with its sender's signature: 65 bytes over H("env", header, body). */
export interface SignedEnvelope extends Envelope {
  readonly signature: Uint8Array
}

const VERSION = 1
const HEADER_BYTES = 40
const ALL_ROLES = 0xff
const ALL = 0xffff
/** Bytes of a frame beside body and start message. */
export const FRAME_OVERHEAD = 5 * 4 + HEADER_BYTES + 65

/** Signs an envelope. */
export function seal(signer: Signer, envelope: Envelope): SignedEnvelope {
  return { ...envelope, signature: signer.sign(H(TAG.envelope, headerOf(envelope), envelope.body)) }
}

/** Whether an address signed the envelope. */
export function isSealedBy(address: Address, envelope: SignedEnvelope): boolean {
  return signedBy(address, preimage(TAG.envelope, headerOf(envelope), envelope.body), envelope.signature)
}

/** What stands for an envelope where only its identity matters; 32 bytes. */
export function digestOf(envelope: Envelope): Uint8Array {
  return H(TAG.envelope, headerOf(envelope), envelope.body)
}

/**
 * enc(header, body, signature, start): the frame.
 * @param start the coordinator's signed start message, carried outside the signature by every first-round frame so that a
 *   node which missed it can join; empty in other rounds
 */
export function encodeFrame(envelope: SignedEnvelope, start: Uint8Array = new Uint8Array()): Uint8Array {
  return enc(headerOf(envelope), envelope.body, envelope.signature, start)
}

/** @throws EncodingError unless the bytes are a frame with a well-formed header */
export function decodeFrame(frame: Uint8Array): SignedEnvelope {
  const [header, body, signature] = dec(frame, [HEADER_BYTES, -1, 65, -1])
  if (!header || !body || !signature) throw new EncodingError('decode frame: parts')
  const at = (from: number, to: number) => toUint(header.subarray(from, to))
  if (at(0, 1) !== VERSION) throw new EncodingError(`decode frame: version ${at(0, 1)}`)
  const [toRole, to] = [at(37, 38), at(38, 40)]
  if ((toRole === ALL_ROLES) !== (to === ALL)) throw new EncodingError('decode frame: half of "to all"')
  return {
    sessionId: header.slice(1, 33),
    round: at(33, 34),
    from: seatOf(at(34, 35), at(35, 37)),
    to: to === ALL ? null : seatOf(toRole, to),
    body: body.slice(),
    signature: signature.slice(),
  }
}

/** The start message that a first-round frame carries, or null. */
export function startOfFrame(frame: Uint8Array): Uint8Array | null {
  try {
    const start = dec(frame, [HEADER_BYTES, -1, 65, -1])[3]
    return start === undefined || start.length === 0 ? null : start.slice()
  } catch (error) {
    if (error instanceof EncodingError) return null
    throw error
  }
}

/** The signature as evidence carries it: with 0 for v, which `signedBy` does not look at. */
export function withoutRecovery(signature: Uint8Array): Uint8Array {
  return concat(signature.subarray(0, -1), Uint8Array.of(0))
}

/** Whether a signature has the form that evidence carries. */
export function isWithoutRecovery(signature: Uint8Array): boolean {
  return signature.at(-1) === 0
}

/** Whether two envelopes take the same place: session, round, sender and receiver. */
export function samePlace(a: Envelope, b: Envelope): boolean {
  return equal(headerOf(a), headerOf(b))
}

/** An envelope's place within its session, as a key of maps. */
export function placeOf({ round, from, to }: Pick<Envelope, 'round' | 'from' | 'to'>): string {
  return `${round}/${seatKey(from)}/${to === null ? 'all' : seatKey(to)}`
}

/** Old by index, then new by index, of their senders. */
export function bySender(a: Envelope, b: Envelope): number {
  return compareSeats(a.from, b.from)
}

function headerOf({ sessionId, round, from, to }: Envelope): Uint8Array {
  return concat(
    u8(VERSION),
    sessionId,
    u8(round),
    u8(roleByte(from.role)),
    u16(from.index),
    u8(to === null ? ALL_ROLES : roleByte(to.role)),
    u16(to === null ? ALL : to.index),
  )
}

function seatOf(byte: number, index: number): Seat {
  if (byte > 1 || index === 0) throw new EncodingError('decode frame: seat')
  const role: Role = byte === 0 ? 'old' : 'new'
  return { role, index }
}
