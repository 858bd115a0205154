// Ceremonies with nobody in the way: keygen, reshare, refresh and a further key, and what the members sign afterwards.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { verifySignature } from '../../relayer/crypto/schnorr.ts'
import { fromHex } from '../../relayer/lib/bytes.ts'
import type { Address } from '../../relayer/lib/bytes.ts'
import { activationDigest, probeDigest } from '../../relayer/protocol/typed.ts'
import { BRIDGE, CeremonySim, CHAIN_ID, type SimRelayer } from '../support/ceremony-sim.ts'

const domain = { chainId: CHAIN_ID, bridge: BRIDGE }

async function probe(relayer: SimRelayer, keyId = 0, include: Address[] = []) {
  const signal = new AbortController().signal
  const signed = await relayer.signing.sign(
    {
      keyId,
      payload: (epoch) => ({ type: 'probe', probe: { keyId, epoch, text: 'hello' } }),
      include,
    },
    signal,
  )
  const key = (await relayer.store.activeShare())?.keys.find((each) => each.keyId === keyId)
  assert.ok(key !== undefined)
  assert.deepEqual(signed.digest, probeDigest(domain, { keyId, epoch: signed.epoch, text: 'hello' }))
  assert.ok(verifySignature(key, signed.digest, signed.signature), `key ${keyId} signs`)
  return { ...signed, groupKey: key.groupKey }
}

test('a keygen ends with one activation, signed by the new key, at every member', async () => {
  const sim = await CeremonySim.of('keygen', 3)
  const committee = sim.committee(1, 2, 0, 1, 2)
  const spec = sim.keygen(committee)
  await sim.begin(spec)
  await sim.until(() => sim.relayers.every(({ activations }) => activations.length === 1))
  assert.ok(sim.head - sim.startBlock <= 3, `took ${sim.head - sim.startBlock} blocks`)
  const [signed] = sim.relayers[0]?.activations ?? []
  assert.ok(signed !== undefined)
  for (const { activations, view } of sim.relayers) {
    assert.deepEqual(activations[0]?.activation, signed.activation)
    assert.equal(view?.stage, 'activating')
    assert.equal(view.failureCount, 0)
  }
  const key = {
    scheme: 'frost-secp256k1-evm',
    groupKey: fromHex(signed.activation.keys[0]?.groupKey ?? ''),
  } as const
  assert.ok(verifySignature(key, activationDigest(domain, signed.activation), fromHex(signed.groupSignature)))
  await sim.activate(signed)
  for (const relayer of sim.relayers) assert.equal((await probe(relayer)).epoch, 1)
  await sim.stop()
})

test('a story of changes keeps the group keys, and each new committee signs', async () => {
  const sim = await CeremonySim.of('story', 6)
  const one = sim.committee(1, 2, 0, 1, 2)
  await sim.complete(sim.keygen(one))
  const { groupKey } = await probe(sim.relayers[0] as SimRelayer) // CAST: six relayers were made
  const two = sim.committee(2, 2, 0, 1, 2, 3)
  await sim.complete(await sim.reshare('reshare', one, two))
  const newest = sim.some(3)[0] as SimRelayer // CAST: six relayers were made
  const signed = await probe(newest, 0, [newest.address])
  assert.ok(signed.quorum.includes(newest.address))
  assert.deepEqual(signed.groupKey, groupKey)
  const three = sim.committee(3, 2, 0, 1, 2, 3)
  await sim.complete(await sim.reshare('addkey', two, three))
  assert.deepEqual((await probe(newest)).groupKey, groupKey)
  const added = (await probe(newest, 1)).groupKey
  const four = sim.committee(4, 2, 0, 1, 2, 3)
  await sim.complete(await sim.reshare('refresh', three, four))
  const five = sim.committee(5, 3, 2, 3, 4, 5)
  await sim.complete(await sim.reshare('reshare', four, five))
  for (const relayer of sim.some(2, 3, 4, 5)) {
    assert.deepEqual((await probe(relayer)).groupKey, groupKey)
    assert.deepEqual((await probe(relayer, 1)).groupKey, added)
  }
  for (const relayer of sim.some(0, 1)) {
    assert.equal(await relayer.store.activeShare(), null, 'who left holds no active share')
    await assert.rejects(probe(relayer), /holds no active share/)
  }
  await sim.stop()
})

test('members of a committee that shares nobody with the old one take the key over', async () => {
  const sim = await CeremonySim.of('disjoint', 5)
  const old = sim.committee(1, 2, 0, 1)
  await sim.complete(sim.keygen(old))
  const { groupKey } = await probe(sim.relayers[1] as SimRelayer) // CAST: five relayers were made
  const next = sim.committee(2, 2, 2, 3, 4)
  const spec = await sim.reshare('reshare', old, next)
  await sim.begin(spec)
  await sim.until(() => sim.relayers.every(({ activations }) => activations.length > 0))
  const leaver = sim.relayers[0]
  assert.ok(leaver !== undefined)
  assert.deepEqual(await leaver.store.prepared(2), [], 'a dealer that leaves prepares nothing')
  assert.deepEqual(leaver.view?.dealers, old.members)
  const [signed] = leaver.activations
  assert.ok(signed !== undefined)
  await sim.activate(signed)
  assert.deepEqual((await probe(sim.relayers[4] as SimRelayer)).groupKey, groupKey) // CAST: five relayers were made
  await sim.stop()
})
