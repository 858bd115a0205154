// The committee's life on chain: Idle, keygen, reshare, refresh, a further key, cancellation, completion; with every event.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Address } from '../../relayer/lib/bytes.ts'
import { BridgeWorld } from '../support/bridge-world.ts'
import { GroupKey } from '../support/group-key.ts'
import { addressOfPerson, people, word } from '../support/people.ts'

const [IDLE, KEYGEN, COMPLETE, RESHARING, ACTIVE] = [0n, 1n, 2n, 3n, 4n]
const [NONE, PENDING, RUNNING, SUPERSEDED, BURNED] = [0n, 1n, 2n, 3n, 4n]
const [RESHARE, REFRESH, ADD_KEY] = [1n, 2n, 3n]
const names = (logs: readonly { name: string }[]) => logs.map(({ name }) => name)

test('a new Bridge is idle, has its first committee in ascending order, and a key 0 without a group key', async () => {
  const world = await BridgeWorld.deploy({ n: 5, threshold: 3, scheme: 0, windowBlocks: 33 })
  const state = await world.state()
  assert.deepEqual(state.members, people(0, 5).sort())
  assert.deepEqual(
    { ...state, members: [] },
    {
      phase: IDLE,
      epoch: 0n,
      members: [],
      threshold: 3n,
      pending: { kind: 0n, epoch: 0n, predecessor: 0n, startBlock: 0n, windowBlocks: 0n, addedScheme: 255n },
      keys: [{ keyId: 0n, scheme: 0n, groupKey: '0x' }],
      attemptWindowBlocks: 33n,
      requireDeletionQuorum: true,
      outstandingEpoch: 0n,
    },
  )
  assert.equal((await world.info(1)).status, NONE)
})

for (const scheme of [0, 1]) {
  test(`keygen of a key of scheme ${scheme}: epoch 1 runs and is complete at once`, async () => {
    const world = await BridgeWorld.deploy({ scheme })
    const started = await world.send('startKeygen')
    const { committeeHash } = await world.info(1)
    assert.deepEqual(started.logs, [
      { name: 'StartKeygen', args: [] },
      { name: 'CeremonyStarted', args: [0n, 1n, 0n, committeeHash, BigInt(started.block), 20n] },
    ])
    assert.equal((await world.state()).phase, KEYGEN)
    assert.equal((await world.info(1)).status, PENDING)

    const activation = await world.activation()
    const args = await world.signed(activation)
    const activated = await world.send('activate', args, world.stranger)
    assert.deepEqual(names(activated.logs), ['EndKeygen', 'EpochActivated'])
    assert.deepEqual(activated.logs[1]?.args, [
      {
        epoch: 1n,
        attempt: 7n,
        committeeHash,
        keys: [{ keyId: 0n, groupKey: world.group.publicKey, commitmentsHash: word(1000) }],
        transcriptHash: word(1),
      },
      args[2],
    ])
    const state = await world.state()
    assert.equal(state.phase, COMPLETE)
    assert.equal(state.epoch, 1n)
    assert.equal(state.keys[0]?.groupKey, world.group.publicKey)
    assert.equal(await world.view('_MPCAddress'), world.group.address)
    assert.deepEqual(await world.info(1), {
      epoch: 1n,
      status: RUNNING,
      members: people(0, 3).sort(),
      threshold: 2n,
      committeeHash,
      predecessor: 0n,
      successor: 0n,
      attempt: 7n,
      transcriptHash: word(1),
      commitmentsHashes: [{ keyId: 0n, hash: word(1000) }],
      receipts: [],
      receiptsNeeded: 2n,
      waived: false,
      activatedBlock: BigInt(activated.block),
    })
  })
}

test('a relayer is added through a reshare, which completes with n - t + 1 receipts', async () => {
  const world = await BridgeWorld.running()
  const newcomer = addressOfPerson(3)
  const added = await world.send('adminAddRelayer', [newcomer])
  const { committeeHash } = await world.info(2)
  assert.deepEqual(added.logs, [
    { name: 'RelayerAdded', args: [newcomer] },
    { name: 'ThresholdBelowMajority', args: [2n, 4n] },
    { name: 'CeremonyStarted', args: [RESHARE, 2n, 1n, committeeHash, BigInt(added.block), 20n] },
  ])
  const resharing = await world.state()
  assert.equal(resharing.phase, RESHARING)
  assert.deepEqual(resharing.pending, {
    kind: RESHARE,
    epoch: 2n,
    predecessor: 1n,
    startBlock: BigInt(added.block),
    windowBlocks: 20n,
    addedScheme: 255n,
  })
  assert.equal(await world.view('isRelayer', [newcomer]), false, 'the running committee answers')

  assert.deepEqual(names((await world.activate()).logs), ['EpochActivated'])
  assert.equal(await world.view('isRelayer', [newcomer]), true)
  assert.equal(await world.view('_totalRelayers'), 4n)
  const active = await world.state()
  assert.deepEqual([active.phase, active.epoch, active.outstandingEpoch], [ACTIVE, 2n, 1n])
  assert.deepEqual([(await world.info(1)).status, (await world.info(1)).successor], [SUPERSEDED, 2n])

  const [first, second] = people(0, 2)
  assert.ok(first && second)
  assert.deepEqual((await world.erase(1, [first])).logs, [{ name: 'ShareDeleted', args: [1n, first, 0n] }])
  await world.reverts(['adminAddRelayer', [addressOfPerson(4)]], 'DeletionsOutstanding', [1, 2])
  assert.deepEqual((await world.erase(1, [second])).logs, [
    { name: 'ShareDeleted', args: [1n, second, 0n] },
    { name: 'ReshareCompleted', args: [1n] },
  ])
  assert.equal((await world.state()).phase, COMPLETE)
  assert.deepEqual((await world.info(1)).receipts, [first, second].sort())
})

