// A disk that is put back while an attempt runs: nothing on it tells of that attempt, and the node keeps out of it all the same.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ofEpoch, PREFIX } from '../../relayer/store/layout.ts'
import { GovernedSim, probe } from '../support/governed-sim.ts'

for (const [stage, prefix] of [
  ['joined', PREFIX.marker],
  ['prepared', PREFIX.share],
] as const)
  test(`a disk from before an attempt, put back when it is ${stage}: no attempt runs twice, nobody is convicted`, async () => {
    const sim = await GovernedSim.running(`restored ${stage}`, { count: 3, first: [0, 1, 2] })
    const victim = sim.at(1)
    const before = victim.disk.image()
    const here = (names: readonly string[]) => names.some((name) => name.startsWith(ofEpoch(prefix, 2)))
    victim.disk.cut = ({ names }) => (here(names) ? 'after' : null)
    sim.chain.refreshKey()
    await sim.until(() => victim.disk.writes.some(({ names }) => here(names)))
    await victim.kill()
    victim.disk.cut = () => null
    victim.disk.restore(before)
    await victim.start()
    await sim.completed(2)
    const joined = victim.disk.writes
      .flatMap(({ names }) => names)
      .filter((name) => name.startsWith(ofEpoch(PREFIX.marker, 2)))
    assert.ok(joined.length > 1, 'it joined a later attempt')
    assert.equal(new Set(joined).size, joined.length, `joined twice: ${joined.join(' ')}`)
    for (const operator of sim.operators) assert.equal((await operator.status()).evidence, 0)
    await probe(sim, 1)
    await sim.stop()
  })

test('a disk from before the first activation, put back when a later epoch runs, knows the key by what it had prepared', async () => {
  const sim = new GovernedSim('before the first', { count: 3, first: [0, 1, 2] })
  await sim.start(0, 1, 2)
  await sim.step(3)
  sim.chain.startKeygen()
  await sim.until(() => sim.prepared(1) === 3)
  assert.equal(await sim.at(1).store?.running(), null)
  const copy = sim.at(1).disk.image()
  await sim.completed(1)
  sim.chain.refreshKey()
  await sim.completed(2)
  await sim.at(1).stop()
  sim.at(1).disk.restore(copy)
  await sim.at(1).start()
  await sim.until(async () => (await sim.at(1).status()).shares.length === 0)
  assert.equal((await sim.at(1).store?.running())?.epoch, 2)
  sim.chain.refreshKey()
  await sim.completed(3)
  await probe(sim, 1)
  await sim.stop()
})
