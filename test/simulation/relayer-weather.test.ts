// Whole relayers in bad weather: endpoints down or at odds, reorganisations, a veto, failed attempts, members that are missed.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { DEFAULT_RULES } from '../../relayer/bridge/policy.ts'
import type { Hex } from '../../relayer/lib/bytes.ts'
import { FakeChain } from '../support/fake-chain.ts'
import { GovernedSim, type Operator, probe } from '../support/governed-sim.ts'

/** The checks that are not well. */
const ill = async (operator: Operator) => (await operator.status()).problems.map(({ check }) => check)

test('endpoints that are down or disagree are a problem with a remedy while they last, and the ceremony waits', async () => {
  const sim = await GovernedSim.running('rpc', { count: 3, first: [0, 1, 2] })
  sim.chain.refreshKey()
  for (const fault of ['down', 'disagree'] as const) {
    sim.at(1).chain.fault = fault
    await sim.step(10)
    const [problem] = (await sim.at(1).status()).problems
    assert.equal(problem?.check, 'rpc')
    assert.equal(problem?.severity, 'critical')
    assert.notEqual(problem?.remedy, '')
    assert.equal(sim.state.running, 1)
  }
  sim.at(1).chain.fault = null
  await sim.completed(2)
  assert.deepEqual(await ill(sim.at(1)), [])
  await sim.stop()
})

test('a start without any endpoint stays up and heals', async () => {
  const sim = await GovernedSim.running('rpc at start', { count: 3, first: [0, 1, 2] })
  await sim.at(0).stop()
  sim.at(0).chain.fault = 'down'
  await sim.at(0).start()
  await sim.step(2)
  const status = await sim.at(0).status()
  assert.equal(status.phase, null)
  assert.equal(status.signsWith, null)
  sim.at(0).chain.fault = null
  await sim.step(2)
  await probe(sim, 0)
  await sim.stop()
})

test('an endpoint that has fallen behind what was final is an alarm, and nothing is done on its word', async () => {
  const sim = await GovernedSim.running('behind', { count: 3, first: [0, 1, 2] })
  await sim.at(0).stop()
  sim.at(0).chain.lag = 12
  await sim.at(0).start()
  await sim.step(2)
  const [problem] = (await sim.at(0).status()).problems
  assert.match(problem?.message ?? '', /it ends final at \d+, below block \d+/)
  assert.equal((await sim.at(0).status()).signsWith, null)
  sim.at(0).chain.lag = 0
  await sim.step(2)
  assert.deepEqual(await ill(sim.at(0)), [])
  await sim.stop()
})

test('a request for change that is reorganised away before it is final starts nothing', async () => {
  const sim = await GovernedSim.running('reorganised', { count: 3, first: [0, 1, 2], finalityDepth: 4 })
  sim.chain.refreshKey()
  await sim.step(3)
  sim.chain.reorganise(4)
  await sim.step(10)
  assert.equal(sim.state.pending, null)
  assert.equal((await sim.at(0).status()).ceremony, null)
  assert.deepEqual(
    sim
      .at(0)
      .disk.writes.filter(({ names }) => names.some((name) => name.startsWith('marker/0000000000000002'))),
    [],
  )
  await probe(sim, 0)
  await sim.stop()
})

test('an activation that is reorganised away before it is final is sent again', async () => {
  const sim = await GovernedSim.running('sent again', { count: 3, first: [0, 1, 2], finalityDepth: 4 })
  sim.chain.refreshKey()
  await sim.until(() => sim.state.running === 2)
  sim.chain.reorganise(1)
  assert.equal(sim.state.running, 1)
  assert.equal((await sim.at(0).status()).epoch, 1)
  await sim.completed(2)
  await probe(sim, 2)
  await sim.stop()
})

test('an activation that is lost below finality: no node goes back, and they send it again', async () => {
  const sim = await GovernedSim.running('lost', { count: 3, first: [0, 1, 2], finalityDepth: 6 })
  // These operators took blocks for final too soon.
  for (const { chain } of sim.operators) {
    chain.finalised = (signal) => chain.head(signal)
    chain.deeplyFinalised = async (signal) =>
      (await chain.block(Math.max(0, (await chain.head()).number - 20), signal)) ?? chain.head()
  }
  sim.chain.refreshKey()
  await sim.until(async () => (await sim.at(0).status()).signsWith === 2)
  sim.chain.reorganise(1)
  assert.equal(sim.state.running, 1)
  await sim.step()
  for (const operator of sim.operators) {
    const { signsWith, problems, shares } = await operator.status()
    assert.equal(signsWith, null)
    assert.deepEqual(
      problems.map(({ check }) => check),
      ['epoch', 'reorganised'],
    )
    assert.deepEqual(
      shares.map(({ epoch, state }) => [epoch, state]),
      [
        [1, 'retired'],
        [2, 'active'],
      ],
    )
  }
  await sim.until(() => sim.state.running === 2)
  await sim.step(3)
  await probe(sim, 1)
  await sim.stop()
})

