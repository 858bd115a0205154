// Threshold signing on the good path: every scheme, every leader, any quorum, and signatures that plain verifiers accept.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { verifySignature } from '../../relayer/crypto/schnorr.ts'
import { coordinateSignature } from '../../relayer/protocol/roast.ts'
import { probeDigest } from '../../relayer/protocol/typed.ts'
import { DOMAIN, FROST_SCHEMES, SigningWorld } from '../support/signing.ts'

void test('any t members sign with every scheme, whoever leads', async () => {
  const world = new SigningWorld({ t: 3, n: 5, schemes: FROST_SCHEMES })
  for (const leader of [1, 4]) {
    for (const keyId of [0, 1, 2]) {
      const { signature, quorum, sessions } = await world.probe(leader, keyId)
      const digest = probeDigest(DOMAIN, { keyId, epoch: 3, text: 'are you there?' })
      const key = world.member(1).shares[keyId]
      assert.ok(key && verifySignature(key, digest, signature))
      assert.equal(quorum.length, 3)
      assert.equal(sessions, 1)
    }
  }
  assert.deepEqual(
    world.members.flatMap((member) => member.faults),
    [],
  )
})

void test('a quorum can be made to include a member', async () => {
  const world = new SigningWorld({ t: 2, n: 5 })
  for (const index of [5, 3, 2]) {
    const { quorum } = await coordinateSignature({ ...world.coordination(1), include: [index] })
    assert.ok(quorum.includes(index))
  }
})

void test('twenty signatures in a row use twenty different nonces and few batches', async () => {
  const world = new SigningWorld({ t: 2, n: 3 })
  const seen = new Set<string>()
  for (let at = 0; at < 20; at++) {
    const { signature } = await world.probe(1, 0, `probe ${at}`)
    seen.add(Buffer.from(signature.subarray(32)).toString('hex'))
  }
  assert.equal(seen.size, 20)
})

void test('two leaders may have the same thing signed at the same time', async () => {
  const world = new SigningWorld({ t: 3, n: 4 })
  const results = await Promise.all([
    world.probe(1),
    world.probe(2),
    world.probe(3, 0, 'another'),
    world.probe(1),
  ])
  assert.equal(results.length, 4)
  assert.deepEqual(
    world.members.flatMap((member) => member.faults),
    [],
  )
})
