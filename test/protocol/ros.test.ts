// The ROS attack on sessions that run at once: it forges where nonces are bound to nothing, and gets nothing out of our signers.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { secp256k1 } from '@noble/curves/secp256k1.js'
import { verifyEvm } from '../../relayer/crypto/schnorr.ts'
import { concat, toBigint, toHex } from '../../relayer/lib/bytes.ts'
import { decodeBatch, type NonceEntry, pairAt } from '../../relayer/protocol/nonces.ts'
import { packageHash } from '../../relayer/protocol/signwire.ts'
import { type Probe, probeDigest } from '../../relayer/protocol/typed.ts'
import { SUITES } from '../support/reference/frost.ts'
import {
  type Choice,
  combined,
  combinedNonce,
  type CurvePoint,
  DIMENSION,
  planForgery,
} from '../support/reference/ros.ts'
import { lagrange } from '../support/reference/shares.ts'
import { RogueLeader } from '../support/rogue-leader.ts'
import { seededRng } from '../support/seeded-rng.ts'
import { DOMAIN, SigningWorld } from '../support/signing.ts'

const { Point } = secp256k1
const { Fn } = Point
const SUITE = SUITES['frost-secp256k1-evm']
const probeOf = (text: string): Probe => ({ keyId: 0, epoch: 3, text })
const digestOf = (text: string) => probeDigest(DOMAIN, probeOf(text))
/** Nobody is asked to sign this. */
const FORGED = digestOf('all of it to me')
/** The two messages between which the adversary chooses when it finishes a session. */
const textsOf = (session: number) => [`${session}, zero`, `${session}, one`] as const

/** The challenge of a message under a nonce and a group key. */
const challengeOf = (key: CurvePoint, nonce: CurvePoint, digest: Uint8Array) =>
  SUITE.challenge(nonce.toAffine(), key.toAffine(), digest)

/** A signature over the forged message out of the honest part and the adversary's own share of the key, as it travels. */
function signature(nonce: CurvePoint, part: bigint, own: bigint): Uint8Array {
  return SUITE.encode(nonce.toAffine(), Fn.add(part, own))
}

void test('without binding factors the adversary forges: 256 sessions at once, one signature more', () => {
  const rng = seededRng('ros')
  const scalar = () => Fn.create(toBigint(rng(32)))
  // Two of two, whose parts of the key add up: the honest signer's, and the adversary's.
  const [honest, own] = [scalar(), scalar()]
  const key = Point.BASE.multiply(Fn.add(honest, own))
  const secrets = Array.from({ length: DIMENSION }, scalar)
  const signed = new Set<string>()
  const sessions = secrets.map((secret, at) => {
    const nonce = Point.BASE.multiply(secret)
    const [zero, one] = textsOf(at).map(digestOf)
    assert.ok(zero && one)
    const choice = (digest: Uint8Array) => ({ nonce, digest, challenge: challengeOf(key, nonce, digest) })
    return [choice(zero), choice(one)] as const
  })
  const { nonce, challenge, bits, weights } = planForgery(sessions, (R) => challengeOf(key, R, FORGED))
  // The honest signer: one answer a nonce, to whatever it is asked.
  const answers = sessions.map((choices, at) => {
    const chosen = choices[bits[at] ?? 0]
    signed.add(toHex(chosen.digest))
    return Fn.add(secrets[at] ?? 0n, Fn.mul(chosen.challenge, honest))
  })
  assert.equal(signed.size, DIMENSION)
  assert.ok(!signed.has(toHex(FORGED)))
  const forgery = signature(nonce, combined(answers, weights), Fn.mul(challenge, own))
  assert.ok(verifyEvm(key.toBytes(false).subarray(1), FORGED, forgery), 'the attack works')
})

