// `npm test [-- PART...]`: checks, builds the contracts, runs the tests of every part in turn; ends in "N passed, N failed".
import { spawnSync } from 'node:child_process'
import { globSync } from 'node:fs'
import { finished } from 'node:stream/promises'
import { run } from 'node:test'
import { spec } from 'node:test/reporters'
import { CHECKS } from './check.ts'

/** Parts in the order in which they run, each with how many of its files run at once. */
const PARTS = [
  { name: 'architecture', glob: 'test/*.test.ts', concurrency: 1 },
  { name: 'unit', glob: 'test/unit/**/*.test.ts', concurrency: 2 },
  { name: 'protocol', glob: 'test/protocol/**/*.test.ts', concurrency: 2 },
  { name: 'contracts', glob: 'test/contracts/**/*.test.ts', concurrency: 2 },
  { name: 'simulation', glob: 'test/simulation/**/*.test.ts', concurrency: 2 },
  // Real processes that mostly wait for blocks: two files at once keep two cores busy.
  { name: 'e2e', glob: 'test/e2e/**/*.test.ts', concurrency: 2 },
] as const

interface Tally {
  passed: number
  failed: number
}

async function runPart(files: readonly string[], concurrency: number): Promise<Tally> {
  const tally = { passed: 0, failed: 0 }
  const events = run({ files: [...files], concurrency })
  events.on('test:pass', ({ details, skip }) => {
    if (details.type !== 'suite' && skip === undefined) tally.passed++
  })
  events.on('test:fail', ({ details }) => {
    if (details.type !== 'suite') tally.failed++
  })
  const report = events.compose(spec)
  report.pipe(process.stdout, { end: false })
  await finished(report, { writable: false })
  return tally
}

function runChecks(): Tally {
  const tally = { passed: 0, failed: 0 }
  for (const { name, run: check } of CHECKS) {
    const complaint = check()
    console.log(`${complaint === null ? 'ok    ' : 'FAILED'}  ${name}`)
    if (complaint !== null) console.log(complaint)
    tally[complaint === null ? 'passed' : 'failed']++
  }
  return tally
}

const asked = process.argv.slice(2)
if (asked.includes('--help')) {
  console.log(
    `npm test [-- PART...]: the parts are check ${PARTS.map(({ name }) => name).join(' ')}; all of them without any`,
  )
  process.exit(0)
}
const unknown = asked.filter((name) => name !== 'check' && !PARTS.some((part) => part.name === name))
if (unknown.length > 0) {
  console.error(
    `unknown part ${unknown.join(', ')}; parts are: check ${PARTS.map(({ name }) => name).join(' ')}`,
  )
  process.exit(2)
}
const wanted = (name: string) => asked.length === 0 || asked.includes(name)

const totals: Tally[] = wanted('check') ? [runChecks()] : []
const build = spawnSync('node_modules/.bin/hardhat', ['build', '--quiet'], { stdio: 'inherit' })
if (build.status !== 0) {
  console.error('build contracts: see above')
  totals.push({ passed: 0, failed: 1 })
} else {
  for (const { name, glob, concurrency } of PARTS.filter((part) => wanted(part.name))) {
    console.log(`\n# ${name}`)
    const files = globSync(glob).sort()
    if (files.length > 0) totals.push(await runPart(files, concurrency))
  }
}

const passed = totals.reduce((sum, tally) => sum + tally.passed, 0)
const failed = totals.reduce((sum, tally) => sum + tally.failed, 0)
console.log(`\n${passed} passed, ${failed} failed`)
process.exit(failed === 0 && passed > 0 ? 0 : 1)
