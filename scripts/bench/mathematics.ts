// The mathematics of one party in rounds 1 to 3, by the very functions that the protocol calls, on the messages of a real run.
import { equal } from '../../relayer/lib/bytes.ts'
import { dealersOf } from '../../relayer/protocol/attempt.ts'
import { echoOf } from '../../relayer/protocol/broadcast.ts'
import { commitTo, deal, open, subshareOf } from '../../relayer/protocol/dealing.ts'
import type { KeyShare } from '../../relayer/protocol/keyshare.ts'
import { ROUND } from '../../relayer/protocol/messages.ts'
import { combine, type Received, sumSubshares, verifyOpenings } from '../../relayer/protocol/receiving.ts'
import type { Outcome } from './ceremony.ts'
import { cpuMs, median } from './stopwatch.ts'

/** CPU time in ms, medians. */
export interface Mathematics {
  readonly total: number
  /** Own polynomials, commitments, proof, subshares. */
  readonly deal: number
  /** Parsing and verifying every dealer's openings. */
  readonly verify: number
  /** Sums and verification shares. */
  readonly combine: number
  /** Own share and the check of it. */
  readonly sum: number
}

/**
 * Does one party's mathematics again and again.
 * @param held the party's shares of the old epoch; none in a keygen
 */
export async function measureMathematics(
  { session, prepared }: Outcome,
  of: { held: readonly KeyShare[]; passes: number },
): Promise<Mathematics> {
  const { attempt } = session
  const dealers = dealersOf(attempt)
  const [seat, receiver] = [session.seats.find((one) => dealers.includes(one)), session.seat('new')]
  if (seat === undefined || receiver === null) throw new Error('bench mathematics: this party does not deal')
  const commits = await session.gather(ROUND.commit, dealers)
  const opens = await session.gather(ROUND.open, dealers)
  const shares = await session.gatherPrivate(ROUND.open, receiver, dealers)
  const received = dealers.flatMap((dealer, at): Received[] => {
    const [commit, opening, share] = [commits[at], opens[at], shares[at]]
    return commit && opening && share ? [{ dealer, commit, open: opening, share }] : []
  })
  const echo = echoOf(attempt, ROUND.commit, commits)

  const pass = () => {
    const marks = [cpuMs()]
    const mark = () => void marks.push(cpuMs())
    const dealings = deal(session, seat, of.held)
    for (const dealing of dealings) {
      commitTo(dealing, seat)
      open(session, seat, { dealing, echo })
      for (const to of attempt.receivers) subshareOf(dealing, to.index)
    }
    mark()
    const openings = verifyOpenings(session, received)
    mark()
    const keys = attempt.keys.map((key) => combine(attempt, key, openings))
    mark()
    const own = sumSubshares(session, received, keys)
    mark()
    const [first, before] = [own[0]?.groupKey, prepared.keys[0]?.groupKey]
    if (first === undefined || before === undefined || !equal(first, before))
      throw new Error('bench mathematics: another key than the ceremony made')
    return marks.slice(1).map((at, k) => at - (marks[k] ?? at))
  }
  for (let warm = 0; warm < of.passes / 4; warm++) pass()
  const samples = Array.from({ length: of.passes }, pass)
  const step = (k: number) => median(samples.map((sample) => sample[k] ?? 0))
  return {
    total: median(samples.map((sample) => sample.reduce((sum, part) => sum + part, 0))),
    deal: step(0),
    verify: step(1),
    combine: step(2),
    sum: step(3),
  }
}
