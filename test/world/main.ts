// `npm run simulate -- --seed N | --seeds K | --minutes M [--from N] [--story] [--log]`: worlds by seed; exit 1 if an invariant breaks.
import { parseArgs } from 'node:util'
import { generate } from './generate.ts'
import { shrink } from './shrink.ts'
import { type Outcome, simulate } from './simulate.ts'
import { storyOf, tableOf, total } from './story.ts'

const USAGE =
  'npm run simulate -- --seed N | --seeds K [--from N] | --minutes M [--from N]; --story, --log, --json with --seed'

const { values } = parseArgs({
  options: {
    seed: { type: 'string' },
    seeds: { type: 'string' },
    minutes: { type: 'string' },
    from: { type: 'string', default: '1' },
    story: { type: 'boolean', default: false },
    log: { type: 'boolean', default: false },
    json: { type: 'boolean', default: false },
    brief: { type: 'boolean', default: false },
  },
})

if (values.seed !== undefined) await one(whole(values.seed))
else if (values.seeds !== undefined) await many((done) => done < whole(values.seeds ?? ''))
else if (values.minutes !== undefined) {
  const until = performance.now() + whole(values.minutes) * 60_000
  await many(() => performance.now() < until)
} else {
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

async function many(goOn: (done: number) => boolean): Promise<void> {
  const outcomes: Pick<Outcome, 'counts'>[] = []
  const start = performance.now()
  for (let seed = whole(values.from); goOn(outcomes.length); seed++) {
    const outcome = await simulate(generate(seed))
    outcomes.push({ counts: outcome.counts })
    if (outcome.violation !== null && values.brief) {
      console.log(`seed ${seed}: "${outcome.violation.invariant}": ${outcome.violation.what.split('\n')[0]}`)
      process.exitCode = 1
      return
    }
    if (outcome.violation !== null) return await fail(outcome)
    if (process.stderr.isTTY) process.stderr.write(`\rseed ${seed}`)
  }
  console.log(tableOf(total(outcomes)))
  const seconds = Math.round((performance.now() - start) / 1000)
  console.log(`\n${outcomes.length} seeds from ${values.from}, ${seconds} s, no violated invariant`)
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
