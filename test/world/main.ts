// `npm run simulate -- --seed N | --seeds K | --minutes M`: worlds by seed; exit 1 if an invariant breaks (--help for all flags).
import { messageOf } from '../../relayer/lib/errors.ts'
import { fleet } from './fleet.ts'
import { generate } from './generate.ts'
import { HELP, type Options, parseOptions } from './options.ts'
import { shrink } from './shrink.ts'
import { type Outcome, simulate } from './simulate.ts'
import { neverSeen, storyOf, tableOf, total } from './story.ts'

/** From so many seeds on, whatever must be tried has to happen. */
const MANY = 2000

async function one(seed: number, { print }: Options): Promise<void> {
  const outcome = await simulate(generate(seed), { lines: print === 'log' })
  const { digest, violation, counts, lines } = outcome
  if (print === 'json') {
    console.log(JSON.stringify({ seed, digest, violation }))
    process.exitCode = violation === null ? 0 : 1
    return
  }
  if (lines !== null) console.log(lines.join('\n'))
  if (print === 'story' || violation !== null) console.log(storyOf(outcome))
  console.log(tableOf(counts))
  console.log(`\nseed ${seed}, event log ${digest}`)
  if (violation !== null) await fail(outcome)
}

async function many(last: number, over: AbortSignal, { first, jobs, brief }: Options): Promise<void> {
  const start = performance.now()
  let done = 0
  const onReport = ({ seed }: { seed: number }) => {
    done++
    if (process.stderr.isTTY) process.stderr.write(`\rseed ${seed} `)
    else if (done % 250 === 0) console.error(`${done} seeds`)
  }
  const reports = await fleet({ from: first, last }, { jobs, over, onReport })
  const failed = reports.filter(({ violation }) => violation !== null).sort((a, b) => a.seed - b.seed)[0]
  const violation = failed?.violation ?? null
  if (failed !== undefined && violation !== null && brief) {
    const { invariant, what } = violation
    console.log(`seed ${failed.seed}: "${invariant}": ${what.split('\n')[0]}`)
    process.exitCode = 1
    return
  }
  if (failed !== undefined) return await fail(await simulate(generate(failed.seed)))
  const counts = total(reports.map((report) => ({ counts: new Map(report.counts) })))
  console.log(tableOf(counts))
  const seconds = Math.round((performance.now() - start) / 1000)
  console.log(`\n${reports.length} seeds from ${first}, ${seconds} s, no violated invariant`)
  const never = neverSeen(counts)
  if (never.length === 0) return
  console.log(`never seen: ${never.join(', ')}`)
  if (reports.length >= MANY) process.exitCode = 1
}

/** A failing seed is made small before it is told. */
async function fail(outcome: Outcome): Promise<void> {
  const { scenario, violation } = outcome
  console.log(`seed ${scenario.seed} violates "${violation?.invariant}"; looking for a smaller case`)
  const small = await shrink(outcome)
  console.log(`\n${storyOf(small)}`)
  console.log(`\nagain: npm run simulate -- --seed ${scenario.seed} --story`)
  process.exitCode = 1
}

async function run(options: Options): Promise<void> {
  const { worlds, first } = options
  if (worlds.kind === 'one') return await one(worlds.seed, options)
  if (worlds.kind === 'seeds')
    return await many(first + worlds.count - 1, new AbortController().signal, options)
  await many(Number.MAX_SAFE_INTEGER, AbortSignal.timeout(worlds.minutes * 60_000), options)
}

function asked(): Options | 'help' | null {
  try {
    return parseOptions(process.argv.slice(2))
  } catch (error) {
    console.error(`simulate: ${messageOf(error).split('\n')[0]}`)
    process.exitCode = 2
    return null
  }
}

const options = asked()
if (options === 'help') console.log(HELP)
else if (options !== null) await run(options)
