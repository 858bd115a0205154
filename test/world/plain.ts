// A world in fine weather in which operators are corrupt in one way, so that nothing else is in its way.
import { COLLUSIONS } from './collusions.ts'
import type { Scenario } from './scenario.ts'

/** One operator corrupt in one way, or two where it takes two: keygen, probes, another key, refreshes. */
export function plain(seed: number, behaviour: string): Scenario {
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
