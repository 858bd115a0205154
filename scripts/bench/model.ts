// What keygen and reshare must cost at least by count of their operations: the limits that the bench compares with.
import type { Constants } from './constants.ts'

/** A committee's size and threshold. */
export interface Size {
  readonly n: number
  readonly t: number
}

/** t = 2n/3, rounded up. */
export function sizeOf(n: number): Size {
  return { n, t: Math.ceil((2 * n) / 3) }
}

/** CPU time of one party for one key, in ms, without the proofs of possession of the last round. */
export function keygenLimit(c: Constants, { n, t }: Size): number {
  return (t + 2) * c.B + n * t * (c.P + c.A) + n * (c.F + c.F128) + c.B + t * c.Hn + sharesLimit(c, { n, t })
}

/** The same of a party that both deals and receives, from a committee to one of the same size. */
export function reshareLimit(c: Constants, { n, t }: Size): number {
  return (t + 2) * c.B + t * t * (c.P + c.A) + t * (c.F + c.F128) + c.B + t * c.Hn + sharesLimit(c, { n, t })
}

/** The batch of n proofs of possession in the last round. */
export function possessionLimit(c: Constants, { n }: Size): number {
  return n * (c.F + c.F128)
}

/**
 * V_1 … V_n, counted in additions and doublings: Horner at 1 … t, t - 1 steps each; a difference table of t(t-1)/2
 * subtractions; t - 1 additions for every further point.
 */
export function sharesLimit(c: Constants, { n, t }: Size): number {
  let cost = (t * (t - 1) * c.A) / 2 + (n - t) * (t - 1) * c.A
  for (let index = 1; index <= t; index++) {
    const { doublings, additions } = chainOf(index)
    cost += (t - 1) * (doublings * c.D + (additions + 1) * c.A)
  }
  return cost
}

/** Doublings and additions of index * P along its non-adjacent form. */
function chainOf(index: number): { doublings: number; additions: number } {
  let [digits, nonZero] = [0, 0]
  for (let rest = index; rest > 0; rest >>= 1, digits++) {
    if (rest % 2 === 0) continue
    nonZero += 1
    rest -= 2 - (rest % 4)
  }
  return { doublings: digits - 1, additions: nonZero - 1 }
}
