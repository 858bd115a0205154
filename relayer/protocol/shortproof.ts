// The proof of a bad subshare where it is too long for an abort: the subshare itself, and the dealer's messages to all by their digests.
import { equal } from '../lib/bytes.ts'
import { type Attempt, keysDealtBy, partyAt } from './attempt.ts'
import { digestOf, FRAME_OVERHEAD, type SignedEnvelope } from './envelope.ts'
import type { FaultCode } from './faults.ts'
import { dealerMessages } from './inspect.ts'
import { encodeCommitments, encodeOpenings, encodeShares, MAX_PROOF, ROUND } from './messages.ts'
import type { Party } from './party.ts'

/** What a proof is made of. */
interface Parts {
  readonly code: FaultCode
  readonly envelopes: readonly SignedEnvelope[]
  readonly transcript: readonly Uint8Array[]
}

/** Bytes of a proof beside its frames: its count, code, and transcript of no parts. */
const PROOF_OVERHEAD = 17

/** The short form of a proof against one dealer's subshare: the subshare, with digests for transcript; null for any other. */
export function shortened({ code, envelopes }: Parts): Parts | null {
  const { commit, open, share } = dealerMessages(envelopes)
  const sent = envelopes.find(({ to }) => to !== null)
  if (code !== 'E_SHARE' || envelopes.length !== 3 || !commit || !open || !share || !sent) return null
  return { code, envelopes: [sent], transcript: [digestOf(commit), digestOf(open)] }
}

/**
 * The dealer whom a short proof accuses; null if it is none, or the dealer deals so little that the whole proof has room:
 * then there is no excuse for a short one.
 */
export function accusedByShort(attempt: Attempt, { code, envelopes, transcript }: Parts): Party | null {
  const [share, ...others] = envelopes
  if (code !== 'E_SHARE' || share === undefined || others.length > 0 || share.to === null) return null
  if (transcript.length !== 2 || transcript.some((digest) => digest.length !== 32)) return null
  const dealer = partyAt(attempt, share.from)
  return dealer !== null && wholeLength(attempt, dealer) > MAX_PROOF ? dealer : null
}

/** The whole proof, made of a short one and the dealer's messages to all; null unless they are those that it names. */
export function completed(
  { code, envelopes, transcript }: Parts,
  toAll: { readonly commit: SignedEnvelope | undefined; readonly open: SignedEnvelope | undefined },
): Parts | null {
  const { commit, open } = toAll
  const [first, second] = transcript
  if (!commit || !open || !first || !second) return null
  if (!equal(digestOf(commit), first) || !equal(digestOf(open), second)) return null
  return { code, envelopes: [commit, open, ...envelopes], transcript: [] }
}

/** Length of the proof of a bad subshare whose other messages have their exact shapes, which was checked before. */
function wholeLength(attempt: Attempt, dealer: Party): number {
  const { old, next } = attempt.spec
  const keys = keysDealtBy(attempt, dealer.role)
  const zeros = (length: number) => new Uint8Array(length)
  const commit = encodeCommitments(
    keys.map(({ registered, group }) => ({
      commitment: zeros(32),
      oldCommitments: zeros(registered === null ? 0 : group.pointBytes * (old?.threshold ?? 0)),
    })),
  )
  const open = encodeOpenings(
    zeros(32),
    keys.map(({ group: { pointBytes } }) => ({
      commitments: Array.from({ length: next.threshold }, () => zeros(pointBytes)),
      blinding: zeros(32),
      proof: { nonce: zeros(pointBytes), response: zeros(32) },
    })),
  )
  const share = encodeShares(
    zeros(32),
    keys.map(() => zeros(32)),
  )
  return [commit, open, share].reduce((sum, body) => sum + 4 + FRAME_OVERHEAD + body.length, PROOF_OVERHEAD)
}

/** A dealer's commitments and opening as somebody holds them. */
export function messagesToAll(
  held: (round: number, from: Party) => SignedEnvelope | undefined,
  dealer: Party,
): { commit: SignedEnvelope | undefined; open: SignedEnvelope | undefined } {
  return { commit: held(ROUND.commit, dealer), open: held(ROUND.open, dealer) }
}