test('n - t + 1 members that do not deal are a veto; the status says who and why, and an approval ends it', async () => {
  const sim = await GovernedSim.running('veto', { count: 4, first: [0, 1, 2] })
  await sim.start(3)
  for (const position of [0, 1]) {
    await sim.at(position).stop()
    sim.at(position).rules = { ...DEFAULT_RULES, minThreshold: 3 }
    await sim.start(position)
  }
  sim.chain.adminSetCommittee([sim.at(3).address], [], 2)
  await sim.step(12)
  const { waitsFor } = await sim.at(2).status()
  assert.match(waitsFor[0]?.what ?? '', /must deal.*threshold 2 is below dealMinThreshold 3/)
  assert.deepEqual(waitsFor[0]?.who, [sim.at(0).address, sim.at(1).address])
  assert.equal(sim.prepared(2), 0)
  const { change } = await sim.at(0).status()
  assert.ok(change)
  await sim.at(0).relayer?.decide('approved', change)
  await sim.completed(2)
  await sim.stop()
})

test('a newcomer that does not come: the status names it, the alarm comes with the fifth failure, the old key signs', async () => {
  const sim = await GovernedSim.running('absent', { count: 4, first: [0, 1, 2] })
  sim.chain.adminAddRelayer(sim.at(3).address)
  await sim.step(20 * 6)
  const { waitsFor, ceremony, problems, sparesToSign, sparesToReshare, members } = await sim.at(0).status()
  assert.deepEqual(waitsFor[0]?.who, [sim.at(3).address])
  assert.ok((ceremony?.failureCount ?? 0) >= 5)
  assert.deepEqual(
    problems.map(({ check, severity }) => [check, severity]),
    [['attempts', 'warning']],
  )
  assert.equal(sparesToSign, 1)
  assert.equal(sparesToReshare, -1)
  assert.deepEqual(
    members.map(({ connected, index, nextIndex }) => [connected, index, nextIndex]),
    [
      [true, 1, 1],
      [true, 2, 2],
      [true, 3, 3],
      [false, null, 4],
    ],
  )
  await probe(sim, 0)
  await sim.start(3)
  await sim.completed(2)
  await sim.stop()
})

test('too few members up: critical when it cannot sign, a warning when one more failure would do it', async () => {
  const sim = await GovernedSim.running('quorum', { count: 3, first: [0, 1, 2] })
  const quorum = async () =>
    (await sim.at(0).status()).problems.find(({ check }) => check === 'quorum')?.severity
  assert.equal(await quorum(), undefined)
  await sim.at(2).stop()
  await sim.step()
  assert.equal(await quorum(), 'warning')
  await sim.at(1).stop()
  await sim.step()
  assert.equal(await quorum(), 'critical')
  assert.equal((await sim.at(0).status()).sparesToSign, -1)
  await sim.stop()
})

test('missing receipts keep the reshare incomplete and are named; the waiver ends the wait', async () => {
  const sim = await GovernedSim.running('receipts', { count: 4, first: [0, 1, 2] })
  await sim.start(3)
  const mute = sim.network.rule(({ topic }) => (topic === 'receipt' ? 'drop' : 'pass'))
  for (const { chain } of sim.operators)
    chain.recordDeletions = () => Promise.reject(new Error('out of order'))
  sim.chain.adminSetCommittee([sim.at(3).address], [sim.at(0).address], 2)
  await sim.until(() => sim.state.running === 2)
  await sim.step(28)
  const { deletions, waitsFor, problems } = await sim.at(1).status()
  const owed = { epoch: 1, needed: 2, known: [sim.at(1).address], onChain: 0, missing: 1 }
  assert.deepEqual(deletions, {
    epochs: [{ ...owed, owing: [sim.at(0).address, sim.at(2).address] }],
    pausesTransfers: true,
  })
  assert.match(waitsFor[0]?.what ?? '', /deletion receipts of epoch 1 \(1 of 2\)/)
  assert.ok(problems.some(({ check }) => check === 'deletions'))
  mute()
  await sim.step(10)
  // Valid receipts count from any source, on chain or not.
  const after = (await sim.at(1).status()).deletions
  assert.equal(after?.epochs[0]?.known.length, 3)
  assert.equal(after?.pausesTransfers, false)
  sim.chain.adminWaiveDeletions(1)
  await sim.completed(2)
  await sim.stop()
})

test('a bridge on another chain is held to the key of the committee as soon as there is one', async () => {
  const sim = new GovernedSim('another key', { count: 3, first: [0, 1, 2] })
  const foreign: Hex = `0x${'22'.repeat(64)}`
  const elsewhere = new FakeChain({ members: [sim.at(0).address], chainId: 5 }).view(sim.at(0).address)
  const read = elsewhere.committeeState.bind(elsewhere)
  elsewhere.committeeState = async (at, signal) => ({
    ...(await read(at, signal)),
    keys: [{ keyId: 0, scheme: 1, groupKey: foreign }],
  })
  sim.at(0).others = [elsewhere]
  await sim.start(0, 1, 2)
  await sim.step(3)
  assert.deepEqual((await sim.at(0).status()).problems, [])
  sim.chain.startKeygen()
  await sim.completed(1)
  await sim.step(3)
  const [problem] = (await sim.at(0).status()).problems
  assert.equal(problem?.check, `wrong-chain:5/${elsewhere.bridge}/key-0`)
  const { groupKey } = sim.state.keys[0] ?? {}
  assert.ok(problem.message.endsWith(`holds group key ${foreign}, and the committee ${groupKey}`))
  await sim.stop()
})
