// Changes of the committee: bounds, names, what is pending, what is taken back, and who may ask.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Address, toAddress } from '../../relayer/lib/bytes.ts'
import { BridgeWorld } from '../support/bridge-world.ts'
import { addressOfPerson, people } from '../support/people.ts'

const ZERO: Address = `0x${'0'.repeat(40)}`
const [a, b, c] = people(0, 3) as [Address, Address, Address] // CAST: three were asked for
const d = addressOfPerson(3)
const e = addressOfPerson(4)
const names = (logs: readonly { name: string }[]) => logs.map(({ name }) => name)

test('while Idle changes edit the first committee at once, without a ceremony', async () => {
  const world = await BridgeWorld.deploy()
  assert.deepEqual((await world.send('adminAddRelayer', [d])).logs, [
    { name: 'RelayerAdded', args: [d] },
    { name: 'ThresholdBelowMajority', args: [2n, 4n] },
  ])
  assert.deepEqual((await world.send('adminChangeRelayerThreshold', [4])).logs, [
    { name: 'RelayerThresholdChanged', args: [4n] },
  ])
  await world.reverts(['adminRemoveRelayer', [a]], 'ThresholdOutOfBounds', [4, 3])
  const { logs } = await world.send('adminSetCommittee', [[e], [a, d], 2])
  assert.deepEqual(logs, [
    ...[a, d].sort().map((relayer) => ({ name: 'RelayerRemoved', args: [relayer] })),
    { name: 'RelayerAdded', args: [e] },
    { name: 'RelayerThresholdChanged', args: [2n] },
  ])
  const state = await world.state()
  assert.deepEqual([state.members, state.threshold, state.pending.epoch], [[b, c, e].sort(), 2n, 0n])
})

test('thresholds and sizes are bounded, and the errors name the numbers', async () => {
  const world = await BridgeWorld.running()
  for (const threshold of [0n, 1n, 4n, 2n ** 32n + 2n, 2n ** 256n - 1n])
    await world.reverts(['adminChangeRelayerThreshold', [threshold]], 'ThresholdOutOfBounds', [threshold, 3n])
  await world.reverts(['adminSetCommittee', [[], [a, b], 2]], 'ThresholdOutOfBounds', [2, 1])
  await world.reverts(['adminSetCommittee', [[], [a, b, c], 2]], 'ThresholdOutOfBounds', [2, 0])
  await world.reverts(['adminSetCommittee', [people(3, 101), [], 2]], 'TooManyRelayers', [101, 100])
  await world.reverts(['adminSetCommittee', [people(3, 104), [], 2]], 'TooManyRelayers', [101, 100])
  await world.reverts(['adminSetCommittee', [[], people(0, 101), 2]], 'TooManyRelayers', [101, 100])
  await world.send('adminSetCommittee', [people(3, 100), [], 2])
  await world.reverts(['adminAddRelayer', [addressOfPerson(100)]], 'TooManyRelayers', [101, 100])
})

test('names are checked against the committee that the change applies to', async () => {
  const world = await BridgeWorld.running()
  await world.reverts(['adminAddRelayer', [a]], 'AlreadyRelayer', [a])
  await world.reverts(['adminAddRelayer', [ZERO]], 'ZeroRelayer', [])
  await world.reverts(['adminRemoveRelayer', [d]], 'NotRelayer', [d])
  await world.reverts(['adminRemoveRelayer', [ZERO]], 'NotRelayer', [ZERO])
  await world.reverts(['adminSetCommittee', [[d, e, d], [], 2]], 'AlreadyRelayer', [d])
  await world.reverts(['adminSetCommittee', [[], [a, a], 2]], 'NotRelayer', [a])
  await world.reverts(['adminSetCommittee', [[a], [a], 2]], 'AlreadyRelayer', [a])
  await world.reverts(['adminSetCommittee', [[d], [d], 2]], 'NotRelayer', [d])
  await world.reverts(['adminSetCommittee', [[], [], 2]], 'NothingChanges', [])
  await world.reverts(['adminChangeRelayerThreshold', [2]], 'NothingChanges', [])
  await world.send('adminAddRelayer', [d])
  await world.reverts(['adminAddRelayer', [d]], 'AlreadyRelayer', [d])
  await world.send('adminRemoveRelayer', [a])
  await world.reverts(['adminRemoveRelayer', [a]], 'NotRelayer', [a])
})

