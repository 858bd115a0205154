// The fake chain: its committee state machine, finality, reorganisations, faults and clock behave as tests rely on.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Activation, SignedReceipt } from '../../../relayer/chain/chain.ts'
import { type Address, type Hex, to0x } from '../../../relayer/lib/bytes.ts'
import { ChainError } from '../../../relayer/lib/errors.ts'
import { FakeChain } from '../../support/fake-chain.ts'
import { Revert } from '../../support/fake-bridge-state.ts'
import { FakeClock, settle } from '../../support/fake-clock.ts'
import { member } from '../../support/numbered.ts'

const word = (n: number): Hex => to0x(new Uint8Array(32).fill(n))
const KEY: Hex = to0x(new Uint8Array(64).fill(7))
const A = member(1)
const B = member(2)
const C = member(3)
const D = member(4)

/** Activates what is pending, as if its members had signed. */
async function activate(chain: FakeChain, attempt = 0): Promise<void> {
  const view = chain.view(A)
  const { pending, keys } = await view.committeeState(chain.head.ref)
  assert.ok(pending)
  const info = await view.epochInfo(pending.epoch, chain.head.ref)
  const added = pending.addedScheme === null ? [] : [{ keyId: keys.length }]
  const activation: Activation = {
    epoch: pending.epoch,
    attempt,
    committeeHash: info.committeeHash,
    keys: [...keys, ...added].map(({ keyId }) => ({ keyId, groupKey: KEY, commitmentsHash: word(9) })),
    transcriptHash: word(8),
  }
  const sent = view.activate({ activation, readiness: info.members.map(() => '0x'), groupSignature: '0x' })
  await settle()
  chain.mine()
  assert.equal((await sent).kind, 'mined')
}

const receipt = (epoch: number, relayer: Address, successorEpoch: number): SignedReceipt => ({
  epoch,
  relayer,
  successorEpoch,
  outstandingBackups: 0,
  signature: '0x',
})

async function running(members: readonly Address[] = [A, B, C]): Promise<FakeChain> {
  const chain = new FakeChain({ members })
  chain.startKeygen()
  chain.mine()
  await activate(chain)
  return chain
}

test('a keygen and an added relayer lead from idle to active, and receipts to complete', async () => {
  const chain = await running([C, A, B])
  const view = chain.view(B)
  const first = await view.committeeState(chain.head.ref)
  assert.deepEqual([first.phase, first.epoch, first.members], ['complete', 1, [A, B, C]])
  chain.adminAddRelayer(D)
  chain.mine()
  const { pending, phase } = await view.committeeState(chain.head.ref)
  assert.equal(phase, 'resharing')
  assert.equal(pending?.startBlock, chain.head.ref.number)
  await activate(chain, 3)
  const active = await view.committeeState(chain.head.ref)
  assert.deepEqual([active.phase, active.outstandingEpoch, active.members], ['active', 1, [A, B, C, D]])
  assert.throws(() => chain.adminRemoveRelayer(D), /DeletionsOutstanding\(0, 2\)/)
  const sent = view.recordDeletions([receipt(1, A, 2), receipt(1, C, 2)])
  await settle()
  chain.mine()
  assert.equal((await sent).kind, 'mined')
  assert.equal((await view.committeeState(chain.head.ref)).phase, 'complete')
  assert.deepEqual(await view.recordDeletions([receipt(1, A, 2)]), { kind: 'already-done' })
  assert.equal((await view.activation(2, chain.head.ref))?.activation.attempt, 3)
  assert.deepEqual((await view.epochInfo(1, chain.head.ref)).receipts, [A, C])
})

