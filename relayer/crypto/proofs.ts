// Schnorr proofs of knowledge of discrete logarithms (PoK and PoS of docs/protocols.md), verified in batches.
import { toBigint } from '../lib/bytes.ts'
import { type Group, type Point, PointError } from './group.ts'
import { Hs } from './hash.ts'
import type { Rng } from './rng.ts'
import type { Tag } from './tags.ts'

/** U = k * G in the published form, `group.pointBytes`, and z = k + e * x, 32 bytes. */
export interface Proof {
  readonly nonce: Uint8Array
  readonly response: Uint8Array
}

/** What a proof is bound to: everything that stands before U in its challenge. */
export interface ProofContext {
  readonly tag: Tag
  readonly binding: readonly Uint8Array[]
}

/** A decoded proof with the point of which it shows the discrete logarithm. */
export interface ProofClaim {
  readonly point: Point
  readonly nonce: Point
  readonly challenge: bigint
  readonly response: bigint
}

/** Proves knowledge of a secret scalar; the nonce is fresh from `rng`. */
export function prove(group: Group, secret: bigint, using: ProofContext & { readonly rng: Rng }): Proof {
  const k = group.randomScalar(using.rng)
  const [nonce] = group.encodePublished([group.publish(k)])
  if (nonce === undefined) throw new PointError('prove: no nonce')
  const challenge = Hs(using.tag, group.order, ...using.binding, nonce)
  return { nonce, response: group.encodeScalar((k + challenge * secret) % group.order) }
}

/**
 * Decodes a proof and computes its challenge.
 * @throws PointError for a nonce that is malformed or the identity
 * @throws ScalarError for a response that is not below q
 */
export function claimOf(
  group: Group,
  proof: Proof,
  of: ProofContext & { readonly point: Point },
): ProofClaim {
  return {
    point: of.point,
    nonce: group.decodePublished(proof.nonce),
    challenge: Hs(of.tag, group.order, ...of.binding, proof.nonce),
    response: group.decodeScalar(proof.response),
  }
}

/** z * G = U + e * X. */
export function holds(group: Group, claim: ProofClaim): boolean {
  const right = group.sumUnsafe([claim.point, claim.nonce], [claim.challenge, 1n])
  return group.baseUnsafe(claim.response).equals(right)
}

/** scalar * point, a summand of public data. */
export interface Term {
  readonly point: Point
  readonly scalar: bigint
}

/** A batch weight: 128 bits, to be drawn after all inputs are fixed. */
export function drawWeight(rng: Rng): bigint {
  return toBigint(rng(16)) + 1n
}

/**
 * Whether all claims hold, and `alsoZero` (weighted by the caller) sums to the identity, by one sum with 128-bit weights.
 * A wrong `false` is impossible, a wrong `true` has probability 2^-128.
 */
export function allHold(
  group: Group,
  claims: readonly ProofClaim[],
  using: { readonly rng: Rng; readonly alsoZero?: readonly Term[] },
): boolean {
  let base = 0n
  const sums = new Map<Point, bigint>()
  const add = (point: Point, scalar: bigint) => sums.set(point, (sums.get(point) ?? 0n) + scalar)
  for (const { point, scalar } of using.alsoZero ?? []) add(point, scalar)
  for (const claim of claims) {
    const weight = drawWeight(using.rng)
    base += weight * claim.response
    add(claim.nonce, weight)
    add(claim.point, weight * claim.challenge)
  }
  const scalars = [...sums.values()].map((scalar) => ((scalar % group.order) + group.order) % group.order)
  return group.sumUnsafe([...sums.keys()], scalars).equals(group.baseUnsafe(base % group.order))
}
