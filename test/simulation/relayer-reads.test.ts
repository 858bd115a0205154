// Reads and writes that fail at one moment: the next look does what was missed, and no share is used meanwhile that must not be.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ChainError } from '../../relayer/lib/errors.ts'
import { KEY } from '../../relayer/store/layout.ts'
import { GovernedSim, type Operator } from '../support/governed-sim.ts'

/** Has an operator's endpoints lack a block for one read, as when one of them has it and the others do not. */
function lacking(operator: Operator, number: number): () => boolean {
  const block = operator.chain.block.bind(operator.chain)
  let missed = false
  operator.chain.block = async (at, signal) => {
    if (at !== number || missed) return block(at, signal)
    missed = true
    return null
  }
  return () => missed
}

for (const finalityDepth of [2, 40])
  test(`a trigger block that is not there for one read costs one look, finality depth ${finalityDepth}`, async () => {
    const sim = await GovernedSim.running(`trigger ${finalityDepth}`, {
      count: 3,
      first: [0, 1, 2],
      finalityDepth,
    })
    const victim = sim.at(1)
    const missed = lacking(victim, sim.chain.head.ref.number + 1)
    sim.chain.refreshKey()
    await sim.until(missed, 200)
    await sim.step(4)
    assert.ok(victim.disk.record(KEY.ceremony(2)) !== undefined, 'the record moves with the cursor')
    assert.deepEqual((await victim.status()).problems, [])
    await sim.until(() => sim.state.running === 2, 400)
    await sim.stop()
  })

test('one failed read does not put erasure and receipts off', async () => {
  const sim = await GovernedSim.running('hiccup', { count: 3, first: [0, 1, 2] })
  sim.chain.refreshKey()
  await sim.until(() => sim.state.running === 2)
  let block = sim.chain.head.ref.number
  while (sim.chain.at(block - 1)?.state.running === 2) block -= 1
  // All use one provider, which fails once, in the look in which the activation lies twice as deep.
  let failed = 0
  for (const { chain } of sim.operators) {
    const read = chain.committeeState.bind(chain)
    let once = true
    chain.committeeState = async (ref, signal) => {
      if (!once || ref.number < block || sim.chain.head.ref.number < block + 4) return read(ref, signal)
      once = false
      failed += 1
      throw new ChainError('HTTP status 503')
    }
  }
  await sim.step(20)
  assert.equal(failed, 3)
  assert.equal(sim.state.outstandingEpoch, 0)
  await sim.stop()
})

/** What keeps one node from following the chain to an epoch that the others sign with. */
const OBSTACLES: Record<string, (victim: Operator) => void> = {
  'the activation cannot be read': ({ chain }) => {
    chain.activation = async () => null
  },
  'the disk has no room for the promotion': ({ disk }) => {
    disk.isFull = ({ names }) => names.includes(KEY.running)
  },
}

for (const [what, bring] of Object.entries(OBSTACLES))
  test(`a node that cannot follow signs with nothing rather than with a share below the chain: ${what}`, async () => {
    const sim = await GovernedSim.running(`below ${what}`, { count: 3, first: [0, 1, 2] })
    const victim = sim.at(0)
    bring(victim)
    sim.chain.refreshKey()
    await sim.until(async () => (await sim.at(1).status()).signsWith === 2)
    await sim.step(8)
    const { epoch, signsWith, problems } = await victim.status()
    assert.deepEqual([epoch, signsWith], [2, null])
    assert.ok(problems.some(({ severity }) => severity === 'critical'))
    await sim.stop()
  })

test('a node that cannot follow signs with nothing rather than with a share below the chain: no room for the cursor', async () => {
  const sim = await GovernedSim.running('below cursor', { count: 3, first: [0, 1, 2] })
  const victim = sim.at(0)
  sim.chain.refreshKey()
  await sim.until(() => sim.prepared(2) === 3)
  await sim.until(async () => (await victim.store?.activationSeen(2)) === true)
  victim.disk.isFull = () => true
  await sim.until(async () => (await sim.at(1).status()).signsWith === 2)
  await sim.step(8)
  assert.equal((await victim.status()).signsWith, null)
  victim.disk.isFull = () => false
  await sim.step(4)
  assert.equal((await victim.status()).signsWith, 2)
  await sim.stop()
})
