// Disks with one bad record, and an operator who declares a loss at a bad moment: the node does all else that it owes.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { decodeAnnouncement } from '../../relayer/ceremony/announcement.ts'
import { decodeFrame } from '../../relayer/protocol/envelope.ts'
import { ROUND } from '../../relayer/protocol/messages.ts'
import { KEY, PREFIX } from '../../relayer/store/layout.ts'
import { GovernedSim, type Operator, probe } from '../support/governed-sim.ts'

/** The checks that are not well. */
const ill = async (operator: Operator) => (await operator.status()).problems.map(({ check }) => check)

/** Stops a node, overwrites a record, and starts it again. */
async function damage(operator: Operator, key: string): Promise<void> {
  await operator.stop()
  const { records, files } = operator.disk.image()
  assert.ok(records.has(key), `there is no ${key}`)
  operator.disk.restore({ files, records: new Map(records).set(key, new Uint8Array(50)) })
  await operator.start()
}

test('a share set whose public record is damaged is erased with a receipt once its epoch is superseded', async () => {
  const sim = await GovernedSim.running('bad public record', { count: 3, first: [0, 1, 2] })
  const victim = sim.at(1)
  await damage(victim, KEY.share(1, 0))
  await sim.step(3)
  assert.deepEqual(await ill(victim), ['share'])
  await victim.relayer?.declareLost(1)
  sim.chain.refreshKey()
  await sim.completed(2)
  await sim.until(() => victim.disk.record(KEY.sealed(1, 0)) === undefined)
  await sim.until(() => sim.state.epochs[1]?.receipts.length === 3)
  assert.deepEqual(await ill(victim), [])
  await probe(sim, 1)
  await sim.stop()
})

test('a damaged share set of a burned epoch is erased like any other', async () => {
  const sim = await GovernedSim.running('bad burned record', { count: 3, first: [0, 1, 2] })
  const victim = sim.at(1)
  const mute = sim.network.rule(({ kind, body }) =>
    kind === 'frame' && decodeFrame(body).round === ROUND.acknowledge ? 'drop' : 'pass',
  )
  sim.chain.refreshKey()
  await sim.until(() => sim.prepared(2) === 3)
  sim.chain.adminCancelCeremony()
  await damage(victim, KEY.share(2, 0))
  mute()
  await sim.until(() => sim.prepared(2) === 0)
  await sim.until(() => sim.state.epochs[2]?.receipts.length === 3)
  assert.deepEqual(await ill(victim), [])
  await sim.stop()
})

test('a damaged evidence record keeps nobody from a ceremony', async () => {
  const sim = await GovernedSim.running('bad evidence', { count: 3, first: [0, 1, 2] })
  const victim = sim.at(1)
  await victim.store?.addEvidence(new Uint8Array(40).fill(7))
  const [key] = [...victim.disk.image().records.keys()].filter((name) => name.startsWith(PREFIX.evidence))
  await damage(victim, key ?? '')
  sim.chain.refreshKey()
  await sim.completed(2)
  await probe(sim, 1)
  await sim.stop()
})

test('a share that is declared lost while the chain is being looked at deals no more', async () => {
  const sim = await GovernedSim.running('lost meanwhile', { count: 3, first: [0, 1, 2], threshold: 3 })
  const victim = sim.at(1)
  const { store } = victim
  assert.ok(store)
  const load = store.loadShares.bind(store)
  let declared: Promise<unknown> = Promise.resolve()
  store.loadShares = (slot) => {
    declared = victim.relayer?.declareLost(1) ?? declared
    return load(slot)
  }
  const said: boolean[] = []
  sim.network.rule(({ from, topic, body }) => {
    if (topic === 'announce' && from === victim.address) said.push(decodeAnnouncement(body).deals)
    return 'pass'
  })
  sim.chain.refreshKey()
  await sim.until(async () => (await store.lost()).includes(1))
  await declared
  Reflect.deleteProperty(store, 'loadShares')
  said.length = 0
  await sim.step(30)
  assert.ok(said.length > 0 && said.every((deals) => !deals), `it said that it deals: ${said.join()}`)
  assert.equal(sim.state.running, 1)
  assert.equal(sim.prepared(2), 0)
  await sim.stop()
})
