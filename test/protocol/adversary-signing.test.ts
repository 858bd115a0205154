// A corrupt signer that says anything at all: an honest leader still gets its signature, and nobody honest is convicted or given up.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { decodeBatch, encodeBatch, type NonceBatch } from '../../relayer/protocol/nonces.ts'
import { coordinateSignature } from '../../relayer/protocol/roast.ts'
import { verifySignEvidence } from '../../relayer/protocol/signfault.ts'
import {
  decodeMessage,
  encodeMessage,
  type SignMessage,
  shareDigest,
} from '../../relayer/protocol/signwire.ts'
import { seededChooser } from '../support/seeded-rng.ts'
import { SigningWorld } from '../support/signing.ts'
import type { Packet } from '../support/sim-network.ts'

const CHEATER = 4

/** Replaces what the cheater says, by a seed; what it signed it signs again. */
function chaos(world: SigningWorld, seed: number): void {
  const choose = seededChooser(`signing chaos/${seed}`)
  const { operator } = world.member(CHEATER)
  const old: Uint8Array[] = []
  const bentBatch = (batch: NonceBatch): NonceBatch => {
    switch (choose(6)) {
      case 0:
        return { ...batch, boot: { ...batch.boot, counter: batch.boot.counter + choose(3) } }
      case 1:
        return { ...batch, boot: { ...batch.boot, id: new Uint8Array(16).fill(choose(256)) } }
      case 2:
        return { ...batch, points: [...batch.points].reverse() }
      case 3:
        return { ...batch, points: batch.points.with(choose(2), new Uint8Array(33).fill(2)) }
      case 4:
        return { ...batch, first: batch.first + choose(20) }
      default:
        return { ...batch, leader: world.address(1 + choose(5)) }
    }
  }
  const bent = (message: SignMessage): SignMessage => {
    if (message.type === 'batch') {
      const { ref, batch } = decodeBatch(message.batch, 33)
      return batch.index === CHEATER
        ? { ...message, batch: encodeBatch(ref, bentBatch(batch), operator) }
        : message
    }
    if (message.type !== 'share') return message
    const { hash } = message
    const digest = choose(3) === 0 ? new Uint8Array(32).fill(1) : message.digest
    const z = new Uint8Array(32).fill(choose(256))
    if (choose(4) === 0) return { type: 'refuse', hash, code: 'E_B', reason: 'no' }
    if (choose(4) === 0) return { type: 'need', hash, indices: [1, 2, 3] }
    return { ...message, digest, z, signature: operator.sign(shareDigest(hash, digest, z)) }
  }
  world.network.rule((packet) => {
    if (packet.from !== operator.address) return 'pass'
    old.push(packet.body)
    const again: Packet = { ...packet, body: old[choose(old.length)] ?? packet.body }
    const lie: Packet = { ...packet, body: encodeMessage(bent(decodeMessage(packet.body))) }
    switch (choose(6)) {
      case 0:
        return 'drop'
      case 1:
        return [packet, again]
      case 2:
        return [lie, packet]
      case 3:
        return [lie]
      default:
        return 'pass'
    }
  })
}

void test('one corrupt signer of five, three needed, never keeps an honest leader from its signature', async () => {
  let convicted = 0
  for (let seed = 0; seed < 12; seed++) {
    const world = new SigningWorld({ t: 3, n: 5, seed: `chaos/${seed}` })
    world.reopen(2, { batchSize: 1 })
    chaos(world, seed)
    for (const leader of [1, 2, 5]) {
      const refusals: number[] = []
      const { quorum, sessions } = await coordinateSignature({
        ...world.coordination(leader, 0, `by ${leader}`),
        onRefusal: (index) => refusals.push(index),
      })
      assert.equal(quorum.length, 3)
      assert.ok(sessions <= 3)
      assert.ok(
        refusals.every((index) => index === CHEATER),
        `seed ${seed}: ${refusals.join()} refused`,
      )
    }
    for (const fault of world.members.flatMap(({ faults }) => faults)) {
      convicted += 1
      assert.deepEqual(
        fault.culprits.map(({ index }) => index),
        [CHEATER],
        `seed ${seed}: ${fault.message}`,
      )
      assert.equal(verifySignEvidence(fault.evidence, world.committee)?.culprit.index, CHEATER)
    }
  }
  assert.ok(convicted > 0)
})
