// What a cheating member makes an honest one do: records that are too large to pass on, and floods of what proves nothing.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { decodeFrame, encodeFrame, seal, startOfFrame } from '../../relayer/protocol/envelope.ts'
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
