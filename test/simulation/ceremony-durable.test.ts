// Durable before it is acknowledged: a disk that takes its time holds a member's word back, and nothing else.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { decodeFrame } from '../../relayer/protocol/envelope.ts'
import { ROUND } from '../../relayer/protocol/messages.ts'
import { CeremonySim } from '../support/ceremony-sim.ts'

test('31 no acknowledgement leaves a member before its prepared share is durable', async () => {
  const sim = await CeremonySim.of('slow disk', 3)
  const [slow] = sim.relayers
  assert.ok(slow)
  const save = slow.store.savePrepared.bind(slow.store)
  let durable = false
  slow.store.savePrepared = async (...record) => {
    for (let turn = 0; turn < 200; turn++) await new Promise<void>((resolve) => setImmediate(resolve))
    await save(...record)
    durable = true
  }
  const acknowledged: boolean[] = []
  sim.net.rule((packet) => {
    if (packet.from === slow.address && packet.kind === 'frame')
      if (decodeFrame(packet.body).round === ROUND.acknowledge) acknowledged.push(durable)
    return 'pass'
  })
  await sim.complete(sim.keygen(sim.committee(1, 2, 0, 1, 2)))
  assert.ok(acknowledged.length > 0)
  assert.ok(acknowledged.every(Boolean))
  await sim.stop()
})
