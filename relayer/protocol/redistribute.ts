// Rounds 1 to 3 of keygen, reshare, refresh and key addition: one function, for they differ only in who deals what (docs/protocols.md, Keygen and Reshare).
import { type Attempt, dealersOf } from './attempt.ts'
import { type Claim, echoOf, requireSameView } from './broadcast.ts'
import { commitTo, deal, open, subshareOf } from './dealing.ts'
import { ContentError } from './faults.ts'
import type { KeyShare } from './keyshare.ts'
import {
  decodeOpenings,
  decodeShares,
  encodeCommitments,
  encodeOpenings,
  encodeShares,
  ROUND,
} from './messages.ts'
import type { Prepared } from './prepared.ts'
import { combine, type Received, sumSubshares, verifyOpenings } from './receiving.ts'
import type { Session } from './session.ts'
import { transcriptOf, transcriptParts } from './transcript.ts'

/** @throws the errors of protocol/faults.ts */
export async function redistribute(session: Session, held: readonly KeyShare[]): Promise<Prepared> {
  const { attempt } = session
  const dealers = dealersOf(attempt)
  const receiver = session.seat('new')
  const seats = session.seats.filter((seat) => dealers.includes(seat))

  // Round 1: commit to fresh polynomials.
  const dealt = seats.map((seat) => ({ seat, dealings: deal(session, seat, held) }))
  for (const { seat, dealings } of dealt) {
    const commitments = dealings.map((dealing) => commitTo(dealing, seat))
    session.sendToAll(seat, ROUND.commit, encodeCommitments(commitments))
  }
  const commits = await session.gather(ROUND.commit, dealers)
  const echo = echoOf(attempt, ROUND.commit, commits)

  // Round 2: open them to all, and give every new member its subshares.
  for (const { seat, dealings } of dealt) {
    const openings = dealings.map((dealing) => open(session, seat, { dealing, echo }))
    session.sendToAll(seat, ROUND.open, encodeOpenings(echo, openings))
    for (const to of attempt.receivers) {
      const shares = dealings.map((dealing) => subshareOf(dealing, to.index))
      session.send(seat, to, { round: ROUND.open, body: encodeShares(echo, shares) })
    }
  }
  const opens = await session.gather(ROUND.open, dealers)
  const shares = receiver === null ? [] : await session.gatherPrivate(ROUND.open, receiver, dealers)
  const received = dealers.flatMap((dealer, at): Received[] => {
    const [commit, opening] = [commits[at], opens[at]]
    return commit && opening ? [{ dealer, commit, open: opening, share: shares[at] ?? null }] : []
  })

  // Round 3, step 1: everybody saw the same round 1.
  const claims = received.flatMap((entry) => echoClaims(attempt, entry))
  await requireSameView(session, { round: ROUND.commit, own: echo, claims })
  // Round 3, steps 2 and 3 (reshare: and the constant terms): every dealer's opening.
  const openings = verifyOpenings(session, received)
  // Round 3, steps 4 to 6: the sums, and what follows from them for everybody.
  const keys = attempt.keys.map((key) => combine(attempt, key, openings))
  // Round 3, step 7: this node's own share.
  const own = receiver === null ? [] : sumSubshares(session, received, keys)

  const echoes = [echo, echoOf(attempt, ROUND.open, opens)] as const
  return {
    sessionId: attempt.sessionId,
    epoch: attempt.spec.next.epoch,
    attempt: attempt.start.attempt,
    transcript: transcriptOf(attempt, transcriptParts(attempt, { echoes, keys })),
    keys,
    shares: own,
  }
}

/** What a dealer says it saw in round 1, to all and to this node; a body without shape is judged later. */
function echoClaims(attempt: Attempt, { dealer, open: opening, share }: Received): Claim[] {
  const claims: Claim[] = []
  const read = (decode: () => { echo: Uint8Array }) => {
    try {
      claims.push({ by: dealer, digest: decode().echo })
    } catch (error) {
      if (!(error instanceof ContentError)) throw error
    }
  }
  read(() => decodeOpenings(attempt, dealer.role, opening.body))
  if (share !== null) read(() => decodeShares(attempt, dealer.role, share.body))
  return claims
}
