// A member that gives every attempt up, and accuses somebody else each time: it costs attempts, and nobody is excluded.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { checkCeremony } from '../../relayer/bridge/checks.ts'
import { Problems } from '../../relayer/bridge/problems.ts'
import { silentLog } from '../../relayer/lib/log.ts'
import { decodeFrame, encodeFrame, seal } from '../../relayer/protocol/envelope.ts'
import { ABORT, encodeAbort, ROUND } from '../../relayer/protocol/messages.ts'
import { CeremonySim, WINDOW } from '../support/ceremony-sim.ts'

test('a member that aborts attempt after attempt has nobody excluded: an alarm, prepared shares kept, and it completes once it stops', async () => {
  const sim = await CeremonySim.of('aborts', 3)
  const old = sim.committee(1, 2, 0, 1, 2)
  await sim.complete(sim.keygen(old))
  const spec = await sim.reshare('refresh', old, sim.committee(2, 2, 0, 1, 2))
  const [quitter, accused, witness] = sim.relayers
  assert.ok(quitter && accused && witness)
  const words = encodeAbort({
    code: 'E_STATE',
    round: 0,
    suspects: [{ role: 'new', index: 2 }],
    proof: null,
  })
  const quits = sim.net.rule((packet) => {
    if (packet.from !== quitter.address) return 'pass'
    // It holds the certificate itself, and keeps it back.
    if (packet.topic === 'certificate' || packet.topic === 'sign') return 'drop'
    if (packet.kind !== 'frame') return 'pass'
    const { round, sessionId, from } = decodeFrame(packet.body)
    if (round !== ROUND.acknowledge || from.index !== 1) return 'pass'
    const abort = seal(quitter.signer, { sessionId, round: ABORT, from, to: null, body: words })
    return [{ ...packet, body: encodeFrame(abort) }]
  })
  await sim.begin(spec)
  await sim.mine(5 * WINDOW - 1)
  for (const { view, store, disk, failure } of [accused, witness]) {
    assert.equal(failure, null)
    assert.equal(view?.failureCount, 5)
    assert.equal(view.alarm, true)
    assert.equal(view.halted, null)
    for (const { reason, suspects, culprits } of view.failures) {
      assert.match(reason, new RegExp(`aborted by new member 1 \\(${quitter.address}\\), who suspects`))
      assert.deepEqual([suspects, culprits], [[accused.address, quitter.address], []])
    }
    assert.deepEqual(view.blockers, [{ address: quitter.address, aborted: 5, silent: 0 }])
    const saved = disk.writes.filter(({ kind, names }) => kind === 'file' && names[0]?.startsWith('2-'))
    assert.ok(saved.length > 0)
    assert.equal((await store.prepared(2)).length, saved.length, 'what was prepared is kept')
    assert.deepEqual(await store.evidence(), [])
  }
  quits()
  await sim.until(() => sim.relayers.every(({ activations }) => activations.length > 0))
  // It holds the certificate of every attempt, and may have several signed: the contract takes one.
  const [signed] = witness.activations
  assert.ok(signed)
  await sim.activate(signed)
  for (const { store } of sim.relayers)
    assert.equal((await store.activeShare())?.attempt, signed.activation.attempt)
  await sim.stop()
})

test('a newcomer that never deals and gives every attempt up without a word is named by the alarm, with the remedy', async () => {
  const sim = await CeremonySim.of('quitting newcomer', 4)
  const old = sim.committee(1, 2, 0, 1, 2)
  await sim.complete(sim.keygen(old))
  const spec = await sim.reshare('reshare', old, sim.committee(2, 2, 0, 1, 2, 3))
  const [newcomer] = sim.some(3)
  assert.ok(newcomer)
  const words = encodeAbort({ code: 'E_STATE', round: 0, suspects: [], proof: null })
  sim.net.rule((packet) => {
    if (packet.from !== newcomer.address) return 'pass'
    if (packet.topic === 'certificate' || packet.topic === 'sign') return 'drop'
    if (packet.kind !== 'frame') return 'pass'
    const { round, sessionId, from } = decodeFrame(packet.body)
    if (round !== ROUND.acknowledge) return 'pass'
    const abort = seal(newcomer.signer, { sessionId, round: ABORT, from, to: null, body: words })
    return [{ ...packet, body: encodeFrame(abort) }]
  })
  await sim.begin(spec)
  await sim.mine(5 * WINDOW - 1)
  for (const { view } of sim.some(0, 1, 2)) {
    assert.deepEqual(view?.blockers, [{ address: newcomer.address, aborted: 5, silent: 0 }])
    assert.equal(view.halted, null)
    const problems = new Problems(silentLog)
    checkCeremony({ problems }, view)
    const [alarm] = problems.list()
    assert.match(alarm?.message ?? '', new RegExp(`Of these: ${newcomer.address} aborted 5$`))
    assert.match(alarm?.remedy ?? '', /cancel, and replace the newcomer/)
  }
  await sim.stop()
})
