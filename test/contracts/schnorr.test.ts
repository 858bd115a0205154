// The Schnorr verifier against two models: 10,000 random cases, and the named edges of docs/protocols.md, EVM-Schnorr.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { normalizeZ } from '@noble/curves/abstract/curve.js'
import { secp256k1 } from '@noble/curves/secp256k1.js'
import { ContractFactory, Interface, keccak256, toBeHex } from 'ethers'
import { network } from 'hardhat'
import { verifyEvm } from '../../relayer/crypto/schnorr.ts'
import { fromHex, type Hex } from '../../relayer/lib/bytes.ts'
import { artifactOf } from '../../scripts/deploy.ts'
import { GroupKey, hex, Q } from '../support/group-key.ts'
import { word } from '../support/people.ts'
import { byDefinition, byRecovery, type Case } from '../support/schnorr-model.ts'

const { Point } = secp256k1
const FIELD = Point.Fp.ORDER
const { abi, bytecode } = artifactOf('test/SchnorrHarness.sol', 'SchnorrHarness')
const harness = new Interface([...abi])
const connection = await network.create('governance')
const [signer] = await connection.ethers.getSigners()
const deployed = await new ContractFactory(harness, bytecode, signer ?? null).deploy()
const to = await deployed.getAddress()

async function call(name: string, argument: unknown): Promise<unknown> {
  const data = harness.encodeFunctionData(name, [argument])
  const answer = await connection.provider.request({ method: 'eth_call', params: [{ to, data }, 'latest'] })
  return harness.decodeFunctionResult(name, String(answer))[0]
}

async function verdicts(cases: readonly Case[]): Promise<boolean[]> {
  const answer = String(await call('verifyMany', cases)).slice(2)
  return Array.from(cases, (_, i) => answer.slice(2 * i, 2 * i + 2) === '01')
}

/** A stream of numbers below 2^256 that is the same in every run. */
function stream(seed: number): () => bigint {
  let state = word(seed)
  return () => {
    state = keccak256(state) as Hex // CAST: ethers types hex strings as string
    return BigInt(state)
  }
}

/** `count` valid signatures: each nonce is the former one plus 1, so that its point costs one addition. */
function signatures(key: GroupKey, count: number, next: () => bigint): Case[] {
  const first = (next() % (Q - 2n ** 32n)) + 1n
  let point = Point.BASE.multiply(first)
  const points = Array.from({ length: count }, () => {
    const here = point
    point = point.add(Point.BASE)
    return here
  })
  return normalizeZ(Point, points).map(sign)

  function sign(nonce: typeof point, i: number): Case {
    const m = toBeHex(next(), 32) as Hex // CAST: ethers types hex strings as string
    const { z, a } = key.schnorrWith(m, (first + BigInt(i)) % Q, nonce.toAffine())
    return { px: key.x, v: key.v, m, z, a }
  }
}

/** The 52 bytes z ‖ a. */
const bytes = ({ z, a }: Case): Uint8Array => fromHex(hex(z, 32, a))

const flip = (value: Hex, bit: bigint, width: number): Hex =>
  toBeHex(BigInt(value) ^ (1n << bit), width) as Hex // CAST: ethers types hex strings as string

/** Ways to spoil a signature. */
const SPOIL: readonly ((item: Case, noise: bigint) => Case)[] = [
  (item, noise) => ({ ...item, z: (item.z + 1n + (noise % (Q - 1n))) % Q }),
  (item) => ({ ...item, z: Q - item.z }),
  (item, noise) => ({ ...item, z: item.z ^ (1n << (noise % 256n)) }),
  (item, noise) => ({ ...item, m: flip(item.m, noise % 256n, 32) }),
  (item, noise) => ({ ...item, a: flip(item.a, noise % 160n, 20) }),
  (item) => ({ ...item, v: 55 - item.v }),
  (item, noise) => ({ ...item, v: Number(noise % 256n) }),
]

