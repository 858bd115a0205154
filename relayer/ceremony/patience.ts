// How much a member may send in one block that turns out worthless: checking it costs up to a fifth of a second each time.
import type { Address } from '../lib/bytes.ts'
import type { Blocks } from './blocks.ts'

/** Messages of one sender that are looked at in one block, those that were worth it not counted. */
const LOOKS = 16

/** Counts by sender; one for the life of a ceremony. */
export class Patience {
  readonly #blocks: Pick<Blocks, 'head'>
  readonly #spent = new Map<Address, number>()
  #block = -1

  constructor(blocks: Pick<Blocks, 'head'>) {
    this.#blocks = blocks
  }

  /** Whether another message of this sender is looked at in this block; counts it. */
  spend(from: Address): boolean {
    const head = this.#blocks.head()
    if (head !== this.#block) this.#spent.clear()
    this.#block = head
    const spent = this.#spent.get(from) ?? 0
    if (spent >= LOOKS) return false
    this.#spent.set(from, spent + 1)
    return true
  }

  /** It was worth the look. */
  refund(from: Address): void {
    this.#spent.set(from, Math.max(0, (this.#spent.get(from) ?? 0) - 1))
  }
}
