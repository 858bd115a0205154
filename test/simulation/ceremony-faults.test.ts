// Ceremonies with somebody absent, silent or dishonest: who is named, who is excluded, what halts, and what goes on.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { chooseDealers, Suspicion } from '../../relayer/ceremony/dealers.ts'
import { coordinatorOf } from '../../relayer/ceremony/starts.ts'
import type { Address } from '../../relayer/lib/bytes.ts'
import { decodeFrame, encodeFrame, seal, startOfFrame } from '../../relayer/protocol/envelope.ts'
import { type CeremonySpec, contextOf, decodeStart, signStart } from '../../relayer/protocol/spec.ts'
import { CeremonySim, type SimRelayer, WINDOW } from '../support/ceremony-sim.ts'
import type { Rule } from '../support/sim-network.ts'

/** Breaks every body that a member sends to all in a round, under its own valid signature. */
function corrupts(liar: SimRelayer, round: number): Rule {
  return (packet) => {
    if (packet.from !== liar.address || packet.kind !== 'frame') return 'pass'
    const envelope = decodeFrame(packet.body)
    if (envelope.round !== round || envelope.to !== null) return 'pass'
    const body = seal(liar.signer, { ...envelope, body: envelope.body.subarray(0, 8) })
    return [{ ...packet, body: encodeFrame(body, startOfFrame(packet.body) ?? undefined) }]
  }
}

/** Who deals in attempt 0 if everybody is there. */
function firstDealers(spec: CeremonySpec): Address[] {
  const { old, next } = spec
  if (old === null) return []
  const choice = { context: contextOf(spec), attempt: 0, willing: old.members, suspicion: new Suspicion() }
  return (chooseDealers({ old, next }, choice) ?? []).flatMap((index) => old.members[index - 1] ?? [])
}

const all = (sim: CeremonySim, check: (relayer: SimRelayer) => boolean) => sim.relayers.every(check)

test('the coordinator is silent: the attempt does not start, and the next one has another', async () => {
  const sim = await CeremonySim.of('silent coordinator', 3)
  const spec = sim.keygen(sim.committee(1, 2, 0, 1, 2))
  const silent = coordinatorOf(spec, contextOf(spec), 0)
  const others = sim.relayers.filter(({ address }) => address !== silent)
  const speak = sim.net.rule(({ from, kind, topic }) =>
    from === silent && (kind === 'frame' || topic === 'start') ? 'drop' : 'pass',
  )
  await sim.begin(spec)
  await sim.until(() => sim.head >= sim.startBlock + WINDOW - 1)
  for (const { view } of others) {
    assert.match(view?.failures[0]?.reason ?? '', /the coordinator sent no start message/)
    assert.deepEqual(view?.failures[0]?.suspects, [silent])
    assert.deepEqual(view.failures[0]?.culprits, [])
  }
  speak()
  await sim.until(() => all(sim, ({ activations }) => activations.length > 0))
  const attempt = sim.relayers[0]?.activations[0]?.activation.attempt ?? 0
  assert.ok(attempt >= 1)
  await sim.stop()
})

test('27 a newcomer is missing: the attempt is not started, the absent one is named, and it completes when it comes', async () => {
  const sim = await CeremonySim.of('missing newcomer', 4)
  const old = sim.committee(1, 2, 0, 1, 2)
  await sim.complete(sim.keygen(old))
  const spec = await sim.reshare('reshare', old, sim.committee(2, 3, 0, 1, 2, 3))
  const newcomer = sim.relayers[3]
  assert.ok(newcomer !== undefined)
  await sim.begin(spec, sim.some(0, 1, 2))
  await sim.mine(3)
  for (const { view } of sim.some(0, 1, 2)) {
    assert.equal(view?.stage, 'announcing')
    assert.deepEqual(view.waitingFor?.members, [newcomer.address])
  }
  await sim.mine(WINDOW - 4)
  for (const { view, store } of sim.some(0, 1, 2)) {
    assert.deepEqual(view?.failures[0]?.suspects, [newcomer.address])
    assert.match(view.failures[0]?.reason ?? '', /1 of the 4 members have not announced/)
    assert.equal(await store.lastJoined(2), null, 'nothing was joined')
  }
  newcomer.run(spec, {})
  await sim.until(() => all(sim, ({ activations }) => activations.length > 0))
  await sim.stop()
})

