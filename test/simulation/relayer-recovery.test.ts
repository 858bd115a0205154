// Whole relayers that die, sleep, lose their share or are lied to: the chain's word and their own disk bring them back.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { ActivationEvent } from '../../relayer/chain/chain.ts'
import { ofEpoch, PREFIX } from '../../relayer/store/layout.ts'
import { GovernedSim, type Operator, probe } from '../support/governed-sim.ts'

/** The checks that are not well. */
const ill = async (operator: Operator) => (await operator.status()).problems.map(({ check }) => check)

test('31 a member is killed after each durable write of a reshare: it comes back, and the reshare completes', async () => {
  for (let at = 1; ; at++) {
    const sim = await GovernedSim.running('killed', { count: 3, first: [0, 1, 2] })
    const victim = sim.at(1)
    let writes = 0
    victim.disk.cut = ({ names }) => {
      if (names.includes('cursor')) return null
      return ++writes === at ? 'after' : null
    }
    sim.chain.refreshKey()
    await sim.until(() => writes >= at || (sim.state.running === 2 && sim.state.outstandingEpoch === 0))
    await sim.step(4)
    if (writes < at) {
      assert.ok(at > 8, `only ${at - 1} writes were cut`)
      await sim.stop()
      return
    }
    victim.disk.cut = () => null
    await victim.kill()
    await sim.step(2)
    await victim.start()
    await sim.step()
    await sim.completed(2)
    await sim.until(() => sim.operators.every(({ disk }) => disk.image().files.size === 1))
    await probe(sim, 1)
    await sim.stop()
  }
})

test('all members are restarted at once in every stage of a reshare, and it completes', async () => {
  for (const stage of ['announcing', 'prepared', 'activating'] as const) {
    const sim = await GovernedSim.running(`restart ${stage}`, { count: 3, first: [0, 1, 2] })
    const reached = Promise.withResolvers<void>()
    const stop = sim.network.rule(({ topic, kind }) => {
      const now = {
        announcing: topic === 'announce',
        prepared: kind === 'frame',
        activating: topic === 'activation',
      }
      if (now[stage]) reached.resolve()
      return 'pass'
    })
    sim.chain.refreshKey()
    sim.chain.mine(3)
    const stepping = sim.step()
    await reached.promise
    for (const operator of sim.operators) await operator.stop()
    await stepping
    stop()
    await sim.step(2)
    await sim.start(0, 1, 2)
    await sim.completed(2)
    await probe(sim, 0)
    await sim.stop()
  }
})

test('a member that sleeps through activation and completion heals from the chain alone', async () => {
  const sim = await GovernedSim.running('late', { count: 3, first: [0, 1, 2] })
  const sleeper = sim.at(2)
  const seen = (names: readonly string[]) => names.some((name) => name.startsWith(ofEpoch(PREFIX.seen, 2)))
  sleeper.disk.cut = ({ names }) => (seen(names) ? 'after' : null)
  sim.chain.refreshKey()
  await sim.until(() => sleeper.disk.writes.some(({ names }) => seen(names)))
  await sleeper.kill()
  sleeper.disk.cut = () => null
  await sim.completed(2)
  await sim.step(10)
  await sim.at(0).stop()
  await sim.at(1).stop()
  await sleeper.start()
  await sim.until(async () => (await sleeper.status()).signsWith === 2)
  await sim.until(() => sleeper.disk.image().files.size === 1)
  await sim.until(() => sim.state.epochs[1]?.receipts.length === 3)
  await sim.stop()
})

test('a signed activation whose epoch is burned keeps its share until the next verified activation', async () => {
  const sim = await GovernedSim.running('seen', { count: 3, first: [0, 1, 2] })
  for (const { chain } of sim.operators)
    chain.activate = (_, signal) =>
      new Promise((_resolve, reject) => {
        signal?.addEventListener('abort', () => reject(signal.reason), { once: true })
      })
  sim.chain.refreshKey()
  await sim.until(async () =>
    (await Promise.all(sim.operators.map(async ({ store }) => store?.activationSeen(2)))).every(Boolean),
  )
  sim.chain.adminCancelCeremony()
  await sim.step(12)
  assert.equal(sim.prepared(2), 3)
  assert.deepEqual(await ill(sim.at(0)), ['burned'])
  await probe(sim, 0)
  for (const operator of sim.operators) {
    // The prototype's own method again.
    Reflect.deleteProperty(operator.chain, 'activate')
  }
  sim.chain.refreshKey()
  await sim.completed(3)
  await sim.until(() => sim.prepared(2) === 0 && sim.state.epochs[2]?.receipts.length === 3)
  assert.deepEqual(await ill(sim.at(0)), [])
  await sim.stop()
})