test('a further change builds on the pending committee and burns its number', async () => {
  const world = await BridgeWorld.running()
  await world.send('adminAddRelayer', [d])
  const { logs } = await world.send('adminChangeRelayerThreshold', [3])
  assert.deepEqual(names(logs), ['RelayerThresholdChanged', 'EpochBurned', 'CeremonyStarted'])
  assert.deepEqual(logs[1]?.args, [2n, 1n])
  const info = await world.info(3)
  assert.deepEqual([info.members, info.threshold, info.predecessor], [[a, b, c, d].sort(), 3n, 1n])
  const burned = await world.info(2)
  assert.deepEqual([burned.status, burned.successor, burned.predecessor], [4n, 1n, 1n])
  assert.equal(await world.view('_relayerThreshold'), 2n, 'the running committee answers')
})

test('a change that leads back to the running committee is a cancellation', async () => {
  const world = await BridgeWorld.running()
  await world.send('adminAddRelayer', [d])
  assert.deepEqual((await world.send('adminRemoveRelayer', [d])).logs, [
    { name: 'RelayerRemoved', args: [d] },
    { name: 'EpochBurned', args: [2n, 1n] },
  ])
  assert.equal((await world.state()).phase, 2n)
  await world.send('adminSetCommittee', [[d, e], [a], 4])
  const { logs } = await world.send('adminSetCommittee', [[a], [e, d], 2])
  assert.deepEqual(names(logs), [
    'RelayerRemoved',
    'RelayerRemoved',
    'RelayerAdded',
    'RelayerThresholdChanged',
    'EpochBurned',
  ])
  const state = await world.state()
  assert.deepEqual([state.phase, state.epoch, state.pending.epoch], [2n, 1n, 0n])
  await world.send('refreshKey', ['next number'])
  assert.equal((await world.state()).pending.epoch, 4n)
})

test('a cancellation takes back what was announced', async () => {
  const world = await BridgeWorld.running({ n: 4, threshold: 3 })
  await world.send('adminSetCommittee', [[e], [a, b], 2])
  assert.deepEqual((await world.send('adminCancelCeremony')).logs, [
    { name: 'EpochBurned', args: [2n, 1n] },
    { name: 'RelayerRemoved', args: [e] },
    ...[a, b].sort().map((relayer) => ({ name: 'RelayerAdded', args: [relayer] })),
    { name: 'RelayerThresholdChanged', args: [3n] },
  ])
  await world.send('refreshKey', ['same members, same threshold'])
  assert.deepEqual((await world.send('adminCancelCeremony')).logs, [{ name: 'EpochBurned', args: [3n, 1n] }])
  await world.reverts(['adminCancelCeremony'], 'NoCeremony', [])
})

test('during a keygen nothing changes', async () => {
  const world = await BridgeWorld.deploy()
  await world.send('startKeygen')
  await world.reverts(['adminAddRelayer', [d]], 'KeygenPending', [1])
  await world.reverts(['adminRemoveRelayer', [a]], 'KeygenPending', [1])
  await world.reverts(['adminChangeRelayerThreshold', [3]], 'KeygenPending', [1])
  await world.reverts(['adminSetCommittee', [[d], [], 2]], 'KeygenPending', [1])
  await world.reverts(['startKeygen'], 'ChangePending', [1])
  await world.reverts(['refreshKey', ['']], 'NoKey', [])
  await world.reverts(['adminAddKey', [1]], 'NoKey', [])
})

test('a refresh and a further key are refused without a key, and while a change is pending or owes receipts', async () => {
  const world = await BridgeWorld.deploy()
  await world.reverts(['refreshKey', ['']], 'NoKey', [])
  await world.reverts(['adminAddKey', [1]], 'NoKey', [])
  await world.send('startKeygen')
  await world.activate()
  await world.reverts(['startKeygen'], 'KeyExists', [])
  await world.reverts(['adminAddKey', [4]], 'UnknownScheme', [4])
  await world.send('adminAddRelayer', [d])
  await world.reverts(['refreshKey', ['']], 'ChangePending', [2])
  await world.reverts(['adminAddKey', [1]], 'ChangePending', [2])
  await world.reverts(['startKeygen'], 'ChangePending', [2])
  await world.activate()
  for (const call of [
    ['refreshKey', ['']],
    ['adminAddKey', [1]],
    ['adminAddRelayer', [e]],
    ['adminRemoveRelayer', [a]],
    ['adminChangeRelayerThreshold', [3]],
    ['adminSetCommittee', [[e], [], 2]],
  ] as const)
    await world.reverts(call, 'DeletionsOutstanding', [0, 2])
})