test('early in a window only who is not connected is waited for by name: the others may see it open a little later', async () => {
  const sim = await CeremonySim.of('early in a window', 4)
  const old = sim.committee(1, 2, 0, 1, 2)
  await sim.complete(sim.keygen(old))
  const spec = await sim.reshare('reshare', old, sim.committee(2, 2, 0, 1, 2, 3))
  const [one, slow, newcomer] = sim.some(0, 1, 3)
  assert.ok(one && slow && newcomer)
  sim.net.leave(newcomer.address)
  await sim.begin(spec, sim.some(0, 1, 2))
  await sim.mine(WINDOW - 1)
  // The second window: one of them is heard a block later than the others.
  const late = sim.net.rule(({ from, topic }) =>
    from === slow.address && topic === 'announce' ? 'hold' : 'pass',
  )
  await sim.mine()
  assert.deepEqual([one.view?.stage, one.view?.attempt], ['announcing', 1])
  assert.deepEqual(one.view?.announced.map(({ address }) => address).includes(slow.address), false)
  assert.deepEqual(one.view?.waitingFor?.members, [newcomer.address])
  assert.match(one.view.waitingFor?.what ?? '', /^1 of the 4 members/)
  assert.deepEqual(one.view.coming, [slow.address])
  late()
  sim.net.release()
  await sim.mine()
  assert.deepEqual(one.view.coming, [])
  assert.deepEqual(one.view.waitingFor?.members, [newcomer.address])

  // The third: it stays quiet, and is named once half of the time to start has passed.
  await sim.mine(WINDOW - 2)
  sim.net.rule(({ from, topic }) => (from === slow.address && topic === 'announce' ? 'drop' : 'pass'))
  await sim.mine()
  const opened = sim.startBlock + 2 * WINDOW
  assert.deepEqual([sim.head, one.view.waitingFor?.members], [opened, [newcomer.address]])
  await sim.until(() => (one.view?.waitingFor?.members ?? []).includes(slow.address), 3)
  assert.equal(sim.head, opened + 3)
  assert.deepEqual(one.view.coming, [])
  await sim.stop()
})

test('a silent dealer is suspected, deals later next time, and is not excluded', async () => {
  const sim = await CeremonySim.of('silent dealer', 5)
  const old = sim.committee(1, 2, 0, 1, 2)
  await sim.complete(sim.keygen(old))
  const spec = await sim.reshare('reshare', old, sim.committee(2, 2, 3, 4))
  const [muted] = firstDealers(spec)
  assert.ok(muted !== undefined)
  sim.net.rule(({ from, kind }) => (kind === 'frame' && from === muted ? 'drop' : 'pass'))
  await sim.begin(spec)
  await sim.until(() => all(sim, ({ activations }) => activations.length > 0))
  const receiver = sim.relayers[3]
  const [failure] = receiver?.view?.failures ?? []
  assert.deepEqual([failure?.suspects, failure?.culprits], [[muted], []])
  assert.equal(receiver?.view?.failureCount, 1, 'the next attempt does without it')
  assert.ok(!receiver.view.dealers.includes(muted))
  const spared = sim.at(muted)
  assert.ok((await Promise.all(sim.relayers.map(({ store }) => store.evidence()))).flat().length === 0)
  assert.equal(spared.view?.halted, null)
  await sim.stop()
})

