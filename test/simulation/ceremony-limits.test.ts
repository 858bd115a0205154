// The edges of a ceremony: an epoch full of prepared shares, and a member that cheats when the activation is signed.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { decodeFrame } from '../../relayer/protocol/envelope.ts'
import { rankMembers } from '../../relayer/protocol/party.ts'
import { decodeMessage, encodeMessage, shareDigest } from '../../relayer/protocol/signwire.ts'
import { contextOf } from '../../relayer/protocol/spec.ts'
import { MAX_PREPARED } from '../../relayer/store/shares.ts'
import { CeremonySim } from '../support/ceremony-sim.ts'

test('an epoch with 64 prepared shares waits for governance and says so', async () => {
  const sim = await CeremonySim.of('full', 3)
  const old = sim.committee(1, 2, 0, 1, 2)
  await sim.complete(sim.keygen(old))
  const spec = await sim.reshare('refresh', old, sim.committee(2, 2, 0, 1, 2))
  const [full, ...others] = sim.relayers
  const record = await full?.store.activeShare()
  assert.ok(full && record)
  for (let attempt = 0; attempt < MAX_PREPARED; attempt++)
    await full.store.savePrepared(spec, {
      ...record,
      epoch: 2,
      attempt,
      shares: await full.store.loadShares({ epoch: 1, attempt: record.attempt }),
    })
  await sim.begin(spec)
  await sim.mine(3)
  assert.equal(full.view?.stage, 'halted')
  assert.match(full.view.halted?.reason ?? '', /epoch 2 has 64 prepared shares already/)
  assert.deepEqual(full.view.halted?.culprits, [])
  for (const { view } of others) assert.deepEqual(view?.waitingFor?.members, [full.address])
  await sim.stop()
})

test('a member that cheats in signing the activation is convicted, and the others sign without it', async () => {
  const sim = await CeremonySim.of('bad share', 4)
  const spec = sim.keygen(sim.committee(1, 2, 0, 1, 2, 3))
  const [leader, second] = rankMembers(contextOf(spec), 0, spec.next.members)
  assert.ok(leader && second)
  const liar = sim.at(second)
  let lies = 0
  sim.net.rule((packet) => {
    if (packet.topic !== 'sign' || packet.from !== liar.address) return 'pass'
    const message = decodeMessage(packet.body)
    if (message.type !== 'share') return 'pass'
    lies += 1
    const z = message.z.slice()
    z[31] = (z[31] ?? 0) ^ 1
    const signature = liar.signer.sign(shareDigest(message.hash, message.digest, z))
    return [{ ...packet, body: encodeMessage({ ...message, z, signature }) }]
  })
  // Nobody but the liar and one more answers the first session in time.
  const slow = sim.relayers.filter(({ address }) => address !== leader && address !== second)
  const hold = sim.net.rule(({ topic, from }) =>
    topic === 'sign' && slow.some(({ address }) => address === from) ? 'hold' : 'pass',
  )
  await sim.begin(spec)
  await sim.until(() => lies > 0)
  hold()
  sim.net.release()
  await sim.until(() => sim.relayers.every(({ activations }) => activations.length > 0))
  const witness = sim.at(leader)
  assert.deepEqual(witness.view?.halted?.culprits, [liar.address])
  assert.match(witness.view?.halted?.reason ?? '', /E_ZSHARE in signing the activation/)
  assert.equal(witness.view?.stage, 'activating')
  for (const { store, address } of sim.relayers)
    if (address !== liar.address) assert.equal((await store.evidence()).length, 1)
  await sim.stop()
})

test('a prepared share that cannot be read is set aside, and the next attempt completes', async () => {
  const sim = await CeremonySim.of('unreadable prepared', 3)
  const spec = sim.keygen(sim.committee(1, 2, 0, 1, 2))
  const [broken] = sim.relayers
  assert.ok(broken)
  const hush = sim.net.rule(({ kind, from, body }) =>
    kind === 'frame' && from === broken.address && decodeFrame(body).round === 3 ? 'drop' : 'pass',
  )
  await sim.begin(spec)
  await sim.until(() => broken.disk.writes.some(({ kind }) => kind === 'file'))
  await broken.crash()
  hush()
  const image = broken.disk.image()
  broken.disk.restore({
    records: image.records,
    files: new Map([...image.files].map(([name, bytes]) => [name, bytes.map((byte) => byte ^ 1)])),
  })
  await broken.start()
  assert.equal((await broken.store.prepared(1)).length, 1)
  broken.run(spec)
  await sim.until(() => sim.relayers.every(({ activations }) => activations.length > 0))
  assert.equal(broken.activations[0]?.activation.attempt, 1)
  assert.equal((await broken.store.prepared(1)).length, 2, 'it is kept all the same')
  await sim.stop()
})
