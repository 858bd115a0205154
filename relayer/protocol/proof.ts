// The part of evidence that travels within a session: signed envelopes, and the rule that says whom they convict.
import { decList, EncodingError, enc } from '../crypto/enc.ts'
import { equal, u8 } from '../lib/bytes.ts'
import { acknowledgementFault } from './acknowledgement.ts'
import { type Attempt, keysDealtBy, partyAt } from './attempt.ts'
import {
  decodeFrame,
  digestOf,
  encodeFrame,
  isSealedBy,
  isWithoutRecovery,
  type SignedEnvelope,
  samePlace,
  startOfFrame,
  withoutRecovery,
} from './envelope.ts'
import { ContentError, FAULT_CODES, type FaultCode } from './faults.ts'
import {
  constantHolds,
  dealerMessages,
  decodeSubshare,
  oldCommitments,
  parseOpenings,
  proofHolds,
  subshareFits,
} from './inspect.ts'
import { ABORT, decodeAbort, decodeCommitments, decodeShares, ROUND } from './messages.ts'
import { compareSeats, type Party, seatKey } from './party.ts'
import { accusedByShort, completed } from './shortproof.ts'

/** Envelopes that convict, before they are put into a record of their own. */
export interface Proof {
  readonly code: FaultCode
  readonly envelopes: readonly SignedEnvelope[]
  /**
   * The parts of the transcript that an acknowledgement signed (E_POS, E_CERT); the digests of what a short proof leaves out
   * (protocol/shortproof.ts); else empty.
   */
  readonly transcript: readonly Uint8Array[]
}

const MOST_ENVELOPES = 4 * 200
const MOST_PARTS = 8 * 256

/** enc(u8 code, enc(transcript parts), frames …); the frames without start message, their signatures without recovery byte. */
export function encodeProof({ code, envelopes, transcript }: Proof): Uint8Array {
  const frames = envelopes.map((envelope) =>
    encodeFrame({ ...envelope, signature: withoutRecovery(envelope.signature) }),
  )
  return enc(u8(FAULT_CODES.indexOf(code)), enc(...transcript), ...frames)
}

/** @throws EncodingError */
export function decodeProof(bytes: Uint8Array): Proof {
  const [code, parts, ...frames] = decList(bytes, MOST_ENVELOPES)
  const known = code?.length === 1 ? FAULT_CODES[code[0] ?? 0xff] : undefined
  if (known === undefined || parts === undefined) throw new EncodingError('decode proof: code')
  const envelopes = frames.map((frame) => {
    const envelope = decodeFrame(frame)
    // No byte of a record may change without its meaning; its envelopes may still come in another order.
    if (startOfFrame(frame) !== null || !isWithoutRecovery(envelope.signature))
      throw new EncodingError('decode proof: a start message or a recovery byte')
    return envelope
  })
  return { code: known, transcript: decList(parts, MOST_PARTS), envelopes }
}

/**
 * Most accusations of a false accusation that one abort may hold, one inside the other. Each lie is public, and everybody
 * judges it as it comes, so that honest members go as deep as liars have lied before them; a deeper one counts as words
 * without proof, of its author as of whom it names: judging it would cost without bound.
 */
export const MOST_NESTED = 16

/** Whether more accusations than that are nested in an abort; no signature is verified. */
export function isTooDeep(abort: SignedEnvelope): boolean {
  let at = abort
  try {
    for (let depth = 0; depth <= MOST_NESTED; depth++) {
      const { proof } = decodeAbort(at)
      if (proof === null) return false
      const { code, envelopes } = decodeProof(proof)
      const [next, ...others] = envelopes
      // Of several messages the others are a dealer's, and what they prove is judged without going deeper.
      if (code !== 'E_FALSE' || next === undefined || others.length > 0) return false
      at = next
    }
    return true
  } catch (error) {
    // What is no abort or no proof goes no deeper.
    if (error instanceof EncodingError) return false
    throw error
  }
}

/** Whom a proof convicts; null if it convicts nobody of its code. Every signature is verified here. */
export function convicts(attempt: Attempt, proof: Proof): readonly Party[] | null {
  const { code, envelopes, transcript } = proof
  const senders = new Map<string, { party: Party; sent: SignedEnvelope[] }>()
  for (const envelope of envelopes) {
    const party = partyAt(attempt, envelope.from)
    if (party === null || !equal(envelope.sessionId, attempt.sessionId)) return null
    if (!isSealedBy(party.address, envelope)) return null
    const sender = senders.get(seatKey(party)) ?? { party, sent: [] }
    senders.set(seatKey(party), { party, sent: [...sender.sent, envelope] })
  }
  const accused = [...senders.values()].sort((a, b) => compareSeats(a.party, b.party))
  if (accused.length === 0) return null
  if (code === 'E_FALSE' && envelopes.length === 3) return ofShortLie(attempt, envelopes)
  if (code === 'E_FALSE' && envelopes.length > 1) return null
  const guilty = ({ party, sent }: { party: Party; sent: readonly SignedEnvelope[] }): boolean => {
    const [only] = sent
    switch (code) {
      case 'E_EQUIV':
        return equivocates(sent)
      case 'E_FALSE':
        return sent.length === 1 && only !== undefined && accusesFalsely(attempt, only)
      default:
        return only?.round === ROUND.acknowledge
          ? acknowledgementFault(attempt, { party, envelope: only, transcript }) === code
          : dealerFault(attempt, party, sent) === code
    }
  }
  if (accused.every(guilty)) return accused.map(({ party }) => party)
  return code === 'E_POK' && areTwins(attempt, accused) ? accused.map(({ party }) => party) : null
}

