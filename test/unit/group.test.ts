// The two groups: strict codecs, small multiples, published points, and the proofs that stand on them.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ed25519 } from '@noble/curves/ed25519.js'
import { secp256k1 } from '@noble/curves/secp256k1.js'
import fc from 'fast-check'
import {
  ed25519Group,
  type Group,
  multiplySmall,
  PointError,
  ScalarError,
  secp256k1Group,
} from '../../relayer/crypto/group.ts'
import { allHold, claimOf, holds, type ProofClaim, prove } from '../../relayer/crypto/proofs.ts'
import { TAG } from '../../relayer/crypto/tags.ts'
import { fromBigint, fromHex, toHex } from '../../relayer/lib/bytes.ts'
import { seededRng } from '../support/seeded-rng.ts'

const GROUPS: readonly Group[] = [secp256k1Group, ed25519Group]
const rng = seededRng('group')

/** The canonical encodings of the eight points of small order of edwards25519. */
const SMALL_ORDER = [
  `01${'00'.repeat(31)}`,
  `ec${'ff'.repeat(30)}7f`,
  '00'.repeat(32),
  `${'00'.repeat(31)}80`,
  '26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05',
  '26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85',
  'c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a',
  'c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa',
]

test('points survive their encodings, long, short and published', () => {
  for (const group of GROUPS) {
    for (let round = 0; round < 20; round++) {
      const secret = group.randomScalar(rng)
      const point = group.multiplyBase(secret)
      const [long] = group.encode([point])
      const [short] = group.encodeShort([point])
      const [published] = group.encodePublished([group.publish(secret)])
      assert.ok(long && short && published)
      assert.equal(long.length, group.pointBytes)
      assert.equal(short.length, group.shortBytes)
      assert.ok(group.decode(long).equals(point))
      assert.ok(group.decodeShort(short).equals(point))
      assert.ok(group.decodePublished(published).equals(point))
      assert.ok(group.baseUnsafe(secret).equals(point))
    }
  }
})

test('a published point on ed25519 keeps its meaning whatever small-order part is added to it', () => {
  const secret = ed25519Group.randomScalar(rng)
  const point = ed25519Group.multiplyBase(secret)
  for (const hex of SMALL_ORDER) {
    const torsion = ed25519.Point.fromHex(hex)
    const [bytes] = ed25519Group.encodePublished([ed25519Group.publish(secret).add(torsion)])
    assert.ok(ed25519Group.decodePublished(bytes ?? new Uint8Array()).equals(point))
    assert.throws(() => ed25519Group.decodePublished(fromHex(hex)), PointError)
  }
})

test('bytes that are not the one encoding of a usable point are refused', () => {
  const [good] = secp256k1Group.encode([secp256k1Group.baseUnsafe(3n)])
  assert.ok(good)
  const p = secp256k1.Point.Fp.ORDER
  const replaced = (at: number, bytes: Uint8Array) => {
    const copy = good.slice()
    copy.set(bytes, at)
    return copy
  }
  const bad = [
    new Uint8Array(),
    new Uint8Array(65),
    good.subarray(1),
    replaced(0, Uint8Array.of(6)),
    replaced(0, Uint8Array.of(7)),
    replaced(64, Uint8Array.of((good[64] ?? 0) ^ 1)),
    replaced(1, fromBigint(p + 1n, 32)),
    replaced(33, new Uint8Array(32).fill(0xff)),
    secp256k1.Point.BASE.toBytes(true),
  ]
  for (const bytes of bad) assert.throws(() => secp256k1Group.decode(bytes), PointError)
  for (const prefix of [0, 1, 4, 5, 6])
    assert.throws(
      () => secp256k1Group.decodeShort(Uint8Array.of(prefix, ...good.subarray(1, 33))),
      PointError,
    )
  const aliases = [
    `ee${'ff'.repeat(30)}7f`,
    `01${'00'.repeat(30)}80`,
    'ff'.repeat(32),
    `02${'00'.repeat(31)}`,
  ]
  for (const hex of aliases) assert.throws(() => ed25519Group.decode(fromHex(hex)), PointError)
})

test('the identity has no encoding', () => {
  for (const group of GROUPS) {
    assert.throws(() => group.encode([group.zero]), PointError)
    assert.throws(() => group.encodeShort([group.zero]), PointError)
    assert.throws(() => group.encodeGroupKey(group.zero), PointError)
  }
})

