// Deletion receipts: who may give one for what, when a reshare is complete, and the waiver.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Address, Hex } from '../../relayer/lib/bytes.ts'
import type { DeletionReceipt } from '../support/bridge-shapes.ts'
import { BridgeWorld } from '../support/bridge-world.ts'
import { addressOfPerson, people, sign } from '../support/people.ts'

const [a, b, c] = people(0, 3) as [Address, Address, Address] // CAST: three were asked for
const d = addressOfPerson(3)
const e = addressOfPerson(4)
const COMPLETE = 2n
const ACTIVE = 4n
const completed = (epoch: bigint) => ({ name: 'ReshareCompleted', args: [epoch] })
const deleted = (epoch: bigint, relayer: Address, backups = 0n) => ({
  name: 'ShareDeleted',
  args: [epoch, relayer, backups],
})

/** Epoch 1 (2 of a, b, c) superseded by epoch 2 (2 of a, b, c, d): receipts of two of a, b, c are needed. */
async function superseded(): Promise<BridgeWorld> {
  const world = await BridgeWorld.running()
  await world.send('adminAddRelayer', [d])
  await world.activate()
  return world
}
const record = (...pairs: (readonly [DeletionReceipt, Hex])[]) =>
  ['recordDeletions', [pairs.map(([receipt]) => receipt), pairs.map(([, signature]) => signature)]] as const

test('only superseded and burned epochs take receipts', async () => {
  const world = await BridgeWorld.running()
  for (const epoch of [0, 1, 2])
    await world.reverts(record(await world.receipt(epoch, a)), 'NotRetired', [epoch])
  await world.send('adminAddRelayer', [d])
  await world.reverts(record(await world.receipt(2, a)), 'NotRetired', [2])
  await world.send('adminCancelCeremony')
  await world.send(...record(await world.receipt(2, a)))
})

test('only members of that epoch give receipts, with their own signature over exactly this receipt', async () => {
  const world = await superseded()
  const [receipt, signature] = await world.receipt(1, a)
  await world.reverts(record(await world.receipt(1, d)), 'NotRelayerOfEpoch', [d, 1])
  await world.reverts(record([{ ...receipt, relayer: b }, signature]), 'BadReceipt', [0, b])
  await world.reverts(record(await world.receipt(1, b), [receipt, '0x']), 'BadReceipt', [1, a])
  await world.reverts(record([{ ...receipt, outstandingBackups: 1 }, signature]), 'BadReceipt', [0, a])
  const zeros: Hex = `0x${'00'.repeat(65)}`
  await world.reverts(record([receipt, zeros]), 'BadReceipt', [0, a])
  await world.reverts(['recordDeletions', [[receipt], []]], 'WrongSignatureCount', [1, 0])
  await world.reverts(['recordDeletions', [[], [signature]]], 'WrongSignatureCount', [0, 1])
})

test('receipts of another chain, bridge, epoch or successor are refused', async () => {
  const world = await superseded()
  const [receipt] = await world.receipt(1, a)
  const domain = world.domain()
  for (const elsewhere of [
    { ...domain, chainId: 1 },
    { ...domain, verifyingContract: world.stranger },
  ]) {
    const signature = sign(a, world.digest('DeletionReceipt', receipt, elsewhere))
    await world.reverts(record([receipt, signature]), 'BadReceipt', [0, a])
  }
  for (const successorEpoch of [0, 1, 3]) {
    const other = { ...receipt, successorEpoch }
    const pair = [other, sign(a, world.digest('DeletionReceipt', other))] as const
    await world.reverts(record(pair), 'WrongSuccessor', [1, successorEpoch, 2])
  }
  await world.erase(1)
  await world.send('adminRemoveRelayer', [b])
  await world.activate()
  const [, signature] = await world.receipt(1, a)
  const replayed = { ...receipt, epoch: 2, successorEpoch: 3 }
  await world.reverts(record([replayed, signature]), 'BadReceipt', [0, a])
})

