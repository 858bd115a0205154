// The reference model against figures that others published: it must be right before anything is compared with it.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ed25519, multiply, secp256k1 } from '../support/reference/curves.ts'
import { nonce, RFC_SECP256K1, type Suite, SUITES, sign, verify } from '../support/reference/frost.ts'
import { keccak256 } from '../support/reference/hashes.ts'
import { evaluate } from '../support/reference/shares.ts'
import { type FrostCase, readSignatures, readVectors } from '../support/vectors.ts'

const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex')
const unhex = (text: string) => new Uint8Array(Buffer.from(text, 'hex'))

/** Recomputes every figure of a case. */
function replay(suite: Suite, known: FrostCase): void {
  const { curve } = suite
  const scalar = (text: string) => curve.scalarFromBytes(unhex(text))
  const polynomial = [known.groupSecret, ...known.coefficients].map(scalar)
  const groupKey = curve.decode(unhex(known.groupKey))
  assert.deepEqual(multiply(curve, curve.base, scalar(known.groupSecret)), groupKey)
  const signers = known.signers.map((signer) => {
    const share = evaluate(curve, polynomial, BigInt(signer.index))
    assert.equal(hex(curve.scalarToBytes(share)), signer.share)
    const hiding = nonce(suite, unhex(signer.hidingRandomness), share)
    const binding = nonce(suite, unhex(signer.bindingRandomness), share)
    assert.equal(hex(curve.scalarToBytes(hiding)), signer.hidingNonce)
    assert.equal(hex(curve.scalarToBytes(binding)), signer.bindingNonce)
    assert.equal(hex(curve.encode(multiply(curve, curve.base, hiding))), signer.hidingCommitment)
    return { index: signer.index, share, hiding, binding }
  })
  const signing = sign(suite, groupKey, signers, unhex(known.message))
  known.signers.forEach((signer, at) => {
    assert.equal(hex(signing.bindingFactorInputs[at] ?? new Uint8Array()), signer.bindingFactorInput)
    assert.equal(hex(curve.scalarToBytes(signing.bindingFactors[at] ?? 0n)), signer.bindingFactor)
    assert.equal(hex(curve.scalarToBytes(signing.shares[at] ?? 0n)), signer.signatureShare)
  })
  assert.equal(hex(signing.signature), known.signature)
}

void test('the reference model reproduces RFC 9591 on secp256k1', () => {
  for (const known of readVectors('frost-secp256k1')) replay(RFC_SECP256K1, known)
})

void test('the reference model reproduces RFC 9591 on ed25519', () => {
  for (const known of readVectors('frost-ed25519')) replay(SUITES['frost-ed25519'], known)
})

void test('the reference model reproduces FROST with BIP-340 signatures', () => {
  for (const known of readVectors('frost-secp256k1-tr')) replay(SUITES['frost-secp256k1-bip340'], known)
})

void test('the reference verifier agrees with node:crypto on ed25519 and with BIP-340', () => {
  for (const known of readSignatures('bip340').slice(0, 4)) {
    const key = secp256k1.decode(unhex(`02${known.publicKey}`))
    assert.ok(verify('frost-secp256k1-bip340', key, unhex(known.message), unhex(known.signature)))
  }
  const [known] = readSignatures('ed25519')
  assert.ok(known?.valid)
  const key = ed25519.decode(unhex(known.publicKey))
  assert.ok(verify('frost-ed25519', key, unhex(known.message), unhex(known.signature)))
})

void test('the reference Keccak-256 gives the known digests of nothing and of abc', () => {
  assert.equal(hex(keccak256('')), 'c5d2460186f7233c927e7db2dcc703c0e500b653ca82273b7bfad8045d85a470')
  assert.equal(hex(keccak256('abc')), '4e03657aea45a94fc7d47ba826c8d667c0d1e6e33a64a036ec44f58fa12d6c45')
})
