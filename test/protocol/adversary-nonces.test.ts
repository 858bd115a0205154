// Nonces and packages as weapons: replays, floods and early boots cost their sender, never an honest signer or leader.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { NonceBook } from '../../relayer/protocol/noncebook.ts'
import { decodeBatch, encodeBatch, type NonceBatch } from '../../relayer/protocol/nonces.ts'
import { coordinateSignature } from '../../relayer/protocol/roast.ts'
import { verifySignEvidence } from '../../relayer/protocol/signfault.ts'
import { decodeMessage, encodeMessage } from '../../relayer/protocol/signwire.ts'
import { settle } from '../support/fake-clock.ts'
import { member } from '../support/numbered.ts'
import { RogueLeader } from '../support/rogue-leader.ts'
import { SigningWorld } from '../support/signing.ts'
import type { Packet } from '../support/sim-network.ts'

/** Who was convicted of what, at each member in order. */
const blame = (world: SigningWorld) =>
  world.members.map(({ faults }) =>
    faults.map(({ code, culprits }) => [code, culprits.map(({ index }) => index)]),
  )

/** Lets a member sign other batches than its node does. */
function bend(
  world: SigningWorld,
  index: number,
  change: (batch: NonceBatch, packet: Packet) => NonceBatch,
): void {
  const { operator } = world.member(index)
  world.network.rule((packet) => {
    const message = decodeMessage(packet.body)
    if (message.type !== 'batch' || packet.from !== operator.address) return 'pass'
    const { ref, batch } = decodeBatch(message.batch, 33)
    if (batch.index !== index) return 'pass'
    const bent = encodeBatch(ref, change(batch, packet), operator)
    return [{ ...packet, body: encodeMessage({ type: 'batch', batch: bent }) }]
  })
}

void test('batches of a member for leaders outside the committee are not kept', () => {
  const world = new SigningWorld({ t: 2, n: 3, seed: 'strangers' })
  const { operator, shares } = world.member(2)
  const [key] = shares
  assert.ok(key)
  const ref = { ...world.common, keyId: 0 }
  const book = new NonceBook(ref, world.committee, 'frost-secp256k1-evm')
  const points = [
    key.verificationShares[0] ?? new Uint8Array(),
    key.verificationShares[1] ?? new Uint8Array(),
  ]
  const boot = { counter: 1, id: new Uint8Array(16).fill(1) }
  const kept = Array.from({ length: 200 }, (_, at) => {
    const leader = member(at + 1)
    const bytes = encodeBatch(ref, { index: 2, boot, leader, first: 10 * at, points }, operator)
    book.add(bytes, operator.address)
    return book.batchOf({ index: 2, batch: decodeBatch(bytes, 33).digest })
  }).filter((bytes) => bytes !== undefined)
  assert.equal(kept.length, 0)
})

void test('old batches that somebody replays to a leader do not make it use spent nonces', async () => {
  const world = new SigningWorld({ t: 2, n: 3, seed: 'replayed batches' })
  world.reopen(2, { batchSize: 1 })
  const batches: Uint8Array[] = []
  const forget = world.network.rule((packet) => {
    const { type } = decodeMessage(packet.body)
    if (type === 'batch' && packet.from === world.address(2) && packet.to === world.address(1))
      batches.push(packet.body)
    return 'pass'
  })
  const signed = async (text: string) => {
    const { quorum } = await coordinateSignature({ ...world.coordination(1, 0, text), include: [2] })
    assert.ok(quorum.includes(2))
  }
  for (let at = 0; at < 12; at++) await signed(`before ${at}`)
  forget()
  for (const from of [2, 3]) for (const body of batches) world.network.inject(world.packet(from, 1, body))
  await world.network.idle()
  for (let at = 0; at < 4; at++) await signed(`after ${at}`)
  assert.deepEqual(blame(world), [[], [], []])
})

void test('a member that shows others a later boot than the leader makes no honest signer look silent', async () => {
  for (const later of [1000, 0]) {
    const world = new SigningWorld({ t: 2, n: 3, seed: `boots/${later}` })
    bend(world, 3, (batch, { to }) =>
      to === world.address(1)
        ? batch
        : { ...batch, boot: { counter: batch.boot.counter + later, id: new Uint8Array(16).fill(0xb0) } },
    )
    const { quorum, sessions } = await coordinateSignature({ ...world.coordination(1), include: [2, 3] })
    assert.deepEqual([quorum, sessions], [[2, 3], 1])
    assert.deepEqual(blame(world), [[], [], []])
  }
})

