// Makes a failing scenario small: leaves out what it fails without, as long as the same invariant breaks.
import type { Scenario } from './scenario.ts'
import { type Outcome, simulate } from './simulate.ts'

/** Runs that a shrinking may take. */
const RUNS = 80

/** A smaller scenario that breaks the same invariant, with what came of it. */
export async function shrink(failing: Outcome, run: typeof simulate = simulate): Promise<Outcome> {
  let best = failing
  let left = RUNS
  for (let before: Outcome | null = null; before !== best && left > 0; ) {
    before = best
    for (const smaller of candidates(best.scenario)) {
      if (left-- <= 0) break
      const outcome = await run(smaller)
      if (outcome.violation?.invariant === failing.violation?.invariant) {
        best = outcome
        break
      }
    }
  }
  return best
}

/** Scenarios that are a step smaller, the boldest first. */
function* candidates(scenario: Scenario): Generator<Scenario> {
  const { happenings, corrupt, weather } = scenario
  const half = Math.ceil(happenings.length / 2)
  if (happenings.length > 3) {
    yield { ...scenario, happenings: happenings.slice(0, half) }
    yield { ...scenario, happenings: [...happenings.slice(0, 1), ...happenings.slice(half)] }
  }
  if (weather.delay > 0) yield { ...scenario, weather: { late: 0, delay: 0, lost: 0, twice: 0 } }
  for (const gone of corrupt) yield { ...scenario, corrupt: corrupt.filter((each) => each !== gone) }
  for (const plot of corrupt)
    for (const gone of plot.behaviours.length > 1 ? plot.behaviours : [])
      yield {
        ...scenario,
        corrupt: corrupt.map((each) =>
          each === plot ? { ...plot, behaviours: plot.behaviours.filter((name) => name !== gone) } : each,
        ),
      }
  // From the end: what follows the violation goes first.
  for (let at = happenings.length - 1; at >= 0; at--)
    yield { ...scenario, happenings: happenings.toSpliced(at, 1) }
  if (scenario.stormy > 20) yield { ...scenario, stormy: Math.ceil(scenario.stormy / 2) }
}
