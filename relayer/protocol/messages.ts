// The bodies of the rounds: commitments, openings, subshares and acknowledgements, with exact shapes.
import { dec, decList, EncodingError, enc } from '../crypto/enc.ts'
import type { Proof } from '../crypto/proofs.ts'
import { concat, toUint, u8, u16 } from '../lib/bytes.ts'
import type { Attempt, KeyTerms } from './attempt.ts'
import { keysDealtBy } from './attempt.ts'
import type { Envelope } from './envelope.ts'
import { ContentError, FAULT_CODES, type FaultCode } from './faults.ts'
import { type Role, roleByte, type Seat } from './party.ts'

/** Rounds on the wire. */
export const ROUND = { commit: 1, open: 2, acknowledge: 3 } as const
/** "This is my view of that round": its number is added. */
export const NOTICE = 0x80
/** "I give this attempt up." */
export const ABORT = 0xff

/** Round 1, for one key. */
export interface Commitment {
  /** com_i, 32 bytes. */
  readonly commitment: Uint8Array
  /** C_0 … C_(t-1) of the old epoch, concatenated; empty for a key that comes into being. */
  readonly oldCommitments: Uint8Array
}

/** Round 2, for one key: what com_i was computed from, and the proof of knowledge of the constant term. */
export interface Opening {
  /** Published commitments to the coefficients, exactly t. */
  readonly commitments: readonly Uint8Array[]
  /** ρ_i, 32 bytes. */
  readonly blinding: Uint8Array
  readonly proof: Proof
}

/** Round 3 of a member of the new committee. */
export interface Acknowledgement {
  /** T, 32 bytes. */
  readonly transcript: Uint8Array
  /** The readiness signature, 65 bytes. */
  readonly readiness: Uint8Array
  /** One proof of possession a key. */
  readonly proofs: readonly Proof[]
}

export function encodeCommitments(commitments: readonly Commitment[]): Uint8Array {
  return enc(...commitments.map((each) => enc(each.commitment, each.oldCommitments)))
}

/** @throws ContentError E_LEN */
export function decodeCommitments(attempt: Attempt, role: Role, body: Uint8Array): Commitment[] {
  const keys = keysDealtBy(attempt, role)
  const old = attempt.spec.old?.threshold ?? 0
  return listOf(body, keys.length).map((part, at) => {
    const bytes = (keys[at]?.group.pointBytes ?? 0) * (role === 'old' ? old : 0)
    const [commitment, oldCommitments] = exact(part, [32, bytes])
    return { commitment, oldCommitments }
  })
}

export function encodeOpenings(echo: Uint8Array, openings: readonly Opening[]): Uint8Array {
  const parts = openings.map(({ commitments, blinding, proof }) =>
    enc(enc(...commitments), blinding, proof.nonce, proof.response),
  )
  return enc(echo, ...parts)
}

/** @throws ContentError E_LEN, E_POINT or E_SCALAR */
export function decodeOpenings(
  attempt: Attempt,
  role: Role,
  body: Uint8Array,
): { echo: Uint8Array; openings: Opening[] } {
  const keys = keysDealtBy(attempt, role)
  const [echo, ...parts] = listOf(body, keys.length + 1)
  if (echo?.length !== 32) throw new ContentError('E_LEN', 'decode opening: echo')
  const openings = parts.map((part, at): Opening => {
    const [list, blinding, nonce, response] = listOf(part, 4)
    if (!list || !blinding || !nonce || !response || blinding.length !== 32)
      throw new ContentError('E_LEN', 'decode opening: blinding')
    const commitments = listOf(list, attempt.spec.next.threshold)
    const points = [...commitments, nonce]
    if (points.some((point) => point.length !== keys[at]?.group.pointBytes))
      throw new ContentError('E_POINT', 'decode opening: size of a point')
    if (response.length !== 32) throw new ContentError('E_SCALAR', 'decode opening: size of the response')
    return { commitments, blinding, proof: { nonce, response } }
  })
  return { echo, openings }
}

export function encodeShares(echo: Uint8Array, shares: readonly Uint8Array[]): Uint8Array {
  return enc(echo, ...shares)
}

/** @throws ContentError E_LEN or E_SCALAR */
export function decodeShares(
  attempt: Attempt,
  role: Role,
  body: Uint8Array,
): { echo: Uint8Array; shares: Uint8Array[] } {
  const [echo, ...shares] = listOf(body, keysDealtBy(attempt, role).length + 1)
  if (echo?.length !== 32) throw new ContentError('E_LEN', 'decode share: echo')
  if (shares.some((share) => share.length !== 32)) throw new ContentError('E_SCALAR', 'decode share: size')
  return { echo, shares }
}