test('a receipt counts once; one with backups counts only when fewer, and completes only at none', async () => {
  const world = await superseded()
  assert.deepEqual((await world.erase(1, [a], 3)).logs, [deleted(1n, a, 3n)])
  assert.deepEqual((await world.erase(1, [a], 3)).logs, [], 'the same again')
  assert.deepEqual((await world.erase(1, [a], 4)).logs, [], 'more backups')
  assert.deepEqual((await world.erase(1, [a], 1)).logs, [deleted(1n, a, 1n)])
  assert.deepEqual((await world.erase(1, [b])).logs, [deleted(1n, b)])
  assert.deepEqual((await world.info(1)).receipts, [b])
  assert.equal((await world.state()).phase, ACTIVE)
  assert.deepEqual((await world.erase(1, [a])).logs, [deleted(1n, a), completed(1n)])
  assert.deepEqual((await world.erase(1, [a, b, a], 2)).logs, [], 'nothing goes back')
  assert.deepEqual((await world.erase(1, [c])).logs, [deleted(1n, c)], 'late receipts are recorded, once')
  assert.deepEqual((await world.info(1)).receipts, [a, b, c].sort())
})

test('a skipped receipt is not checked, others of the same batch are', async () => {
  const world = await superseded()
  const [receipt, signature] = await world.receipt(1, a)
  await world.send(...record([receipt, signature]))
  const { logs } = await world.send(...record([receipt, '0x'], await world.receipt(1, b)))
  assert.deepEqual(logs, [deleted(1n, b), completed(1n)])
})

test('burned epochs owe receipts before completion, also of members who never held a share', async () => {
  const world = await BridgeWorld.running()
  await world.send('adminAddRelayer', [d]) // 2, burned: 2 of a b c d needs 3
  await world.send('adminChangeRelayerThreshold', [3]) // 3, burned by a cancellation: 3 of a b c d needs 2
  await world.send('adminCancelCeremony')
  await world.send('adminAddRelayer', [e]) // 4
  const early = await world.erase(2, [a, d, b])
  assert.deepEqual(early.logs, [deleted(2n, a), deleted(2n, d), deleted(2n, b)], 'before the activation too')
  await world.reverts(['adminWaiveDeletions', [2]], 'NothingToWaive', [2])
  await world.activate()
  assert.equal((await world.erase(1, [a, b])).logs.length, 2, 'epoch 3 is missing')
  await world.reverts(['adminRemoveRelayer', [c]], 'DeletionsOutstanding', [0, 2])
  await world.erase(3, [c])
  await world.reverts(['adminRemoveRelayer', [c]], 'DeletionsOutstanding', [1, 2])
  assert.deepEqual((await world.erase(3, [d])).logs, [deleted(3n, d), completed(1n)])
  assert.equal((await world.state()).phase, COMPLETE)
  await world.send('adminRemoveRelayer', [c])
})

test('receipts of several epochs in one batch, in any order, each against its own members', async () => {
  const world = await BridgeWorld.running()
  await world.send('adminAddRelayer', [d]) // 2, burned: 2 of a b c d needs 3
  await world.send('adminCancelCeremony')
  await world.send('adminAddRelayer', [e])
  await world.activate()
  const given = [[1, a] as const, [2, d] as const, [1, c] as const, [2, c] as const, [2, a] as const]
  const pairs = await Promise.all(given.map(([epoch, relayer]) => world.receipt(epoch, relayer)))
  const foreign = record(...pairs, await world.receipt(1, d))
  await world.reverts(foreign, 'NotRelayerOfEpoch', [d, 1])
  const { logs } = await world.send(...record(...pairs))
  assert.deepEqual(logs, [...given.map(([epoch, relayer]) => deleted(BigInt(epoch), relayer)), completed(1n)])
})

test('epochs burned by a keygen take receipts and hold nothing up', async () => {
  const world = await BridgeWorld.deploy()
  await world.send('startKeygen')
  await world.send('adminCancelCeremony')
  await world.send('startKeygen')
  await world.activate()
  assert.equal((await world.state()).phase, COMPLETE)
  assert.deepEqual((await world.erase(1, [a, b])).logs, [deleted(1n, a), deleted(1n, b)])
  assert.equal((await world.info(1)).successor, 0n)
})

