// Signing, tests 36 to 38, 40 and 42: packages that a leader must not send, and what each honest signer makes of them.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { FrostKey } from '../../relayer/crypto/frost.ts'
import type { NonceEntry } from '../../relayer/protocol/nonces.ts'
import { partyOf, signFault, verifySignEvidence } from '../../relayer/protocol/signfault.ts'
import type { SignMessage, SignRequest } from '../../relayer/protocol/signwire.ts'
import { RogueLeader } from '../support/rogue-leader.ts'
import { SigningWorld } from '../support/signing.ts'

/** Asserts that an answer is a refusal with a code, for a reason. */
function refused(answer: SignMessage | undefined, code: string, reason: RegExp): void {
  assert.ok(answer?.type === 'refuse', `${answer?.type ?? 'no answer'} instead of a refusal`)
  assert.equal(answer.code, code)
  assert.match(answer.reason, reason)
}

/** A 2-of-4 committee led by a rogue member 1, who holds a nonce of each of the others. */
async function rogueWorld(seed: string) {
  const world = new SigningWorld({ t: 2, n: 4, seed })
  const rogue = new RogueLeader(world, 1)
  const [two, three, four] = await rogue.collect([2, 3, 4])
  assert.ok(two && three && four)
  return { world, rogue, two, three, four }
}

const noFaults = (world: SigningWorld) =>
  assert.deepEqual(
    world.members.flatMap(({ faults }) => faults),
    [],
  )

void test('36: a nonce that is not in the pool, or of another boot, is refused with E_B', async () => {
  const changes: ((other: NonceEntry) => Partial<NonceEntry>)[] = [
    () => ({ counter: 100 }),
    () => ({ boot: new Uint8Array(16).fill(0xee) }),
    ({ hiding }) => ({ hiding }),
    ({ binding }) => ({ binding }),
  ]
  for (const [at, change] of changes.entries()) {
    const { world, rogue, two, three } = await rogueWorld(`36/${at}`)
    const sealed = rogue.package([{ ...two, ...change(three) }, three])
    refused(
      (await rogue.propose(sealed, [2])).get(2),
      'E_B',
      /our nonce is spent, of an earlier boot, or not ours/,
    )
    noFaults(world)
  }
})

void test('36: a nonce of another member that nobody knows is asked for, and never signed with', async () => {
  const { world, rogue, two, three } = await rogueWorld('36b')
  const sealed = rogue.package([two, { ...three, batch: new Uint8Array(32) }])
  const answers = await rogue.propose(sealed, [2])
  assert.equal(answers.get(2), undefined)
  assert.ok(rogue.heard.some(({ message }) => message.type === 'need' && message.indices.includes(3)))
  noFaults(world)
})

void test('36: a leader that puts another nonce in than its owner published is convicted with E_B', async () => {
  const { world, rogue, two, three, four } = await rogueWorld('36c')
  const answers = await rogue.propose(rogue.package([two, { ...three, hiding: four.hiding }]), [2])
  refused(answers.get(2), 'E_B', /not the one that it published/)
  const [fault] = world.member(2).faults
  assert.ok(fault)
  assert.equal(fault.code, 'E_B')
  assert.deepEqual(fault.culprits, [partyOf(world.committee, rogue.address)])
  assert.deepEqual(verifySignEvidence(fault.evidence, world.committee)?.culprit.index, 1)
  assert.deepEqual([...world.member(3).faults, ...world.member(4).faults], [])
})

void test('37: the same nonce twice is refused, in another session and for another leader', async () => {
  const { world, rogue, two, three, four } = await rogueWorld('37')
  const first = await rogue.propose(rogue.package([two, three]), [2])
  assert.equal(first.get(2)?.type, 'share')
  const again = await rogue.propose(rogue.package([two, four], { session: 2 }), [2])
  refused(again.get(2), 'E_B', /spent/)
  const other = new RogueLeader(world, 4)
  const [mine] = await other.collect([2])
  assert.ok(mine)
  for (const { index, message } of rogue.heard)
    if (message.type === 'batch') other.book.add(message.batch, world.address(index))
  const stolen = await other.propose(other.package([mine, three]), [3])
  refused(stolen.get(3), 'E_B', /spent|not ours/)
  noFaults(world)
})

void test('37: the same package twice is answered once', async () => {
  const { world, rogue, two, three } = await rogueWorld('37b')
  const sealed = rogue.package([two, three])
  assert.equal((await rogue.propose(sealed, [2])).get(2)?.type, 'share')
  assert.equal((await rogue.propose(sealed, [2])).size, 0)
  noFaults(world)
})