test('at most 8 keys, as many as one ceremony moves', async () => {
  const world = await BridgeWorld.running()
  for (let keyId = 1; keyId < 8; keyId++) {
    await world.send('adminAddKey', [3])
    world.moreKeys.push(`0x${keyId.toString(16).padStart(64, '0')}`)
    await world.activate()
    await world.send('adminWaiveDeletions', [keyId])
  }
  await world.reverts(['adminAddKey', [3]], 'TooManyKeys', [8])
})

test('windows are bounded', async () => {
  const world = await BridgeWorld.deploy()
  await world.reverts(['adminSetAttemptWindow', [19]], 'WindowOutOfBounds', [19, 20, 50_400])
  await world.reverts(['adminSetAttemptWindow', [50_401]], 'WindowOutOfBounds', [50_401, 20, 50_400])
})

test('a Bridge is not created with a committee, scheme or window out of bounds', async () => {
  const refused = async (options: Parameters<typeof BridgeWorld.deploy>[0], error: RegExp) =>
    await assert.rejects(BridgeWorld.deploy(options), error)
  await refused({ n: 1, threshold: 1 }, /ThresholdOutOfBounds\(1, 1\)/)
  await refused({ n: 3, threshold: 4 }, /ThresholdOutOfBounds\(4, 3\)/)
  await refused({ relayers: [], threshold: 2 }, /ThresholdOutOfBounds\(2, 0\)/)
  await refused({ n: 101, threshold: 2 }, /TooManyRelayers\(101, 100\)/)
  await refused({ relayers: [a, b, a] }, /AlreadyRelayer/)
  await refused({ relayers: [a, ZERO] }, /ZeroRelayer/)
  await refused({ scheme: 2 }, /UnknownScheme\(2\)/)
  await refused({ windowBlocks: 19 }, /WindowOutOfBounds\(19, 20, 50400\)/)
  await refused({ admin: ZERO }, /AccessControlInvalidDefaultAdmin/)
})

test('only the admin administers', async () => {
  const world = await BridgeWorld.running()
  const role = `0x${'0'.repeat(64)}`
  const calls: readonly (readonly [string, readonly unknown[]])[] = [
    ['adminAddRelayer', [d]],
    ['adminRemoveRelayer', [a]],
    ['adminChangeRelayerThreshold', [3]],
    ['adminSetCommittee', [[d], [], 2]],
    ['startKeygen', []],
    ['refreshKey', ['']],
    ['adminAddKey', [1]],
    ['adminCancelCeremony', []],
    ['adminWaiveDeletions', [1]],
    ['adminSetAttemptWindow', [10]],
    ['adminSetRequireDeletionQuorum', [false]],
    ['adminSetGroupKey', [1, '0x', '0x']],
    ['adminPauseTransfers', []],
    ['adminUnpauseTransfers', []],
  ]
  for (const [name, args] of calls) {
    const refusal = [world.stranger, role]
    await world.reverts([name, args, world.stranger], 'AccessControlUnauthorizedAccount', refusal)
  }
})

test('the admin role changes hands in two steps', async () => {
  const world = await BridgeWorld.deploy()
  await world.reverts(['grantRole', [`0x${'0'.repeat(64)}`, d]], 'AccessControlEnforcedDefaultAdminRules')
  await world.send('beginDefaultAdminTransfer', [world.stranger])
  await world.send('adminAddRelayer', [d])
  await world.send('acceptDefaultAdminTransfer', [], world.stranger)
  assert.equal(toAddress(String(await world.view('owner'))), world.stranger)
  await world.reverts(['adminAddRelayer', [e]], 'AccessControlUnauthorizedAccount')
  await world.send('adminAddRelayer', [e], world.stranger)
})

test('transfers are paused and unpaused', async () => {
  const world = await BridgeWorld.deploy()
  assert.deepEqual((await world.send('adminPauseTransfers')).logs, [{ name: 'Paused', args: [world.admin] }])
  assert.equal(await world.view('paused'), true)
  await world.reverts(['adminPauseTransfers'], 'EnforcedPause', [])
  assert.deepEqual(names((await world.send('adminUnpauseTransfers')).logs), ['Unpaused'])
  await world.reverts(['adminUnpauseTransfers'], 'ExpectedPause', [])
})
