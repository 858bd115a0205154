// Whether shares are what they should be: every subset of t interpolates to the group key, and signs with FROST.
import assert from 'node:assert/strict'
import { FrostKey } from '../../relayer/crypto/frost.ts'
import { groupOf } from '../../relayer/crypto/group.ts'
import { interpolateAtZero } from '../../relayer/crypto/polynomial.ts'
import { systemRng } from '../../relayer/crypto/rng.ts'
import { verifySignature } from '../../relayer/crypto/schnorr.ts'
import { toHex } from '../../relayer/lib/bytes.ts'
import { curveOf, type KeyShare } from '../../relayer/protocol/keyshare.ts'

/** A share with the index of its holder. */
export interface Held {
  readonly index: number
  readonly share: KeyShare
}

/** Every subset of `size` elements, in order. */
export function subsets<T>(items: readonly T[], size: number): T[][] {
  if (size === 0) return [[]]
  return items.flatMap((item, at) => subsets(items.slice(at + 1), size - 1).map((rest) => [item, ...rest]))
}

/** The group key, in hex, of the secret that these shares interpolate to. */
export function interpolatedKey(held: readonly Held[]): string {
  const [first] = held
  assert.ok(first)
  const group = groupOf(curveOf(first.share.scheme))
  const points = held.map(({ index, share }) => [index, group.decodeScalar(share.share.expose())] as const)
  return toHex(group.encodeGroupKey(group.multiplyBase(interpolateAtZero(group, points))))
}

/** Exactly t of these sign, and the plain verifier of the scheme accepts. */
export function assertSigns(held: readonly Held[]): void {
  const [first] = held
  assert.ok(first !== undefined && first.share.scheme !== 'ecdsa-secp256k1')
  const key = new FrostKey({ ...first.share, scheme: first.share.scheme })
  const message = new Uint8Array(32).fill(0x5a)
  const nonces = held.map(({ index, share }) => ({
    index,
    share,
    ...key.commit(index, share.share, systemRng),
  }))
  const list = nonces.map(({ commitment }) => commitment)
  const shares = new Map(
    nonces.map(({ index, share, secrets }) => [
      index,
      key.signShare({ index, share: share.share, nonces: secrets }, list, message),
    ]),
  )
  const { signature } = key.aggregate(list, message, shares)
  assert.ok(signature !== undefined && verifySignature(key, message, signature))
}

/** Every t of the holders interpolate to the group key that each of them states, and some t of them sign. */
export function assertSharesGood(held: readonly Held[]): void {
  const t = held[0]?.share.commitments.length ?? 0
  for (const some of subsets(held, t))
    assert.equal(interpolatedKey(some), toHex(held[0]?.share.groupKey ?? new Uint8Array()))
  assertSigns(held.slice(0, t))
}