test('a further change burns the pending epoch and builds on its members; undoing it cancels', async () => {
  const chain = await running()
  const view = chain.view(A)
  chain.adminAddRelayer(D)
  chain.adminChangeRelayerThreshold(3)
  chain.mine()
  const info = await view.epochInfo(3, chain.head.ref)
  assert.deepEqual([info.status, info.members, info.threshold], ['pending', [A, B, C, D], 3])
  const burned = await view.epochInfo(2, chain.head.ref)
  assert.deepEqual([burned.status, burned.successor], ['burned', 1])
  chain.adminSetCommittee([], [D], 2)
  chain.mine()
  assert.deepEqual((await view.committeeState(chain.head.ref)).phase, 'complete')
  assert.equal((await view.epochInfo(4, chain.head.ref)).status, 'none')
  chain.refreshKey()
  assert.throws(() => chain.adminAddKey(2), Revert)
})

test('completion waits for the burned epochs between, or for a waiver', async () => {
  const chain = await running()
  chain.adminAddRelayer(D)
  chain.adminCancelCeremony()
  chain.refreshKey()
  chain.mine()
  await activate(chain)
  const view = chain.view(A)
  const record = async (receipts: SignedReceipt[]) => {
    const sent = view.recordDeletions(receipts)
    await settle()
    chain.mine()
    await sent
    return (await view.committeeState(chain.head.ref)).phase
  }
  assert.equal(await record([receipt(1, A, 3), receipt(1, B, 3)]), 'active')
  assert.equal(await record([A, B, D].map((relayer) => receipt(2, relayer, 1))), 'complete')
  chain.adminAddKey(2)
  chain.mine()
  await activate(chain)
  assert.equal((await view.committeeState(chain.head.ref)).keys.length, 2)
  chain.adminWaiveDeletions(3)
  chain.mine()
  assert.equal((await view.committeeState(chain.head.ref)).phase, 'complete')
})

test('final blocks stay, others can be replaced, with or without their transactions', async () => {
  const chain = new FakeChain({ members: [A, B, C], finalityDepth: 3 })
  const view = chain.view(A)
  chain.mine(8)
  chain.startKeygen()
  const lost = chain.mine()
  assert.equal((await view.finalised()).number, 6)
  assert.equal((await view.deeplyFinalised()).number, 3)
  assert.throws(() => chain.reorganise(4), RangeError)
  chain.reorganise(1, { keep: true })
  const kept = await view.committeeState(chain.head.ref)
  assert.equal(kept.pending?.startBlock, lost.number)
  assert.notEqual((await view.block(lost.number))?.hash, lost.hash)
  await assert.rejects(view.committeeState(lost), ChainError)
  chain.reorganise(2)
  assert.equal((await view.committeeState(chain.head.ref)).phase, 'idle')
  assert.equal(await view.block(100), null)
})

test('a fault or a lag hits one view or all, and a signal ends a wait', async () => {
  const chain = new FakeChain({ members: [A, B, C] })
  chain.mine(5)
  const [one, other] = [chain.view(A), chain.view(B)]
  one.fault = 'disagree'
  assert.equal((await one.head()).number, 5)
  await assert.rejects(one.finalised(), ChainError)
  other.lag = 2
  assert.equal((await other.head()).number, 3)
  chain.fault = 'down'
  await assert.rejects(other.head(), ChainError)
  await assert.rejects(other.head(AbortSignal.abort(new Error('stop'))), /stop/)
})

test('the fake clock wakes sleepers in order, at their own time, and leaves others asleep', async () => {
  const clock = new FakeClock(0)
  const woke: string[] = []
  const sleep = async (name: string, ms: number) => {
    await clock.sleep(ms)
    woke.push(`${name}@${clock.now()}`)
  }
  const late = sleep('late', 30)
  const early = sleep('early', 10)
  const twice = sleep('first', 5).then(() => sleep('then', 5))
  await clock.advance(20)
  assert.deepEqual(woke, ['first@5', 'early@10', 'then@10'])
  assert.equal(clock.sleeping, 1)
  const abort = new AbortController()
  const aborted = clock.sleep(1, abort.signal)
  abort.abort(new Error('stop'))
  await assert.rejects(aborted, /stop/)
  await clock.advance(10)
  await Promise.all([late, early, twice])
})
