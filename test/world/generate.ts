// Draws a scenario from a seed: who is there, who is corrupt, what governance wants, and what breaks when.
import { BEHAVIOURS } from './catalogue.ts'
import { COLLUSIONS } from './collusions.ts'
import { Draw } from './draw.ts'
import { type Corrupt, type Happening, type Scenario, STEPS } from './scenario.ts'

/** Small committees are drawn most: their mathematics is quick, and nearly everything can go wrong in them. */
const SIZES = [
  [2, 8],
  [3, 16],
  [4, 12],
  [5, 6],
  [6, 2],
  [7, 1],
  [8, 1],
  [9, 1],
] as const

export function generate(seed: number): Scenario {
  const draw = new Draw(`scenario ${seed}`)
  const plotted = draw.chance(700)
  const theme = BEHAVIOURS[seed % BEHAVIOURS.length] ?? ''
  const joint = plotted && COLLUSIONS.some(({ name }) => name === theme)
  const n = joint ? draw.of([5, 5, 6]) : draw.weighted(SIZES)
  const threshold = joint ? 3 : draw.chance(600) ? Math.floor(n / 2) + 1 : draw.between(2, n)
  const spare = n <= 4 && draw.chance(250) ? n : draw.between(0, 2)
  const operators = n + spare
  const pool = Array.from({ length: operators }, (_, at) => at)
  const first = draw.some(pool, n)
  const stormy = draw.between(60, 130)
  const corrupt = plotted ? corruptOf(draw, { pool, first, threshold, theme, joint }) : []
  const happenings = [
    { at: draw.between(1, 3), kind: 'govern' as const, what: 'refresh' as const, salt: 0 },
    ...governance(draw, stormy),
    ...breakages(draw, { stormy, operators }),
    ...powerCut(draw, { seed, stormy, first }),
    ...(theme === 'share of an earlier epoch' ? lateProbes(first, stormy) : []),
    ...probes(draw, { stormy, operators, corrupt }),
    ...fullDisks(seed, { stormy, operators }),
    ...lies(seed, { stormy, operators }),
  ].sort((a, b) => a.at - b.at)
  return {
    seed,
    operators,
    first,
    threshold,
    windowBlocks: draw.of([10, 14, 20]),
    finalityDepth: draw.between(1, 3),
    requireDeletionQuorum: draw.chance(800),
    weather: draw.chance(500)
      ? { late: 0, delay: 0, lost: 0, twice: 0 }
      : {
          late: draw.between(0, 200),
          delay: draw.between(1, 2),
          lost: draw.between(0, 60),
          twice: draw.between(0, 100),
        },
    corrupt,
    happenings,
    stormy,
  }
}

/**
 * At most t-1 of the first committee, and no more than leave a threshold of others. Each seed has a theme, which is known to
 * the first of them, or to all if it takes two: so each behaviour has its turn, alone and beside others.
 */
function corruptOf(
  draw: Draw,
  of: {
    pool: readonly number[]
    first: readonly number[]
    threshold: number
    theme: string
    joint: boolean
  },
): Corrupt[] {
  const most = Math.min(of.threshold - 1, Math.max(1, of.first.length - of.threshold))
  const members = draw.some(of.first, of.joint ? 2 : draw.between(1, most))
  const outside = of.pool.filter((at) => !of.first.includes(at))
  const others = draw.chance(200) ? draw.some(outside, 1) : []
  return [...members, ...others].map((operator, at) => {
    const count = draw.weighted([
      [0, 2],
      [1, 2],
      [4, 2],
    ] as const)
    const drawn = draw.some(BEHAVIOURS, Math.max(count, at === 0 || of.joint ? 0 : 1))
    const behaviours = at === 0 || of.joint ? [...new Set([of.theme, ...drawn])] : drawn
    return { operator, behaviours }
  })
}

/** Who has a share of an earlier epoch can sign with it only late, and only if asked. */
function lateProbes(first: readonly number[], stormy: number): Happening[] {
  return first.slice(0, 3).map((operator, at) => ({ at: stormy - 40 + 12 * at, kind: 'probe', operator }))
}

/** Corrupt operators ask more often: a leader has more ways to cheat. */
function probes(
  draw: Draw,
  of: { stormy: number; operators: number; corrupt: readonly Corrupt[] },
): Happening[] {
  const some = draw.between(0, 1) + (of.corrupt.length > 0 ? 1 : 0)
  return Array.from({ length: some }, (_, at): Happening => {
    const plot = at > 0 ? of.corrupt[draw.below(of.corrupt.length)] : undefined
    const operator = plot?.operator ?? draw.below(of.operators)
    return { at: draw.between(10, of.stormy - 5), kind: 'probe', operator }
  })
}