test('members of a long completed epoch hand in late receipts', async () => {
  const world = await superseded()
  await world.erase(1)
  await world.send('adminRemoveRelayer', [a])
  await world.activate()
  await world.erase(2)
  assert.deepEqual((await world.erase(1, [c])).logs, [deleted(1n, c)])
})

test('a waiver ends the wait for a superseded epoch and those burned before its successor', async () => {
  const world = await BridgeWorld.running()
  await world.send('adminAddRelayer', [d])
  await world.send('adminCancelCeremony')
  await world.reverts(['adminWaiveDeletions', [1]], 'NothingToWaive', [1])
  await world.send('adminAddRelayer', [e])
  await world.activate()
  await world.erase(1, [a])
  assert.deepEqual((await world.send('adminWaiveDeletions', [1])).logs, [
    { name: 'DeletionsWaived', args: [1n, 1n, 2n] },
  ])
  assert.equal((await world.state()).phase, COMPLETE)
  assert.equal((await world.info(1)).waived, true)
  assert.deepEqual((await world.erase(1, [b])).logs, [deleted(1n, b)], 'recorded, but no completion')
  for (const epoch of [0, 1, 3, 9])
    await world.reverts(['adminWaiveDeletions', [epoch]], 'NothingToWaive', [epoch])
  await world.send('adminRemoveRelayer', [c])
})

test('a waiver of a burned epoch counts as its receipts', async () => {
  const world = await BridgeWorld.running()
  await world.send('adminSetCommittee', [[d, e], [a, b, c], 2])
  await world.reverts(['adminWaiveDeletions', [2]], 'NothingToWaive', [2])
  await world.send('adminCancelCeremony')
  await world.send('adminAddRelayer', [d])
  await world.activate()
  await world.erase(1)
  assert.equal((await world.state()).phase, ACTIVE)
  assert.deepEqual((await world.send('adminWaiveDeletions', [2])).logs, [
    { name: 'DeletionsWaived', args: [2n, 0n, 1n] },
    completed(1n),
  ])
  await world.reverts(['adminWaiveDeletions', [2]], 'NothingToWaive', [2])
})

test('receipts that follow a waiver of a burned epoch are recorded and count for no other', async () => {
  const world = await BridgeWorld.running()
  await world.send('refreshKey', ['']) // 2, burned and waived
  await world.send('adminCancelCeremony')
  await world.send('adminWaiveDeletions', [2])
  await world.send('adminAddRelayer', [d]) // 3, burned: 2 of a b c d needs 3
  await world.send('adminCancelCeremony')
  await world.send('adminAddRelayer', [e])
  await world.activate()
  await world.erase(1)
  await world.reverts(['adminRemoveRelayer', [a]], 'DeletionsOutstanding', [0, 3])
  assert.deepEqual((await world.erase(2, [a, b])).logs, [deleted(2n, a), deleted(2n, b)])
  assert.equal((await world.state()).phase, ACTIVE)
  const { logs } = await world.erase(3, [a, b, c])
  assert.deepEqual(logs, [deleted(3n, a), deleted(3n, b), deleted(3n, c), completed(1n)])
})

test('receipts beyond what one burned epoch needs pay for no other', async () => {
  const world = await BridgeWorld.running()
  await world.send('refreshKey', ['']) // 2, burned: 2 of a b c needs 2
  await world.send('adminCancelCeremony')
  await world.send('adminAddRelayer', [d]) // 3, burned: 2 of a b c d needs 3
  await world.send('adminCancelCeremony')
  await world.send('adminAddRelayer', [e])
  await world.activate()
  await world.erase(1)
  await world.erase(2, [a, b])
  assert.deepEqual((await world.erase(2, [c])).logs, [deleted(2n, c)])
  await world.reverts(['adminRemoveRelayer', [a]], 'DeletionsOutstanding', [0, 3])
  const { logs } = await world.erase(3, [a, b, c])
  assert.deepEqual(logs, [deleted(3n, a), deleted(3n, b), deleted(3n, c), completed(1n)])
})
