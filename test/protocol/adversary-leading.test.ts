// What one corrupt member, or a restart, may try to keep an honest leader from its signature: old nonces, and floods of new ones.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { decodeBatch, encodeBatch } from '../../relayer/protocol/nonces.ts'
import { coordinateSignature } from '../../relayer/protocol/roast.ts'
import { decodeMessage, encodeMessage } from '../../relayer/protocol/signwire.ts'
import { SigningWorld } from '../support/signing.ts'

const nobody = (world: SigningWorld) =>
  assert.deepEqual(
    world.members.map(({ faults }) => faults.map(({ code }) => code)),
    world.members.map(() => []),
  )

/** Eight later batches of a member in the place of one that it published. */
function flood(world: SigningWorld, index: number, batch: Uint8Array): Uint8Array[] {
  const { ref, batch: published } = decodeBatch(batch, 33)
  return Array.from({ length: 8 }, (_, at) => {
    const later = { ...published, first: published.first + 100 * (at + 1) }
    return encodeMessage({ type: 'batch', batch: encodeBatch(ref, later, world.member(index).operator) })
  })
}

void test('old batches that somebody replays to a restarted leader keep no honest signer out', async () => {
  const world = new SigningWorld({ t: 2, n: 3, seed: 'replayed to a restarted leader' })
  const batches: Uint8Array[] = []
  const stop = world.network.rule(({ from, to, body }) => {
    const overheard = from === world.address(2) && to === world.address(3)
    if (overheard && decodeMessage(body).type === 'batch') batches.push(body)
    return 'pass'
  })
  for (let at = 0; at < 3; at++)
    await coordinateSignature({ ...world.coordination(1, 0, `before ${at}`), include: [2] })
  stop()
  world.reopen(1)
  world.member(3).signer.close()
  for (let at = 0; at < 3; at++) {
    for (const body of batches) world.network.inject(world.packet(3, 1, body))
    await world.network.idle()
    assert.deepEqual((await world.probe(1, 0, `after ${at}`)).quorum, [1, 2])
  }
  nobody(world)
})

void test('a member that floods the leader with nonces does not make an honest signer wait for those in use', async () => {
  const world = new SigningWorld({ t: 2, n: 3, seed: 'flooded leader' })
  let batch: Uint8Array = new Uint8Array()
  world.network.rule(({ from, to, body }) => {
    const message = decodeMessage(body)
    // Signer 2 has to ask for 3's nonces, and by then 3 has published many more.
    if (message.type === 'need') return 'hold'
    if (message.type === 'package' && to === world.address(3))
      for (const later of flood(world, 3, batch)) world.network.inject(world.packet(3, 1, later))
    if (message.type !== 'batch' || from !== world.address(3)) return 'pass'
    batch = message.batch
    return to === world.address(1) ? 'pass' : 'drop'
  })
  const coordination = world.coordination(1)
  const patience = async () => {
    await coordination.patience()
    world.network.release()
    await world.network.idle()
  }
  const signed = await coordinateSignature({ ...coordination, patience, include: [2, 3] })
  assert.deepEqual([signed.quorum, signed.sessions], [[2, 3], 1])
  nobody(world)
})

void test('nonces for another key do not stand for an answer: a restarted member is not asked with its old ones', async () => {
  const schemes = ['frost-secp256k1-evm', 'frost-ed25519'] as const
  for (let seed = 0; seed < 4; seed++) {
    const world = new SigningWorld({
      t: 2,
      n: 3,
      schemes,
      seed: `two keys/${seed}`,
    })
    for (const keyId of [0, 1]) await coordinateSignature({ ...world.coordination(1, keyId), include: [2] })
    world.reopen(2)
    const both = [1, 0].map((keyId) =>
      coordinateSignature({ ...world.coordination(1, keyId, 'both at once'), include: [2] }),
    )
    for (const { quorum, sessions } of await Promise.all(both)) {
      assert.ok(quorum.includes(2))
      assert.equal(sessions, 1)
    }
    nobody(world)
  }
})

void test('two members that withhold their nonces and flood make no honest signer wait for those that the leader passes on', async () => {
  const world = new SigningWorld({ t: 3, n: 5, seed: 'flooded signer' })
  let batch: Uint8Array = new Uint8Array()
  let passed = 0
  world.network.rule((packet) => {
    const { from, to, body } = packet
    const message = decodeMessage(body)
    if (message.type !== 'batch') return 'pass'
    if (from === world.address(3)) batch = message.batch
    const two = world.address(2)
    if (to !== two || from === two) return 'pass'
    if (from === world.address(3) || from === world.address(4)) return 'drop'
    // The leader passes the two on one after the other, and the flood comes between.
    const { index } = decodeBatch(message.batch, 33).batch
    if (from !== world.address(1) || (index !== 3 && index !== 4)) return 'pass'
    passed += 1
    return index === 4 ? 'hold' : 'pass'
  })
  const coordination = world.coordination(1)
  const patience = async () => {
    await coordination.patience()
    if (passed === 2) {
      passed = 3
      for (const later of flood(world, 3, batch)) world.network.inject(world.packet(3, 2, later))
      await world.network.idle()
      world.network.release()
      await world.network.idle()
    }
  }
  const signed = await coordinateSignature({ ...coordination, patience, include: [2, 3, 4] })
  assert.deepEqual([signed.quorum, signed.sessions], [[2, 3, 4], 1])
  nobody(world)
})
