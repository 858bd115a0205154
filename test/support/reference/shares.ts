// Reference model, part 2: polynomials, commitments, verification shares, keygen and reshare from their coefficients.
import assert from 'node:assert/strict'
import { type Affine, type Curve, inverse, mod, multiply } from './curves.ts'

/** Coefficients, constant term first. */
export type Polynomial = readonly bigint[]

/** f(x) mod q. */
export function evaluate(curve: Curve, polynomial: Polynomial, x: bigint): bigint {
  return polynomial.reduce((sum, a, k) => mod(sum + a * x ** BigInt(k), curve.q), 0n)
}

/** λ_i for interpolation at zero over a set of indices. */
export function lagrange(curve: Curve, set: readonly number[], i: number): bigint {
  assert.ok(set.includes(i))
  return set
    .filter((l) => l !== i)
    .reduce((product, l) => {
      const step = BigInt(l) * inverse(mod(BigInt(l - i), curve.q), curve.q)
      return mod(product * step, curve.q)
    }, 1n)
}

/** What a committee of n holds of a key. */
export interface Sharing {
  /** s_1 … s_n. */
  readonly shares: readonly bigint[]
  /** C_0 … C_(t-1). */
  readonly commitments: readonly Affine[]
  /** V_1 … V_n. */
  readonly verificationShares: readonly Affine[]
  readonly groupKey: Affine
}

/** The sharing that one polynomial defines. */
export function share(curve: Curve, polynomial: Polynomial, n: number): Sharing {
  const shares = Array.from({ length: n }, (_, at) => evaluate(curve, polynomial, BigInt(at + 1)))
  const commitments = polynomial.map((a) => multiply(curve, curve.base, a))
  return {
    shares,
    commitments,
    verificationShares: shares.map((s) => multiply(curve, curve.base, s)),
    groupKey: commitments[0] ?? null,
  }
}

/** The sum of polynomials of equal length. */
export function sumOf(curve: Curve, dealers: readonly Polynomial[]): Polynomial {
  const [first] = dealers
  assert.ok(first && dealers.every((polynomial) => polynomial.length === first.length))
  return first.map((_, k) =>
    mod(
      dealers.reduce((sum, polynomial) => sum + (polynomial[k] ?? 0n), 0n),
      curve.q,
    ),
  )
}

/** Keygen: every dealer's polynomial, added up. */
export function keygen(curve: Curve, dealers: readonly Polynomial[]): Sharing {
  return share(curve, sumOf(curve, dealers), dealers.length)
}

/**
 * Reshare: dealer i of the set S shares λ_i·s_i.
 * @param tails coefficients 1 … t'-1 of each dealer, in the order of `set`
 */
export function reshare(
  curve: Curve,
  old: Sharing,
  to: { readonly set: readonly number[]; readonly tails: readonly Polynomial[]; readonly n: number },
): Sharing {
  const dealers = to.set.map((i, at) => {
    const s = old.shares[i - 1]
    const tail = to.tails[at]
    assert.ok(s !== undefined && tail)
    return [mod(lagrange(curve, to.set, i) * s, curve.q), ...tail]
  })
  return share(curve, sumOf(curve, dealers), to.n)
}
