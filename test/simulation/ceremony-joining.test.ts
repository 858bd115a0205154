// Ways into an attempt and out of one: a start message missed, a cut in the network, evidence kept across a restart.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { decodeAnnouncement, encodeAnnouncement } from '../../relayer/ceremony/announcement.ts'
import { coordinatorOf } from '../../relayer/ceremony/starts.ts'
import { decodeFrame } from '../../relayer/protocol/envelope.ts'
import { contextOf, decodeStart, signStart } from '../../relayer/protocol/spec.ts'
import { roundDeadline, startDeadline } from '../../relayer/ceremony/windows.ts'
import { CeremonySim, WINDOW } from '../support/ceremony-sim.ts'
import type { SimRelayer } from '../support/sim-relayer.ts'

test('a member that missed the start message joins by the first envelope that carries it', async () => {
  const sim = await CeremonySim.of('missed start', 3)
  const spec = sim.keygen(sim.committee(1, 2, 0, 1, 2))
  sim.net.rule(({ topic }) => (topic === 'start' ? 'drop' : 'pass'))
  await sim.begin(spec)
  await sim.until(() => sim.relayers.every(({ activations }) => activations.length > 0))
  for (const { activations, view } of sim.relayers) {
    assert.equal(activations[0]?.activation.attempt, 0)
    assert.equal(view?.failureCount, 0)
  }
  await sim.stop()
})

test('the status names whom a running attempt waits for, step by step, and who is ready', async () => {
  const sim = await CeremonySim.of('progress', 3)
  const spec = sim.keygen(sim.committee(1, 2, 0, 1, 2))
  const [slow, watcher] = sim.relayers
  assert.ok(slow && watcher)
  let open = 1
  sim.net.rule((packet) =>
    packet.kind === 'frame' && packet.from === slow.address && decodeFrame(packet.body).round >= open
      ? 'hold'
      : 'pass',
  )
  await sim.begin(spec)
  assert.deepEqual(watcher.view?.waitingFor, { what: 'commitments', members: [slow.address] })
  open = 3
  sim.net.release()
  await sim.quiet()
  assert.equal(watcher.view.stage, 'prepared')
  assert.deepEqual(watcher.view.waitingFor, { what: 'acknowledgements', members: [slow.address] })
  assert.deepEqual(
    watcher.view.ready,
    sim.some(1, 2).map(({ address }) => address),
  )
  open = 9
  sim.net.release()
  await sim.until(() => sim.relayers.every(({ activations }) => activations.length > 0))
  await sim.stop()
})

test('a member that is cut off for two windows catches up when the network heals', async () => {
  const sim = await CeremonySim.of('cut off', 4)
  const spec = sim.keygen(sim.committee(1, 3, 0, 1, 2, 3))
  const [lonely, ...others] = sim.relayers
  assert.ok(lonely)
  sim.net.partition(
    [lonely.address],
    others.map(({ address }) => address),
  )
  await sim.begin(spec)
  await sim.mine(2 * WINDOW)
  for (const { view } of others) {
    assert.equal(view?.failureCount, 2)
    assert.deepEqual(view.failures[1]?.suspects, [lonely.address])
  }
  sim.net.heal()
  await sim.until(() => sim.relayers.every(({ activations }) => activations.length > 0))
  await sim.stop()
})

test('after the fifth failed attempt the ceremony raises an alarm', async () => {
  const sim = await CeremonySim.of('alarm', 3)
  const spec = sim.keygen(sim.committee(1, 2, 0, 1, 2))
  await sim.begin(spec, sim.some(0, 1))
  await sim.mine(4 * WINDOW + 2)
  assert.deepEqual(
    sim.some(0, 1).map(({ view }) => view?.alarm),
    [false, false],
  )
  await sim.mine(WINDOW - 2)
  assert.deepEqual(
    sim.some(0, 1).map(({ view }) => view?.alarm),
    [true, true],
  )
  await sim.stop()
})

test('a member whose head runs ahead or behind takes part all the same', async () => {
  const sim = await CeremonySim.of('skew', 3)
  const spec = sim.keygen(sim.committee(1, 2, 0, 1, 2))
  const [early] = sim.relayers
  assert.ok(early)
  await sim.begin(spec, sim.some(1, 2))
  await sim.mine(WINDOW - 2)
  early.run(spec)
  early.feed.advance(sim.head + 3)
  await sim.quiet()
  await sim.until(() => sim.relayers.every(({ activations }) => activations.length > 0))
  assert.equal(early.activations[0]?.activation.attempt, 1)
  await sim.stop()
})

test('evidence that halted a ceremony halts it again after a restart, and does not halt the next one', async () => {
  const sim = await CeremonySim.of('kept evidence', 3)
  const spec = sim.keygen(sim.committee(1, 2, 0, 1, 2))
  const liar = sim.at(coordinatorOf(spec, contextOf(spec), 0))
  const [honest] = sim.relayers.filter((relayer) => relayer !== liar)
  assert.ok(honest)
  sim.net.rule((packet) => {
    const first = packet.topic === 'start' && packet.to === honest.address ? decodeStart(packet.body) : null
    if (first === null) return 'pass'
    const second = signStart(liar.signer, { ...first.start, startNonce: new Uint8Array(32).fill(9) })
    return [packet, { ...packet, body: second.bytes }]
  })
  await sim.begin(spec)
  await sim.until(() => honest.view?.stage === 'halted')
  await honest.crash()
  await honest.start()
  honest.run(spec)
  await sim.until(() => honest.view?.stage === 'halted')
  assert.deepEqual(honest.view?.halted?.culprits, [liar.address])
  await honest.end()
  const next = sim.keygen(sim.committee(2, 2, 0, 1, 2))
  honest.run(next)
  await sim.mine(2)
  assert.equal(honest.view?.halted, null, 'governance has decided about the former')
  await sim.stop()
})

