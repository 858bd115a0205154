// Long rows of changes, disks from the midst of a keygen, marks of a burn that was none, a disk that fails: all go on by themselves.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { StoreError } from '../../relayer/lib/errors.ts'
import { decodeFrame } from '../../relayer/protocol/envelope.ts'
import { ROUND } from '../../relayer/protocol/messages.ts'
import { GovernedSim, probe } from '../support/governed-sim.ts'

/** From now on nobody's acknowledgement arrives, until the function returned is called. */
function silenced(sim: GovernedSim): () => void {
  return sim.network.rule(({ kind, body }) =>
    kind === 'frame' && decodeFrame(body).round === ROUND.acknowledge ? 'drop' : 'pass',
  )
}

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

test('a disk from the midst of a keygen of which another attempt was activated receives a share in the next change', async () => {
  const sim = new GovernedSim('midst of the first', { count: 3, first: [0, 1, 2] })
  await sim.start(0, 1, 2)
  await sim.step(3)
  const heard = silenced(sim)
  sim.chain.startKeygen()
  await sim.until(() => sim.prepared(1) === 3)
  const victim = sim.at(1)
  const copy = victim.disk.image()
  heard()
  await sim.completed(1)
  await victim.stop()
  victim.disk.restore(copy)
  await victim.start()
  await sim.step(12)
  assert.equal(await victim.store?.running(), null)
  assert.match((await victim.status()).problems[0]?.message ?? '', /names another group key/)
  sim.chain.refreshKey()
  await sim.completed(2)
  assert.deepEqual((await victim.status()).problems, [])
  await probe(sim, 1)
  await sim.until(async () => (await victim.store?.epochsHeld())?.join() === '2')
  await sim.stop()
})

test('who signed the activation of a first key that was burned, and has no seat in the second, can be added later', async () => {
  const sim = new GovernedSim('burned first', { count: 3, first: [0, 1, 2] })
  await sim.start(0, 1, 2)
  await sim.step(3)
  // Governance is faster than the members' transactions.
  for (const { chain } of sim.operators) chain.activate = async () => ({ kind: 'already-done' })
  sim.chain.startKeygen()
  await sim.until(async () => (await sim.at(2).store?.activationSeen(1)) === true)
  sim.chain.adminCancelCeremony()
  await sim.step()
  for (const { chain } of sim.operators) Reflect.deleteProperty(chain, 'activate')
  sim.chain.adminRemoveRelayer(sim.at(2).address)
  sim.chain.startKeygen()
  await sim.until(() => sim.state.running === 2)
  await sim.step(12)
  assert.deepEqual(await sim.at(2).store?.epochsHeld(), [1], 'kept: the burn carries no signature')
  sim.chain.adminAddRelayer(sim.at(2).address)
  await sim.completed(3)
  await probe(sim, 2)
  await sim.until(async () => (await sim.at(2).store?.epochsHeld())?.join() === '3')
  await sim.stop()
})

test('shares that were marked for a burn which was none are erased like all others, and owe their receipt', async () => {
  const sim = await GovernedSim.running('no burn', { count: 3, first: [0, 1, 2] })
  const victim = sim.at(1)
  const heard = silenced(sim)
  sim.chain.refreshKey()
  await sim.until(() => sim.prepared(2) === 3)
  // Endpoints lied, and the power went out before the erasure.
  assert.equal(await victim.store?.retireBurned(2), 1)
  await victim.kill()
  await victim.start()
  heard()
  await sim.completed(2)
  await sim.until(async () => (await victim.store?.retired())?.length === 0)
  sim.chain.refreshKey()
  await sim.completed(3)
  await sim.until(
    async () => (await victim.store?.receipts(2))?.some(({ relayer }) => relayer === victim.address) === true,
  )
  await sim.stop()
})

test('a disk that fails for a moment keeps nobody from the rest of a ceremony', async () => {
  const sim = await GovernedSim.running('failing disk', { count: 3, first: [0, 1, 2] })
  const { store } = sim.at(1)
  assert.ok(store)
  store.lastJoined = async () => {
    Reflect.deleteProperty(store, 'lastJoined')
    throw new StoreError('read records marker/: LevelDB reports LEVEL_ITERATOR_NOT_OPEN')
  }
  sim.chain.refreshKey()
  await sim.completed(2)
  assert.deepEqual((await sim.at(1).status()).problems, [])
  await sim.stop()
})

test('shares prepared in a past that was reorganised away keep nobody from another change under the same number', async () => {
  const sim = await GovernedSim.running('another past', { count: 5, first: [0, 1, 2], threshold: 3 })
  await sim.start(3, 4)
  const old = [0, 1, 2].map((at) => sim.at(at).address)
  const [added, other] = [sim.at(3).address, sim.at(4).address]
  const before = sim.chain.head.ref.number
  const heard = silenced(sim)
  sim.chain.adminAddRelayer(added)
  await sim.until(() => sim.prepared(2) === 4)
  heard()
  sim.chain.reorganise(sim.chain.head.ref.number - before, { final: true })
  sim.chain.adminSetCommittee([added, other], old, 2)
  await sim.completed(2, 200)
  await probe(sim, 3)
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
