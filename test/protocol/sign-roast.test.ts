// Signing, test 43 and the promises of ROAST: silent, slow, lying and lost members, in at most n - t + 1 sessions.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { verifySignature } from '../../relayer/crypto/schnorr.ts'
import { toHex } from '../../relayer/lib/bytes.ts'
import { Secret } from '../../relayer/lib/secret.ts'
import type { Coordination } from '../../relayer/protocol/coordination.ts'
import { DisputeError, SilenceError } from '../../relayer/protocol/faults.ts'
import { coordinateSignature } from '../../relayer/protocol/roast.ts'
import { decodeMessage, type SignMessage } from '../../relayer/protocol/signwire.ts'
import { RogueLeader } from '../support/rogue-leader.ts'
import { SigningWorld } from '../support/signing.ts'

/** Drops messages of these types from these members. */
function mute(
  world: SigningWorld,
  indices: readonly number[],
  types: readonly SignMessage['type'][],
): () => void {
  const addresses = indices.map((index) => world.address(index))
  return world.network.rule((packet) =>
    addresses.includes(packet.from) && types.includes(decodeMessage(packet.body).type) ? 'drop' : 'pass',
  )
}

const blame = (world: SigningWorld) =>
  world.members.map(({ faults }) => faults.map(({ code, culprits }) => [code, culprits[0]?.index]))

const nobody = (world: SigningWorld) =>
  assert.deepEqual(
    blame(world),
    world.members.map(() => []),
  )

async function signs(coordination: Coordination) {
  const result = await coordinateSignature(coordination)
  assert.ok(verifySignature(coordination.key, coordination.digest, result.signature))
  return result
}

void test('43: n - t members that hand out nonces and then fall silent cost at most n - t sessions', async () => {
  for (let seed = 0; seed < 4; seed++) {
    const world = new SigningWorld({ t: 4, n: 7, seed: `43/${seed}` })
    mute(world, [2, 4, 6], ['share'])
    const { quorum, sessions } = await signs(world.coordination(1))
    assert.deepEqual(quorum, [1, 3, 5, 7])
    assert.ok(sessions <= 4, `${sessions} sessions`)
    nobody(world)
  }
})

void test('43: the last session of all is waited for like any other', async () => {
  for (const n of [3, 4, 5]) {
    const world = new SigningWorld({ t: n - 1, n, seed: `43/last/${n}` })
    // Whoever comes last has its nonces held back until the first session has failed.
    const open = world.network.rule(({ from, body }) => {
      const { type } = decodeMessage(body)
      return from === world.address(n) && (type === 'batch' || type === 'ready') ? 'hold' : 'pass'
    })
    mute(world, [2], ['share'])
    const coordination = world.coordination(1)
    const patience = async () => {
      await coordination.patience()
      open()
      world.network.release()
    }
    const { quorum, sessions } = await signs({ ...coordination, patience })
    assert.ok(!quorum.includes(2))
    assert.equal(sessions, 2)
    nobody(world)
  }
})

void test('43: a session that opens when another is given up is waited for before the next one opens', async () => {
  for (let seed = 0; seed < 6; seed++) {
    const world = new SigningWorld({ t: 3, n: 5, seed: `haste/${seed}` })
    mute(world, [3], ['share'])
    const { sessions } = await world.probe(1)
    assert.ok(sessions <= 2, `seed ${seed}: ${sessions} sessions`)
    nobody(world)
  }
})

void test('43: n - t members that say nothing at all cost no session', async () => {
  const world = new SigningWorld({ t: 4, n: 7, seed: '43b' })
  for (const index of [2, 4, 6]) world.network.leave(world.address(index))
  const { quorum, sessions } = await signs(world.coordination(1))
  assert.deepEqual(quorum, [1, 3, 5, 7])
  assert.equal(sessions, 1)
  nobody(world)
})

void test('43: silent and lying members together, n - t of them, still cost at most n - t sessions', async () => {
  let convicted = 0
  for (let seed = 0; seed < 3; seed++) {
    const world = new SigningWorld({ t: 3, n: 6, seed: `43c/${seed}` })
    for (const index of [2, 5]) {
      const shares = world.member(index).shares.map((share) => ({
        ...share,
        share: new Secret(new Uint8Array(32).fill(index)),
      }))
      world.reopen(index, { shares })
    }
    mute(world, [4], ['share'])
    const { quorum, sessions } = await signs(world.coordination(1))
    assert.deepEqual(quorum, [1, 3, 6])
    assert.ok(sessions <= 4, `${sessions} sessions`)
    const [seen = []] = blame(world)
    convicted += seen.length
    assert.ok(seen.every(([code, index]) => code === 'E_ZSHARE' && (index === 2 || index === 5)))
  }
  assert.ok(convicted >= 2)
})

