// What a cheating member makes an honest one do: records that are too large to pass on, and floods of what proves nothing.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { decodeFrame, encodeFrame, seal, startOfFrame } from '../../relayer/protocol/envelope.ts'
import { startEquivocation } from '../../relayer/protocol/evidence.ts'
import { rankMembers } from '../../relayer/protocol/party.ts'
import { contextOf, signStart } from '../../relayer/protocol/spec.ts'
import { CeremonySim } from '../support/ceremony-sim.ts'

test('evidence that is too large for one message is kept, and ends neither the process nor the ceremony', async () => {
  const sim = await CeremonySim.of('large evidence', 3)
  const spec = sim.keygen(sim.committee(1, 2, 0, 1, 2))
  const [liar, ...honest] = sim.relayers
  assert.ok(liar)
  sim.net.rule((packet) => {
    if (packet.from !== liar.address || packet.kind !== 'frame') return 'pass'
    const envelope = decodeFrame(packet.body)
    if (envelope.round !== 2 || envelope.to !== null) return 'pass'
    const spoilt = seal(liar.signer, { ...envelope, body: envelope.body.subarray(0, 8) })
    return [{ ...packet, body: encodeFrame(spoilt, startOfFrame(packet.body) ?? undefined) }]
  })
  for (const { node } of honest) {
    const tell = node.tell.bind(node)
    // As with a hundred members and eight keys.
    node.tell = (to, topic, body) => tell(to, topic, topic === 'evidence' ? new Uint8Array(1 << 20) : body)
  }
  await sim.begin(spec)
  await sim.until(() => honest.every(({ view }) => view?.stage === 'halted'))
  for (const { view, store, failure } of honest) {
    assert.equal(failure, null)
    assert.deepEqual(view?.halted?.culprits, [liar.address])
    assert.ok((await store.evidence()).length > 0)
  }
  await sim.stop()
})

test('of a member that sends worthless evidence a node looks at sixteen records in a block, and at those of others', async () => {
  const sim = await CeremonySim.of('flood', 3)
  const spec = sim.keygen(sim.committee(1, 2, 0, 1, 2))
  const context = contextOf(spec)
  // Nothing starts by itself: the coordinator is silent.
  sim.net.rule(({ topic }) => (topic === 'announce' ? 'drop' : 'pass'))
  const [coordinator] = rankMembers(context, 0, spec.next.members)
  const [victim, flooder] = sim.relayers.filter(({ address }) => address !== coordinator)
  assert.ok(coordinator && victim && flooder)
  const { signer } = sim.at(coordinator)
  const [first, second] = [1, 2].map((byte) =>
    signStart(signer, { context, attempt: 0, dealers: [], startNonce: new Uint8Array(32).fill(byte) }),
  )
  assert.ok(first && second)
  const good = startEquivocation(spec, first, second)
  const from = (address: typeof coordinator, body: Uint8Array) =>
    sim.net.inject({ from: address, to: victim.address, kind: 'tell', session: '', topic: 'evidence', body })
  await sim.begin(spec)
  await sim.mine()
  for (let i = 0; i < 40; i++) from(flooder.address, good.with(good.length - 1, i))
  await sim.quiet()
  from(flooder.address, good)
  await sim.quiet()
  assert.equal((await victim.store.evidence()).length, 0)
  await sim.mine()
  for (let i = 0; i < 15; i++) from(flooder.address, good.with(good.length - 1, i))
  await sim.quiet()
  from(flooder.address, good)
  await sim.quiet()
  assert.equal((await victim.store.evidence()).length, 1)
  assert.deepEqual(victim.view?.halted?.culprits, [coordinator])
  await sim.stop()
})

test('of a member that floods start messages a node verifies sixteen in a block, and takes the true one from another', async () => {
  const sim = await CeremonySim.of('start flood', 3)
  const spec = sim.keygen(sim.committee(1, 2, 0, 1, 2))
  const context = contextOf(spec)
  sim.net.rule(({ topic, kind }) => (topic === 'announce' || kind === 'frame' ? 'drop' : 'pass'))
  const [coordinator] = rankMembers(context, 0, spec.next.members)
  const [victim, flooder] = sim.relayers.filter(({ address }) => address !== coordinator)
  assert.ok(coordinator && victim && flooder)
  const start = (signer: typeof flooder.signer, byte: number) =>
    signStart(signer, { context, attempt: 0, dealers: [], startNonce: new Uint8Array(32).fill(byte) }).bytes
  const good = start(sim.at(coordinator).signer, 200)
  const from = (address: typeof coordinator, body: Uint8Array) =>
    sim.net.inject({ from: address, to: victim.address, kind: 'tell', session: '', topic: 'start', body })
  await sim.begin(spec, [victim])
  await sim.mine()
  for (let i = 1; i <= 16; i++) from(flooder.address, start(flooder.signer, i))
  await sim.quiet()
  from(flooder.address, good)
  await sim.quiet()
  assert.equal(await victim.store.lastJoined(1), null)
  from(coordinator, good)
  await sim.quiet()
  assert.equal(await victim.store.lastJoined(1), 0)
  await sim.stop()
})
