// A node's view of a round: the digests of the messages to all that it holds, by which those who differ find out why.
import { type Address, concat, equal } from '../lib/bytes.ts'
import { type Attempt, dealersOf } from './attempt.ts'
import { digestOf, type SignedEnvelope } from './envelope.ts'
import type { Inbox } from './inbox.ts'
import { NOTICE } from './messages.ts'

/**
 * The deadline of a comparison, after that of every round: an equivocator that speaks at the last moment must not leave the
 * others without the time to find it.
 */
export const DISPUTE = 4

/** What a session does for its views. */
export interface ViewWire {
  /** Sends a notice to all. */
  say(round: number, body: Uint8Array): void
  /** Passes another's message on to one party. */
  pass(to: Address, envelope: SignedEnvelope): void
}

/** The views of one session: each shown once, and every other's answered once, with what differs and to its author alone. */
export class Views {
  readonly #attempt: Attempt
  readonly #inbox: Inbox
  readonly #wire: ViewWire
  readonly #self: Address
  /** Rounds of which somebody showed its view, so that ours is due. */
  readonly #due = new Set<number>()
  /** Those that were shown; the first message of a place wins, so they never change. */
  readonly #shown = new Map<number, readonly Uint8Array[]>()
  readonly #answered = new Set<SignedEnvelope>()

  constructor(attempt: Attempt, of: { inbox: Inbox; self: Address; wire: ViewWire }) {
    this.#attempt = attempt
    this.#inbox = of.inbox
    this.#self = of.self
    this.#wire = of.wire
  }

  /** Somebody showed its view of a round. */
  ask(round: number): void {
    this.#due.add(round)
  }

  /** Shows and answers what is due and can be. */
  settle(): void {
    for (const round of this.#due) this.show(round)
  }

  /**
   * Says to everybody with which digests of a round, once. A view with a gap is not shown yet: whoever asks too early must
   * not be the reason that the equivocator is never found. To whoever shows another view goes what differs: a liar gets
   * what it has already, and makes nobody pass a whole round on to everybody.
   */
  show(round: number): void {
    this.#due.add(round)
    if (!this.#shown.has(round)) {
      const view = this.#view(round)
      if (view === null) return
      this.#shown.set(round, view)
      this.#wire.say(NOTICE + round, concat(...view))
    }
    for (const party of this.#attempt.parties) {
      const notice = this.#inbox.at(NOTICE + round, party, null)
      if (notice === undefined || party.address === this.#self || this.#answered.has(notice)) continue
      this.#answered.add(notice)
      for (const envelope of this.#differing(round, notice.body)) this.#wire.pass(party.address, envelope)
    }
  }

  /** Whether a party showed the view of a round that this node has. */
  agrees(round: number, address: Address): boolean {
    const view = this.#shown.get(round)
    const seat = this.#attempt.parties.find((party) => party.address === address)
    const notice = seat === undefined ? undefined : this.#inbox.at(NOTICE + round, seat, null)
    return view !== undefined && notice !== undefined && equal(concat(...view), notice.body)
  }

  /** By sender; null as long as one is missing. */
  #view(round: number): Uint8Array[] | null {
    const dealers = dealersOf(this.#attempt)
    const held = dealers.flatMap((dealer) => this.#inbox.at(round, dealer, null) ?? [])
    return held.length < dealers.length ? null : held.map(digestOf)
  }

  /** This node's messages of a round whose digests a notice does not have in their places. */
  #differing(round: number, notice: Uint8Array): SignedEnvelope[] {
    const view = this.#shown.get(round) ?? []
    return dealersOf(this.#attempt).flatMap((dealer, at) => {
      const own = view[at]
      const same = own !== undefined && equal(own, notice.subarray(32 * at, 32 * at + 32))
      return same ? [] : (this.#inbox.at(round, dealer, null) ?? [])
    })
  }
}
