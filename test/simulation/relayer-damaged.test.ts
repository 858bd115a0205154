// One damaged record in a data directory: what it costs, and that nothing sound is given up for it.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { InputError } from '../../relayer/lib/errors.ts'
import { KEY, PREFIX } from '../../relayer/store/layout.ts'
import { GovernedSim, type Operator, probe } from '../support/governed-sim.ts'

/** Damages a record of a stopped operator. */
function spoil({ disk }: Operator, key: string): void {
  const { records, files } = disk.image()
  assert.ok(records.has(key), `there is no ${key}`)
  disk.restore({ files, records: new Map(records).set(key, new Uint8Array(50)) })
}

async function damage(operator: Operator, key: string): Promise<void> {
  await operator.stop()
  spoil(operator, key)
  await operator.start()
}

const checksOf = async (operator: Operator) => (await operator.status()).problems.map(({ check }) => check)

test('a damaged cursor is taken from the chain anew: the node signs on, with the share that it has', async () => {
  const sim = await GovernedSim.running('damaged cursor', { count: 3, first: [0, 1, 2] })
  const victim = sim.at(1)
  await damage(victim, KEY.cursor)
  await sim.step(3)
  assert.deepEqual(await checksOf(victim), [])
  assert.equal((await victim.store?.cursor())?.number, (await victim.status()).finalised)
  await probe(sim, 1)
  sim.chain.refreshKey()
  await sim.completed(2)
  await probe(sim, 1)
  await sim.stop()
})

test('a damaged record of the running activation keeps nobody from the next epoch: the share says the same key', async () => {
  const sim = await GovernedSim.running('damaged activation', { count: 3, first: [0, 1, 2] })
  const victim = sim.at(1)
  await damage(victim, KEY.activation(1))
  await sim.step(3)
  assert.deepEqual(await checksOf(victim), [])
  sim.chain.refreshKey()
  await sim.completed(2)
  const { signsWith, shares, problems } = await victim.status()
  assert.deepEqual([signsWith, problems], [2, []])
  assert.deepEqual(
    shares.map(({ epoch, state }) => [epoch, state]),
    [[2, 'active']],
  )
  await probe(sim, 1)
  await sim.stop()
})

test('a damaged mark for erasure waits for the next activation: the share is erased and its receipt signed', async () => {
  const sim = await GovernedSim.running('damaged mark', { count: 3, first: [0, 1, 2] })
  const victim = sim.at(1)
  sim.chain.refreshKey()
  await sim.until(async () => (await victim.store?.retired())?.length === 1)
  await damage(victim, KEY.retired(1, 0))
  assert.deepEqual(await victim.store?.retired(), [{ epoch: 1, attempt: 0, reason: null }])
  await sim.completed(2)
  await sim.until(async () => (await victim.store?.epochsHeld())?.join() === '2')
  await sim.until(() => sim.chain.head.state.epochs[1]?.receipts.length === 3)
  assert.deepEqual(await checksOf(victim), [])
  await probe(sim, 1)
  await sim.stop()
})

test('a stray mark for erasure on the active share erases nothing', async () => {
  const sim = await GovernedSim.running('stray mark', { count: 3, first: [0, 1, 2] })
  const victim = sim.at(1)
  await sim.step(10)
  await victim.stop()
  const { records, files } = victim.disk.image()
  victim.disk.restore({ files, records: new Map(records).set(KEY.retired(1, 0), new Uint8Array(50)) })
  await victim.start()
  await sim.step(4)
  const { signsWith, shares, problems } = await victim.status()
  assert.deepEqual([signsWith, problems], [1, []])
  assert.deepEqual(shares, [{ epoch: 1, attempt: 0, state: 'active' }])
  await assert.rejects(victim.store?.erase({ epoch: 1, attempt: 0 }, null) ?? Promise.resolve(), /active/)
  // Superseded, it is erased like any other.
  sim.chain.refreshKey()
  await sim.completed(2)
  await sim.until(async () => (await victim.store?.epochsHeld())?.join() === '2')
  await sim.stop()
})

test('damaged receipts, evidence and ceremonies of the past stop nobody: the others send the receipts again', async () => {
  const sim = await GovernedSim.running('damaged past', { count: 3, first: [0, 1, 2] })
  const victim = sim.at(1)
  for (const { chain } of sim.operators) chain.recordDeletions = async () => ({ kind: 'already-done' })
  sim.chain.refreshKey()
  await sim.until(() => sim.state.running === 2)
  await sim.until(async () => (await victim.store?.receipts(1))?.length === 3)
  await victim.store?.addEvidence(new Uint8Array(8))
  await victim.stop()
  for (const { address } of sim.operators) spoil(victim, KEY.receipt(1, address))
  for (const key of [...victim.disk.image().records.keys()])
    if (key.startsWith(PREFIX.evidence) || key === KEY.ceremony(1)) spoil(victim, key)
  await victim.start()
  assert.deepEqual([await victim.store?.receipts(1), await victim.store?.evidence()], [[], []])
  // The others, who have all of them, send theirs again.
  await sim.until(async () => (await victim.store?.receipts(1))?.length === 3)
  assert.deepEqual(await checksOf(victim), [])
  for (const { chain } of sim.operators) Reflect.deleteProperty(chain, 'recordDeletions')
  await sim.completed(2)
  sim.chain.refreshKey()
  await sim.completed(3)
  await probe(sim, 1)
  await sim.stop()
})

test('declare-lost gives up the share that the operator meant, and not the one that became active meanwhile', async () => {
  const sim = await GovernedSim.running('meant another', { count: 3, first: [0, 1, 2] })
  const victim = sim.at(1)
  sim.chain.refreshKey()
  await sim.until(() => sim.prepared(2) === 3)
  // The share of epoch 1 cannot be read any more: the node says so and names the command.
  await damage(victim, KEY.sealed(1, 0))
  await sim.step(1)
  assert.ok((await checksOf(victim)).includes('share'))
  // Its endpoints hang as the operator gives the command; the others activate epoch 2 meanwhile.
  const head = victim.chain.head.bind(victim.chain)
  const gate = Promise.withResolvers<void>()
  victim.chain.head = async (signal) => {
    await gate.promise
    return head(signal)
  }
  await sim.step(1)
  const answer = victim.relayer?.declareLost(1)
  const refused = assert.rejects(
    answer ?? Promise.resolve(),
    (error) => error instanceof InputError && /epoch 1 was meant, and 2 runs now/.test(error.message),
  )
  await sim.until(() => sim.state.running === 2)
  await sim.step(4)
  gate.resolve()
  await sim.step(3)
  await refused
  assert.deepEqual(await victim.store?.lost(), [])
  assert.equal((await victim.status()).signsWith, 2)
  await probe(sim, 1)
  await sim.stop()
})
