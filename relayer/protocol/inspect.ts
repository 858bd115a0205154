// What anybody can check of one dealer's signed messages; the same functions find a fault and verify the evidence of it.
import { type Point, PointError, ScalarError } from '../crypto/group.ts'
import { H, keccak256 } from '../crypto/hash.ts'
import { lagrangeAtZero } from '../crypto/polynomial.ts'
import { claimOf, holds, type ProofClaim, type ProofContext } from '../crypto/proofs.ts'
import { TAG } from '../crypto/tags.ts'
import { evaluateCommitments, evaluateCommitmentsSlowly } from '../crypto/vss.ts'
import { equal, u16 } from '../lib/bytes.ts'
import { type Attempt, type KeyTerms, keysDealtBy } from './attempt.ts'
import type { Envelope } from './envelope.ts'
import { ContentError } from './faults.ts'
import { type Commitment, decodeCommitments, decodeOpenings, type Opening, ROUND } from './messages.ts'
import type { Party } from './party.ts'
import { groupKeyOf } from './transcript.ts'

/** A dealer's opened polynomial commitments for one key. */
export interface ParsedOpening {
  readonly dealer: Party
  readonly key: KeyTerms
  /** C_i0 … C_i,t-1. */
  readonly commitments: readonly Point[]
  readonly claim: ProofClaim
}

/** com_i of a key: H("kg-com" or "rs-com", sid_k, i, C_i0 …, ρ_i). */
export function commitmentDigest(
  key: KeyTerms,
  dealer: Pick<Party, 'index'>,
  opening: Pick<Opening, 'commitments' | 'blinding'>,
): Uint8Array {
  const tag = key.registered === null ? TAG.keygenCommit : TAG.reshareCommit
  return H(tag, key.sessionId, u16(dealer.index), ...opening.commitments, opening.blinding)
}

/** What the proof of knowledge of C_i0 is bound to: sid_k, h_1, i, C_i0 … C_i,t-1. */
export function pokContext(
  key: KeyTerms,
  dealer: Pick<Party, 'index'>,
  of: { echo: Uint8Array; commitments: readonly Uint8Array[] },
): ProofContext {
  return {
    tag: key.registered === null ? TAG.keygenPok : TAG.resharePok,
    binding: [key.sessionId, of.echo, u16(dealer.index), ...of.commitments],
  }
}

/**
 * The commitments of the old epoch that a dealer sent, checked against what the contract stored.
 * @throws ContentError E_STATE if they are not those
 */
export function oldCommitments(key: KeyTerms, bytes: Uint8Array): Point[] {
  const { registered, group } = key
  const size = group.pointBytes
  const points = Array.from({ length: bytes.length / size }, (_, k) =>
    bytes.subarray(k * size, (k + 1) * size),
  )
  if (
    registered === null ||
    !equal(keccak256(bytes), registered.commitmentsHash) ||
    !equal(groupKeyOf(key, points), registered.groupKey)
  )
    throw new ContentError('E_STATE', 'check old commitments: not those that the contract stored')
  return asContent(() => points.map((point) => group.decode(point)))
}

/**
 * A dealer's openings, each with its proof decoded but not verified.
 * @throws ContentError E_LEN, E_POINT, E_SCALAR or E_COMMIT
 */
export function parseOpenings(
  attempt: Attempt,
  dealer: Party,
  bodies: { commit: Uint8Array; open: Uint8Array },
): ParsedOpening[] {
  const promised = decodeCommitments(attempt, dealer.role, bodies.commit)
  const { echo, openings } = decodeOpenings(attempt, dealer.role, bodies.open)
  return keysDealtBy(attempt, dealer.role).map((key, at) => {
    const opening = openings[at]
    if (opening === undefined) throw new ContentError('E_LEN', 'parse opening: a key is missing')
    return asContent(() => {
      const commitments = opening.commitments.map((bytes) => key.group.decodePublished(bytes))
      const [point] = commitments
      if (point === undefined || !opens(key, dealer, { promised: promised[at], opening }))
        throw new ContentError('E_COMMIT', 'open commitment: it was to something else')
      const context = pokContext(key, dealer, { echo, commitments: opening.commitments })
      return { dealer, key, commitments, claim: claimOf(key.group, opening.proof, { ...context, point }) }
    })
  })
}

/** λ_i of a dealer in the attempt's set. */
export function lambdaOf(attempt: Attempt, key: KeyTerms, dealer: Pick<Party, 'index'>): bigint {
  const { dealers } = attempt.start
  return lagrangeAtZero(key.group, dealers)[dealers.indexOf(dealer.index)] ?? 0n
}

/** Whether C_i0 = λ_i V_i for the verification share that the old commitments give. */
export function constantHolds(attempt: Attempt, opening: ParsedOpening, old: readonly Point[]): boolean {
  const { key, dealer, commitments } = opening
  const share = evaluateCommitments(old, dealer.index)
  const expected = key.group.sumUnsafe([share], [lambdaOf(attempt, key, dealer)])
  return commitments[0]?.equals(expected) ?? false
}

/**
 * A subshare of one key, not yet compared with the commitments.
 * @throws ContentError E_SCALAR for zero or a number not below q
 */
export function decodeSubshare(key: KeyTerms, share: Uint8Array): bigint {
  return asContent(() => key.group.decodeScalar(share, true))
}

/** Whether f_i(j) G = Σ j^k C_ik, asked twice in two ways before anybody is accused. */
export function subshareFits(opening: ParsedOpening, index: number, share: bigint): boolean {
  const { group } = opening.key
  const own = group.multiplyBase(share)
  return (
    own.equals(evaluateCommitments(opening.commitments, index)) ||
    own.equals(evaluateCommitmentsSlowly(group, opening.commitments, index))
  )
}

/** The envelopes of one dealer by what they are. */
export function dealerMessages(envelopes: readonly Envelope[]): {
  commit?: Envelope
  open?: Envelope
  share?: Envelope
} {
  const find = (round: number, toAll: boolean) =>
    envelopes.find((each) => each.round === round && (each.to === null) === toAll)
  const [commit, open, share] = [find(ROUND.commit, true), find(ROUND.open, true), find(ROUND.open, false)]
  return { ...(commit && { commit }), ...(open && { open }), ...(share && { share }) }
}

/** Whether the proof of an opening holds. */
export function proofHolds(opening: ParsedOpening): boolean {
  return holds(opening.key.group, opening.claim)
}

function opens(
  key: KeyTerms,
  dealer: Party,
  of: { promised: Commitment | undefined; opening: Opening },
): boolean {
  return of.promised !== undefined && equal(commitmentDigest(key, dealer, of.opening), of.promised.commitment)
}

function asContent<T>(decode: () => T): T {
  try {
    return decode()
  } catch (error) {
    if (error instanceof PointError) throw new ContentError('E_POINT', error.message)
    if (error instanceof ScalarError) throw new ContentError('E_SCALAR', error.message)
    throw error
  }
}