void test('38: signer sets with duplicates, out of order, with index 0 or n + 1, too small or too large are refused', async () => {
  const { world, rogue, two, three, four } = await rogueWorld('38')
  const sets: NonceEntry[][] = [
    [two, two],
    [three, two],
    [{ ...three, index: 0 }, two],
    [two, { ...three, index: 5 }],
    [two],
    [two, three, four],
  ]
  for (const [at, entries] of sets.entries()) {
    const sealed = rogue.package(entries, { request: requestOf(world, rogue, at + 10) })
    refused((await rogue.propose(sealed, [2])).get(2), 'E_B', /no sorted set of 2 from 1 to 4/)
  }
  // A refused package burns the nonce that it named.
  const late = rogue.package([two, three], { request: requestOf(world, rogue, 99) })
  refused((await rogue.propose(late, [2])).get(2), 'E_B', /spent/)
  noFaults(world)
})

void test('38: a package without the receiver, of another scheme or other commitments is refused', async () => {
  const { world, rogue, two, three, four } = await rogueWorld('38b')
  refused((await rogue.propose(rogue.package([three, four]), [2])).get(2), 'E_B', /not in the signer set/)
  for (const [session, changes] of [
    [2, { scheme: 'frost-secp256k1-bip340' as const }],
    [3, { commitmentsHash: new Uint8Array(32) }],
  ] as const) {
    const sealed = rogue.package([two, three], { session, ...changes })
    refused((await rogue.propose(sealed, [2])).get(2), 'E_B', /other commitments/)
  }
  noFaults(world)
})

void test('40: different packages to different signers give no signature, honest shares hold, and the leader is convicted', async () => {
  const { world, rogue, two, three } = await rogueWorld('40')
  const [otherTwo] = await rogue.collect([2])
  assert.ok(otherTwo)
  const [forTwo, forThree] = [rogue.package([two, three]), rogue.package([otherTwo, three])]
  const z2 = rogue.shareOf(2, (await rogue.propose(forTwo, [2])).get(2), forTwo)
  const z3 = rogue.shareOf(3, (await rogue.propose(forThree, [3])).get(3), forThree)
  const key = new FrostKey({ ...rogue.key, scheme: 'frost-secp256k1-evm' })
  const shares = new Map([
    [2, z2.z],
    [3, z3.z],
  ])
  assert.equal(key.aggregate([two, three], z2.digest, shares).signature, undefined)
  assert.ok(key.verifyShare([two, three], z2.digest, { index: 2, z: z2.z }))
  assert.ok(key.verifyShare([otherTwo, three], z3.digest, { index: 3, z: z3.z }))
  // Whoever sees both packages, here by the two signers showing what they got, convicts the leader and nobody else.
  const fault = signFault({ kind: 'packages', first: forTwo, second: forThree }, world.committee)
  assert.equal(fault.code, 'E_EQUIV')
  assert.deepEqual(fault.culprits, [partyOf(world.committee, rogue.address)])
  // A signer that gets both sees it for itself.
  refused((await rogue.propose(forThree, [2])).get(2), 'E_EQUIV', /another package/)
  assert.deepEqual(
    world.member(2).faults.map(({ code, culprits }) => [code, culprits[0]?.index]),
    [['E_EQUIV', 1]],
  )
  assert.deepEqual([...world.member(3).faults, ...world.member(4).faults], [])
})

void test('42: after a restart between commitment and signing the old nonces are unusable, and the new ones sign', async () => {
  const { world, rogue, two, three } = await rogueWorld('42')
  world.reopen(2)
  refused((await rogue.propose(rogue.package([two, three]), [2])).get(2), 'E_B', /earlier boot/)
  const [fresh] = await rogue.collect([2])
  assert.ok(fresh)
  assert.equal(
    (await rogue.propose(rogue.package([fresh, three], { session: 2 }), [2])).get(2)?.type,
    'share',
  )
  const { sessions } = await world.probe(3)
  assert.equal(sessions, 1)
  noFaults(world)
})

void test('42: a leader that holds nonces of an earlier boot asks first and loses no session', async () => {
  const world = new SigningWorld({ t: 3, n: 3, seed: '42b' })
  await world.probe(1)
  world.reopen(3)
  assert.equal((await world.probe(1, 0, 'again')).sessions, 1)
  noFaults(world)
})

void test('a signer opens at most n - t + 1 sessions of one request', async () => {
  const { world, rogue, two, three } = await rogueWorld('cap')
  for (const session of [0, 4])
    refused(
      (await rogue.propose(rogue.package([two, three], { session }), [2])).get(2),
      'E_POLICY',
      /at most 3 sessions/,
    )
  noFaults(world)
})

/** A request of a run of its own. */
function requestOf(world: SigningWorld, rogue: RogueLeader, run: number): SignRequest {
  const probe = { keyId: 0, epoch: world.common.epoch, text: 'are you there?' }
  return { ref: rogue.book.ref, payload: { type: 'probe', probe }, run: new Uint8Array(16).fill(run) }
}