void test('43: more than n - t silent members end in silence that names them', async () => {
  const world = new SigningWorld({ t: 4, n: 5, seed: '43d' })
  mute(world, [2, 3], ['share', 'batch', 'ready'])
  await assert.rejects(world.probe(1), (error) => {
    assert.ok(error instanceof SilenceError)
    assert.deepEqual(
      error.suspects.map(({ index }) => index),
      [2, 3],
    )
    return true
  })
  nobody(world)
})

void test('a share that comes after the leader gave its session up still counts', async () => {
  const world = new SigningWorld({ t: 2, n: 3, seed: 'late' })
  world.network.rule((packet) =>
    packet.from === world.address(2) && decodeMessage(packet.body).type === 'share' ? 'hold' : 'pass',
  )
  const coordination = { ...world.coordination(1), include: [2] }
  let waits = 0
  const patience = async () => {
    await coordination.patience()
    // The session opened in the first wait; the second one gave it up, and nobody else can take the place of 2.
    if (++waits === 4) world.network.release()
    await world.network.idle()
  }
  const { sessions } = await signs({ ...coordination, patience })
  assert.equal(sessions, 1)
  assert.equal(waits, 4)
  nobody(world)
})

void test('a leader whose patience rejects, or whose signal aborts, stops with that reason', async () => {
  const world = new SigningWorld({ t: 2, n: 3, seed: 'abort' })
  mute(world, [1, 2, 3], ['share'])
  const controller = new AbortController()
  const patience = () => new Promise<void>(() => {})
  const run = coordinateSignature({ ...world.coordination(1), patience, signal: controller.signal })
  controller.abort(new Error('the epoch is over'))
  await assert.rejects(run, /the epoch is over/)
  const tired = () => Promise.reject(new Error('no clock'))
  await assert.rejects(coordinateSignature({ ...world.coordination(1), patience: tired }), /no clock/)
})

void test('a lost batch is asked for again, and a lost package costs a session', async () => {
  const world = new SigningWorld({ t: 2, n: 3, seed: 'lost' })
  let dropped = 0
  world.network.rule((packet) => {
    const { type } = decodeMessage(packet.body)
    // Batches reach the leader only: the other signer has to ask the leader for them.
    if (type === 'batch' && packet.to !== world.address(1) && packet.from !== world.address(1)) return 'drop'
    if (type === 'package' && packet.to === world.address(3) && dropped++ === 0) return 'drop'
    return 'pass'
  })
  const { quorum } = await signs({ ...world.coordination(1), include: [2] })
  assert.ok(quorum.includes(2))
  nobody(world)
})

void test('a leader that asks without end is offered the same nonces after the first 64', async () => {
  const world = new SigningWorld({ t: 2, n: 3, seed: 'greedy' })
  const greedy = new RogueLeader(world, 1)
  for (let round = 0; round < 30; round++) {
    greedy.send(2, { type: 'ask', ref: greedy.book.ref, boot: new Uint8Array(16) })
    await world.network.idle()
  }
  const batches = greedy.heard.flatMap(({ message }) =>
    message.type === 'batch' ? [toHex(message.batch)] : [],
  )
  assert.equal(batches.length, 30)
  assert.equal(new Set(batches).size, 8)
  assert.equal((await world.probe(3)).sessions, 1)
  nobody(world)
})

void test('a member asked for by name that refuses ends the run at once, with its reason', async () => {
  const world = new SigningWorld({ t: 2, n: 3, seed: 'refuse' })
  world.reopen(3, {
    authorize: () => {
      throw new Error('not before noon')
    },
  })
  const refusals: string[] = []
  await assert.rejects(
    coordinateSignature({
      ...world.coordination(1),
      include: [3],
      onRefusal: (index, reason) => refusals.push(`${index}: ${reason}`),
    }),
    (error) => error instanceof DisputeError && /3 \(E_POLICY: not before noon\)/.test(error.message),
  )
  assert.deepEqual(refusals, ['3: E_POLICY: not before noon'])
  assert.ok((await world.probe(1)).quorum.length === 2)
  nobody(world)
})

void test('a wrong share in a session that is given up for the silence of another convicts its signer all the same', async () => {
  const world = new SigningWorld({ t: 3, n: 5, seed: 'given up' })
  const bad = world.member(2).shares.map((share) => ({
    ...share,
    share: new Secret(new Uint8Array(32).fill(1)),
  }))
  world.reopen(2, { shares: bad })
  mute(world, [3], ['share'])
  // Asked for by name, both are in the first session; the others sign without them.
  const order = { ...world.coordination(1), include: [2, 3] }
  await assert.rejects(coordinateSignature(order))
  assert.deepEqual(blame(world)[0], [['E_ZSHARE', 2]])
  const { quorum } = await signs(world.coordination(1, 0, 'without them'))
  assert.ok(!quorum.includes(3))
})
