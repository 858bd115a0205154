// Signing, tests 34, 35, 39 and 41: members that sign wrongly, and what signers refuse to sign; verdict and blame at everybody.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { H } from '../../relayer/crypto/hash.ts'
import { verifySignature } from '../../relayer/crypto/schnorr.ts'
import { TAG } from '../../relayer/crypto/tags.ts'
import { concat, fromHex } from '../../relayer/lib/bytes.ts'
import { Secret } from '../../relayer/lib/secret.ts'
import { DisputeError, FaultError } from '../../relayer/protocol/faults.ts'
import { decodeBatch, encodeBatch } from '../../relayer/protocol/nonces.ts'
import { coordinateSignature } from '../../relayer/protocol/roast.ts'
import { hashedCommittee } from '../../relayer/protocol/party.ts'
import { isSignEvidence, verifySignEvidence } from '../../relayer/protocol/signfault.ts'
import { decodeMessage, encodeMessage } from '../../relayer/protocol/signwire.ts'
import { RogueLeader } from '../support/rogue-leader.ts'
import { dealKeys, DOMAIN, FROST_SCHEMES, SigningWorld } from '../support/signing.ts'

/** Who was convicted of what, at each member in order. */
const blame = (world: SigningWorld) =>
  world.members.map(({ faults }) =>
    faults.map(({ code, culprits }) => [code, culprits.map(({ index }) => index)]),
  )

/** A member's shares with a secret that is not its own. */
function withSecrets(world: SigningWorld, index: number, secretOf: (keyId: number) => Uint8Array) {
  return world.member(index).shares.map((share) => ({ ...share, share: new Secret(secretOf(share.keyId)) }))
}

void test('35: a wrong signature share convicts its signer with E_ZSHARE, and the others sign without it', async () => {
  for (const [keyId] of FROST_SCHEMES.entries()) {
    const world = new SigningWorld({ t: 3, n: 5, schemes: FROST_SCHEMES, seed: `35/${keyId}` })
    world.reopen(4, { shares: withSecrets(world, 4, () => new Uint8Array(32).fill(1)) })
    const coordination = world.coordination(1, keyId)
    const { signature, quorum, sessions } = await coordinateSignature({ ...coordination, include: [] })
    // The liar may have been quicker or slower than the others; asked for by name, it is caught.
    if (blame(world)[0]?.length === 0)
      await assert.rejects(
        coordinateSignature({ ...world.coordination(1, keyId, 'with 4'), include: [4] }),
        FaultError,
      )
    assert.ok(!quorum.includes(4) && sessions <= 2)
    assert.ok(verifySignature(coordination.key, coordination.digest, signature))
    assert.deepEqual(blame(world), [[['E_ZSHARE', [4]]], [], [], [], []])
    const evidence = world.member(1).faults[0]?.evidence ?? new Uint8Array()
    assert.ok(isSignEvidence(evidence))
    assert.deepEqual(verifySignEvidence(evidence, world.committee)?.culprit.address, world.address(4))
  }
})

void test('35: a share of a larger number than the group order convicts too', async () => {
  const world = new SigningWorld({ t: 2, n: 3, seed: '35z' })
  const rogue = world.address(2)
  world.network.rule((packet) => {
    const message = decodeMessage(packet.body)
    if (packet.from !== rogue || message.type !== 'share') return 'pass'
    const z = new Uint8Array(32).fill(0xff)
    const signature = world.member(2).operator.sign(H(TAG.signShare, message.hash, message.digest, z))
    return [{ ...packet, body: encodeMessage({ ...message, z, signature }) }]
  })
  await assert.rejects(coordinateSignature({ ...world.coordination(1), include: [2] }), (error) => {
    assert.ok(error instanceof FaultError)
    assert.equal(error.code, 'E_ZSHARE')
    assert.deepEqual(
      error.culprits.map(({ address }) => address),
      [rogue],
    )
    return true
  })
  assert.deepEqual(blame(world), [[['E_ZSHARE', [2]]], [], []])
})

