// Each behaviour of corrupt operators by itself: it reaches an honest check, gets its verdict, and breaks no invariant.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { BEHAVIOURS } from '../world/catalogue.ts'
import { COLLUSIONS } from '../world/collusions.ts'
import type { Scenario } from '../world/scenario.ts'
import { simulate } from '../world/simulate.ts'
import { storyOf } from '../world/story.ts'

/** Worlds in which it may take to come to it: who coordinates, leads and deals is drawn. */
const TRIES = 6

/** One operator corrupt in one way, or two where it takes two: keygen, probes, another key, refreshes. */
function plain(seed: number, behaviour: string): Scenario {
  const together = COLLUSIONS.some(({ name }) => name === behaviour)
  const operators = together ? 5 : 4
  const operator = seed % operators
  const plotters = together ? [operator, (operator + 2) % operators] : [operator]
  return {
    seed,
    operators,
    first: Array.from({ length: operators }, (_, at) => at),
    threshold: 3,
    windowBlocks: 10,
    finalityDepth: 1,
    requireDeletionQuorum: true,
    weather: { late: 0, delay: 0, lost: 0, twice: 0 },
    corrupt: plotters.map((plotter) => ({ operator: plotter, behaviours: [behaviour] })),
    stormy: 70,
    happenings: [
      { at: 1, kind: 'govern', what: 'refresh', salt: 0 },
      { at: 22, kind: 'probe', operator },
      { at: 25, kind: 'probe', operator: (operator + 1) % operators },
      { at: 30, kind: 'govern', what: 'add-key', salt: 3 },
      { at: 47, kind: 'probe', operator: (operator + 1) % 4 },
      { at: 50, kind: 'govern', what: 'refresh', salt: 3 },
      { at: 60, kind: 'probe', operator: (operator + 2) % 4 },
    ],
  }
}

for (const behaviour of BEHAVIOURS)
  test(`${behaviour}: honest operators notice`, async () => {
    let reached = 0
    for (let seed = 1000; seed < 1000 + TRIES && reached === 0; seed++) {
      const outcome = await simulate(plain(seed, behaviour))
      assert.equal(outcome.violation, null, storyOf(outcome))
      reached = outcome.counts.get(`reached ${behaviour}`) ?? 0
    }
    assert.ok(reached > 0)
  })
