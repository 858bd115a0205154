// Secret polynomials over a scalar field, and Lagrange coefficients at zero.
import type { Group } from './group.ts'
import type { Rng } from './rng.ts'

/** Coefficients a_0 … a_(t-1), lowest first. Secret: BigInt copies cannot be wiped, so drop them early. */
export type Polynomial = readonly bigint[]

/**
 * A polynomial of exactly `length` coefficients, each uniform in [1, q-1].
 * @param constant a_0 where it is given (a reshare), else drawn like the others
 */
export function randomPolynomial(
  group: Group,
  rng: Rng,
  of: { length: number; constant?: bigint },
): Polynomial {
  return Array.from({ length: of.length }, (_, k) =>
    k === 0 && of.constant !== undefined ? of.constant : group.randomScalar(rng),
  )
}

/** f(x) mod q by Horner. */
export function evaluate(group: Group, polynomial: Polynomial, x: number): bigint {
  const at = BigInt(x)
  return polynomial.reduceRight((sum, coefficient) => (sum * at + coefficient) % group.order, 0n)
}

/**
 * λ_i = Π_{l ≠ i} l / (l - i) mod q for each index of a set, in its order.
 * @param indices integers below q in absolute value, none of them 0
 * @throws RangeError if one is repeated
 */
export function lagrangeAtZero(group: Group, indices: readonly number[]): bigint[] {
  if (new Set(indices).size !== indices.length) throw new RangeError('interpolate: repeated index')
  return indices.map((i) => {
    let numerator = 1n
    let denominator = 1n
    for (const l of indices) {
      if (l === i) continue
      numerator = (numerator * BigInt(l)) % group.order
      denominator = (denominator * BigInt(l - i)) % group.order
    }
    const lambda = (numerator * invert(denominator, group.order)) % group.order
    return lambda < 0n ? lambda + group.order : lambda
  })
}

/** f(0) of the polynomial of degree below `points.length` through (x, f(x)). */
export function interpolateAtZero(
  group: Group,
  points: readonly (readonly [x: number, y: bigint])[],
): bigint {
  const lambdas = lagrangeAtZero(
    group,
    points.map(([x]) => x),
  )
  return points.reduce((sum, [, y], at) => (sum + (lambdas[at] ?? 0n) * y) % group.order, 0n)
}

/** Extended Euclid for a value that is not 0 modulo a prime; variable time, for public values such as indices. */
function invert(value: bigint, modulus: bigint): bigint {
  let [low, high] = [((value % modulus) + modulus) % modulus, modulus]
  let [x, y] = [1n, 0n]
  while (low > 1n) {
    const quotient = high / low
    ;[low, high] = [high - quotient * low, low]
    ;[x, y] = [y - quotient * x, x]
  }
  return ((x % modulus) + modulus) % modulus
}