void test('evidence against an honest signer convinces nobody', async () => {
  const world = new SigningWorld({ t: 2, n: 3, seed: 'frame' })
  world.reopen(2, { shares: withSecrets(world, 2, () => new Uint8Array(32).fill(1)) })
  await assert.rejects(coordinateSignature({ ...world.coordination(1), include: [2] }), FaultError)
  const evidence = world.member(1).faults[0]?.evidence
  assert.ok(evidence)
  for (let at = 0; at < evidence.length; at += 7) {
    const bent = evidence.slice()
    bent[at] = (bent[at] ?? 0) ^ 1
    assert.equal(verifySignEvidence(bent, world.committee), null, `byte ${at}`)
  }
  const [one, two, three] = world.committee.members
  assert.ok(one && two && three)
  const strangers = { ...world.committee, members: [two, one, three] }
  assert.equal(verifySignEvidence(evidence, strangers), null)
})

void test('34: a share of an earlier sharing of the same key fails against the new verification shares', async () => {
  const world = new SigningWorld({ t: 2, n: 3, seed: '34' })
  // The same index in another sharing: what a member has that kept its share of the epoch before.
  const [old] = dealKeys({ seed: '34/old', t: 2, n: 3, schemes: ['frost-secp256k1-evm'] })[1] ?? []
  assert.ok(old)
  world.reopen(2, { shares: withSecrets(world, 2, () => old.share.expose()) })
  await assert.rejects(coordinateSignature({ ...world.coordination(3), include: [2] }), FaultError)
  assert.deepEqual(blame(world), [[], [], [['E_ZSHARE', [2]]]])
})

void test('34: what a removed member says is not heard, and it gets no nonces', async () => {
  const world = new SigningWorld({ t: 2, n: 4, seed: '34b' })
  const { members } = world.committee
  const remaining = hashedCommittee(DOMAIN, { epoch: 4, members: members.slice(0, 3), threshold: 2 })
  const keys = dealKeys({ seed: '34b/new', t: 2, n: 3, schemes: ['frost-secp256k1-evm'] })
  const transcript = new Uint8Array(32).fill(4)
  const fresh = { epoch: 4, attempt: 0, transcript, committeeHash: remaining.hash }
  for (const index of [1, 2, 3])
    world.reopen(index, { ...fresh, shares: keys[index - 1] ?? [], committee: remaining })
  const removed = new RogueLeader(world, 4)
  for (const index of [1, 2, 3])
    removed.send(index, { type: 'ask', ref: { ...fresh, keyId: 0 }, boot: new Uint8Array(16) })
  await world.network.idle()
  assert.deepEqual(removed.heard, [])
  assert.deepEqual(blame(world), [[], [], [], []])
})

void test('39: a member that publishes an invalid point is convicted with E_POINT, and the others sign without it', async () => {
  const torsion = fromHex('26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05')
  const identity = Uint8Array.of(1, ...new Uint8Array(31))
  const cases = [
    { schemes: ['frost-ed25519'], bad: torsion },
    { schemes: ['frost-ed25519'], bad: identity },
    { schemes: ['frost-secp256k1-evm'], bad: new Uint8Array(33) },
    { schemes: ['frost-secp256k1-bip340'], bad: Uint8Array.of(2, ...new Uint8Array(32).fill(0xff)) },
  ] as const
  for (const [at, { schemes, bad }] of cases.entries()) {
    const world = new SigningWorld({ t: 2, n: 3, schemes, seed: `39/${at}` })
    world.member(3).signer.close()
    const ref = { ...world.common, keyId: 0 }
    const { mailbox, operator } = world.member(3)
    mailbox.onMessage((from, body) => {
      if (decodeMessage(body).type !== 'ask') return
      const boot = { counter: 90, id: new Uint8Array(16).fill(9) }
      const batch = encodeBatch(ref, { index: 3, boot, leader: from, first: 1, points: [bad, bad] }, operator)
      mailbox.send(from, encodeMessage({ type: 'batch', batch }))
    })
    await assert.rejects(coordinateSignature({ ...world.coordination(1), include: [3] }), (error) => {
      assert.ok(error instanceof FaultError)
      assert.equal(error.code, 'E_POINT')
      return true
    })
    assert.deepEqual(blame(world), [[['E_POINT', [3]]], [], []])
    assert.deepEqual((await world.probe(2)).quorum, [1, 2])
  }
})

