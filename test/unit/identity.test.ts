// The operator's signature: recovered or verified with a known key, both accept the same.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { secp256k1 } from '@noble/curves/secp256k1.js'
import { H, preimage } from '../../relayer/crypto/hash.ts'
import { addressOf, recover, signedBy, signerOf } from '../../relayer/crypto/identity.ts'
import { TAG } from '../../relayer/crypto/tags.ts'
import { concat, fromBigint, toBigint, utf8 } from '../../relayer/lib/bytes.ts'
import { Secret } from '../../relayer/lib/secret.ts'
import { seededRng } from '../support/seeded-rng.ts'

const rng = seededRng('identity')
const parts = [utf8('hello'), Uint8Array.of(7)]

test('a signature is its signer’s, the first time and when the key is known', () => {
  const signer = signerOf(new Secret(rng(32)))
  const stranger = signerOf(new Secret(rng(32)))
  const signature = signer.sign(H(TAG.envelope, ...parts))
  assert.equal(addressOf(signer.publicKey), signer.address)
  assert.equal(recover(H(TAG.envelope, ...parts), signature), signer.address)
  for (let times = 0; times < 2; times++) {
    assert.ok(signedBy(signer.address, preimage(TAG.envelope, ...parts), signature))
    assert.ok(!signedBy(stranger.address, preimage(TAG.envelope, ...parts), signature))
    assert.ok(!signedBy(signer.address, preimage(TAG.echo, ...parts), signature))
    assert.ok(!signedBy(signer.address, preimage(TAG.envelope, utf8('hello7')), signature))
  }
})

test('malleable, cut and swapped signatures are refused whether or not the key is known', () => {
  const { order, unknown, known } = prepared()
  for (const { address, signature } of [unknown, known]) {
    const [r, s] = [signature.subarray(0, 32), signature.subarray(32, 64)]
    const v = signature.subarray(64)
    const high = fromBigint(order - toBigint(s), 32)
    const flipped = Uint8Array.of(55 - (v[0] ?? 0))
    const zero = new Uint8Array(32)
    for (const bad of [
      concat(r, high, v),
      concat(r, high, flipped),
      concat(s, r, v),
      concat(zero, s, v),
      concat(r, zero, v),
      concat(fromBigint(order, 32), s, v),
      signature.subarray(0, 64),
      new Uint8Array(65),
      new Uint8Array(),
    ])
      assert.ok(!signedBy(address, preimage(TAG.envelope, ...parts), bad))
    // v says nothing that is needed: both ways ignore it.
    assert.ok(signedBy(address, preimage(TAG.envelope, ...parts), concat(r, s, flipped)))
  }
})

function prepared() {
  const order = secp256k1.Point.Fn.ORDER
  const [one, two] = [signerOf(new Secret(rng(32))), signerOf(new Secret(rng(32)))]
  const sign = (signer: typeof one) => ({
    address: signer.address,
    signature: signer.sign(H(TAG.envelope, ...parts)),
  })
  const [unknown, known] = [sign(one), sign(two)]
  assert.ok(signedBy(known.address, preimage(TAG.envelope, ...parts), known.signature))
  return { order, unknown, known }
}
