// Whole relayers over a fake chain: governance asks, the committee follows, the group keys stay, and what is superseded is erased.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { GovernedSim, probe } from '../support/governed-sim.ts'

test('keygen, a fourth member, a higher threshold, a refresh: one key, complete each time, old shares erased', async () => {
  const sim = await GovernedSim.running('changes', { count: 4, first: [0, 1, 2] })
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

test('keys of other schemes are added, and every later change moves and proves all of them', async () => {
  const sim = await GovernedSim.running('keys', { count: 4, first: [0, 1, 2] })
  sim.chain.adminAddKey(2)
  await sim.completed(2)
  sim.chain.adminAddKey(3)
  await sim.completed(3)
  const before = await Promise.all([0, 1, 2].map((keyId) => probe(sim, 1, keyId)))
  await sim.start(3)
  sim.chain.adminSetCommittee([sim.at(3).address], [sim.at(0).address], 3)
  await sim.completed(4)
  assert.deepEqual(await Promise.all([0, 1, 2].map((keyId) => probe(sim, 3, keyId))), before)
  assert.deepEqual(
    sim
      .at(3)
      .relayer?.keys()
      .map(({ scheme, holdsShare }) => [scheme, holdsShare]),
    [
      ['frost-secp256k1-evm', true],
      ['frost-secp256k1-bip340', true],
      ['frost-ed25519', true],
    ],
  )
  await sim.stop()
})

test('a dead member is removed by a threshold of the others, and its receipt comes when it is back', async () => {
  const sim = await GovernedSim.running('dead', { count: 4, first: [0, 1, 2, 3] })
  await sim.at(1).kill()
  sim.chain.adminRemoveRelayer(sim.at(1).address)
  await sim.completed(2)
  assert.equal(sim.state.epochs[1]?.receipts.length, 3)
  await probe(sim, 0)
  await sim.at(1).start()
  await sim.until(() => sim.state.epochs[1]?.receipts.length === 4)
  const status = await sim.at(1).status()
  assert.equal(status.index, null)
  assert.equal(status.signsWith, null)
  assert.deepEqual(status.shares, [])
  await sim.stop()
})

test('a committee is replaced by one that shares no member with it; the old one erases and owes receipts', async () => {
  const sim = await GovernedSim.running('disjoint', { count: 6, first: [0, 1, 2] })
  const key = await probe(sim, 0)
  await sim.start(3, 4, 5)
  const [old, fresh] = [sim.operators.slice(0, 3), sim.operators.slice(3)]
  sim.chain.adminSetCommittee(
    fresh.map(({ address }) => address),
    old.map(({ address }) => address),
    2,
  )
  await sim.completed(2)
  assert.equal(await probe(sim, 4), key)
  await sim.until(() => old.every(({ disk }) => disk.image().files.size === 0))
  await assert.rejects(probe(sim, 0), /holds no active share/)
  await sim.stop()
})

test('a change is cancelled before anybody is ready: the running epoch signs on, prepared shares are erased with receipts', async () => {
  const sim = await GovernedSim.running('cancelled', { count: 4, first: [0, 1, 2] })
  await sim.start(3)
  // The newcomer's power goes out as it makes its share durable: it never acknowledges, and the others hold theirs.
  sim.at(3).disk.cut = ({ kind }) => (kind === 'file' ? 'before' : null)
  sim.chain.adminAddRelayer(sim.at(3).address)
  await sim.until(() => sim.prepared(2) === 3)
  await sim.at(3).kill()
  const key = await probe(sim, 0)
  sim.chain.adminCancelCeremony()
  await sim.until(() => sim.state.epochs[2]?.status === 'burned')
  await sim.until(() => sim.prepared(2) === 0 && (sim.state.epochs[2]?.receipts.length ?? 0) >= 3)
  for (const { disk } of sim.operators.slice(0, 3))
    assert.deepEqual([...disk.image().files.keys()], ['1-0.key'])
  assert.equal(await probe(sim, 2), key)
  sim.chain.refreshKey()
  await sim.completed(3)
  assert.equal(await probe(sim, 1), key)
  await sim.stop()
})

test('a further change burns the pending epoch, and completion asks for its receipts too', async () => {
  const sim = await GovernedSim.running('replaced', { count: 5, first: [0, 1, 2] })
  await sim.start(3)
  sim.chain.adminAddRelayer(sim.at(4).address)
  await sim.step(8)
  sim.chain.adminSetCommittee([sim.at(3).address], [sim.at(4).address], 2)
  await sim.completed(3)
  assert.equal(sim.state.epochs[2]?.status, 'burned')
  assert.ok((sim.state.epochs[2]?.receipts.length ?? 0) >= 3)
  await probe(sim, 3)
  await sim.stop()
})

test('a completion that waits for a burned epoch: every member says so, with the number and who owes, until a waiver', async () => {
  const sim = await GovernedSim.running('burned and owed', { count: 5, first: [0, 1, 2] })
  // Two newcomers that never come up: 2 of 5, of which four receipts are needed.
  const absent = [sim.at(3).address, sim.at(4).address].sort()
  sim.chain.adminSetCommittee(absent, [], 2)
  await sim.step(5)
  sim.chain.adminCancelCeremony()
  await sim.step(5)
  sim.chain.refreshKey()
  await sim.until(() => sim.state.running === 3 && sim.state.epochs[2]?.receipts.length === 3)
  await sim.step(30)
  assert.equal(sim.state.epochs[1]?.receipts.length, 3)
  for (const at of [0, 1, 2]) {
    const { phase, deletions, waitsFor, problems } = await sim.at(at).status()
    assert.equal(phase, 'active')
    const [owed, ...more] = deletions?.epochs ?? []
    assert.deepEqual([owed?.epoch, owed?.onChain, owed?.needed, owed?.owing, more], [2, 3, 4, absent, []])
    assert.equal(deletions?.pausesTransfers, true)
    assert.deepEqual(waitsFor, [{ what: 'deletion receipts of epoch 2 (3 of 4)', who: absent }])
    const problem = problems.find(({ check }) => check === 'deletions')
    assert.equal(problem?.message, 'epoch 2 lacks 1 of 4 deletion receipts')
    assert.match(problem.remedy, /`truss admin waive-deletions 2`/)
  }
  assert.throws(() => sim.chain.refreshKey(), /DeletionsOutstanding\(3, 4\)/)
  sim.chain.adminWaiveDeletions(2)
  await sim.completed(3)
  await sim.step(5)
  const { deletions, problems } = await sim.at(0).status()
  assert.deepEqual([deletions, problems], [null, []])
  await sim.stop()
})