function governance(draw: Draw, stormy: number): Happening[] {
  const found: Happening[] = []
  for (let at = draw.between(12, 30); at < stormy; at += draw.between(3, 45)) {
    const what = draw.weighted([
      ['refresh', 3],
      ['add', 3],
      ['remove', 3],
      ['swap', 4],
      ['disjoint', 2],
      ['threshold', 2],
      ['add-key', 1],
      ['cancel', 2],
      ['waive', 1],
      ['window', 1],
    ] as const)
    found.push({ at, kind: 'govern', what, salt: draw.below(1_000_000) })
  }
  return found
}

/** The power goes out at one step and one side of it: each in its turn, early enough that the step is still to come. */
function powerCut(
  draw: Draw,
  { seed, stormy, first }: { seed: number; stormy: number; first: readonly number[] },
): Happening[] {
  const step = STEPS[seed % STEPS.length] ?? 'boot'
  const place = Math.floor(seed / STEPS.length) % 2 === 0 ? ('before' as const) : ('after' as const)
  const operator = draw.of(first)
  const at = draw.between(2, Math.ceil(stormy / 2))
  const cut = { at, kind: 'crash at' as const, operator, step, place, down: draw.between(1, 12) }
  // Only who starts counts its boots; and few ever mark a share for erasure without taking up another.
  if (step === 'boot') return [cut, { at: at + 1, kind: 'restart', operator, down: 1 }]
  return step === 'retire' ? first.map((each) => ({ ...cut, operator: each })) : [cut]
}

/** Disks without room: at any step, or at one of a ceremony that is to come to its end once faults stop. */
function fullDisks(seed: number, { stormy, operators }: { stormy: number; operators: number }): Happening[] {
  const draw = new Draw(`full disks ${seed}`)
  return Array.from({ length: draw.chance(600) ? draw.between(1, 2) : 0 }, (): Happening => {
    const late = draw.chance(500)
    const at = draw.between(late ? stormy - 30 : 2, stormy - 1)
    const step = late
      ? draw.of(['marker', 'key file', 'prepared', 'seen', 'promote'] as const)
      : draw.of(STEPS)
    return { at, kind: 'full disk', operator: draw.below(operators), step, blocks: draw.between(1, 15) }
  })
}

/** Endpoints of one node that say alike what is not so, beside those of `breakages`. */
function lies(seed: number, { stormy, operators }: { stormy: number; operators: number }): Happening[] {
  const draw = new Draw(`lies ${seed}`)
  return Array.from(
    { length: draw.chance(300) ? draw.between(1, 2) : 0 },
    (): Happening => ({
      at: draw.between(2, stormy - 1),
      kind: 'endpoint',
      operator: draw.below(operators),
      fault: draw.of(['an invented burn', 'an invented change'] as const),
      blocks: draw.between(2, 20),
    }),
  )
}

function breakages(draw: Draw, { stormy, operators }: { stormy: number; operators: number }): Happening[] {
  const found: Happening[] = []
  const when = () => draw.between(2, stormy - 1)
  const who = () => draw.below(operators)
  for (let left = draw.between(0, 5); left > 0; left--)
    found.push({
      at: when(),
      kind: 'crash at',
      operator: who(),
      step: draw.of(STEPS),
      place: draw.of(['before', 'after'] as const),
      down: draw.between(1, 12),
    })
  for (let left = draw.between(0, 2); left > 0; left--)
    found.push({ at: when(), kind: 'crash', operator: who(), down: draw.between(1, 25) })
  if (draw.chance(200)) found.push({ at: when(), kind: 'restart', operator: who(), down: draw.between(1, 5) })
  if (draw.chance(300)) {
    const all = Array.from({ length: operators }, (_, at) => at)
    const side = draw.some(all, draw.between(1, Math.max(1, operators - 1)))
    found.push({ at: when(), kind: 'partition', side, blocks: draw.between(2, 25) })
  }
  const few = () =>
    draw.weighted([
      [0, 2],
      [1, 2],
      [2, 1],
    ] as const)
  for (let left: number = few(); left > 0; left--)
    found.push({ at: when(), kind: 'reorganise', depth: draw.between(1, 3), keep: draw.chance(600) })
  for (let left: number = few(); left > 0; left--)
    found.push({
      at: when(),
      kind: 'endpoint',
      operator: who(),
      fault: draw.of(['down', 'disagree', 'lag', 'an invented activation'] as const),
      blocks: draw.between(2, 20),
    })
  if (draw.chance(200)) {
    const operator = who()
    const at = draw.between(2, stormy - 20)
    found.push({ at, kind: 'copy disk', operator })
    found.push({ at: draw.between(at + 1, stormy - 1), kind: 'put disk back', operator })
  }
  if (draw.chance(60)) found.push({ at: when(), kind: 'lose disk', operator: who() })
  return found
}