test('two start messages of one coordinator are evidence that halts the ceremony at everybody', async () => {
  const sim = await CeremonySim.of('equivocating coordinator', 3)
  const spec = sim.keygen(sim.committee(1, 2, 0, 1, 2))
  const liar = sim.at(coordinatorOf(spec, contextOf(spec), 0))
  const honest = sim.relayers.filter((relayer) => relayer !== liar)
  const [victim] = honest
  let second: Uint8Array | null = null
  sim.net.rule((packet) => {
    if (packet.topic === 'start' && packet.from === liar.address && packet.to === victim?.address) {
      const first = decodeStart(packet.body)
      if (first === null) return 'pass'
      second ??= signStart(liar.signer, { ...first.start, startNonce: new Uint8Array(32).fill(9) }).bytes
      return [{ ...packet, body: second }]
    }
    return 'pass'
  })
  await sim.begin(spec)
  await sim.until(() => honest.every(({ view }) => view?.stage === 'halted'))
  for (const { view, store } of honest) {
    assert.deepEqual(view?.halted?.culprits, [liar.address])
    assert.match(view.halted.reason, /E_EQUIV/)
    assert.equal((await store.evidence()).length, 1)
  }
  await sim.stop()
})

test('a proven culprit of the new committee halts the ceremony, with the evidence at every honest member', async () => {
  const sim = await CeremonySim.of('culprit', 3)
  const spec = sim.keygen(sim.committee(1, 2, 0, 1, 2))
  const [liar, ...honest] = sim.relayers
  assert.ok(liar !== undefined)
  sim.net.rule(corrupts(liar, 2))
  await sim.begin(spec)
  await sim.until(() => honest.every(({ view }) => view?.stage === 'halted'))
  await sim.mine(2 * WINDOW)
  for (const { view, store } of honest) {
    assert.deepEqual(view?.halted?.culprits, [liar.address])
    assert.deepEqual(view.failures[0]?.culprits, [liar.address])
    assert.equal(view.failureCount, 1, 'no attempt follows')
    assert.ok((await store.evidence()).length >= 1)
    assert.equal(await store.lastJoined(1), 0)
  }
  await sim.stop()
})

test('a leaving dealer that is proven to cheat no longer deals, and the reshare completes without it', async () => {
  const sim = await CeremonySim.of('cheating leaver', 5)
  const old = sim.committee(1, 2, 0, 1, 2)
  await sim.complete(sim.keygen(old))
  const spec = await sim.reshare('reshare', old, sim.committee(2, 2, 3, 4))
  const [cheating] = firstDealers(spec)
  assert.ok(cheating !== undefined)
  sim.net.rule(corrupts(sim.at(cheating), 2))
  await sim.begin(spec)
  const honest = sim.relayers.filter(({ address }) => address !== cheating)
  await sim.until(() => honest.every(({ activations }) => activations.length > 0))
  for (const { view } of sim.some(3, 4)) {
    assert.deepEqual(view?.failures[0]?.culprits, [cheating])
    assert.equal(view.failureCount, 1)
    assert.equal(view.halted, null)
    assert.ok(!view.dealers.includes(cheating))
  }
  for (const { store } of honest)
    assert.ok((await store.evidence()).length >= 1, 'evidence reaches everybody')
  await sim.stop()
})

test('members that run different protocol versions do not start, and say which member runs what', async () => {
  const sim = await CeremonySim.of('versions', 3)
  const [old] = sim.relayers
  assert.ok(old !== undefined)
  old.protocolVersion = 7
  old.softwareVersion = '9.9.9'
  const spec = sim.keygen(sim.committee(1, 2, 0, 1, 2))
  await sim.begin(spec)
  await sim.mine(WINDOW - 1)
  for (const { view, store } of sim.relayers) {
    const reason = view?.failures[0]?.reason ?? ''
    assert.match(reason, /members run different protocol versions/)
    for (const { address } of sim.relayers)
      assert.ok(reason.includes(`${address} runs ${address === old.address ? '7 (9.9.9)' : '1 (0.1.0)'}`))
    assert.equal(await store.lastJoined(1), null)
  }
  await sim.stop()
})
