// What a corrupt member does to honest ones around an attempt: starts too early, another version to one alone, deed upon deed.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { decodeAnnouncement, encodeAnnouncement } from '../../relayer/ceremony/announcement.ts'
import { coordinatorOf } from '../../relayer/ceremony/starts.ts'
import { startEquivocation } from '../../relayer/protocol/evidence.ts'
import { contextOf, signStart } from '../../relayer/protocol/spec.ts'
import { CeremonySim } from '../support/ceremony-sim.ts'

/** A simulation in which the coordinators of the first two attempts differ. */
async function withTwoCoordinators() {
  for (let seed = 1; ; seed++) {
    const sim = await CeremonySim.of(`early ${seed}`, 4)
    const spec = sim.keygen(sim.committee(1, 2, 0, 1, 2, 3))
    const context = contextOf(spec)
    const [first, second] = [0, 1].map((attempt) => coordinatorOf(spec, context, attempt))
    if (first !== undefined && second !== undefined && first !== second)
      return { sim, spec, context, first, second }
    await sim.stop()
  }
}

test('the coordinator of the next attempt cannot spoil this one by starting its own early at one member', async () => {
  const { sim, spec, context, first, second } = await withTwoCoordinators()
  const victim = sim.relayers.find(({ address }) => address !== first && address !== second)
  assert.ok(victim)
  const startNonce = new Uint8Array(32).fill(7)
  const early = signStart(sim.at(second).signer, { context, attempt: 1, dealers: [], startNonce })
  const off = sim.net.rule(({ topic, kind, to }) =>
    (topic === 'start' || kind === 'frame') && to === victim.address ? 'hold' : 'pass',
  )
  await sim.begin(spec)
  const packet = { from: second, to: victim.address, kind: 'tell', session: '', topic: 'start' } as const
  sim.net.inject({ ...packet, body: early.bytes })
  await sim.quiet()
  off()
  sim.net.release()
  await sim.mine(19)
  const attempts = sim.relayers.map(({ activations }) => activations[0]?.activation.attempt)
  assert.deepEqual(attempts, [0, 0, 0, 0], sim.describe())
  await sim.stop()
})

test('a member that announces another version to one member alone does not make that one look silent', async () => {
  const sim = await CeremonySim.of('two versions', 4)
  const spec = sim.keygen(sim.committee(1, 2, 0, 1, 2, 3))
  const context = contextOf(spec)
  const coordinators = [0, 1, 2].map((attempt) => coordinatorOf(spec, context, attempt))
  const liar = sim.relayers.find(({ address }) => !coordinators.includes(address)) ?? sim.relayers[0]
  const victim = sim.relayers.find((each) => each !== liar && each.address !== coordinators[0])
  assert.ok(liar && victim)
  sim.net.rule((packet) =>
    packet.topic === 'announce' && packet.from === liar.address && packet.to === victim.address
      ? [
          {
            ...packet,
            body: encodeAnnouncement({ ...decodeAnnouncement(packet.body), protocolVersion: 999 }),
          },
        ]
      : 'pass',
  )
  await sim.begin(spec)
  await sim.mine(3 * 20)
  for (const { address, view } of sim.relayers)
    if (address !== victim.address && address !== liar.address)
      assert.ok(!view?.blockers.some((each) => each.address === victim.address), sim.describe())
  await sim.stop()
})

test('a culprit that signs one deed after another does not fill the evidence of others', async () => {
  const sim = await CeremonySim.of('many deeds', 3)
  const spec = sim.keygen(sim.committee(1, 2, 0, 1, 2))
  const context = contextOf(spec)
  sim.net.rule(({ topic }) => (topic === 'announce' ? 'drop' : 'pass'))
  const liar = coordinatorOf(spec, context, 0)
  const victim = sim.relayers.find(({ address }) => address !== liar)
  assert.ok(victim)
  const { signer } = sim.at(liar)
  const starts = Array.from({ length: 11 }, (_, at) =>
    signStart(signer, { context, attempt: 0, dealers: [], startNonce: new Uint8Array(32).fill(at + 1) }),
  )
  await sim.begin(spec)
  const packet = { from: liar, to: victim.address, kind: 'tell', session: '', topic: 'evidence' } as const
  for (let block = 0; block < 4; block++) {
    await sim.mine()
    for (let at = 0; at < 10; at++) {
      const [a, b] = [starts[at], starts[(at + 1 + block) % 11]]
      assert.ok(a && b)
      sim.net.inject({ ...packet, body: startEquivocation(spec, a, b) })
    }
    await sim.quiet()
  }
  assert.equal((await victim.store.evidence()).length, 1)
  await sim.stop()
})

test('evidence that is shown to one alone halts the ceremony at everybody, also at who comes later', async () => {
  const sim = await CeremonySim.of('one alone', 4)
  const spec = sim.keygen(sim.committee(1, 3, 0, 1, 2, 3))
  const context = contextOf(spec)
  const liar = coordinatorOf(spec, context, 0)
  const [one, other, late] = sim.relayers.filter(({ address }) => address !== liar)
  assert.ok(one && other && late)
  const { signer } = sim.at(liar)
  const [a, b] = [1, 2].map((byte) =>
    signStart(signer, { context, attempt: 0, dealers: [], startNonce: new Uint8Array(32).fill(byte) }),
  )
  assert.ok(a && b)
  await sim.begin(spec, [one, other])
  const body = startEquivocation(spec, a, b)
  sim.net.inject({ from: liar, to: one.address, kind: 'tell', session: '', topic: 'evidence', body })
  await sim.quiet()
  await sim.mine()
  late.run(spec)
  await sim.mine()
  for (const { view } of [one, other, late]) assert.deepEqual(view?.halted?.culprits, [liar])
  await sim.stop()
})
