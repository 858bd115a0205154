// Who of an attempt has come how far, read off the frames that pass by; it is shown to people and decides nothing.
import { EncodingError } from '../crypto/enc.ts'
import type { Address } from '../lib/bytes.ts'
import type { Channel } from '../protocol/channel.ts'
import { decodeFrame } from '../protocol/envelope.ts'
import { ROUND } from '../protocol/messages.ts'
import type { CeremonySpec } from '../protocol/spec.ts'
import type { CeremonyView } from './view.ts'

/** What the view says of an attempt that runs. */
export class Progress {
  readonly #view: CeremonyView
  readonly #self: Address
  readonly #dealers: readonly Address[]
  readonly #receivers: readonly Address[]
  readonly #reached = new Map<Address, number>()

  /** @param dealing the addresses that the start message names */
  constructor(view: CeremonyView, self: Address, of: { spec: CeremonySpec; dealing: readonly Address[] }) {
    this.#view = view
    this.#self = self
    this.#receivers = of.spec.next.members
    // A key that comes into being is dealt by all of the new committee.
    this.#dealers =
      of.spec.generated.length === 0 ? of.dealing : [...new Set([...of.dealing, ...this.#receivers])].sort()
    this.show()
  }

  /** The same channel, watched. */
  watch(channel: Channel): Channel {
    return {
      send: (to, frame) => {
        this.#note(this.#self, frame)
        channel.send(to, frame)
      },
      onFrame: (receiver) =>
        channel.onFrame((from, frame) => {
          this.#note(from, frame)
          receiver(from, frame)
        }),
      close: () => channel.close(),
    }
  }

  /** Brings the view up to date. */
  show(): void {
    const at = (round: number) => (member: Address) => (this.#reached.get(member) ?? 0) >= round
    this.#view.ready = this.#receivers.filter(at(ROUND.acknowledge))
    const steps = [
      { what: 'commitments', of: this.#dealers, round: ROUND.commit },
      { what: 'subshares', of: this.#dealers, round: ROUND.open },
      { what: 'acknowledgements', of: this.#receivers, round: ROUND.acknowledge },
    ]
    const missing = steps
      .map(({ what, of, round }) => ({ what, members: of.filter((member) => !at(round)(member)) }))
      .find(({ members }) => members.length > 0)
    this.#view.waitingFor = missing ?? null
  }

  #note(from: Address, frame: Uint8Array): void {
    try {
      const { round } = decodeFrame(frame)
      if (round > ROUND.acknowledge || round <= (this.#reached.get(from) ?? 0)) return
      this.#reached.set(from, round)
      this.show()
    } catch (error) {
      if (!(error instanceof EncodingError)) throw error
    }
  }
}