/** The first thing wrong with a dealer's signed messages, in the order in which receivers look; null if nothing is. */
export function dealerFault(
  attempt: Attempt,
  dealer: Party,
  sent: readonly SignedEnvelope[],
): FaultCode | null {
  const { commit, open, share } = dealerMessages(sent)
  const keys = keysDealtBy(attempt, dealer.role)
  try {
    const openings =
      commit !== undefined && open !== undefined
        ? parseOpenings(attempt, dealer, { commit: commit.body, open: open.body })
        : []
    const promised = commit === undefined ? [] : decodeCommitments(attempt, dealer.role, commit.body)
    const olds = promised.map(({ oldCommitments: bytes }, at) => {
      const key = keys[at]
      return key === undefined || key.registered === null ? [] : oldCommitments(key, bytes)
    })
    if (openings.some((opening) => !proofHolds(opening))) return 'E_POK'
    const wrong = openings.some(
      (opening, at) => opening.key.registered !== null && !constantHolds(attempt, opening, olds[at] ?? []),
    )
    if (wrong) return 'E_CONST'
    if (share === undefined || share.to === null) return null
    const { shares } = decodeShares(attempt, dealer.role, share.body)
    const scalars = keys.map((key, at) => decodeSubshare(key, shares[at] ?? new Uint8Array()))
    const to = share.to.index
    return openings.every((opening, at) => subshareFits(opening, to, scalars[at] ?? 0n)) ? null : 'E_SHARE'
  } catch (error) {
    if (error instanceof ContentError) return error.code
    throw error
  }
}

function equivocates(sent: readonly SignedEnvelope[]): boolean {
  const [first, second] = sent
  return (
    sent.length === 2 &&
    first !== undefined &&
    second !== undefined &&
    samePlace(first, second) &&
    !equal(digestOf(first), digestOf(second))
  )
}

/** An abort whose proof does not convict anybody, or is none, is a lie of its sender. */
function accusesFalsely(attempt: Attempt, envelope: SignedEnvelope): boolean {
  if (envelope.round !== ABORT || envelope.to !== null) return false
  let proof: Uint8Array | null
  try {
    proof = decodeAbort(envelope).proof
  } catch (error) {
    if (error instanceof EncodingError) return false
    throw error
  }
  if (isTooDeep(envelope)) return false
  try {
    if (proof === null) return false
    const decoded = decodeProof(proof)
    // A short proof is judged with the messages that it names.
    return accusedByShort(attempt, decoded) === null && convicts(attempt, decoded) === null
  } catch (error) {
    if (error instanceof EncodingError) return true
    throw error
  }
}

/** The author of a short accusation, who named a dealer's commitments and opening under which the subshare is good. */
function ofShortLie(attempt: Attempt, envelopes: readonly SignedEnvelope[]): readonly Party[] | null {
  const [abort, commit, open] = envelopes
  const author = abort && partyAt(attempt, abort.from)
  if (!author || abort.round !== ABORT || abort.to !== null) return null
  try {
    const { proof } = decodeAbort(abort)
    const short = proof === null ? null : decodeProof(proof)
    const dealer = short && accusedByShort(attempt, short)
    const whole = short && completed(short, { commit, open })
    if (!dealer || !whole) return null
    const fitting = [commit, open].every((each) => each && compareSeats(each.from, dealer) === 0)
    return fitting && convicts(attempt, whole) === null ? [author] : null
  } catch (error) {
    if (error instanceof EncodingError) return null
    throw error
  }
}

/** Two dealers with the same C_i0, both proven: they know each other's secret. */
function areTwins(
  attempt: Attempt,
  accused: readonly { party: Party; sent: readonly SignedEnvelope[] }[],
): boolean {
  const [first, second] = accused.map(({ party, sent }) => {
    const { commit, open } = dealerMessages(sent)
    return commit === undefined || open === undefined || dealerFault(attempt, party, sent) !== null
      ? []
      : parseOpenings(attempt, party, { commit: commit.body, open: open.body })
  })
  return (
    accused.length === 2 &&
    (first ?? []).some((opening) => {
      const [mine] = opening.commitments
      const theirs = second?.find((other) => other.key === opening.key)?.commitments[0]
      return mine !== undefined && theirs !== undefined && mine.equals(theirs)
    })
  )
}
