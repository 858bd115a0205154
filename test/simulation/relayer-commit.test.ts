// Long rows of changes, disks from the midst of a keygen, marks of a burn that was none, a disk that fails: all go on by themselves.
import { test } from 'node:test'
import { GovernedSim, probe } from '../support/governed-sim.ts'

test('a reshare completes after more burned changes than are looked back for', async () => {
  const sim = await GovernedSim.running('many burned', { count: 3, first: [0, 1, 2] })
  for (let change = 0; change < 40; change++) {
    sim.chain.refreshKey()
    sim.chain.mine()
    sim.chain.adminCancelCeremony()
    sim.chain.mine()
  }
  sim.chain.refreshKey()
  await sim.completed(42)
  await probe(sim, 0)
  await sim.stop()
})

test('members that start between the finality of an activation and twice its depth erase as soon as it is that deep', async () => {
  const sim = await GovernedSim.running('started in between', {
    count: 3,
    first: [0, 1, 2],
    finalityDepth: 5,
  })
  sim.chain.refreshKey()
  const promoted = async () => (await sim.at(0).store?.running())?.epoch === 2
  await sim.until(promoted)
  for (const operator of sim.operators) {
    await operator.stop()
    await operator.start()
  }
  await sim.completed(2, 40)
  await sim.stop()
})
