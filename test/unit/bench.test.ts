// The bench's own parts: its flags, its stopwatch, its limits, its report; and one trial run of all of it.
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import type { Constants } from '../../scripts/bench/constants.ts'
import { keygenLimit, reshareLimit, sharesLimit, sizeOf } from '../../scripts/bench/model.ts'
import { parseOptions } from '../../scripts/bench/options.ts'
import { partLines, type Report, writeMarkdown } from '../../scripts/bench/report.ts'
import { costOf, median } from '../../scripts/bench/stopwatch.ts'
import { scratch } from '../support/scratch.ts'

const NOTHING: Constants = { B: 0, P: 0, A: 0, D: 0, F: 0, F128: 0, Hn: 0, Vc: 0 }

void test('the bench refuses flags that make no sense, in one line', () => {
  assert.throws(() => parseOptions(['--part', 'sound']), /--part sound: parts are constants, ceremonies/)
  assert.throws(() => parseOptions(['--most', '200']), /--most 200: give a whole number from 3 to 100/)
  assert.equal(parseOptions(['--help']), 'help')
})

void test('a quick run leaves the devnet out unless it is asked for by name', () => {
  const quick = parseOptions(['--quick'])
  assert.ok(quick !== 'help' && !quick.parts.includes('devnet'))
  const asked = parseOptions(['--quick', '--part', 'devnet'])
  assert.ok(asked !== 'help' && asked.parts.includes('devnet'))
})

void test('the stopwatch makes at least as many calls as asked, and takes the middle', () => {
  let calls = 0
  const cost = costOf(() => (calls += 1), { calls: 5 })
  assert.ok(cost.calls >= 5 && calls >= cost.calls)
  assert.ok(cost.ms >= 0)
  assert.equal(median([5, 1, 3]), 3)
  assert.equal(median([4, 1, 3, 2]), 2.5)
})

void test('the limits count the operations of a keygen 2 of 3 and of a reshare to the same size', () => {
  const size = sizeOf(3)
  assert.deepEqual(size, { n: 3, t: 2 })
  assert.equal(keygenLimit({ ...NOTHING, B: 1 }, size), 5)
  assert.equal(keygenLimit({ ...NOTHING, P: 1 }, size), 6)
  assert.equal(keygenLimit({ ...NOTHING, F: 1 }, size), 3)
  assert.equal(keygenLimit({ ...NOTHING, Hn: 1 }, size), 2)
  assert.equal(reshareLimit({ ...NOTHING, P: 1 }, size), 4)
  assert.equal(reshareLimit({ ...NOTHING, F128: 1 }, size), 2)
  // V_1: one addition; V_2: one doubling and one addition; one subtraction; one addition for V_3.
  assert.equal(sharesLimit({ ...NOTHING, A: 1 }, size), 4)
  assert.equal(sharesLimit({ ...NOTHING, D: 1 }, size), 1)
})

void test('a goal that is missed says so, and a page without markers is refused', () => {
  const part = {
    name: 'frost',
    title: 'Title',
    columns: ['what', 'ms'],
    rows: [['one', 1.23456]],
    goals: [
      { what: 'fast', goal: 1.2, measured: 1.1 },
      { what: 'slow', goal: 1.2, measured: 1.3 },
    ],
    failure: null,
  } as const
  const lines = partLines(part)
  assert.ok(lines.some((line) => /fast.*1\.10.*met/.test(line)))
  assert.ok(lines.some((line) => /slow.*1\.30.*MISSED/.test(line)))
  assert.ok(lines.includes('| one  | 1.23 |'))
  const directory = scratch('bench')
  const file = join(directory, 'page.md')
  const report: Report = {
    quick: false,
    node: '24',
    cpu: 'any',
    cores: 2,
    load: 0,
    seconds: 1,
    parts: [part],
  }
  writeFileSync(file, 'nothing here\n')
  assert.throws(() => writeMarkdown(file, report), /give a page with the lines/)
  writeFileSync(file, readFileSync('docs/benchmarks.md'))
  writeMarkdown(file, report)
  writeMarkdown(file, report)
  const page = readFileSync(file, 'utf8')
  assert.equal(page.split('### Title').length, 2)
  assert.match(page, /^# What it costs/)
})

void test('a trial run measures every part but the devnet and writes its report', () => {
  const directory = scratch('bench')
  const file = join(directory, 'report.json')
  const printed = execFileSync(process.execPath, ['scripts/bench.ts', '--quick', '--json', file], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'ignore'],
  })
  // CAST: the report's own type, with the verdict that reportJson adds; every field used is asserted
  const report = JSON.parse(readFileSync(file, 'utf8')) as Report & {
    parts: { goals: { met: boolean }[] }[]
  }
  assert.equal(report.quick, true)
  assert.deepEqual(
    report.parts.map(({ name }) => name),
    ['constants', 'ceremonies', 'frost', 'heap'],
  )
  for (const { title, columns, rows, goals, failure } of report.parts) {
    assert.equal(failure, null)
    assert.ok(printed.includes(title))
    assert.ok(rows.length > 0)
    for (const row of rows) {
      assert.equal(row.length, columns.length)
      for (const cell of row)
        assert.ok(
          cell === null || typeof cell === 'string' || Number.isFinite(cell),
          `${title}: ${row.join()}`,
        )
    }
    for (const goal of goals) assert.equal(goal.met, goal.measured <= goal.goal)
  }
})
