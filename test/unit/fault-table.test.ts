// The table of the fault tests: a row for each fault that was announced, which holds only if it was tried and came out right.
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { afterEach, beforeEach, test } from 'node:test'
import { OUTCOMES, rowsOf, summaryOf, tableOf, trial } from '../support/fault-table.ts'
import { scratch } from '../support/scratch.ts'

const [REFUSED, HEALED] = OUTCOMES
const part = 'disk'
let folder = ''
let file = ''

beforeEach(() => {
  folder = scratch('table')
  file = join(folder, 'trials')
  process.env.FAULT_TRIALS_FILE = file
})
afterEach(() => {
  delete process.env.FAULT_TRIALS_FILE
})

test('a fault that was announced and never tried has a row that does not hold', () => {
  trial({ part, fault: 'forgotten', required: [REFUSED] }, async () => REFUSED)
  const rows = rowsOf(file)
  assert.deepEqual(
    rows.map(({ fault, tried, holds }) => [fault, tried, holds]),
    [['forgotten', 0, false]],
  )
  assert.match(tableOf(rows), /DOES NOT HOLD/)
  assert.equal(summaryOf(rows), '1 rows, 0 trials, 0 rows hold')
})

test('a row holds if every trial came to what is required; what was measured stands below it', async () => {
  const fault = { part, fault: 'tried', required: [HEALED] }
  const tried = trial(fault, async () => ({ outcome: HEALED, measured: '7 ms' }))
  await tried()
  await tried()
  const rows = rowsOf(file)
  assert.match(
    tableOf(rows),
    /disk: tried +healed from the chain +2 +healed from the chain ×2\n {4}7 ms\n {4}7 ms$/,
  )
  assert.equal(summaryOf(rows), '1 rows, 2 trials, 1 rows hold')
})

test('another outcome and an error fail the test, and the row for good', async () => {
  const fault = { part, fault: 'broken', required: [HEALED] }
  await assert.rejects(
    trial(fault, async () => REFUSED),
    /broken: refused, and not healed/,
  )
  await assert.rejects(
    trial(fault, () => Promise.reject(new Error('dead\nand gone'))),
    /dead/,
  )
  await trial(fault, async () => HEALED)()
  const [row] = rowsOf(file)
  assert.equal(row?.tried, 3)
  assert.equal(row.holds, false)
  assert.deepEqual(row.seen, { [REFUSED]: 1, 'FAILED: dead': 1, [HEALED]: 1 })
})