void test('packages beyond the last session do not hide two packages of one session', async () => {
  const world = new SigningWorld({ t: 2, n: 4, seed: 'beyond' })
  const rogue = new RogueLeader(world, 1)
  const entries = await Promise.all(Array.from({ length: 8 }, () => rogue.collect([2, 3])))
  for (const [at, each] of entries.slice(0, 6).entries())
    await rogue.propose(rogue.package(each, { session: 100 + at }), [2])
  const [one, other] = entries.slice(6)
  assert.ok(one && other)
  assert.equal((await rogue.propose(rogue.package(one), [2])).get(2)?.type, 'share')
  const answer = (await rogue.propose(rogue.package(other), [2])).get(2)
  assert.ok(answer?.type === 'refuse' && answer.code === 'E_EQUIV')
  assert.deepEqual(blame(world), [[], [['E_EQUIV', [1]]], [], []])
  const { evidence = new Uint8Array() } = world.member(2).faults[0] ?? {}
  assert.equal(verifySignEvidence(evidence, world.committee)?.culprit.index, 1)
})

void test('a leader that floods a signer with packages does not push those of another leader out', async () => {
  const world = new SigningWorld({ t: 2, n: 4, seed: 'flood' })
  const rogue = new RogueLeader(world, 1)
  const [two, three] = await rogue.collect([2, 3])
  assert.ok(two && three)
  // Signer 2 hears of 4's nonces from the leader only, and late.
  world.network.rule((packet) => {
    if (decodeMessage(packet.body).type !== 'batch' || packet.to !== world.address(2)) return 'pass'
    return packet.from === world.address(4) ? 'drop' : 'hold'
  })
  const patience = Promise.withResolvers<undefined>()
  const signing = coordinateSignature({
    ...world.coordination(3),
    include: [2, 4],
    patience: () => patience.promise,
  })
  await world.network.idle()
  for (let at = 0; at < 80; at++) {
    const run = new Uint8Array(16).fill(at)
    const request = {
      ref: rogue.book.ref,
      payload: { type: 'probe', probe: { keyId: 0, epoch: 3, text: 'flood' } },
      run,
    } as const
    rogue.send(2, rogue.package([two, { ...three, batch: new Uint8Array(32).fill(9) }], { request }))
  }
  await world.network.idle()
  world.network.release()
  await world.network.idle()
  patience.reject(new Error('the package of the honest leader is gone'))
  const { quorum, sessions } = await signing
  assert.deepEqual([quorum, sessions], [[2, 4], 1])
  assert.deepEqual(blame(world), [[], [], [], []])
})

void test('42: a restarted member whose new nonces are lost once is asked again, and signs', async () => {
  const world = new SigningWorld({ t: 2, n: 3, seed: 'lost after restart' })
  assert.ok((await coordinateSignature({ ...world.coordination(1), include: [2] })).quorum.includes(2))
  world.reopen(2)
  let lost = 0
  world.network.rule((packet) => {
    const toLeader = packet.from === world.address(2) && packet.to === world.address(1)
    return toLeader && decodeMessage(packet.body).type === 'batch' && lost++ === 0 ? 'drop' : 'pass'
  })
  const { quorum } = await coordinateSignature({ ...world.coordination(1, 0, 'again'), include: [2] })
  assert.ok(quorum.includes(2))
  assert.equal(lost > 1, true)
  assert.deepEqual(blame(world), [[], [], []])
})

void test('37: of many packages with one nonce at the same time the owner is asked about one', async () => {
  const world = new SigningWorld({ t: 2, n: 3, seed: 'at once' })
  let asked = 0
  const word = Promise.withResolvers<Uint8Array>()
  world.reopen(2, {
    authorize: () => {
      asked += 1
      return word.promise
    },
  })
  const rogue = new RogueLeader(world, 1)
  const entries = await rogue.collect([2, 3])
  for (let at = 0; at < 20; at++) {
    const request = {
      ref: rogue.book.ref,
      payload: { type: 'probe', probe: { keyId: 0, epoch: 3, text: 'now' } },
      run: new Uint8Array(16).fill(at),
    } as const
    rogue.send(2, rogue.package(entries, { request }))
  }
  await world.network.idle()
  word.resolve(new Uint8Array(32))
  await settle()
  await world.network.idle()
  assert.equal(asked, 1)
  const answers = rogue.heard.filter(({ index }) => index === 2).map(({ message: { type } }) => type)
  assert.ok(answers.filter((type) => type === 'share').length <= 1)
  assert.equal(answers.filter((type) => type === 'share' || type === 'refuse').length, 20)
  assert.deepEqual(blame(world), [[], [], []])
})
