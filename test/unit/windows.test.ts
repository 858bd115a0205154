// The rules of attempts, as tables.
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import {
  acceptsStart,
  attemptAt,
  isAlarming,
  isUsed,
  lastClosed,
  leadDelay,
  MIN_WINDOW_BLOCKS,
  nextUsed,
  opening,
  roundDeadline,
  startDeadline,
  usedBefore,
} from '../../relayer/ceremony/windows.ts'

const windows = { startBlock: 100, windowBlocks: 20 }

test('an attempt is a window of W blocks, counted from the start block', () => {
  const table: [number, number | null][] = [
    [99, null],
    [100, 0],
    [119, 0],
    [120, 1],
    [139, 1],
    [140, 2],
    [100 + 20 * 127 + 19, 127],
  ]
  for (const [head, attempt] of table) assert.equal(attemptAt(windows, head), attempt, `head ${head}`)
  assert.equal(opening(windows, 0), 100)
  assert.equal(opening(windows, 3), 160)
})

test('windows are used up to 31, then every second up to 127, then every fourth', () => {
  const table: [number, boolean][] = [
    [-1, false],
    [0, true],
    [31, true],
    [32, true],
    [33, false],
    [34, true],
    [126, true],
    [127, false],
    [128, true],
    [129, false],
    [130, false],
    [131, false],
    [132, true],
    [1000, true],
    [1002, false],
  ]
  for (const [attempt, used] of table) assert.equal(isUsed(attempt), used, `attempt ${attempt}`)
  assert.deepEqual([-5, 0, 31, 33, 127, 129, 132].map(nextUsed), [0, 0, 31, 34, 128, 132, 132])
})

test('the number of used windows before k agrees with counting them', () => {
  let count = 0
  for (let attempt = 0; attempt < 600; attempt++) {
    assert.equal(usedBefore(attempt), count, `attempt ${attempt}`)
    if (isUsed(attempt)) count += 1
  }
})

test('the alarm begins after the fifth failed attempt', () => {
  assert.deepEqual([0, 4, 5, 6, 200].map(isAlarming), [false, false, true, true, true])
})

test('deadlines are fixed shares of the window, in order, and end within it', () => {
  assert.equal(startDeadline(windows, 0), 106)
  assert.deepEqual(
    [1, 2, 3, 4].map((round) => roundDeadline(windows, 0, round)),
    [109, 112, 117, 119],
  )
  assert.equal(roundDeadline(windows, 2, 1), 149)
  assert.equal(roundDeadline(windows, 0, 9), 119, 'nothing ends after disputes')
  for (let windowBlocks = 1; windowBlocks <= 400; windowBlocks++) {
    const each = { startBlock: 7, windowBlocks }
    const order = [
      opening(each, 3),
      startDeadline(each, 3),
      ...[1, 2, 3, 4].map((round) => roundDeadline(each, 3, round)),
      opening(each, 4),
    ]
    assert.deepEqual(
      order,
      [...order].sort((a, b) => a - b),
      `W = ${windowBlocks}`,
    )
  }
})

test('from the least window on that the contract takes, every deadline lies a block or more after the one before', () => {
  const steps = (windowBlocks: number) => {
    const each = { startBlock: 7, windowBlocks }
    const times = [
      opening(each, 3),
      startDeadline(each, 3),
      ...[1, 2, 3, 4].map((round) => roundDeadline(each, 3, round)),
      opening(each, 4),
    ]
    return times.slice(1).map((time, at) => time - (times[at] ?? 0))
  }
  for (let windowBlocks = MIN_WINDOW_BLOCKS; windowBlocks <= 50_400; windowBlocks++)
    assert.ok(Math.min(...steps(windowBlocks)) >= 1, `W = ${windowBlocks}`)
  assert.equal(Math.min(...steps(MIN_WINDOW_BLOCKS - 1)), 0)
  const source = readFileSync('contracts/Committees.sol', 'utf8')
  assert.match(source, new RegExp(`MIN_WINDOW_BLOCKS = ${MIN_WINDOW_BLOCKS};`))
})

test('a start message is taken for k-1 to k+1, above the last joined attempt, for used windows only', () => {
  const table: [attempt: number, current: number, lastJoined: number | null, taken: boolean][] = [
    [0, 0, null, true],
    [1, 0, null, true],
    [2, 0, null, false],
    [4, 5, null, true],
    [3, 5, null, false],
    [5, 5, 4, true],
    [5, 5, 5, false],
    [4, 5, 4, false],
    [6, 5, 5, true],
    [33, 33, null, false],
    [34, 33, null, true],
    [-1, 0, null, false],
  ]
  for (const [attempt, current, lastJoined, taken] of table)
    assert.equal(
      acceptsStart(attempt, { current, lastJoined }),
      taken,
      `${attempt} at ${current}, last joined ${lastJoined}`,
    )
})

test('the delay between leaders grows with the window and is never zero', () => {
  assert.deepEqual(
    [1, 19, 20, 45, 200].map((windowBlocks) => leadDelay({ startBlock: 0, windowBlocks })),
    [1, 1, 1, 2, 10],
  )
})

test('a window that was open when the node started is closed to it, whatever its markers say', () => {
  const table: [upSince: number, joined: number | null, closed: number | null][] = [
    [99, null, null],
    [99, 4, 4],
    [100, null, 0],
    [119, null, 0],
    [145, null, 2],
    [145, 1, 2],
    [145, 3, 3],
  ]
  for (const [upSince, joined, closed] of table)
    assert.equal(lastClosed({ ...windows, upSince }, joined), closed, `${upSince}, ${joined}`)
  assert.equal(lastClosed(windows, 7), 7)
})
