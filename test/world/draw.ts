// Draws from a seed: integers, chances, choices and samples.
import { seededChooser } from '../support/seeded-rng.ts'

/** A stream of draws that is a function of its seed. */
export class Draw {
  readonly #below: (bound: number) => number

  constructor(seed: string | number) {
    this.#below = seededChooser(seed)
    // The first numbers of neighbouring seeds are alike.
    for (let skip = 0; skip < 8; skip++) this.#below(2)
  }

  /** From 0 to below `bound`. */
  below(bound: number): number {
    return this.#below(Math.max(1, bound))
  }

  /** From `low` to `high`, both included. */
  between(low: number, high: number): number {
    return low + this.below(high - low + 1)
  }

  /** True in so many of 1000 cases. */
  chance(permille: number): boolean {
    return this.below(1000) < permille
  }

  /** @throws RangeError if there is nothing to choose from */
  of<T>(list: readonly T[]): T {
    const found = list[this.below(list.length)]
    if (found === undefined) throw new RangeError('draw: nothing to choose from')
    return found
  }

  /** One of the values, each as often as its weight says. */
  weighted<T>(choices: readonly (readonly [T, number])[]): T {
    let left = this.below(choices.reduce((sum, [, weight]) => sum + weight, 0))
    for (const [value, weight] of choices) {
      if (left < weight) return value
      left -= weight
    }
    throw new RangeError('draw: no weights')
  }

  /** So many different ones, in their order. */
  some<T>(list: readonly T[], count: number): T[] {
    const rest = list.map((_, at) => at)
    const taken: number[] = []
    while (taken.length < count && rest.length > 0) taken.push(...rest.splice(this.below(rest.length), 1))
    return taken.sort((a, b) => a - b).flatMap((at) => list[at] ?? [])
  }
}
