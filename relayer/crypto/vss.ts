// Feldman's verifiable secret sharing: commitments to polynomials, their sums, and evaluation in the exponent at small indices.
import { type Group, multiplySmall, type Point } from './group.ts'
import type { Polynomial } from './polynomial.ts'

/** What a dealer publishes of its polynomial: one encoding of `group.pointBytes` per coefficient. */
export function publishPolynomial(group: Group, polynomial: Polynomial): Uint8Array[] {
  return group.encodePublished(polynomial.map((coefficient) => group.publish(coefficient)))
}

/** Σ over dealers, coefficient by coefficient. @param dealers commitments of equal length */
export function sumCommitments(dealers: readonly (readonly Point[])[]): Point[] {
  const [first, ...rest] = dealers
  if (first === undefined) throw new RangeError('sum commitments: no dealer')
  return first.map((start, k) =>
    rest.reduce((sum, commitments) => {
      const next = commitments[k]
      if (next === undefined || commitments.length !== first.length)
        throw new RangeError('sum commitments: lengths differ')
      return sum.add(next)
    }, start),
  )
}

/** Σ index^k * C_k by Horner; public data only. */
export function evaluateCommitments(commitments: readonly Point[], index: number): Point {
  const [top, ...lower] = commitments.toReversed()
  if (top === undefined) throw new RangeError('evaluate commitments: none')
  return lower.reduce((sum, commitment) => multiplySmall(sum, index).add(commitment), top)
}

/** The same by full-width scalars: an independent second opinion before anybody is accused. */
export function evaluateCommitmentsSlowly(group: Group, commitments: readonly Point[], index: number): Point {
  let power = 1n
  const powers = commitments.map(() => {
    const current = power
    power = (power * BigInt(index)) % group.order
    return current
  })
  return group.sumUnsafe(commitments, powers)
}

/**
 * V_1 … V_n: Horner up to the number of commitments t, then forward differences, t - 1 additions for each further point.
 */
export function verificationShares(commitments: readonly Point[], n: number): Point[] {
  const t = commitments.length
  const shares = Array.from({ length: Math.min(n, t) }, (_, at) => evaluateCommitments(commitments, at + 1))
  if (n <= t) return shares
  // diagonal[k] = the k-th backward difference at the newest point; the (t-1)-th one is constant.
  const diagonal: Point[] = []
  let row: readonly Point[] = shares
  while (row.length > 0) {
    const last = row.at(-1)
    if (last !== undefined) diagonal.push(last)
    row = row.slice(1).map((point, at) => point.subtract(row[at] ?? point))
  }
  while (shares.length < n) {
    for (let k = t - 2; k >= 0; k--) {
      const [here, above] = [diagonal[k], diagonal[k + 1]]
      if (here !== undefined && above !== undefined) diagonal[k] = here.add(above)
    }
    const next = diagonal[0]
    if (next !== undefined) shares.push(next)
  }
  return shares
}
