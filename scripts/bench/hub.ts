// Channels between parties in one process: every party works in turn, so that its CPU time and its bytes can be told apart.
import { setImmediate as turn } from 'node:timers/promises'
import type { Address } from '../../relayer/lib/bytes.ts'
import type { Channel } from '../../relayer/protocol/channel.ts'
import { cpuMs } from './stopwatch.ts'

/** What a party used. */
export interface Usage {
  /** CPU time in ms. */
  cpu: number
  /** Bytes of frames, without the network's own framing and encryption. */
  sent: number
  received: number
}

interface Place {
  readonly usage: Usage
  readonly waiting: { from: Address; frame: Uint8Array }[]
  receiver: ((from: Address, frame: Uint8Array) => void) | null
}

/** The wire between the parties of one session. Nothing is delivered but by `run`. */
export class Hub {
  readonly #places = new Map<Address, Place>()

  constructor(parties: readonly Address[]) {
    for (const address of parties)
      this.#places.set(address, { usage: { cpu: 0, sent: 0, received: 0 }, waiting: [], receiver: null })
  }

  /** A party's channel to the others. */
  channel(self: Address): Channel {
    const own = this.#place(self)
    return {
      send: (to, frame) => {
        own.usage.sent += frame.length
        this.#place(to).waiting.push({ from: self, frame: frame.slice() })
      },
      onFrame: (receiver) => {
        own.receiver = receiver
      },
      close: () => {
        own.receiver = null
        own.waiting.length = 0
      },
    }
  }

  usage(address: Address): Readonly<Usage> {
    return this.#place(address).usage
  }

  /**
   * Lets every party begin, then delivers what was sent, party after party, until nothing is under way.
   * @param begin starts a party's protocol, whose promise waits for nothing but frames
   */
  async run(begin: (address: Address) => void): Promise<void> {
    for (const [address, place] of this.#places) await this.#slice(place, () => begin(address))
    for (let busy = true; busy; ) {
      busy = false
      for (const place of this.#places.values()) {
        const frames = place.waiting.splice(0)
        if (frames.length === 0) continue
        busy = true
        await this.#slice(place, () => {
          for (const { from, frame } of frames) {
            place.usage.received += frame.length
            place.receiver?.(from, frame)
          }
        })
      }
    }
  }

  /** Charges a party with some work and all that follows from it before anything else happens. */
  async #slice({ usage }: Place, work: () => void): Promise<void> {
    const began = cpuMs()
    work()
    await turn()
    usage.cpu += cpuMs() - began
  }

  #place(address: Address): Place {
    const place = this.#places.get(address)
    if (place === undefined) throw new Error(`bench hub: ${address} takes no part`)
    return place
  }
}