test('scalars are 32 bytes below the order, secret ones not zero', () => {
  for (const group of GROUPS) {
    const order = group.encodeScalar(0n)
    assert.equal(group.decodeScalar(order), 0n)
    assert.throws(() => group.decodeScalar(order, true), ScalarError)
    const top = group.encodeScalar(group.order - 1n)
    assert.equal(group.decodeScalar(top, true), group.order - 1n)
    const one = group.curve === 'ed25519' ? 0 : 31
    const over = top.slice()
    over[one] = (over[one] ?? 0) + 1
    for (const bytes of [over, new Uint8Array(32).fill(0xff), new Uint8Array(31), new Uint8Array(33)])
      assert.throws(() => group.decodeScalar(bytes), ScalarError)
  }
  assert.equal(toHex(ed25519Group.encodeScalar(1n)), `01${'00'.repeat(31)}`)
  assert.equal(toHex(secp256k1Group.encodeScalar(1n)), `${'00'.repeat(31)}01`)
})

test('random bytes never decode to anything but themselves, and fail with typed errors only', () => {
  const check = (decode: () => Uint8Array, bytes: Uint8Array) => {
    try {
      assert.deepEqual(decode(), bytes)
    } catch (error) {
      assert.ok(error instanceof PointError || error instanceof ScalarError, String(error))
    }
  }
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 0, maxLength: 70 }), (bytes) => {
      for (const group of GROUPS) {
        check(() => group.encode([group.decode(bytes)])[0] ?? new Uint8Array(), bytes)
        check(() => group.encodeShort([group.decodeShort(bytes)])[0] ?? new Uint8Array(), bytes)
        check(() => group.encodeScalar(group.decodeScalar(bytes)), bytes)
      }
    }),
    { numRuns: 2_000 },
  )
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 32, maxLength: 32 }), (bytes) => {
      check(() => ed25519Group.encode([ed25519Group.decode(bytes)])[0] ?? new Uint8Array(), bytes)
      check(
        () =>
          secp256k1Group.encodeShort([secp256k1Group.decodeShort(Uint8Array.of(2, ...bytes))])[0] ?? bytes,
        Uint8Array.of(2, ...bytes),
      )
    }),
    { numRuns: 500 },
  )
})

test('small multiples are those of the full-width multiplication', () => {
  for (const group of GROUPS) {
    const point = group.baseUnsafe(group.randomScalar(rng))
    for (let factor = 1; factor <= 130; factor++)
      assert.ok(multiplySmall(point, factor).equals(group.sumUnsafe([point], [BigInt(factor)])))
    for (const factor of [0, -1, 1.5, 65_536]) assert.throws(() => multiplySmall(point, factor), RangeError)
  }
})

test('a batch of proofs holds exactly if each of them does', () => {
  for (const group of GROUPS) {
    const context = { tag: TAG.keygenPok, binding: [Uint8Array.of(1, 2), Uint8Array.of(3)] }
    const claims = Array.from({ length: 5 }, (): ProofClaim => {
      const secret = group.randomScalar(rng)
      const proof = prove(group, secret, { ...context, rng })
      return claimOf(group, proof, { ...context, point: group.multiplyBase(secret) })
    })
    assert.ok(claims.every((claim) => holds(group, claim)))
    assert.ok(allHold(group, claims, { rng }))
    assert.ok(allHold(group, [], { rng }))
    for (const [at, claim] of claims.entries()) {
      const { response, challenge, nonce } = claim
      for (const bad of [
        { ...claim, response: (response + 1n) % group.order },
        { ...claim, challenge: (challenge + 1n) % group.order },
        { ...claim, nonce: nonce.double() },
        { ...claim, point: nonce },
      ]) {
        assert.ok(!holds(group, bad))
        assert.ok(!allHold(group, claims.with(at, bad), { rng }))
      }
    }
    // Two errors that cancel in an unweighted sum do not cancel in the weighted one.
    const [one, two] = claims
    assert.ok(one && two)
    const cancelling = [
      { ...one, response: (one.response + 1n) % group.order },
      { ...two, response: (two.response - 1n + group.order) % group.order },
    ]
    assert.ok(!allHold(group, cancelling, { rng }))
    const extra = { point: group.baseUnsafe(1n), scalar: 1n }
    assert.ok(!allHold(group, claims, { rng, alsoZero: [extra] }))
    assert.ok(allHold(group, claims, { rng, alsoZero: [extra, { ...extra, scalar: group.order - 1n }] }))
  }
})

test('a proof is bound to its tag and to every part of its context', () => {
  const group = secp256k1Group
  const secret = group.randomScalar(rng)
  const point = group.multiplyBase(secret)
  const context = { tag: TAG.keygenPok, binding: [Uint8Array.of(1, 2), Uint8Array.of(3)] }
  const proof = prove(group, secret, { ...context, rng })
  const others = [
    { ...context, tag: TAG.resharePok },
    { ...context, binding: [Uint8Array.of(1), Uint8Array.of(2, 3)] },
    { ...context, binding: [Uint8Array.of(1, 2)] },
  ]
  assert.ok(holds(group, claimOf(group, proof, { ...context, point })))
  for (const other of others) assert.ok(!holds(group, claimOf(group, proof, { ...other, point })))
})
