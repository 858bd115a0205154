// Verifiable sharing: sums, verification shares and interpolation, also against noble's own key generation on the same coefficients.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ed25519_FROST } from '@noble/curves/ed25519.js'
import { secp256k1_FROST } from '@noble/curves/secp256k1.js'
import { ed25519Group, type Group, secp256k1Group } from '../../relayer/crypto/group.ts'
import {
  evaluate,
  interpolateAtZero,
  lagrangeAtZero,
  randomPolynomial,
} from '../../relayer/crypto/polynomial.ts'
import {
  evaluateCommitments,
  evaluateCommitmentsSlowly,
  publishPolynomial,
  sumCommitments,
  verificationShares,
} from '../../relayer/crypto/vss.ts'
import { toHex } from '../../relayer/lib/bytes.ts'
import { seededRng } from '../support/seeded-rng.ts'
import { subsets } from '../support/signable.ts'

const GROUPS: readonly Group[] = [secp256k1Group, ed25519Group]
const rng = seededRng('vss')

test('verification shares by differences are those of the polynomial, for every t up to n', () => {
  const n = 8
  for (const group of GROUPS) {
    for (let t = 1; t <= n; t++) {
      const polynomial = randomPolynomial(group, rng, { length: t })
      assert.equal(polynomial.length, t)
      const commitments = publishPolynomial(group, polynomial).map((bytes) => group.decodePublished(bytes))
      const shares = verificationShares(commitments, n)
      assert.equal(shares.length, n)
      shares.forEach((share, at) => {
        assert.ok(share.equals(group.multiplyBase(evaluate(group, polynomial, at + 1))))
        assert.ok(share.equals(evaluateCommitments(commitments, at + 1)))
        assert.ok(share.equals(evaluateCommitmentsSlowly(group, commitments, at + 1)))
      })
    }
  }
})

test('any t points interpolate to the constant term, and a repeated index is refused', () => {
  for (const group of GROUPS) {
    const polynomial = randomPolynomial(group, rng, { length: 3, constant: 42n })
    const points = [1, 2, 5, 9, 100].map((x) => [x, evaluate(group, polynomial, x)] as const)
    for (const some of subsets(points, 3)) assert.equal(interpolateAtZero(group, some), 42n)
    for (const some of subsets(points, 2)) assert.notEqual(interpolateAtZero(group, some), 42n)
    assert.throws(() => lagrangeAtZero(group, [1, 2, 1]), RangeError)
  }
})

test('sums of commitments of different lengths are refused', () => {
  const points = [1n, 2n, 3n].map((scalar) => secp256k1Group.baseUnsafe(scalar))
  assert.throws(() => sumCommitments([points, points.slice(1)]), RangeError)
  assert.throws(() => sumCommitments([points.slice(1), points]), RangeError)
  assert.throws(() => sumCommitments([]), RangeError)
})

test('sum, shares and verification shares are those of noble on the same coefficients', () => {
  const pairs = [
    [secp256k1Group, secp256k1_FROST],
    [ed25519Group, ed25519_FROST],
  ] as const
  for (const [group, frost] of pairs) {
    const signers = { min: 3, max: 4 }
    const ids = [1, 2, 3, 4].map((index) => frost.Identifier.fromNumber(index))
    const first = ids.map((id) => frost.DKG.round1(id, signers))
    const polynomials = first.map(({ secret }) => [...(secret.coefficients ?? [])])
    const others = <T extends { identifier: string }>(all: readonly T[], own: string) =>
      all.filter(({ identifier }) => identifier !== own)
    const round1 = first.map((each) => each.public)
    const second = first.map(({ secret }, at) => frost.DKG.round2(secret, others(round1, ids[at] ?? '')))
    const keys = first.map(({ secret }, at) => {
      const own = ids[at] ?? ''
      const shares = second.flatMap((sent, from) => (from === at ? [] : (sent[own] ?? [])))
      return frost.DKG.round3(secret, others(round1, own), shares)
    })
    const commitments = sumCommitments(
      polynomials.map((polynomial) =>
        publishPolynomial(group, polynomial).map((bytes) => group.decodePublished(bytes)),
      ),
    )
    const shares = verificationShares(commitments, 4)
    for (const [at, key] of keys.entries()) {
      const sum = polynomials.reduce((total, each) => total + evaluate(group, each, at + 1), 0n) % group.order
      assert.equal(toHex(group.encodeScalar(sum)), toHex(key.secret.signingShare))
      assert.deepEqual(group.encodeShort(commitments).map(toHex), key.public.commitments.map(toHex))
      assert.deepEqual(
        group.encodeShort(shares).map(toHex),
        ids.map((id) => toHex(key.public.verifyingShares[id] ?? new Uint8Array())),
      )
    }
  }
})
