// Whole simulated worlds by seed: every invariant holds, a seed means the same in two processes, and a failing one shrinks to a story.
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { test } from 'node:test'
import { promisify } from 'node:util'
import { fleet } from '../world/fleet.ts'
import { generate } from '../world/generate.ts'
import type { Scenario } from '../world/scenario.ts'
import { shrink } from '../world/shrink.ts'
import { simulate } from '../world/simulate.ts'
import { storyOf, total } from '../world/story.ts'

const SEEDS = 20

test(`${SEEDS} seeds violate no invariant, and things do happen in them`, async () => {
  const never = new AbortController().signal
  const reports = await fleet({ from: 1, last: SEEDS }, { jobs: 2, over: never, onReport: () => {} })
  for (const { seed, violation } of reports)
    assert.equal(violation, null, `npm run simulate -- --seed ${seed}: ${violation?.what}`)
  assert.equal(reports.length, SEEDS)
  const counts = total(reports.map((report) => ({ counts: new Map(report.counts) })))
  for (const what of [
    'activations',
    'burned epochs',
    'partitions',
    'reorganisations',
    'probes',
    'promotions',
  ])
    assert.ok((counts.get(what) ?? 0) > 0, `no ${what}`)
})

test('a seed gives the same events in two processes', async () => {
  const run = promisify(execFile)
  const args = ['test/world/main.ts', '--seed', '3', '--json']
  const [one, other] = await Promise.all([run(process.execPath, args), run(process.execPath, args)])
  assert.match(one.stdout, /"digest":"[0-9a-f]{64}","violation":null/)
  assert.equal(one.stdout, other.stdout)
})

test('a failing scenario shrinks to what it fails by, and is told as a story', async () => {
  const scenario = generate(4)
  const outcome = await simulate(scenario)
  // An invariant of the test's own: nobody asks for a refresh twice.
  const failing = { ...outcome, violation: { invariant: 'at most one refresh', what: 'two', block: 1 } }
  const refreshes = ({ happenings }: Scenario) =>
    happenings.filter((each) => each.kind === 'govern' && each.what === 'refresh')
  assert.ok(refreshes(scenario).length > 0 && scenario.happenings.length > 1)
  const small = await shrink(failing, async (smaller) => ({
    ...failing,
    scenario: smaller,
    violation: refreshes(smaller).length > 0 ? failing.violation : null,
  }))
  assert.equal(small.scenario.happenings.length, 1)
  assert.deepEqual(small.scenario.corrupt, [])
  assert.match(storyOf(small), /^seed 4: .*\n[^]*"at most one refresh" does not hold: two$/)
})
