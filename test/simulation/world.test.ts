// Whole simulated worlds by seed: every invariant holds, a seed means the same in two processes, and a failing one shrinks to a story.
import assert from 'node:assert/strict'
import { execFile, spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { promisify } from 'node:util'
import { BEHAVIOURS } from '../world/catalogue.ts'
import { fleet } from '../world/fleet.ts'
import { generate } from '../world/generate.ts'
import type { Scenario } from '../world/scenario.ts'
import { shrink } from '../world/shrink.ts'
import { simulate } from '../world/simulate.ts'
import { neverSeen, storyOf, total } from '../world/story.ts'

const SEEDS = 200
/** Of these the event log is compared with that of another process. */
const AGAIN = 4
const never = new AbortController().signal

test(`${SEEDS} seeds violate no invariant, and things do happen in them`, async () => {
  const reports = await fleet({ from: 1, last: SEEDS }, { jobs: 2, over: never, onReport: () => {} })
  for (const { seed, violation } of reports)
    assert.equal(violation, null, `npm run simulate -- --seed ${seed}: ${violation?.what}`)
  assert.equal(reports.length, SEEDS)
  const counts = total(reports.map((report) => ({ counts: new Map(report.counts) })))
  // Each crash and each behaviour takes more seeds, which `npm run simulate -- --seeds 2000` asks for.
  const missing = neverSeen(counts).filter((what) => !/^(reached|crash) /.test(what))
  assert.deepEqual(missing, [])
  const reached = BEHAVIOURS.filter((name) => (counts.get(`reached ${name}`) ?? 0) > 0)
  assert.ok(reached.length > (BEHAVIOURS.length * 3) / 4, `reached only ${reached.join(', ')}`)
  const again = await fleet({ from: 1, last: AGAIN }, { jobs: 1, over: never, onReport: () => {} })
  const digests = new Map(reports.map(({ seed, digest }) => [seed, digest]))
  for (const { seed, digest } of again) assert.equal(digest, digests.get(seed), `seed ${seed}`)
})

test('a seed gives the same events in two processes', async () => {
  const run = promisify(execFile)
  const args = ['test/world/main.ts', '--seed', '3', '--json']
  const [one, other] = await Promise.all([run(process.execPath, args), run(process.execPath, args)])
  assert.match(one.stdout, /"digest":"[0-9a-f]{64}","violation":null/)
  assert.equal(one.stdout, other.stdout)
})

test('flags that make no sense get one line and exit code 2, and help is given', () => {
  const say = (...args: string[]) =>
    spawnSync(process.execPath, ['test/world/main.ts', ...args], { encoding: 'utf8' })
  for (const args of [['--bogus'], ['--seeds', 'many'], [], ['--seed', '1', '--seeds', '2']]) {
    const { status, stderr, stdout } = say(...args)
    assert.deepEqual([status, stdout], [2, ''])
    assert.match(stderr, /^simulate: .*\n$/)
  }
  const { status, stdout } = say('--help')
  assert.equal(status, 0)
  assert.match(stdout, /--seeds K/)
})

test('the page on simulated worlds names every behaviour', () => {
  const page = readFileSync('docs/simulation.md', 'utf8')
  assert.deepEqual(
    BEHAVIOURS.filter((name) => !page.includes(name)),
    [],
  )
})

test('what never happened in many seeds is named', () => {
  assert.deepEqual(neverSeen(new Map()).slice(0, 2), ['ceremonies', 'attempts'])
  assert.ok(neverSeen(new Map()).includes('crash before boot'))
  const all = new Map(neverSeen(new Map()).map((what) => [what, 1]))
  assert.deepEqual(neverSeen(all), [])
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
