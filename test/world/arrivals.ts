// What has come to an honest party of one session: who was silent, and whether it had all that its next check takes.
import type { RunInput } from '../../relayer/ceremony/runner.ts'
import type { Address } from '../../relayer/lib/bytes.ts'
import { type Attempt, attemptOf, dealersOf } from '../../relayer/protocol/attempt.ts'
import { decodeFrame } from '../../relayer/protocol/envelope.ts'
import { AbortedError, type DropCode, SilenceError } from '../../relayer/protocol/faults.ts'
import { ABORT, ROUND } from '../../relayer/protocol/messages.ts'
import type { Seat } from '../../relayer/protocol/party.ts'

export type Drops = Readonly<Record<DropCode, number>>
export type Stage = 'prepare' | 'confirm'

/** The messages that a party has of all others. */
export class Arrivals {
  readonly #attempt: Attempt
  readonly #self: Address
  readonly #places = new Set<string>()
  /** Stages of which all was here before anybody gave up. */
  readonly #complete = new Set<Stage>()
  #aborted = false

  constructor({ spec, start, signer }: Pick<RunInput, 'spec' | 'start' | 'signer'>) {
    this.#attempt = attemptOf(spec, start.start)
    this.#self = signer.address
  }

  /** A frame that came, and was dropped or not. */
  came(frame: Uint8Array, { before, after }: { before: Drops; after: Drops }): void {
    if (sum(after) > sum(before)) return
    const { round, from, to } = decodeFrame(frame)
    if (round === ABORT) this.#aborted = true
    this.#places.add(placeOf(round, from, to))
    if (this.#aborted) return
    for (const stage of ['prepare', 'confirm'] as const)
      if (this.#needs(stage).every((place) => this.#places.has(place))) this.#complete.add(stage)
  }

  /** What cannot be true of this end of a stage, by what had come; null if it can. */
  belies(error: unknown, stage: Stage): string | null {
    if (error instanceof SilenceError) {
      const { round, suspects } = error
      if (suspects.length === 0) return 'was waiting for nobody'
      const heard = suspects.find((party) =>
        this.#ofRound(party, round).every((place) => this.#places.has(place)),
      )
      if (heard !== undefined) return `had all of round ${round} of ${heard.address}`
    }
    const gaveUp = error instanceof SilenceError || error instanceof AbortedError
    return gaveUp && this.#complete.has(stage) ? 'had all that it had to check before anybody gave up' : null
  }

  /** All that a stage takes from others. */
  #needs(stage: Stage): string[] {
    const dealt = dealersOf(this.#attempt).flatMap((dealer) => [
      placeOf(ROUND.commit, dealer, null),
      ...this.#ofRound(dealer, ROUND.open),
    ])
    const acks = this.#attempt.receivers.map((party) => placeOf(ROUND.acknowledge, party, null))
    const own = this.#attempt.parties.filter(({ address }) => address === this.#self)
    const mine = (place: string) => own.some(({ role, index }) => place.includes(` from ${role} ${index} `))
    return [...dealt, ...(stage === 'confirm' ? acks : [])].filter((place) => !mine(place))
  }

  /** A party's messages of a round to all, and to this node if it deals to it. */
  #ofRound(from: Seat, round: number): string[] {
    const receiver = this.#attempt.receivers.find(({ address }) => address === this.#self)
    const toAll = placeOf(round, from, null)
    return round === ROUND.open && receiver !== undefined ? [toAll, placeOf(round, from, receiver)] : [toAll]
  }
}

function placeOf(round: number, from: Seat, to: Seat | null): string {
  return `${round} from ${from.role} ${from.index} to ${to === null ? 'all' : `${to.role} ${to.index}`}`
}

function sum(drops: Drops): number {
  return Object.values(drops).reduce((all, each) => all + each, 0)
}
