// `npm run simulate -- --seed N | --seeds K | --minutes M [--from N] [--jobs J] [--story] [--log]`: worlds by seed; exit 1 if an invariant breaks.
import { availableParallelism } from 'node:os'
import { parseArgs } from 'node:util'
import { fleet } from './fleet.ts'
import { generate } from './generate.ts'
import { shrink } from './shrink.ts'
import { type Outcome, simulate } from './simulate.ts'
import { storyOf, tableOf, total } from './story.ts'

const USAGE =
  'npm run simulate -- --seed N | --seeds K [--from N] | --minutes M [--from N]; --jobs J; --story, --log, --json with --seed'

const { values } = parseArgs({
  options: {
    seed: { type: 'string' },
    seeds: { type: 'string' },
    minutes: { type: 'string' },
    from: { type: 'string', default: '1' },
    story: { type: 'boolean', default: false },
    log: { type: 'boolean', default: false },
    json: { type: 'boolean', default: false },
    jobs: { type: 'string', default: String(availableParallelism()) },
    brief: { type: 'boolean', default: false },
  },
})

const first = whole(values.from)
if (values.seed !== undefined) await one(whole(values.seed))
else if (values.seeds !== undefined) await many(first + whole(values.seeds) - 1, new AbortController().signal)
else if (values.minutes !== undefined)
  await many(Number.MAX_SAFE_INTEGER, AbortSignal.timeout(whole(values.minutes) * 60_000))
else {
  console.error(USAGE)
  process.exitCode = 2
}

async function one(seed: number): Promise<void> {
  const outcome = await simulate(generate(seed), { lines: values.log })
  if (values.log) console.log(outcome.lines?.join('\n'))
  if (values.json) {
    console.log(JSON.stringify({ seed, digest: outcome.digest, violation: outcome.violation }))
    process.exitCode = outcome.violation === null ? 0 : 1
    return
  }
  if (values.story || outcome.violation !== null) console.log(storyOf(outcome))
  console.log(tableOf(outcome.counts))
  console.log(`\nseed ${seed}, event log ${outcome.digest}`)
  if (outcome.violation !== null) await fail(outcome)
}

async function many(last: number, over: AbortSignal): Promise<void> {
  const start = performance.now()
  const onReport = ({ seed }: { seed: number }) => {
    if (process.stderr.isTTY) process.stderr.write(`\rseed ${seed} `)
  }
  const reports = await fleet({ from: first, last }, { jobs: whole(values.jobs), over, onReport })
  const failed = reports.filter(({ violation }) => violation !== null).sort((a, b) => a.seed - b.seed)[0]
  const violation = failed?.violation ?? null
  if (failed !== undefined && violation !== null && values.brief) {
    const { invariant, what } = violation
    console.log(`seed ${failed.seed}: "${invariant}": ${what.split('\n')[0]}`)
    process.exitCode = 1
    return
  }
  if (failed !== undefined) return await fail(await simulate(generate(failed.seed)))
  console.log(tableOf(total(reports.map(({ counts }) => ({ counts: new Map(counts) })))))
  const seconds = Math.round((performance.now() - start) / 1000)
  console.log(`\n${reports.length} seeds from ${first}, ${seconds} s, no violated invariant`)
}

/** A failing seed is made small before it is told. */
async function fail(outcome: Outcome): Promise<void> {
  console.log(
    `seed ${outcome.scenario.seed} violates "${outcome.violation?.invariant}"; looking for a smaller case`,
  )
  const small = await shrink(outcome)
  console.log(`\n${storyOf(small)}`)
  console.log(`\nagain: npm run simulate -- --seed ${outcome.scenario.seed} --story`)
  process.exitCode = 1
}

function whole(text: string): number {
  const value = Number(text)
  if (Number.isSafeInteger(value) && value >= 0) return value
  console.error(`${text} is no whole number\n${USAGE}`)
  process.exit(2)
}
