// A veto counts at once, wherever the node is: before a marker, behind a thread, beside an endpoint that hangs, over a damaged record.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { DEFAULT_RULES } from '../../relayer/bridge/policy.ts'
import { decodeFrame } from '../../relayer/protocol/envelope.ts'
import { GovernedSim, type Operator } from '../support/governed-sim.ts'
import { changeOf, ruled, spoilDecision } from '../support/ruled-sim.ts'

/** Operator 1 sees that operator 3 is to join; nobody deals, since that one is away. */
async function asked(sim: GovernedSim) {
  await sim.at(3).stop()
  sim.chain.adminAddRelayer(sim.at(3).address)
  const operator = sim.at(1)
  await sim.until(async () => (await operator.status()).change !== null)
  const { relayer } = operator
  assert.ok(relayer)
  return { operator, relayer, change: await changeOf(operator) }
}

test('a veto that comes while the marker is being written: this node deals nothing', async () => {
  const sim = await ruled('marker', { threshold: 3 })
  const gate = Promise.withResolvers<void>()
  let victim: Operator | null = null
  let callers = 0
  for (const operator of sim.operators.slice(0, 3)) {
    const { store } = operator
    assert.ok(store)
    const real = store.markAttempt.bind(store)
    store.markAttempt = async (...args) => {
      const marked = await real(...args)
      callers += 1
      if (callers === 2) {
        victim = operator
        await gate.promise
      }
      return marked
    }
  }
  sim.chain.adminAddRelayer(sim.at(3).address)
  await sim.until(() => victim !== null)
  const vetoing = victim as Operator | null
  assert.ok(vetoing?.relayer)
  const change = await changeOf(vetoing)
  let answered = false
  const rounds: number[] = []
  sim.network.rule((packet) => {
    if (packet.kind === 'frame' && packet.from === vetoing.address)
      rounds.push(decodeFrame(packet.body).round)
    return 'pass'
  })
  const deciding = vetoing.relayer.decide('vetoed', change).then(() => {
    answered = true
  })
  await sim.quiet()
  assert.equal((await vetoing.store?.decision(2))?.verdict, 'vetoed', 'durable')
  assert.deepEqual(rounds, [])
  gate.resolve()
  await deciding
  await sim.quiet()
  assert.ok(answered)
  assert.deepEqual(rounds, [], 'frames of rounds sent after the veto was durable')
  await sim.stop()
})

test('a veto whose record cannot be read stays one: the member takes no part', async () => {
  const sim = await ruled('unreadable')
  const { operator, relayer, change } = await asked(sim)
  await relayer.decide('vetoed', change)
  await operator.stop()
  spoilDecision(operator, 2)
  await sim.start(1)
  await sim.start(3)
  await sim.step(25)
  assert.equal(sim.prepared(2), 0, 'shares prepared')
  assert.equal(sim.state.running, 1)
  await sim.stop()
})

test('a veto does not wait for an endpoint that hangs', async () => {
  const sim = await ruled('hangs')
  const { operator, relayer, change } = await asked(sim)
  const hung = Promise.withResolvers<never>()
  const { chain } = operator
  const real = chain.finalised.bind(chain)
  chain.finalised = () => hung.promise
  await sim.step(1)
  const deciding = relayer.decide('vetoed', change)
  await sim.quiet()
  const now = (await operator.store?.decision(2))?.verdict === 'vetoed'
  chain.finalised = real
  hung.reject(new Error('timeout'))
  await deciding
  await sim.quiet()
  assert.ok(now, 'decided while the endpoint hangs')
  await sim.stop()
})

test('a cancellation that is reorganised away takes no veto with it', async () => {
  const sim = await ruled('shallow')
  const { operator, relayer, change } = await asked(sim)
  await relayer.decide('vetoed', change)
  sim.chain.adminCancelCeremony()
  let blocks = 0
  await sim.until(async () => {
    blocks += 1
    return (await operator.status()).change === null
  })
  const kept = await operator.store?.decision(2)
  assert.equal(kept?.verdict, 'vetoed', 'the burn is not deep yet')
  await sim.step(12)
  assert.equal(await operator.store?.decision(2), null)
  await sim.stop()
})

test('what a worker thread sends after a veto does not leave this node', async () => {
  const sim = await ruled('thread', { threshold: 3 })
  const old = sim.operators.slice(0, 3)
  let sent = 0
  // As WorkerRun: it answers, and the session is closed, only once the thread has heard of the deadline.
  for (const operator of old)
    operator.runner = ({ channel, deadline }) => ({
      prepare: async () => {
        const signal = deadline(1)
        if (!signal.aborted)
          await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }))
        channel.send(sim.at(3).address, new Uint8Array(40))
        throw signal.reason
      },
      confirm: () => Promise.reject(new Error('never')),
      close: () => {},
    })
  for (const position of [0, 1, 2]) {
    await sim.at(position).stop()
    await sim.start(position)
  }
  await sim.step(2)
  sim.chain.adminAddRelayer(sim.at(3).address)
  await sim.until(async () => (await sim.at(0).status()).ceremony?.stage === 'dealing')
  const change = await changeOf(sim.at(0))
  sim.network.rule((packet) => {
    if (packet.kind === 'frame' && packet.from === sim.at(0).address) sent += 1
    return 'pass'
  })
  await sim.at(0).relayer?.decide('vetoed', change)
  await sim.quiet()
  assert.equal(sent, 0)
  for (const operator of old) await operator.stop()
})

test('a delay that runs makes nobody suspect or silent', async () => {
  const sim = new GovernedSim('delayed', { count: 4, first: [0, 1, 2] })
  for (const operator of sim.operators) operator.rules = { ...DEFAULT_RULES, delayBlocks: 400 }
  await sim.start(0, 1, 2, 3)
  await sim.step(3)
  sim.chain.startKeygen()
  await sim.completed(1)
  sim.chain.adminAddRelayer(sim.at(3).address)
  await sim.step(200)
  const { ceremony } = await sim.at(0).status()
  assert.deepEqual(ceremony?.blockers, [])
  assert.deepEqual(
    ceremony?.failures.flatMap(({ suspects }) => suspects),
    [],
  )
  await sim.stop()
})
