// What governance commands say before they are sent, from the contract's state alone.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Owed, owedBy } from '../../relayer/bridge/owed.ts'
import type { CommitteeState, EpochInfo } from '../../relayer/chain/chain.ts'
import { type AdminAction, planOf, type Situation } from '../../relayer/cli/admin-plan.ts'
import { RefusedError } from '../../relayer/cli/exit.ts'
import type { Address } from '../../relayer/lib/bytes.ts'
import { member } from '../support/numbered.ts'

const [A, B, C, D, E] = [1, 2, 3, 4, 5].map(member) as [Address, Address, Address, Address, Address] // CAST: five of five
const HASH = `0x${'00'.repeat(32)}` as const

function situation(state: Partial<CommitteeState>, rest: Partial<Situation> = {}): Situation {
  return {
    state: {
      at: { number: 100, hash: HASH },
      phase: 'complete',
      epoch: 3,
      members: [A, B, C],
      threshold: 2,
      pending: null,
      keys: [],
      attemptWindowBlocks: 40,
      requireDeletionQuorum: true,
      outstandingEpoch: 0,
      ...state,
    },
    pending: null,
    owed: [],
    earlier: null,
    paused: false,
    ...rest,
  }
}

function epoch(info: Partial<EpochInfo>): EpochInfo {
  return {
    epoch: 4,
    status: 'pending',
    members: [A, B, C, D],
    threshold: 2,
    committeeHash: HASH,
    predecessor: 3,
    successor: 0,
    attempt: 0,
    transcriptHash: HASH,
    commitmentsHashes: [],
    receipts: [],
    receiptsNeeded: 3,
    waived: false,
    activatedBlock: 0,
    ...info,
  }
}

/** Epoch 2 superseded, or a later one burned: two receipts of A, B and C are needed. */
function owes(number: number, receipts: readonly Address[]): Owed {
  const info = epoch({ epoch: number, status: 'burned', members: [A, B, C], receipts, receiptsNeeded: 2 })
  const [owed] = owedBy({ epoch: 9, outstandingEpoch: number }, [info])
  assert.ok(owed)
  return owed
}

const pendingState = {
  phase: 'resharing',
  pending: { kind: 'reshare', epoch: 4, predecessor: 3, startBlock: 90, windowBlocks: 40, addedScheme: null },
} as const

const refusal = (action: AdminAction, given: Situation, what: RegExp) =>
  assert.throws(
    () => planOf(action, given),
    (error) => error instanceof RefusedError && what.test(error.message),
  )

test('adding a relayer names the committee before and after, who must be online and what will be owed', () => {
  const plan = planOf({ kind: 'add-relayer', relayer: D }, situation({}))
  assert.deepEqual(plan.call, { method: 'adminAddRelayer', args: [D] })
  assert.deepEqual(plan.before.members, [A, B, C])
  assert.deepEqual(plan.after, { members: [A, B, C, D], threshold: 2 })
  assert.equal(plan.ceremony, true)
  const notes = plan.notes.join('\n')
  assert.match(notes, /all 4 members of the new committee must be online: .*0004/)
  assert.match(notes, /any 2 of the 3 members of the running one, to deal/)
  assert.match(notes, /epoch 3 is superseded and owes 2 deletion receipts/)
  assert.match(plan.warnings.join('\n'), /threshold 2 of 4 is not a majority \(3\)/)
  assert.doesNotMatch(plan.warnings.join('\n'), /reshare approve/, 'one joins: nobody has to approve')
})

test('the first committee changes at once, and the first keygen asks all of it', () => {
  const idle = situation({ phase: 'idle', epoch: 0 })
  const plan = planOf({ kind: 'add-relayer', relayer: D }, idle)
  assert.equal(plan.ceremony, false)
  assert.match(plan.notes.join(), /changed at once/)
  const keygen = planOf({ kind: 'start-keygen' }, idle)
  assert.equal(keygen.ceremony, true)
  assert.match(keygen.notes.join(), /all 3 members/)
  assert.doesNotMatch(keygen.notes.join(), /deal|superseded/)
})