/** A refresh in which a leader names a member to deal that does not want to; gives that member when its attempt has failed. */
async function namedAgainstItsWill(seed: string, will: (refuser: SimRelayer) => void): Promise<SimRelayer> {
  const sim = await CeremonySim.of(seed, 3)
  const old = sim.committee(1, 2, 0, 1, 2)
  await sim.complete(sim.keygen(old))
  const spec = await sim.reshare('refresh', old, sim.committee(2, 2, 0, 1, 2))
  const liar = sim.at(coordinatorOf(spec, contextOf(spec), 0))
  const [refuser] = sim.relayers.filter((relayer) => relayer !== liar)
  assert.ok(refuser)
  will(refuser)
  const named = old.members.flatMap((member, at) =>
    member === refuser.address || member === liar.address ? at + 1 : [],
  )
  const spoken: number[] = []
  sim.net.rule((packet) => {
    if (packet.from === refuser.address && packet.kind === 'frame')
      spoken.push(decodeFrame(packet.body).round)
    // The leader is told of no veto, and starts.
    if (packet.from === refuser.address && packet.topic === 'announce')
      return [{ ...packet, body: encodeAnnouncement({ ...decodeAnnouncement(packet.body), vetoes: false }) }]
    const start = packet.from === liar.address && packet.topic === 'start' ? decodeStart(packet.body) : null
    if (start === null) return packet.from === liar.address && packet.kind === 'frame' ? 'drop' : 'pass'
    return [{ ...packet, body: signStart(liar.signer, { ...start.start, dealers: named }).bytes }]
  })
  await sim.begin(spec)
  await sim.until(() => (refuser.view?.failureCount ?? 0) > 0)
  assert.deepEqual(spoken, [])
  assert.equal(await refuser.store.lastJoined(2), null)
  await sim.stop()
  return refuser
}

test('a member that refuses to deal does not, whoever names it: the veto is its own', async () => {
  const refuser = await namedAgainstItsWill('named refuser', (each) => {
    each.mayDeal = () => 'not this change'
  })
  assert.match(refuser.view?.failures[0]?.reason ?? '', /was named to deal, and refuses: not this change/)
})

test('a member whose operator vetoed joins no attempt, whoever starts one', async () => {
  const refuser = await namedAgainstItsWill('named vetoer', (each) => {
    each.veto = () => 'vetoed'
  })
  assert.match(refuser.view?.failures[0]?.reason ?? '', /takes no part: vetoed/)
})

test('a member whose endpoints deceive it about the old commitments is in no session with the others, and accuses nobody', async () => {
  const sim = await CeremonySim.of('deceived', 4)
  const old = sim.committee(1, 2, 0, 1, 2)
  await sim.complete(sim.keygen(old))
  const spec = await sim.reshare('reshare', old, sim.committee(2, 2, 1, 2, 3))
  const lie = {
    ...spec,
    held: spec.held.map((key) => ({ ...key, commitmentsHash: new Uint8Array(32).fill(7) })),
  }
  const [deceived] = sim.some(3)
  assert.ok(deceived)
  await sim.begin(spec, sim.some(0, 1, 2))
  deceived.run(lie)
  await sim.mine(2 * WINDOW)
  for (const { view, store } of sim.relayers) {
    assert.equal(view?.halted, null)
    assert.equal(view.failures.length, 2)
    for (const { culprits } of view.failures) assert.deepEqual(culprits, [])
    assert.deepEqual(await store.evidence(), [])
    assert.equal(await store.lastJoined(2), null, 'no attempt began')
  }
  assert.match(
    sim.some(0)[0]?.view?.failures[0]?.reason ?? '',
    /announce another change .* compare RPC endpoints/,
  )
  assert.ok(deceived.view?.waitingFor?.members.includes(spec.old?.members[1] ?? '0x'))
  await deceived.end()
  deceived.run(spec)
  await sim.until(() => sim.relayers.every(({ activations }) => activations.length > 0))
  await sim.stop()
})

test('a window that is found when nothing can begin in it any more is nobody’s failure', async () => {
  const windows = { startBlock: 0, windowBlocks: WINDOW }
  for (const late of [startDeadline(windows, 0), roundDeadline(windows, 0, 1), WINDOW - 1]) {
    const sim = await CeremonySim.of(`late by ${late}`, 4)
    const spec = sim.keygen(sim.committee(1, 3, 0, 1, 2, 3))
    sim.startBlock = sim.head - late
    for (const relayer of sim.relayers) relayer.run(spec)
    await sim.mine(WINDOW - late)
    for (const { view } of sim.relayers) {
      assert.equal(view?.attempt, 1)
      assert.equal(view.failureCount, 0)
      assert.deepEqual(view.blockers, [])
    }
    await sim.stop()
  }
})