test('10,000 random cases, half of them spoilt, are judged as the model judges them', async () => {
  const next = stream(1)
  let accepted = 0
  for (let round = 0; round < 20; round++) {
    const key = new GroupKey((next() % (Q - 1n)) + 1n)
    const good = signatures(key, 250, next)
    const bad = signatures(key, 250, next).map((item) => {
      const noise = next()
      return SPOIL[Number(noise % BigInt(SPOIL.length))]?.(item, noise >> 8n) ?? item
    })
    const cases = [...good, ...bad]
    const found = await verdicts(cases)
    assert.ok(
      good.every((_, i) => found[i]),
      'a valid signature was refused',
    )
    bad.forEach((item, i) => assert.equal(found[250 + i], byDefinition(key, item)))
    for (const [i, item] of cases.entries()) {
      assert.equal(found[i], byRecovery(item))
      // The daemon's own verifier knows a key by its point: only cases of this point are its business.
      if (i % 10 === 0 && item.v === key.v)
        assert.equal(found[i], verifyEvm(fromHex(key.publicKey), fromHex(item.m), bytes(item)))
    }
    accepted += found.filter(Boolean).length
  }
  assert.ok(accepted >= 5_000 && accepted < 5_100, `${accepted} of 10,000 accepted`)
})

test('keys of both parities, with x below and above half the order, are taken', async () => {
  const seen = new Set<string>()
  for (let secret = 1n; seen.size < 4; secret++) {
    const key = new GroupKey(secret)
    seen.add(`${key.v} ${key.x > Q / 2n}`)
    assert.deepEqual(await verdicts(signatures(key, 2, stream(Number(secret)))), [true, true])
  }
})

test('edges of z, a, P.x and v are refused', async () => {
  const key = new GroupKey(0xabcdefn)
  const [valid] = signatures(key, 1, stream(2))
  assert.ok(valid)
  assert.deepEqual(await verdicts([valid]), [true])
  const zero: Hex = `0x${'00'.repeat(20)}`
  const refused: Case[] = [
    ...[0n, 1n, Q - 1n, Q, Q + 1n, 2n ** 256n - 1n].map((z) => ({ ...valid, z })),
    { ...valid, a: zero },
    ...[0n, Q, Q + 1n, FIELD - 1n, FIELD, 2n ** 256n - 1n].map((px) => ({ ...valid, px })),
    ...[0, 1, 26, 29, 55 - valid.v, 255].map((v) => ({ ...valid, v })),
  ]
  assert.deepEqual(
    await verdicts(refused),
    refused.map(() => false),
  )
})

test('a point whose x lies between the order and the field prime is refused, whatever is signed', async () => {
  let x = Q
  for (; ; x++) {
    try {
      Point.fromHex(`02${x.toString(16).padStart(64, '0')}`)
      break
    } catch {}
  }
  const [valid] = signatures(new GroupKey(5n), 1, stream(3))
  assert.ok(valid)
  const cases = [x, x - Q].flatMap((px) => [27, 28].map((v) => ({ ...valid, px, v })))
  assert.deepEqual(await verdicts(cases), [false, false, false, false])
})

test('x-coordinates off the curve are refused', async () => {
  const off: bigint[] = []
  for (let x = 1n; off.length < 8; x++) {
    try {
      Point.fromHex(`02${x.toString(16).padStart(64, '0')}`)
    } catch {
      off.push(x)
    }
  }
  const [valid] = signatures(new GroupKey(5n), 1, stream(4))
  assert.ok(valid)
  const cases = off.map((px) => ({ ...valid, px }))
  assert.deepEqual(
    await verdicts(cases),
    cases.map(() => false),
  )
})

test('a recovery that fails never passes as address zero', async () => {
  // s = ep may be anything but r = P.x must be on the curve: with a = 0 the precompile's empty answer would match.
  const zero: Hex = `0x${'00'.repeat(20)}`
  const cases = [5n, Q - 1n].map((px) => ({ px, v: 27, m: word(1), z: 1n, a: zero }))
  assert.deepEqual(await verdicts(cases), [false, false])
})

test('one verification costs less than 5,000 gas', async () => {
  const [valid] = signatures(new GroupKey(5n), 1, stream(5))
  assert.ok(valid)
  assert.ok(Number(await call('gasOf', valid)) < 5_000)
})