test('several changes in one step keep the threshold unless told otherwise', () => {
  const plan = planOf({ kind: 'set-committee', add: [E, D], remove: [B] }, situation({}))
  assert.deepEqual(plan.call, { method: 'adminSetCommittee', args: [[E, D], [B], 2] })
  assert.deepEqual(plan.after, { members: [A, C, D, E], threshold: 2 })
  assert.match(
    plan.warnings.join('\n'),
    /by default the operators' rules hold this back \(2 members join or leave.*2 of the running members must/,
  )
  const series = planOf(
    { kind: 'add-relayer', relayer: D },
    situation({}, { earlier: { epoch: 2, members: [A, B], threshold: 2, cut: false } }),
  )
  assert.match(
    series.warnings.join('\n'),
    /hold this back \(with the other changes of the last 7200 blocks, since epoch 2 .*2 members join/,
  )
  const lowered = planOf({ kind: 'set-committee', add: [], remove: [], threshold: 3 }, situation({}))
  assert.deepEqual(lowered.after, { members: [A, B, C], threshold: 3 })
  assert.match(lowered.warnings.join(), /every member will be needed/)
})

test('a change while another is pending applies to the pending committee and burns it', () => {
  const given = situation(pendingState, { pending: epoch({}) })
  const plan = planOf({ kind: 'add-relayer', relayer: E }, given)
  assert.deepEqual(plan.after?.members, [A, B, C, D, E])
  assert.match(plan.notes.join(), /pending epoch 4 \(reshare\) is burned/)
  const back = planOf({ kind: 'remove-relayer', relayer: D }, given)
  assert.equal(back.ceremony, false)
  assert.match(back.notes.join(), /takes it as a cancellation/)
  const cancel = planOf({ kind: 'cancel' }, given)
  assert.equal(cancel.after, null)
  assert.match(cancel.warnings.join(), /already hold a sharing of the live key/)
})

test('a change that leaves the committee as it is, running or pending, is refused and no cancellation', () => {
  const refresh = situation(
    { ...pendingState, pending: { ...pendingState.pending, kind: 'refresh' } },
    { pending: epoch({ members: [A, B, C] }) },
  )
  const reshare = situation(pendingState, { pending: epoch({ threshold: 3 }) })
  refusal({ kind: 'set-threshold', threshold: 2 }, refresh, /threshold 2 with 3 members is so already/)
  refusal({ kind: 'set-committee', add: [], remove: [] }, refresh, /is so already/)
  refusal({ kind: 'set-threshold', threshold: 3 }, reshare, /threshold 3 with 4 members is so already/)
  refusal({ kind: 'set-threshold', threshold: 2 }, situation({}), /is so already/)
  refusal({ kind: 'set-threshold', threshold: 2 }, situation({ phase: 'idle', epoch: 0 }), /is so already/)
  assert.throws(() => planOf({ kind: 'set-threshold', threshold: 2 }, refresh), {
    hint: /epoch 4 is pending .*`truss admin cancel`/,
  })
})

test('what the contract is sure to refuse is not sent, with the reason', () => {
  refusal({ kind: 'add-relayer', relayer: A }, situation({}), /already a member/)
  refusal({ kind: 'remove-relayer', relayer: E }, situation({}), /is no member/)
  refusal({ kind: 'set-threshold', threshold: 4 }, situation({}), /threshold 4 with 3 members/)
  refusal({ kind: 'set-threshold', threshold: 1 }, situation({}), /2 <= threshold/)
  refusal(
    { kind: 'remove-relayer', relayer: A },
    situation({ members: [A, B], threshold: 2 }),
    /threshold 2 with 1/,
  )
  refusal({ kind: 'start-keygen' }, situation({}), /phase is complete/)
  refusal({ kind: 'refresh', reason: '' }, situation({ phase: 'idle', epoch: 0 }), /no key yet/)
  refusal(
    { kind: 'refresh', reason: '' },
    situation(pendingState, { pending: epoch({}) }),
    /epoch 4 is pending/,
  )
  const keygen = { ...pendingState.pending, kind: 'keygen', epoch: 1, predecessor: 0 } as const
  const during = situation(
    { phase: 'keygen', epoch: 0, pending: keygen },
    { pending: epoch({ members: [A, B, C] }) },
  )
  refusal({ kind: 'add-relayer', relayer: D }, during, /the first keygen, is pending/)
})

test('while receipts are outstanding no change begins; waiving says what is given up', () => {
  const owing = situation({ phase: 'active', outstandingEpoch: 2 }, { owed: [owes(2, [A])] })
  refusal({ kind: 'refresh', reason: 'monthly' }, owing, /epoch 2 has 1 of 2 deletion receipts/)
  const waive = planOf({ kind: 'waive-deletions', epoch: 2 }, owing)
  assert.deepEqual(waive.call, { method: 'adminWaiveDeletions', args: [2] })
  assert.match(waive.notes.join(), /1 of 2/)
  assert.match(waive.warnings.join(), /may still exist/)
  assert.doesNotMatch(waive.warnings.join(), /too/)
})

test('the refusal of a change names the burned epoch that lacks receipts, and the hint how to waive it', () => {
  const owing = situation(
    { phase: 'active', epoch: 5, outstandingEpoch: 2 },
    { owed: [owes(3, []), owes(4, [A])] },
  )
  const said = /^plan: epoch 3 has 0 of 2 deletion receipts, epoch 4 has 1 of 2 deletion receipts$/
  refusal({ kind: 'refresh', reason: '' }, owing, said)
  assert.throws(() => planOf({ kind: 'add-relayer', relayer: D }, owing), {
    hint: /`truss admin waive-deletions 3` and `truss admin waive-deletions 4`$/,
  })
  const [note] = planOf({ kind: 'waive-deletions', epoch: 3 }, owing).notes
  assert.equal(note, 'epoch 3 has 0 of 2 deletion receipts, epoch 4 has 1 of 2 deletion receipts')
  const all = planOf({ kind: 'waive-deletions', epoch: 2 }, owing)
  assert.match(all.warnings.join(), /epoch 2 is the superseded one: the wait for epoch 3, 4 ends with it too/)
})

test('schemes, reasons and windows reach the contract as it takes them', () => {
  const call = (action: AdminAction) => planOf(action, situation({})).call
  assert.deepEqual(call({ kind: 'add-key', scheme: 'frost-ed25519' }), { method: 'adminAddKey', args: [3] })
  assert.deepEqual(call({ kind: 'refresh', reason: 'May' }), { method: 'refreshKey', args: ['May'] })
  assert.deepEqual(call({ kind: 'set-window', blocks: 60 }), { method: 'adminSetAttemptWindow', args: [60] })
  assert.deepEqual(call({ kind: 'require-deletions', required: false }), {
    method: 'adminSetRequireDeletionQuorum',
    args: [false],
  })
  assert.deepEqual(call({ kind: 'pause-transfers' }), { method: 'adminPauseTransfers', args: [] })
})

test('a parameter is shown as it is and as it will be, and what it does not reach is said', () => {
  const window = planOf({ kind: 'set-window', blocks: 60 }, situation(pendingState, { pending: epoch({}) }))
  assert.deepEqual(window.setting, { name: 'attemptWindowBlocks', now: 40, then: 60 })
  assert.equal(window.after, null)
  assert.match(window.notes.join(), /the pending ceremony keeps its window of 40 blocks/)
  const same = planOf({ kind: 'set-window', blocks: 40 }, situation({}))
  assert.match(same.notes.join(), /it is so already/)
  const dropped = planOf({ kind: 'require-deletions', required: false }, situation({}))
  assert.deepEqual(dropped.setting, { name: 'requireDeletionQuorum', now: true, then: false })
  assert.match(dropped.warnings.join(), /go on while shares of the old committee may still exist/)
  const back = planOf({ kind: 'unpause-transfers' }, situation({}, { paused: true }))
  assert.deepEqual(back.setting, { name: 'paused', now: true, then: false })
  assert.equal(planOf({ kind: 'cancel' }, situation({})).setting, null)
})

test('transfers are paused once, and go on once', () => {
  refusal({ kind: 'pause-transfers' }, situation({}, { paused: true }), /transfers are paused already/)
  refusal({ kind: 'unpause-transfers' }, situation({}), /transfers are not paused/)
})
