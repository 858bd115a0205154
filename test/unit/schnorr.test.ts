// The plain verifiers against BIP-340, Wycheproof, the reference model, and the edges of the EVM scheme.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  ecrecover,
  evmChallenge,
  verifyBip340,
  verifyEd25519,
  verifyEvm,
  verifySignature,
} from '../../relayer/crypto/schnorr.ts'
import { concat, fromBigint, fromHex, toBigint } from '../../relayer/lib/bytes.ts'
import { encodeLong, multiply, secp256k1 } from '../support/reference/curves.ts'
import { SUITES, sign, verify } from '../support/reference/frost.ts'
import { seededRng } from '../support/seeded-rng.ts'
import { readSignatures } from '../support/vectors.ts'

const Q = secp256k1.q

/** A signature by one signer of a committee of one, which the reference model makes. */
function evmSignature(seed: string): { groupKey: Uint8Array; digest: Uint8Array; signature: Uint8Array } {
  const rng = seededRng(seed)
  const draw = () => toBigint(rng(31)) + 1n
  const share = draw()
  const point = multiply(secp256k1, secp256k1.base, share)
  const digest = rng(32)
  const signer = { index: 1, share, hiding: draw(), binding: draw() }
  const { signature } = sign(SUITES['frost-secp256k1-evm'], point, [signer], digest)
  assert.ok(verify('frost-secp256k1-evm', point, digest, signature))
  return { groupKey: encodeLong(secp256k1, point).subarray(1), digest, signature }
}

void test('every row of the BIP-340 table is judged as the table says', () => {
  const cases = readSignatures('bip340')
  assert.equal(cases.length, 19)
  for (const { publicKey, message, signature, valid, note } of cases)
    assert.equal(verifyBip340(fromHex(publicKey), fromHex(message), fromHex(signature)), valid, note)
})

void test('every ed25519 case of Wycheproof is judged as Wycheproof says', () => {
  const cases = readSignatures('ed25519')
  assert.ok(cases.length > 140 && cases.filter(({ valid }) => !valid).length === 63)
  for (const { publicKey, message, signature, valid, note } of cases)
    assert.equal(verifyEd25519(fromHex(publicKey), fromHex(message), fromHex(signature)), valid, note)
})

void test('EVM signatures of both parities are accepted, and with any bit flipped refused', () => {
  const parities = new Set<number>()
  for (let seed = 0; seed < 6; seed++) {
    const { groupKey, digest, signature } = evmSignature(`evm/${seed}`)
    parities.add((groupKey[63] ?? 0) & 1)
    assert.ok(verifyEvm(groupKey, digest, signature))
    for (const at of [0, 31, 32, 51]) {
      const bent = signature.slice()
      bent[at] = (bent[at] ?? 0) ^ (1 << (seed % 8))
      assert.equal(verifyEvm(groupKey, digest, bent), false)
    }
    const other = digest.slice()
    other[seed] = (other[seed] ?? 0) ^ 1
    assert.equal(verifyEvm(groupKey, other, signature), false)
  }
  assert.equal(parities.size, 2)
})

void test('an EVM signature has one encoding: z below q, neither z nor the nonce address zero, 52 bytes', () => {
  const { groupKey, digest, signature } = evmSignature('encoding')
  const z = toBigint(signature.subarray(0, 32))
  const a = signature.subarray(32)
  const withZ = (value: bigint) => concat(fromBigint(value, 32), a)
  for (const bad of [0n, Q, 2n ** 256n - 1n, ...(z + Q < 2n ** 256n ? [z + Q] : []), Q - z])
    assert.equal(verifyEvm(groupKey, digest, withZ(bad)), false)
  assert.equal(verifyEvm(groupKey, digest, concat(fromBigint(z, 32), new Uint8Array(20))), false)
  assert.equal(verifyEvm(groupKey, digest, signature.subarray(0, 51)), false)
  assert.equal(verifyEvm(groupKey, digest, concat(signature, Uint8Array.of(0))), false)
  assert.equal(verifyEvm(groupKey, digest.subarray(1), signature), false)
})

void test('EVM keys off the curve, cut short or above the group order are refused', () => {
  const { groupKey, digest, signature } = evmSignature('key')
  const off = groupKey.slice()
  off[63] = (off[63] ?? 0) ^ 1
  assert.equal(verifyEvm(off, digest, signature), false)
  assert.equal(verifyEvm(groupKey.subarray(0, 63), digest, signature), false)
  assert.equal(verifyEvm(concat(fromBigint(Q, 32), groupKey.subarray(32)), digest, signature), false)
})

void test('the ecrecover model refuses what the precompile refuses', () => {
  const hash = new Uint8Array(32).fill(7)
  for (const v of [0, 1, 26, 29]) assert.equal(ecrecover(hash, v, { r: 1n, s: 1n }), null)
  for (const [r, s] of [
    [0n, 1n],
    [1n, 0n],
    [Q, 1n],
    [1n, Q],
    [5n, 1n],
  ] as const)
    assert.equal(ecrecover(hash, 27, { r, s }), null, `r ${r} s ${s}`)
  assert.equal(ecrecover(hash, 27, { r: 1n, s: 1n })?.length, 20)
})

void test('the EVM challenge binds key, parity, nonce address and digest', () => {
  const { groupKey, digest, signature } = evmSignature('challenge')
  const a = signature.subarray(32)
  const e = evmChallenge(groupKey, a, digest)
  const negated = groupKey.slice()
  negated[63] = (negated[63] ?? 0) ^ 1
  assert.notEqual(evmChallenge(negated, a, digest), e)
  assert.notEqual(evmChallenge(groupKey, a, new Uint8Array(32)), e)
  assert.notEqual(evmChallenge(groupKey, new Uint8Array(20).fill(1), digest), e)
})

void test('a signature of one scheme is none of another', () => {
  const { groupKey, digest, signature } = evmSignature('schemes')
  assert.ok(verifySignature({ scheme: 'frost-secp256k1-evm', groupKey }, digest, signature))
  for (const scheme of ['frost-secp256k1-bip340', 'frost-ed25519', 'ecdsa-secp256k1'] as const)
    assert.equal(verifySignature({ scheme, groupKey }, digest, signature), false)
})