test('an activation event with another signature, committee or key moves no share, and the node goes on once it is honest', async () => {
  const sim = await GovernedSim.running('lied to', { count: 3, first: [0, 1, 2] })
  const victim = sim.at(0)
  const honest = victim.chain.activation.bind(victim.chain)
  let lie: (event: ActivationEvent) => ActivationEvent = (event) => event
  victim.chain.activation = async (...args) => {
    const event = await honest(...args)
    return event === null ? null : lie(event)
  }
  const lies: ((event: ActivationEvent) => ActivationEvent)[] = [
    (event) => ({ ...event, groupSignature: `0x${'11'.repeat(52)}` }),
    (event) => ({ ...event, activation: { ...event.activation, attempt: event.activation.attempt + 1 } }),
    (event) => ({ ...event, activation: { ...event.activation, committeeHash: `0x${'22'.repeat(32)}` } }),
    (event) => ({ ...event, activation: { ...event.activation, transcriptHash: `0x${'33'.repeat(32)}` } }),
    (event) => ({ ...event, activation: { ...event.activation, keys: [] } }),
  ]
  lie = lies[0] ?? lie
  sim.chain.refreshKey()
  await sim.until(async () => (await sim.at(1).status()).epoch === 2)
  for (const each of lies) {
    lie = each
    await sim.step(8)
    assert.deepEqual((await victim.store?.running())?.epoch, 1)
    assert.equal((await victim.store?.activeShare())?.epoch, 1)
    const [problem] = (await victim.status()).problems
    assert.match(problem?.message ?? '', /verify activation of epoch 2/)
  }
  lie = (event) => event
  await sim.completed(2)
  await sim.until(async () => (await ill(victim)).length === 0)
  await probe(sim, 0)
  await sim.stop()
})

test('an unreadable share is an alarm, not "no share"; declared lost, a refresh brings a new one', async () => {
  const sim = await GovernedSim.running('damaged', { count: 3, first: [0, 1, 2] })
  const victim = sim.at(1)
  await victim.stop()
  const whole = victim.disk.image()
  const [key] = [...whole.records.keys()].filter((name) => name.startsWith(ofEpoch(PREFIX.sealed, 1)))
  victim.disk.restore({ ...whole, records: new Map(whole.records).set(key ?? '', new Uint8Array(50)) })
  await victim.start()
  await sim.step(3)
  assert.deepEqual(await ill(victim), ['share'])
  await probe(sim, 0)
  await assert.rejects(probe(sim, 1), /holds no active share/)
  sim.chain.refreshKey()
  await sim.step(30)
  assert.equal(sim.state.running, 1)
  assert.deepEqual((await sim.at(0).status()).waitsFor[0]?.who, [victim.address])
  await victim.relayer?.declareLost(1)
  await sim.completed(2)
  await probe(sim, 1)
  await sim.until(() => victim.disk.image().files.size === 1)
  assert.deepEqual(await ill(victim), [])
  await sim.stop()
})

test('a disk restored from an earlier epoch: its share is never used, it is erased with a receipt, and a refresh heals', async () => {
  const sim = await GovernedSim.running('restored', { count: 3, first: [0, 1, 2] })
  const victim = sim.at(1)
  const backup = victim.disk.image()
  sim.chain.refreshKey()
  await sim.completed(2)
  sim.chain.refreshKey()
  await sim.completed(3)
  await victim.stop()
  victim.disk.restore(backup)
  await victim.start()
  await sim.step()
  const { signsWith, problems } = await victim.status()
  assert.equal(signsWith, null)
  assert.deepEqual(
    problems.map(({ check, severity }) => [check, severity]),
    [['share', 'critical']],
  )
  await sim.until(async () => (await victim.status()).shares.length === 0)
  assert.equal(victim.disk.image().files.size, 0)
  assert.ok((await victim.store?.receipts(1))?.some(({ relayer }) => relayer === victim.address))
  await assert.rejects(probe(sim, 1), /holds no active share/)
  sim.chain.refreshKey()
  await sim.completed(4)
  await probe(sim, 1)
  await sim.stop()
})

test('a keygen whose activation event carries a garbage signature promotes nothing', async () => {
  const sim = new GovernedSim('garbage keygen', { count: 3, first: [0, 1, 2], verifier: null })
  await sim.start(0, 1, 2)
  for (const { chain } of sim.operators) {
    const honest = chain.activation.bind(chain)
    chain.activation = async (...args) => {
      const event = await honest(...args)
      return event === null ? null : { ...event, groupSignature: `0x${'11'.repeat(52)}` }
    }
  }
  await sim.step(3)
  sim.chain.startKeygen()
  await sim.until(() => sim.state.running === 1)
  await sim.step(8)
  for (const { store } of sim.operators) assert.equal(await store?.running(), null)
  assert.equal(sim.prepared(1), 3)
  assert.match((await sim.at(0).status()).problems[0]?.message ?? '', /the group signature is invalid/)
  await sim.stop()
})