test('a refresh keeps members, threshold and key', async () => {
  const world = await BridgeWorld.running()
  const { logs } = await world.send('refreshKey', ['monthly'])
  assert.deepEqual(names(logs), ['KeyRefresh', 'CeremonyStarted'])
  assert.deepEqual(logs[0]?.args, ['monthly'])
  const { pending, members } = await world.state()
  assert.equal(pending.kind, REFRESH)
  assert.deepEqual((await world.info(2)).members, members)
  await world.activate()
  await world.erase(1)
  assert.equal((await world.state()).keys[0]?.groupKey, world.group.publicKey)
})

test('keys of every scheme are added, and later epochs move them all', async () => {
  const world = await BridgeWorld.running()
  const ed25519 = word(77)
  const more = [
    new GroupKey(2n).publicKey,
    new GroupKey(3n).publicKey,
    new GroupKey(4n).publicKey,
    ed25519,
  ] as const
  for (const [scheme, groupKey] of more.entries()) {
    const { logs } = await world.send('adminAddKey', [scheme])
    assert.deepEqual(logs[0], { name: 'KeyAdditionStarted', args: [BigInt(scheme + 1), BigInt(scheme)] })
    const { pending } = await world.state()
    assert.deepEqual([pending.kind, pending.addedScheme], [ADD_KEY, BigInt(scheme)])
    world.moreKeys.push(groupKey)
    await world.activate()
    await world.erase(scheme + 1)
  }
  assert.deepEqual((await world.state()).keys, [
    { keyId: 0n, scheme: 1n, groupKey: world.group.publicKey },
    ...more.map((groupKey, i) => ({ keyId: BigInt(i + 1), scheme: BigInt(i), groupKey })),
  ])
  await world.send('adminChangeRelayerThreshold', [3])
  await world.activate()
  const { commitmentsHashes } = await world.info(6)
  assert.deepEqual(
    commitmentsHashes,
    [0, 1, 2, 3, 4].map((keyId) => ({ keyId: BigInt(keyId), hash: word(6000 + keyId) })),
  )
})

test('a cancelled keygen burns its number, and the next takes the next one', async () => {
  const world = await BridgeWorld.deploy()
  await world.send('startKeygen')
  assert.deepEqual((await world.send('adminCancelCeremony')).logs, [{ name: 'EpochBurned', args: [1n, 0n] }])
  assert.deepEqual([(await world.state()).phase, (await world.info(1)).status], [IDLE, BURNED])
  await world.send('adminAddRelayer', [addressOfPerson(3)])
  await world.send('startKeygen')
  await world.activate()
  const state = await world.state()
  assert.deepEqual([state.phase, state.epoch, state.members.length], [COMPLETE, 2n, 4])
})

test('a burned addition of a key is forgotten, and may be asked for again', async () => {
  const world = await BridgeWorld.running()
  await world.send('adminAddKey', [2])
  const { logs } = await world.send('adminAddRelayer', [addressOfPerson(3)])
  assert.deepEqual(names(logs), ['RelayerAdded', 'ThresholdBelowMajority', 'EpochBurned', 'CeremonyStarted'])
  assert.equal((await world.state()).pending.addedScheme, 255n)
  await world.activate()
  assert.equal((await world.state()).keys.length, 1)
  await world.erase(1)
  assert.equal((await world.state()).phase, ACTIVE, 'the burned epoch owes receipts too')
  await world.erase(2)
  await world.send('adminAddKey', [2])
  assert.equal((await world.state()).pending.addedScheme, 2n)
})

test('disjoint committees follow one another, and one of 100 members with any of its number', async () => {
  const world = await BridgeWorld.running({ n: 2 })
  await world.send('adminSetCommittee', [people(2, 102), people(0, 2), 100])
  await world.activate()
  const state = await world.state()
  assert.deepEqual(state.members, people(2, 102).sort() as Address[])
  assert.equal(state.threshold, 100n)
  assert.equal((await world.erase(1, people(0, 1))).logs.length, 2, 'n - t + 1 = 1')
})

test('a window and the deletion flag are parameters; a window is copied when a ceremony starts', async () => {
  const world = await BridgeWorld.running()
  assert.deepEqual((await world.send('adminSetAttemptWindow', [50_400])).logs, [
    { name: 'AttemptWindowChanged', args: [50_400n] },
  ])
  await world.send('refreshKey', [''])
  await world.send('adminSetAttemptWindow', [20])
  const state = await world.state()
  assert.deepEqual([state.pending.windowBlocks, state.attemptWindowBlocks], [50_400n, 20n])
  assert.deepEqual((await world.send('adminSetRequireDeletionQuorum', [false])).logs, [
    { name: 'RequireDeletionQuorumChanged', args: [false] },
  ])
  assert.equal((await world.state()).requireDeletionQuorum, false)
})
