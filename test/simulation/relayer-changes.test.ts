// Whole relayers over a fake chain: governance asks, the committee follows, the group key stays, and what is superseded is erased.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { verifyEvm } from '../../relayer/crypto/schnorr.ts'
import { fromHex } from '../../relayer/lib/bytes.ts'
import { GovernedSim } from '../support/governed-sim.ts'

const never = new AbortController().signal

/** A probe of key 0 by one member, verified under the chain's group key. */
async function probe(sim: GovernedSim, position: number): Promise<string> {
  const { relayer } = sim.at(position)
  assert.ok(relayer)
  const asking = relayer.signProbe({ keyId: 0, text: 'hello', include: sim.at(position).address }, never)
  const signed = await asking
  const key = sim.state.keys[0]?.groupKey ?? '0x'
  assert.ok(verifyEvm(fromHex(key), fromHex(signed.digest), fromHex(signed.signature)))
  assert.ok(signed.signers.includes(sim.at(position).address))
  assert.equal(signed.epoch, sim.state.running)
  return key
}

test('keygen, a fourth member, a higher threshold, a refresh: one key, complete each time, old shares erased', async () => {
  const sim = new GovernedSim('changes', { count: 4, first: [0, 1, 2] })
  await sim.start(0, 1, 2)
  await sim.step(3)
  sim.chain.startKeygen()
  await sim.completed(1)
  const key = await probe(sim, 0)
  await sim.start(3)
  sim.chain.adminAddRelayer(sim.at(3).address)
  await sim.completed(2)
  assert.equal(await probe(sim, 3), key)
  sim.chain.adminChangeRelayerThreshold(3)
  await sim.completed(3)
  assert.equal(await probe(sim, 1), key)
  sim.chain.refreshKey()
  await sim.completed(4)
  assert.equal(await probe(sim, 2), key)
  for (const operator of sim.operators) {
    const status = await operator.status()
    assert.deepEqual(status.problems, [])
    assert.deepEqual(status.shares, [{ epoch: 4, attempt: status.shares[0]?.attempt, state: 'active' }])
    assert.equal(operator.disk.image().files.size, 1)
  }
  await sim.stop()
})