void test('39: a signer handed an invalid point in a package refuses and convicts whoever published it', async () => {
  const world = new SigningWorld({ t: 2, n: 3, seed: '39s' })
  const rogue = new RogueLeader(world, 1)
  const [two] = await rogue.collect([2])
  assert.ok(two)
  const bad = concat(Uint8Array.of(2), new Uint8Array(32).fill(0xff))
  const boot = { counter: 90, id: new Uint8Array(16).fill(9) }
  const published = { index: 3, boot, leader: rogue.address, first: 1, points: [bad, bad] }
  const batch = encodeBatch(rogue.book.ref, published, world.member(3).operator)
  rogue.send(2, { type: 'batch', batch })
  const { digest } = decodeBatch(batch, 33)
  const three = { index: 3, batch: digest, boot: boot.id, counter: 1, hiding: bad, binding: bad }
  const answer = (await rogue.propose(rogue.package([two, three]), [2])).get(2)
  assert.ok(answer?.type === 'refuse' && answer.code === 'E_POINT')
  assert.deepEqual(blame(world), [[], [['E_POINT', [3]]], []])
})

void test('a member cannot have an honest leader convicted by publishing two values for one nonce', async () => {
  const world = new SigningWorld({ t: 2, n: 4, seed: 'two batches' })
  // Member 3 answers the leader truly, but shows member 2 another batch under the same counters.
  const { operator } = world.member(3)
  world.network.rule((packet) => {
    const message = decodeMessage(packet.body)
    if (message.type !== 'batch' || packet.from !== operator.address || packet.to !== world.address(2))
      return 'pass'
    const { ref, batch } = decodeBatch(message.batch, 33)
    const bent = encodeBatch(ref, { ...batch, points: [...batch.points].reverse() }, operator)
    return [{ ...packet, body: encodeMessage({ type: 'batch', batch: bent }) }]
  })
  // Signer 2 is handed the batch that the leader named: it signs with that, and has the proof against 3.
  const { quorum } = await coordinateSignature({ ...world.coordination(1), include: [2, 3] })
  assert.deepEqual(quorum, [2, 3])
  assert.deepEqual(blame(world), [[], [['E_EQUIV', [3]]], [], []])
  const evidence = world.member(2).faults[0]?.evidence ?? new Uint8Array()
  assert.deepEqual(verifySignEvidence(evidence, world.committee)?.culprit.index, 3)
  // A leader that holds the proof signs without the culprit.
  await assert.rejects(coordinateSignature({ ...world.coordination(2, 0, 'more'), include: [3] }), FaultError)
  assert.ok(!(await world.probe(2, 0, 'and more')).quorum.includes(3))
})

void test('41: what no signer can derive from the chain is refused with E_POLICY by each, and nobody is convicted', async () => {
  const world = new SigningWorld({ t: 2, n: 3, seed: '41' })
  const message = {
    scheme: 1,
    groupKey: `0x${'11'.repeat(64)}`,
    destinationChainId: 1,
    destinationBridge: world.address(1),
  } as const
  const coordination = world.coordination(1)
  await assert.rejects(
    coordinateSignature({ ...coordination, payload: { type: 'set-group-key', message } }),
    (error) => {
      assert.ok(error instanceof DisputeError)
      assert.equal(error.code, 'E_POLICY')
      assert.match(error.message, /E_POLICY: no policy for set-group-key/)
      assert.equal(error.suspects.length, 2)
      return true
    },
  )
  assert.deepEqual(blame(world), [[], [], []])
})

void test('41: a leader that expects another digest than the signers compute gets no signature over it', async () => {
  const world = new SigningWorld({ t: 2, n: 3, seed: '41b' })
  const wrong = { ...world.coordination(1), digest: new Uint8Array(32).fill(0xdd) }
  await assert.rejects(coordinateSignature(wrong), /signed another digest/)
  assert.deepEqual(blame(world), [[], [], []])
})
