// A corrupt dealer: it follows the rounds without checking anybody, and lets a test change each thing that it says.
import type { Address } from '../../relayer/lib/bytes.ts'
import { posContext } from '../../relayer/protocol/acknowledgement.ts'
import { dealersOf } from '../../relayer/protocol/attempt.ts'
import { echoOf } from '../../relayer/protocol/broadcast.ts'
import { commitTo, type Dealing, deal, open, subshareOf } from '../../relayer/protocol/dealing.ts'
import { parseOpenings } from '../../relayer/protocol/inspect.ts'
import type { KeyShare } from '../../relayer/protocol/keyshare.ts'
import {
  ABORT,
  type Abort,
  type Acknowledgement,
  type Commitment,
  decodeShares,
  encodeAbort,
  encodeAcknowledgement,
  encodeCommitments,
  encodeOpenings,
  encodeShares,
  type Opening,
  ROUND,
} from '../../relayer/protocol/messages.ts'
import type { Party } from '../../relayer/protocol/party.ts'
import type { Prepared } from '../../relayer/protocol/prepared.ts'
import { combine, type Received } from '../../relayer/protocol/receiving.ts'
import type { Session } from '../../relayer/protocol/session.ts'
import { transcriptOf, transcriptParts } from '../../relayer/protocol/transcript.ts'
import { prove } from '../../relayer/crypto/proofs.ts'
import { Secret } from '../../relayer/lib/secret.ts'

/** What to change; whatever is left out is done by the book. Each gets what an honest party would have said. */
export interface Cheat {
  readonly dealings?: (dealings: Dealing[], session: Session, seat: Party) => Dealing[]
  readonly commitments?: (commitments: Commitment[], dealings: readonly Dealing[]) => Commitment[]
  readonly echo?: (echo: Uint8Array) => Uint8Array
  readonly openings?: (
    openings: Opening[],
    at: { session: Session; echo: Uint8Array; seat: Party },
  ) => Opening[]
  /** Null: say nothing to this receiver. */
  readonly shares?: (shares: Uint8Array[], to: Party) => Uint8Array[] | null
  /** The echo digest in the private message to a receiver. */
  readonly privateEcho?: (echo: Uint8Array, to: Party) => Uint8Array
  /** Called with what came in rounds 1 and 2: an abort to send, or null to go on. */
  readonly abort?: (received: readonly Received[], session: Session) => Abort | null
  readonly acknowledgement?: (acknowledgement: Acknowledgement) => Acknowledgement
  /** Its readiness signature, where it is of the new committee and goes as far as to acknowledge. */
  readonly readiness?: (prepared: Prepared) => Uint8Array
}

/** What a corrupt party runs in place of keygen or reshare and confirm. */
export type Rogue = (session: Session, held: readonly KeyShare[]) => Promise<void>

/** Rogues by address, for `runCeremony`. */
export type Rogues = ReadonlyMap<Address, Rogue>

/** A rogue that cheats in this way. */
export function rogue(cheat: Cheat): Rogue {
  return async (session, held) => {
    const { attempt } = session
    const dealers = dealersOf(attempt)
    const seats = session.seats.filter((seat) => dealers.includes(seat))
    const dealt = seats.map((seat) => {
      const honest = deal(session, seat, held)
      return { seat, dealings: cheat.dealings?.(honest, session, seat) ?? honest }
    })
    for (const { seat, dealings } of dealt) {
      const honest = dealings.map((dealing) => commitTo(dealing, seat))
      session.sendToAll(
        seat,
        ROUND.commit,
        encodeCommitments(cheat.commitments?.(honest, dealings) ?? honest),
      )
    }
    const commits = await session.gather(ROUND.commit, dealers)
    const truth = echoOf(attempt, ROUND.commit, commits)
    const echo = cheat.echo?.(truth) ?? truth
    for (const { seat, dealings } of dealt) {
      const honest = dealings.map((dealing) => open(session, seat, { dealing, echo }))
      const openings = cheat.openings?.(honest, { session, echo, seat }) ?? honest
      session.sendToAll(seat, ROUND.open, encodeOpenings(echo, openings))
      for (const to of attempt.receivers) {
        const own = dealings.map((dealing) => subshareOf(dealing, to.index))
        const shares = cheat.shares === undefined ? own : cheat.shares(own, to)
        if (shares !== null)
          session.send(seat, to, {
            round: ROUND.open,
            body: encodeShares(cheat.privateEcho?.(echo, to) ?? echo, shares),
          })
      }
    }
    const received = await receive(session, dealers)
    const [seat] = session.seats
    const abort = cheat.abort?.(received, session) ?? null
    if (abort !== null && seat !== undefined) session.sendToAll(seat, ABORT, encodeAbort(abort))
    if (abort === null && cheat.readiness !== undefined) acknowledge(session, received, cheat)
  }
}

async function receive(session: Session, dealers: readonly Party[]): Promise<Received[]> {
  const receiver = session.seat('new')
  const commits = await session.gather(ROUND.commit, dealers)
  const opens = await session.gather(ROUND.open, dealers)
  const shares = receiver === null ? [] : await session.gatherPrivate(ROUND.open, receiver, dealers)
  return dealers.flatMap((dealer, at): Received[] => {
    const [commit, opening] = [commits[at], opens[at]]
    return commit && opening ? [{ dealer, commit, open: opening, share: shares[at] ?? null }] : []
  })
}

/** Sums without checking anything. */
function acknowledge(session: Session, received: readonly Received[], cheat: Cheat): void {
  const { attempt } = session
  const own = session.seat('new')
  if (own === null || cheat.readiness === undefined) return
  const openings = received.flatMap(({ dealer, commit, open: opening }) =>
    parseOpenings(attempt, dealer, { commit: commit.body, open: opening.body }),
  )
  const keys = attempt.keys.map((key) => combine(attempt, key, openings))
  const echoes = [
    echoOf(
      attempt,
      ROUND.commit,
      received.map(({ commit }) => commit),
    ),
    echoOf(
      attempt,
      ROUND.open,
      received.map(({ open: opening }) => opening),
    ),
  ] as const
  const transcript = transcriptOf(attempt, transcriptParts(attempt, { echoes, keys }))
  const shares = attempt.keys.map((key, at): KeyShare => {
    const sum = received.reduce((total, { dealer, share }) => {
      const position = attempt.keys.filter((each) => each.dealtBy === dealer.role).indexOf(key)
      const part = share && decodeShares(attempt, dealer.role, share.body).shares[position]
      return part ? (total + key.group.decodeScalar(part)) % key.group.order : total
    }, 0n)
    const known = keys[at]
    if (known === undefined) throw new RangeError('rogue: a key is missing')
    return { ...known, share: new Secret(key.group.encodeScalar(sum)) }
  })
  const { sessionId, spec, start } = { ...attempt }
  const prepared = { sessionId, epoch: spec.next.epoch, attempt: start.attempt, transcript, keys, shares }
  const proofs = attempt.keys.map((key, at) => {
    const share = shares[at]
    const point = share?.verificationShares[own.index - 1]
    if (share === undefined || point === undefined) throw new RangeError('rogue: no share')
    const context = posContext(key, { transcript, index: own.index, share: point })
    return prove(key.group, key.group.decodeScalar(share.share.expose()), { ...context, rng: session.rng })
  })
  const honest: Acknowledgement = { transcript, readiness: cheat.readiness(prepared), proofs }
  const said = cheat.acknowledgement?.(honest) ?? honest
  session.sendToAll(own, ROUND.acknowledge, encodeAcknowledgement(said))
}