void test('four corrupt leaders of nine, five needed, forge nothing with 256 sessions of ours at once', async () => {
  const world = new SigningWorld({ t: 5, n: 9, seed: 'ros' })
  const [victim, signers] = [5, [5, 6, 7, 8, 9]]
  const sessions: Ours[] = []
  for (const index of [1, 2, 3, 4]) {
    const leader = new RogueLeader(world, index)
    // However often it asks, a leader has no more than 64 nonces of a member that are good.
    for (let asked = 0; asked < 12; asked++) await leader.collect([victim])
    const others = await leader.collect(signers.slice(1))
    const nonces = noncesOf(leader, victim)
    assert.equal(nonces.length, 64)
    for (const own of nonces) sessions.push(openSession(leader, [own, ...others], sessions.length))
  }
  assert.equal(sessions.length, DIMENSION)

  const [first] = sessions
  assert.ok(first)
  const key = groupOf(first.leader)
  const { nonce, challenge, bits, weights } = planForgery(
    sessions.map(({ choices }) => choices),
    (R) => challengeOf(key, R, FORGED),
  )
  for (const [at, { leader, sealed }] of sessions.entries()) leader.send(victim, sealed[bits[at] ?? 0])
  await world.network.idle()
  const weight = lagrange(SUITE.curve, signers, victim)
  const publicPart = verificationShare(first.leader, victim).multiply(weight)
  const answers = sessions.map(({ leader, sealed, choices }, at) => {
    const bit = bits[at] ?? 0
    const hash = toHex(packageHash(sealed[bit].body))
    const { message } =
      leader.heard.find((said) => said.message.type === 'share' && toHex(said.message.hash) === hash) ?? {}
    const { z } = leader.shareOf(victim, message, sealed[bit])
    // Each is a good answer to what was asked: it is not a refusal that saves the key.
    const { nonce: own, challenge: asked } = choices[bit]
    assert.ok(Point.BASE.multiply(toBigint(z)).equals(own.add(publicPart.multiply(asked))))
    return toBigint(z)
  })

  const part = combined(answers, weights)
  // What the adversary knows of the key beside the victim's part, without which it has nothing: all of the rest, here.
  const rest = restOf(world, signers, victim)
  assert.ok(publicPart.add(Point.BASE.multiply(rest)).equals(key))
  const attempts = [
    nonce,
    // The nonces that really entered the answers: they combine to the answers' nonce, which has another challenge.
    combinedNonce(
      sessions.map(({ choices }, at) => choices[bits[at] ?? 0].nonce),
      weights,
    ),
  ]
  for (const R of attempts)
    assert.equal(
      verifyEvm(first.leader.key.groupKey, FORGED, signature(R, part, Fn.mul(challenge, rest))),
      false,
    )
  assert.deepEqual(world.member(victim).faults, [])
})

/** A session of ours that a leader has open: two packages over the same nonces, of which it may send one. */
interface Ours {
  readonly leader: RogueLeader
  readonly choices: readonly [Choice, Choice]
  readonly sealed: readonly [ReturnType<RogueLeader['package']>, ReturnType<RogueLeader['package']>]
}

/** What the victim's answer to either package will satisfy, by RFC 9591: its nonce D + ρE, and the challenge. */
function openSession(leader: RogueLeader, entries: readonly NonceEntry[], at: number): Ours {
  const key = groupOf(leader)
  const [own] = entries
  assert.ok(own)
  const made = textsOf(at).map((text) => {
    const payload = { type: 'probe', probe: probeOf(text) } as const
    const run = new Uint8Array(16).fill(at)
    run[0] = at >> 6
    const sealed = leader.package(entries, { request: { ref: leader.book.ref, payload, run } })
    const digest = digestOf(text)
    const bound = boundNonces(key, entries, digest)
    const sum = bound.reduce((total, nonce) => total.add(nonce), Point.ZERO)
    const [nonce = Point.ZERO] = bound
    return { sealed, choice: { nonce, challenge: challengeOf(key, sum, digest) } }
  })
  const [zero, one] = made
  assert.ok(zero && one)
  return { leader, choices: [zero.choice, one.choice], sealed: [zero.sealed, one.sealed] }
}

/** D + ρE of each entry of a package over a message. */
function boundNonces(key: CurvePoint, entries: readonly NonceEntry[], digest: Uint8Array): CurvePoint[] {
  const id = (index: number) => SUITE.curve.scalarToBytes(BigInt(index))
  const list = concat(...entries.flatMap(({ index, hiding, binding }) => [id(index), hiding, binding]))
  const prefix = concat(key.toBytes(), SUITE.digest('msg', digest), SUITE.digest('com', list))
  return entries.map(({ index, hiding, binding }) =>
    Point.fromBytes(hiding).add(
      Point.fromBytes(binding).multiplyUnsafe(SUITE.scalar('rho', concat(prefix, id(index)))),
    ),
  )
}

function groupOf({ key }: RogueLeader): CurvePoint {
  return Point.fromBytes(concat(Uint8Array.of(4), key.groupKey))
}

function verificationShare({ key }: RogueLeader, index: number): CurvePoint {
  return Point.fromBytes(key.verificationShares[index - 1] ?? new Uint8Array())
}

/** The other signers' parts of the key. */
function restOf(world: SigningWorld, signers: readonly number[], victim: number): bigint {
  return signers
    .filter((index) => index !== victim)
    .map((index) => {
      const share = toBigint(world.member(index).shares[0]?.share.expose() ?? new Uint8Array())
      return Fn.mul(lagrange(SUITE.curve, signers, index), share)
    })
    .reduce((sum, part) => Fn.add(sum, part), 0n)
}

/** The nonces of a member that a leader was given. */
function noncesOf(leader: RogueLeader, index: number): NonceEntry[] {
  const found = new Map<number, NonceEntry>()
  for (const { message } of leader.heard) {
    if (message.type !== 'batch') continue
    const { batch, digest } = decodeBatch(message.batch, 33)
    if (batch.index !== index || batch.leader !== leader.address) continue
    for (let at = 0; at < batch.points.length / 2; at++) {
      const pair = pairAt(batch, at)
      assert.ok(pair)
      const counter = batch.first + at
      found.set(counter, { index, ...pair, batch: digest, boot: batch.boot.id, counter })
    }
  }
  return [...found.values()]
}