export function encodeAcknowledgement({ transcript, readiness, proofs }: Acknowledgement): Uint8Array {
  return enc(transcript, readiness, ...proofs.map(({ nonce, response }) => enc(nonce, response)))
}

/** @throws ContentError E_LEN */
export function decodeAcknowledgement(keys: readonly KeyTerms[], body: Uint8Array): Acknowledgement {
  const [transcript, readiness, ...parts] = listOf(body, keys.length + 2)
  if (transcript?.length !== 32 || readiness?.length !== 65)
    throw new ContentError('E_LEN', 'decode acknowledgement: transcript or readiness')
  const proofs = parts.map((part, at) => {
    const [nonce, response] = exact(part, [keys[at]?.group.pointBytes ?? 0, 32])
    return { nonce, response }
  })
  return { transcript, readiness, proofs }
}

/**
 * Largest body that is looked at. Twice the exact length, so that a signed body of a wrong shape is still evidence against
 * its sender, and memory stays bounded.
 */
export function largestBody(attempt: Attempt, at: { role: Role; round: number; toAll: boolean }): number {
  if (at.round === ABORT) return MAX_ABORT
  if (at.round >= NOTICE) return 8 + 36 * attempt.parties.length
  const { old, next } = attempt.spec
  const keys = keysDealtBy(attempt, at.role)
  const point = Math.max(...attempt.keys.map((key) => key.group.pointBytes))
  const perKey = {
    [ROUND.commit]: 48 + point * (old?.threshold ?? 0),
    [ROUND.open]: at.toAll ? 160 + (point + 4) * next.threshold : 36,
    [ROUND.acknowledge]: 120,
  }[at.round]
  const count = at.round === ROUND.acknowledge ? attempt.keys.length : keys.length
  return perKey === undefined ? 0 : 2 * (128 + perKey * count)
}

/** Largest body of an abort, evidence included. */
export const MAX_ABORT = 61_440
/** Largest proof that fits an abort. */
export const MAX_PROOF = MAX_ABORT - 1024

/** An abort: what its sender says, and a proof (protocol/proof.ts) or null. */
export interface Abort {
  readonly code: FaultCode
  readonly round: number
  readonly suspects: readonly Seat[]
  readonly proof: Uint8Array | null
}

/** enc(u8 code, u8 round, suspects as (u8 role, u16 index) list, proof or nothing). */
export function encodeAbort({ code, round, suspects, proof }: Abort): Uint8Array {
  const seats = suspects.flatMap(({ role, index }) => [u8(roleByte(role)), u16(index)])
  return enc(u8(FAULT_CODES.indexOf(code)), u8(round), concat(...seats), proof ?? new Uint8Array())
}

/** @throws EncodingError */
export function decodeAbort({ body }: Pick<Envelope, 'body'>): Abort {
  // No session takes a longer one, and neither does a judge, however deep in a record it stands.
  if (body.length > MAX_ABORT) throw new EncodingError(`decode abort: ${body.length} bytes`)
  const [code, round, seats, proof] = dec(body, [1, 1, -1, -1])
  const known = FAULT_CODES[code?.[0] ?? 0xff]
  if (!round || !seats || !proof || known === undefined || seats.length % 3 !== 0)
    throw new EncodingError('decode abort: parts')
  const suspects = Array.from({ length: seats.length / 3 }, (_, at): Seat => {
    const [role, index] = [seats[3 * at], toUint(seats.subarray(3 * at + 1, 3 * at + 3))]
    if (role !== 0 && role !== 1) throw new EncodingError('decode abort: role')
    return { role: role === 0 ? 'old' : 'new', index }
  })
  return { code: known, round: toUint(round), suspects, proof: proof.length === 0 ? null : proof.slice() }
}

function listOf(bytes: Uint8Array, count: number): Uint8Array[] {
  try {
    const parts = decList(bytes, count)
    if (parts.length === count) return parts
  } catch (error) {
    if (!(error instanceof EncodingError)) throw error
  }
  throw new ContentError('E_LEN', `decode body: not exactly ${count} parts`)
}

function exact(bytes: Uint8Array, lengths: readonly [number, number]): [Uint8Array, Uint8Array] {
  const [first, second] = listOf(bytes, 2)
  if (first?.length !== lengths[0] || second?.length !== lengths[1])
    throw new ContentError('E_LEN', 'decode body: size of a part')
  return [first, second]
}
