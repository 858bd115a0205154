// Known answers: a chain of ceremonies and a signature of each scheme, frozen, and recomputed by the reference model.
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { readFileSync, writeFileSync } from 'node:fs'
import { before, test } from 'node:test'
import { FrostKey } from '../../relayer/crypto/frost.ts'
import { verifySignature } from '../../relayer/crypto/schnorr.ts'
import { concat, toHex, utf8 } from '../../relayer/lib/bytes.ts'
import { commitmentsHash } from '../../relayer/protocol/keyshare.ts'
import { runChain, type Step } from '../support/known-answers.ts'
import { curveOf, groupKeyBytes } from '../support/reference/ceremony.ts'
import { encodeLong } from '../support/reference/curves.ts'
import { nonce, SUITES, sign, verify } from '../support/reference/frost.ts'
import { keccak256 } from '../support/reference/hashes.ts'
import type { Sharing } from '../support/reference/shares.ts'
import { seededRng } from '../support/seeded-rng.ts'
import { FROST_SCHEMES } from '../support/signing.ts'

const FILE = new URL('../vectors/known-answers.json', import.meta.url)
const DIGEST = createHash('sha256').update('known answers').digest()
const QUORUM = [1, 3, 4]
let chain: Step[] = []

before(async () => {
  chain = await runChain()
})

/** What is frozen of a step: public values, and a hash over all shares. */
function frozen({ name, prepared }: Step) {
  const [first] = prepared
  assert.ok(first)
  const shares = prepared.flatMap((each) => each.shares.map(({ share }) => share.expose()))
  return {
    name,
    sessionId: toHex(first.sessionId),
    transcript: toHex(first.transcript),
    keys: first.keys.map((key) => ({
      scheme: key.scheme,
      groupKey: toHex(key.groupKey),
      commitmentsHash: toHex(commitmentsHash(key)),
      verificationShares: key.verificationShares.map(toHex),
    })),
    sharesHash: createHash('sha256')
      .update(concat(...shares))
      .digest('hex'),
  }
}

/** Signs with a key of the last step, nonces from a seed; the product's signature. */
function signature(step: Step, keyId: number): Uint8Array {
  const members = QUORUM.map((index) => ({ index, share: step.prepared[index - 1]?.shares[keyId] }))
  const [some] = members
  assert.ok(some?.share && some.share.scheme !== 'ecdsa-secp256k1')
  const key = new FrostKey({ ...some.share, scheme: some.share.scheme })
  const drawn = members.map(({ index, share }) => {
    assert.ok(share)
    return {
      index,
      share: share.share,
      ...key.commit(index, share.share, seededRng(`nonce/${keyId}/${index}`)),
    }
  })
  const list = drawn.map(({ commitment }) => commitment)
  const shares = drawn.map(({ index, share, secrets }) => {
    return [index, key.signShare({ index, share, nonces: secrets }, list, DIGEST)] as const
  })
  const result = key.aggregate(list, DIGEST, new Map(shares))
  assert.ok(result.signature && verifySignature(key, DIGEST, result.signature))
  return result.signature
}

void test('every step of the chain comes out at every member as the reference model computes it', () => {
  assert.equal(chain.length, 5)
  for (const { name, prepared, model } of chain) {
    for (const [at, each] of prepared.entries()) {
      assert.equal(toHex(each.sessionId), toHex(model.sessionId), name)
      assert.equal(toHex(each.transcript), toHex(model.transcript), name)
      for (const [keyId, { scheme, sharing }] of model.keys.entries()) {
        const curve = curveOf(scheme)
        const key = each.shares[keyId]
        assert.ok(key)
        assert.equal(key.scheme, scheme)
        assert.equal(toHex(key.groupKey), toHex(groupKeyBytes(scheme, sharing)))
        const commitments = sharing.commitments.map((point) => encodeLong(curve, point))
        assert.deepEqual(key.commitments.map(toHex), commitments.map(toHex))
        assert.equal(toHex(commitmentsHash(key)), toHex(keccak256(...commitments)))
        const shares = sharing.verificationShares.map((point) => toHex(curve.encode(point)))
        assert.deepEqual(key.verificationShares.map(toHex), shares)
        assert.equal(toHex(key.share.expose()), toHex(curve.scalarToBytes(sharing.shares[at] ?? 0n)))
      }
    }
  }
})

void test('the group keys stay the same from the step that makes them to the last', () => {
  const made = chain.map(({ prepared }) => prepared[0]?.keys.map(({ groupKey }) => toHex(groupKey)) ?? [])
  const last = made.at(-1) ?? []
  for (const keys of made) assert.deepEqual(keys, last.slice(0, keys.length))
  assert.deepEqual(
    made.map((keys) => keys.length),
    [1, 2, 3, 3, 3],
  )
})

void test('one signature of each scheme is what the reference model signs', () => {
  const last = chain.at(-1)
  assert.ok(last)
  for (const [keyId, scheme] of FROST_SCHEMES.entries()) {
    const sharing: Sharing | undefined = last.model.keys[keyId]?.sharing
    assert.ok(sharing)
    const signers = QUORUM.map((index) => {
      const rng = seededRng(`nonce/${keyId}/${index}`)
      const share = sharing.shares[index - 1] ?? 0n
      const suite = SUITES[scheme]
      return { index, share, hiding: nonce(suite, rng(32), share), binding: nonce(suite, rng(32), share) }
    })
    const expected: Uint8Array = sign(SUITES[scheme], sharing.groupKey, signers, DIGEST).signature
    assert.equal(toHex(signature(last, keyId)), toHex(expected))
    assert.ok(verify(scheme, sharing.groupKey, DIGEST, expected))
  }
})

void test('nothing of it has changed since it was frozen', () => {
  const last = chain.at(-1)
  assert.ok(last)
  const answers = {
    about:
      'Known answers of the chain in test/support/known-answers.ts. A change here is a change of the wire format.',
    steps: chain.map(frozen),
    signatures: FROST_SCHEMES.map((scheme, keyId) => ({ scheme, signature: toHex(signature(last, keyId)) })),
  }
  const text = `${JSON.stringify(answers, null, 2)}\n`
  if (process.env['FREEZE_KNOWN_ANSWERS'] === 'yes') writeFileSync(FILE, utf8(text))
  assert.deepEqual(JSON.parse(readFileSync(FILE, 'utf8')), answers)
})
