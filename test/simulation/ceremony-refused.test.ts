// A ceremony that this version does not run: every member says so at once, and nobody is suspected.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { CeremonySpec } from '../../relayer/protocol/spec.ts'
import { CeremonySim, WINDOW } from '../support/ceremony-sim.ts'

async function refused(sim: CeremonySim, spec: CeremonySpec): Promise<void> {
  let told = 0
  const stop = sim.net.rule(() => {
    told += 1
    return 'pass'
  })
  await sim.begin(spec)
  await sim.mine(WINDOW)
  for (const { view, store, failure } of sim.relayers) {
    assert.equal(failure, null)
    assert.equal(view?.stage, 'halted')
    assert.match(view.halted?.reason ?? '', /ecdsa-secp256k1 is not served .*frost-secp256k1-evm/)
    assert.deepEqual(view.halted?.culprits, [])
    assert.deepEqual(view.failures, [])
    assert.equal(await store.lastJoined(spec.next.epoch), null)
  }
  assert.equal(told, 0, 'not even an announcement')
  stop()
}

test('a keygen, or the addition, of an ECDSA key is refused by every member itself, before a word is said', async () => {
  const sim = await CeremonySim.of('ecdsa', 3)
  const old = sim.committee(1, 2, 0, 1, 2)
  await refused(sim, sim.keygen(old, 'ecdsa-secp256k1'))
  for (const relayer of sim.relayers) await relayer.end()
  await sim.complete(sim.keygen(old))
  const spec = await sim.reshare('addkey', old, sim.committee(2, 2, 0, 1, 2))
  await refused(sim, { ...spec, generated: [{ keyId: 1, scheme: 'ecdsa-secp256k1' }] })
  await sim.stop()
})
