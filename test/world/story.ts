// Tells people what came of runs: a failing seed as a short story, many seeds as a table of counts.
import { BEHAVIOURS } from './catalogue.ts'
import { ENDPOINT_FAULTS, type Scenario, STEPS } from './scenario.ts'
import type { Outcome } from './simulate.ts'

/** The scenario in a few lines, then what happened, block by block, up to the violation. */
export function storyOf({ scenario, violation, story }: Outcome): string {
  const head = `seed ${scenario.seed}: ${cast(scenario)}`
  const end =
    violation === null
      ? 'no invariant is violated'
      : `"${violation.invariant}" does not hold: ${violation.what}`
  return [head, ...story.map((line) => `  ${line}`), end].join('\n')
}

function cast({ operators, first, threshold, corrupt, windowBlocks, finalityDepth }: Scenario): string {
  const plots = corrupt.map(
    ({ operator, behaviours }) => `operator ${operator} is corrupt (${behaviours.join(', ')})`,
  )
  return [
    `${operators} operators, first committee ${first.join(', ')} with threshold ${threshold}`,
    `windows of ${windowBlocks} blocks, final after ${finalityDepth}`,
    ...plots,
  ].join('; ')
}

/** Counts of many runs, added up. */
export function total(outcomes: readonly Pick<Outcome, 'counts'>[]): Map<string, number> {
  const sum = new Map<string, number>()
  for (const { counts } of outcomes)
    for (const [what, count] of counts) sum.set(what, (sum.get(what) ?? 0) + count)
  return sum
}

/** What must happen when many worlds are run: everything that is counted, each crash and each behaviour. */
const WANTED: readonly string[] = [
  'ceremonies',
  'attempts',
  'activations',
  'burned epochs',
  'partitions',
  'reorganisations',
  'probes',
  ...ENDPOINT_FAULTS.map((fault) => `endpoints: ${fault}`),
  ...STEPS.flatMap((step) => [`crash before ${step}`, `crash after ${step}`]),
  // Few ever mark a share for erasure without taking up another.
  ...STEPS.filter((step) => step !== 'retire').map((step) => `full at ${step}`),
  ...BEHAVIOURS.map((name) => `reached ${name}`),
]

/** What of it never did. */
export function neverSeen(counts: ReadonlyMap<string, number>): string[] {
  return WANTED.filter((what) => (counts.get(what) ?? 0) === 0)
}

/** The counts as a table; each behaviour with how often it was tried and how often it reached an honest check. */
export function tableOf(counts: ReadonlyMap<string, number>): string {
  const plain = [...counts]
    .filter(([what]) => !/^(tried|reached) /.test(what))
    .sort(([a], [b]) => (a < b ? -1 : 1))
  const rows = BEHAVIOURS.map((name) => {
    const [tried, reached] = [counts.get(`tried ${name}`) ?? 0, counts.get(`reached ${name}`) ?? 0]
    return `${String(tried).padStart(8)} ${String(reached).padStart(8)}  ${name}`
  })
  return [
    ...plain.map(([what, count]) => `${String(count).padStart(8)}  ${what}`),
    '',
    '   tried  reached  behaviour of corrupt operators',
    ...rows,
  ].join('\n')
}
