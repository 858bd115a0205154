// What a completion waits for, as nodes count it and say it: the superseded epoch and those burned before its successor.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { DeletionsCheck } from '../../../relayer/bridge/checks.ts'
import { owedBy, waiverText } from '../../../relayer/bridge/owed.ts'
import { Problems } from '../../../relayer/bridge/problems.ts'
import type { CommitteeState, EpochInfo } from '../../../relayer/chain/chain.ts'
import type { Address } from '../../../relayer/lib/bytes.ts'
import { silentLog } from '../../../relayer/lib/log.ts'
import { createMetrics } from '../../../relayer/lib/metrics.ts'
import { members } from '../../support/numbered.ts'

const WINDOW = 20
/** Epoch 5 runs, and the completion of its reshare from epoch 2 is outstanding. */
const STATE = { epoch: 5, outstandingEpoch: 2, attemptWindowBlocks: WINDOW } as CommitteeState // CAST: all that is looked at

function closed(epoch: number, receipts: readonly Address[], more: Partial<EpochInfo> = {}): EpochInfo {
  const status = epoch === 2 ? 'superseded' : 'burned'
  const known: Partial<EpochInfo> = { epoch, status, receipts, members: members(1, 2, 3, 4) }
  return { receiptsNeeded: 3, waived: false, ...known, ...more } as EpochInfo // CAST: all that is looked at
}

test('each epoch between that lacks receipts is owed: not those before, nor waived ones, nor any once it is complete', () => {
  const all = [
    closed(1, []),
    closed(2, members(1, 2, 3)),
    closed(3, members(4)),
    closed(4, [], { waived: true }),
  ]
  assert.deepEqual(owedBy(STATE, all), [
    { epoch: 3, needed: 3, known: members(4), owing: members(1, 2, 3), onChain: 1, missing: 2 },
  ])
  assert.deepEqual(owedBy({ ...STATE, outstandingEpoch: 0 }, all), [])
})

test('receipts that are known count beside those on chain, each member once', () => {
  const known = new Map([[3, new Set(members(4, 2, 1))]])
  const [owed] = owedBy(STATE, [closed(3, members(4))], known)
  assert.deepEqual(owed, {
    epoch: 3,
    needed: 3,
    known: members(1, 2, 4),
    owing: members(3),
    onChain: 1,
    missing: 0,
  })
})

test('the waiver that is named is of an epoch that lacks receipts, and one for the superseded epoch is enough', () => {
  const full = closed(2, members(1, 2, 3))
  const text = (...infos: EpochInfo[]) => waiverText(STATE, owedBy(STATE, infos))
  assert.equal(text(full, closed(3, [])), '`truss admin waive-deletions 3`')
  assert.equal(
    text(full, closed(3, []), closed(4, [])),
    '`truss admin waive-deletions 3` and `truss admin waive-deletions 4`',
  )
  assert.equal(text(closed(2, []), closed(3, [])), '`truss admin waive-deletions 2`')
})

test('receipts of a burned epoch that are missing for longer than a window are a problem, and counted', async () => {
  const metrics = createMetrics()
  const problems = new Problems(silentLog)
  const check = new DeletionsCheck({ problems, metrics })
  const infos = [closed(2, members(1, 2, 3)), closed(3, []), closed(4, members(1))]
  const head = (number: number) => ({ state: STATE, head: { number, hash: '0x' as const } })
  check.run(head(100), owedBy(STATE, infos))
  assert.match(await metrics.registry.metrics(), /^truss_receipts_missing 5$/m)
  check.run(head(100 + WINDOW - 1), owedBy(STATE, infos))
  assert.deepEqual(problems.list(), [], 'they may be on their way')
  check.run(head(100 + WINDOW), owedBy(STATE, infos))
  const [problem] = problems.list()
  assert.equal(problem?.check, 'deletions')
  assert.match(problem?.message ?? '', /^epoch 3 lacks 3 of 3, epoch 4 lacks 2 of 3 deletion receipts$/)
  assert.match(problem?.remedy ?? '', /waive-deletions 3` and `truss admin waive-deletions 4`$/)
  check.run(head(200), [])
  assert.deepEqual(problems.list(), [])
  assert.match(await metrics.registry.metrics(), /^truss_receipts_missing 0$/m)
})
