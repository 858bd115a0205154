// What a session has received: every frame passes this pipeline, the first of each place wins (docs/protocols.md, Envelope).
import { EncodingError } from '../crypto/enc.ts'
import { type Address, equal } from '../lib/bytes.ts'
import { type Attempt, dealersOf, partyAt } from './attempt.ts'
import { decodeFrame, isSealedBy, placeOf, type SignedEnvelope } from './envelope.ts'
import type { DropCode } from './faults.ts'
import { ABORT, largestBody, NOTICE, ROUND } from './messages.ts'
import { compareSeats, type Party, type Seat } from './party.ts'

/** What became of a frame. */
export type Arrival =
  | { readonly kind: 'dropped'; readonly code: DropCode }
  | { readonly kind: 'repeated' }
  | { readonly kind: 'new'; readonly envelope: SignedEnvelope; readonly sender: Party }
  | { readonly kind: 'conflict'; readonly envelopes: readonly [SignedEnvelope, SignedEnvelope] }

/** The messages of one session, each place once. */
export class Inbox {
  readonly #attempt: Attempt
  readonly #own: readonly Seat[]
  readonly #held = new Map<string, SignedEnvelope>()
  /** Frames dropped, by reason. */
  readonly drops: Record<DropCode, number> = { E_SIG: 0, E_SIZE: 0, E_ROUND: 0, E_SID_MISMATCH: 0 }

  /** @param own the seats of this node: private messages to others are dropped */
  constructor(attempt: Attempt, own: readonly Seat[]) {
    this.#attempt = attempt
    this.#own = own
  }

  /** What stands at a place, if anything came. */
  at(round: number, from: Seat, to: Seat | null): SignedEnvelope | undefined {
    return this.#held.get(placeOf({ round, from, to }))
  }

  /** Whether everything is here that this node needs from a member, in each of its seats. */
  owesNothing({ address }: Party): boolean {
    const dealers = dealersOf(this.#attempt)
    const receiver = this.#own.find(({ role }) => role === 'new')
    return this.#attempt.parties
      .filter((party) => party.address === address)
      .every((party) => {
        const holds = (round: number, to: Seat | null = null) => this.at(round, party, to) !== undefined
        if (party.role === 'new' && !holds(ROUND.acknowledge)) return false
        if (!dealers.includes(party)) return true
        return holds(ROUND.commit) && holds(ROUND.open) && (!receiver || holds(ROUND.open, receiver))
      })
  }

  /** Puts an envelope of this node's own there. */
  put(envelope: SignedEnvelope): void {
    this.#held.set(placeOf(envelope), envelope)
  }

  /**
   * A frame from the channel, in this order: size, sender's seat, signature, receiver, session, round, first one wins.
   * @param carrier who brought it; messages to all may be passed on by others, private ones may not
   */
  take(carrier: Address, frame: Uint8Array): Arrival {
    let envelope: SignedEnvelope
    try {
      envelope = decodeFrame(frame)
    } catch (error) {
      if (error instanceof EncodingError) return this.#drop('E_SIZE')
      throw error
    }
    const { from, to, round } = envelope
    if (envelope.body.length > largestBody(this.#attempt, { role: from.role, round, toAll: to === null }))
      return this.#drop('E_SIZE')
    const sender = partyAt(this.#attempt, from)
    if (sender === null) return this.#drop('E_SIG')
    const first = this.#held.get(placeOf(envelope))
    if (first !== undefined && equal(first.sessionId, envelope.sessionId) && equal(first.body, envelope.body))
      return { kind: 'repeated' }
    if (to !== null && carrier !== sender.address) return this.#drop('E_SIG')
    if (!isSealedBy(sender.address, envelope)) return this.#drop('E_SIG')
    if (to !== null && !this.#own.some((seat) => compareSeats(seat, to) === 0)) return this.#drop('E_SIG')
    if (!equal(envelope.sessionId, this.#attempt.sessionId)) return this.#drop('E_SID_MISMATCH')
    if (!this.#speaks(sender, round, to)) return this.#drop('E_ROUND')
    if (first !== undefined) return { kind: 'conflict', envelopes: [first, envelope] }
    this.#held.set(placeOf(envelope), envelope)
    return { kind: 'new', envelope, sender }
  }

  /** Whether this sender has anything to say in this round, to all or to one. */
  #speaks(sender: Party, round: number, to: Seat | null): boolean {
    const deals = dealersOf(this.#attempt).some((dealer) => compareSeats(dealer, sender) === 0)
    if (to !== null) return round === ROUND.open && deals && to.role === 'new'
    if (round === ROUND.commit || round === ROUND.open) return deals
    if (round === ROUND.acknowledge) return sender.role === 'new'
    return round === ABORT || round === NOTICE + ROUND.commit || round === NOTICE + ROUND.open
  }

  #drop(code: DropCode): Arrival {
    this.drops[code] += 1
    return { kind: 'dropped', code }
  }
}
