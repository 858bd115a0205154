// The simulated network's weather: packets come late, twice or not at all; links are cut and heal.
import { createHash } from 'node:crypto'
import type { Address } from '../../relayer/lib/bytes.ts'
import type { Packet, SimNetwork } from '../support/sim-network.ts'
import type { Chronicle } from './chronicle.ts'
import type { Draw } from './draw.ts'
import type { Weather as Terms } from './scenario.ts'

/** Delays, losses, copies and cuts, by the block. */
export class Weather {
  readonly #network: SimNetwork
  readonly #chronicle: Chronicle
  readonly #draw: Draw
  #terms: Terms
  #late: { readonly due: number; readonly packet: Packet }[] = []
  #cuts: { readonly until: number; readonly sides: readonly [readonly Address[], readonly Address[]] }[] = []

  constructor(network: SimNetwork, of: { chronicle: Chronicle; draw: Draw; terms: Terms }) {
    this.#network = network
    this.#chronicle = of.chronicle
    this.#draw = of.draw
    this.#terms = of.terms
  }

  /** The last of the rules: it decides on what all others left. */
  rule(packet: Packet): 'pass' | 'drop' | readonly Packet[] {
    const { from, to, kind, topic, body } = packet
    const hash = createHash('sha1').update(body).digest('base64').slice(0, 10)
    this.#chronicle.event(
      `send ${from.slice(2, 8)} ${to.slice(2, 8)} ${topic ?? kind} ${body.length} ${hash}`,
    )
    const { late, delay, lost, twice } = this.#terms
    if (delay === 0) return 'pass'
    if (this.#draw.chance(twice)) {
      this.#chronicle.count('packets duplicated')
      this.#hold(packet, this.#draw.between(0, delay))
    }
    if (this.#draw.chance(lost)) {
      this.#chronicle.count('packets lost')
      // A channel delivers at least once: what is lost is sent again.
      if (kind === 'frame') this.#hold(packet, 1)
      return 'drop'
    }
    if (!this.#draw.chance(late)) return 'pass'
    this.#chronicle.count('packets delayed')
    this.#hold(packet, this.#draw.between(1, delay))
    return 'drop'
  }

  /** Cuts one side off from the other until a block. */
  cut(sides: readonly [readonly Address[], readonly Address[]], blocks: number): void {
    this.#cuts.push({ until: this.#chronicle.block + blocks, sides })
    this.#network.partition(...sides)
  }

  /** The block has come: what is due arrives, what is over heals. */
  tick(): void {
    const { block } = this.#chronicle
    const left = this.#cuts.filter(({ until }) => until > block)
    if (left.length < this.#cuts.length) {
      this.#cuts = left
      this.#network.heal()
      for (const { sides } of left) this.#network.partition(...sides)
      this.#chronicle.tell('a partition heals')
    }
    const due = this.#late.filter((each) => each.due <= block)
    this.#late = this.#late.filter((each) => each.due > block)
    for (const { packet } of due) this.#network.inject(packet)
  }

  /** Blocks that a packet may take at most; null where one may be lost, or links are cut. */
  get longest(): number | null {
    return this.#terms.lost > 0 || this.#cuts.length > 0 ? null : this.#terms.delay
  }

  /** From now on the weather is fine. */
  calm(): void {
    this.#terms = { late: 0, delay: 0, lost: 0, twice: 0 }
    this.#cuts = this.#cuts.map((cut) => ({ ...cut, until: this.#chronicle.block }))
    this.#late = this.#late.map((each) => ({ ...each, due: this.#chronicle.block }))
  }

  #hold(packet: Packet, blocks: number): void {
    this.#late.push({ due: this.#chronicle.block + blocks, packet })
  }
}
