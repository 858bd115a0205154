// The block in which governance asked is read again before readiness is signed: a request that is gone makes no committee.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ChainError } from '../../relayer/lib/errors.ts'
import { decodeFrame } from '../../relayer/protocol/envelope.ts'
import { ROUND } from '../../relayer/protocol/messages.ts'
import { CeremonySim, WINDOW } from '../support/ceremony-sim.ts'

test('no readiness is signed once the block of the request is gone, and the prepared share is kept', async () => {
  const sim = await CeremonySim.of('request gone', 3)
  const old = sim.committee(1, 2, 0, 1, 2)
  await sim.complete(sim.keygen(old))
  const spec = await sim.reshare('refresh', old, sim.committee(2, 2, 0, 1, 2))
  const [careful, ...others] = sim.relayers
  assert.ok(careful)
  const acknowledged = new Set<string>()
  sim.net.rule((packet) => {
    if (packet.kind === 'frame' && decodeFrame(packet.body).round === ROUND.acknowledge)
      acknowledged.add(packet.from)
    return 'pass'
  })
  let gone = true
  const recheck = async () => {
    if (gone) throw new ChainError('check trigger: block 100 was replaced since the ceremony began')
  }
  sim.startBlock = sim.head
  for (const relayer of sim.relayers)
    relayer.run(spec, {
      held: await sim.heldBy(relayer, spec),
      ...(relayer === careful && { recheck }),
    })
  await sim.mine(WINDOW - 1)
  assert.deepEqual([...acknowledged].sort(), others.map(({ address }) => address).sort())
  assert.match(careful.view?.failures[0]?.reason ?? '', /block 100 was replaced/)
  assert.deepEqual(careful.view?.failures[0]?.culprits, [])
  for (const { store, activations } of sim.relayers) {
    assert.equal((await store.prepared(2)).length, 1, 'what was prepared is kept')
    assert.equal(activations.length, 0)
  }
  gone = false
  await sim.until(() => sim.relayers.every(({ activations }) => activations.length > 0))
  assert.equal(careful.activations[0]?.activation.attempt, 1)
  await sim.stop()
})
