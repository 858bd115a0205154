// Part `ceremonies`: keygen and reshare at growing sizes against their limits, in mathematics and as whole protocols.
import type { Signer } from '../../relayer/crypto/identity.ts'
import type { Address } from '../../relayer/lib/bytes.ts'
import type { KeyShare } from '../../relayer/protocol/keyshare.ts'
import { type Ceremony, operators, runAgain, runKeygen, sharesOf } from './ceremony.ts'
import type { Constants, ConstantsLog } from './constants.ts'
import { measureNobleDkg } from './dkg.ts'
import { type Mathematics, measureMathematics } from './mathematics.ts'
import { keygenLimit, reshareLimit, type Size, sizeOf } from './model.ts'
import type { Cell, Goal, Part } from './report.ts'
import { median } from './stopwatch.ts'

const SIZES = [3, 5, 10, 20, 50, 100] as const
/** The mathematics at most this many times its limit, from this size on. */
const MATHEMATICS_GOAL = { factor: 1.5, from: 10 }
/** The whole protocol at most this many times the limit, and this much for each of the three rounds. */
const PROTOCOL_GOAL = { factor: 3, roundMs: 5, rounds: 3 }

/** How much is repeated. */
export interface Effort {
  readonly most: number
  /** About how long the mathematics of one size is measured, in ms. */
  readonly budgetMs: number
  /** Least calls of each constant beside a size. */
  readonly calls: number
  readonly say: (line: string) => void
}

interface Figures {
  readonly limit: number
  readonly mathematics: Mathematics
  readonly protocol: number
  readonly sent: number
  readonly received: number
}

/** Measures every size up to `most`, the constants again beside each. */
export async function measureCeremonies(log: ConstantsLog, effort: Effort): Promise<Part> {
  const rows: Cell[][] = []
  const goals: Goal[] = []
  let before = log.measure(effort.calls)
  for (const size of SIZES.filter((n) => n <= effort.most).map(sizeOf)) {
    effort.say(`${size.t} of ${size.n}`)
    const signers = operators(size.n)
    const keygen = await measureOp('keygen', { signers, size, effort, origin: null })
    const reshare = await measureOp('reshare', { signers, size, effort, origin: keygen.last })
    const dkg = measureNobleDkg(size, repeats(effort, keygenLimit(before, size) * 6))
    const after = log.measure(effort.calls)
    const constants = between(before, after)
    before = after
    for (const [op, figures, beside] of [
      ['keygen', keygen.figures(constants), dkg],
      ['reshare', reshare.figures(constants), null],
    ] as const) {
      rows.push(rowOf(op, size, { figures, dkg: beside }))
      goals.push(...goalsOf(op, size, figures))
    }
  }
  return {
    name: 'ceremonies',
    title: 'Keygen and reshare, one key, CPU time of one party that deals and receives',
    columns: [
      'what',
      'n',
      't',
      'limit ms',
      'mathematics ms',
      '/ limit',
      'deal',
      'verify',
      'combine',
      'sum',
      'protocol ms',
      'protocol / limit',
      'sent bytes',
      'received bytes',
      'noble DKG ms',
    ],
    rows,
    goals,
    failure: null,
  }
}

/** The figures, once the constants of their time are known, and the last ceremony, which is over. */
async function measureOp(
  op: 'keygen' | 'reshare',
  of: { signers: readonly Signer[]; size: Size; effort: Effort; origin: Ceremony | null },
): Promise<{ figures: (constants: Constants) => Figures; last: Ceremony }> {
  const { signers, size, effort, origin } = of
  const held: ReadonlyMap<Address, readonly KeyShare[]> = origin === null ? new Map() : sharesOf(origin)
  const usages: { cpu: number; sent: number; received: number }[] = []
  let found: { mathematics: Mathematics; last: Ceremony } | null = null
  // Few parties give few samples, and a cold start: repeat until there are enough.
  const runs = Math.max(1, Math.min(20, Math.ceil(effort.budgetMs / (size.n * size.n * 4))))
  for (let at = 0; at < runs; at++) {
    const ceremony =
      origin === null
        ? await runKeygen(signers, size)
        : await runAgain(signers, { op: 'reshare', before: origin })
    const dealing = [...ceremony.parties].filter(([, { session }]) => op === 'keygen' || session.seat('old'))
    if (at > 0 || runs === 1) usages.push(...dealing.map(([, { usage }]) => ({ ...usage })))
    const [first] = dealing
    if (at === runs - 1 && first !== undefined) {
      const [address, outcome] = first
      const roughly = median(usages.map(({ cpu }) => cpu))
      const passes = repeats(effort, roughly)
      const mathematics = await measureMathematics(outcome, { held: held.get(address) ?? [], passes })
      found = { mathematics, last: ceremony }
    }
    ceremony.close()
  }
  if (found === null) throw new Error(`bench ${op}: nobody deals`)
  const figures = {
    mathematics: found.mathematics,
    protocol: median(usages.map(({ cpu }) => cpu)),
    sent: median(usages.map(({ sent }) => sent)),
    received: median(usages.map(({ received }) => received)),
  }
  const limit = op === 'keygen' ? keygenLimit : reshareLimit
  return { figures: (constants) => ({ ...figures, limit: limit(constants, size) }), last: found.last }
}

function rowOf(op: string, { n, t }: Size, of: { figures: Figures; dkg: number | null }): Cell[] {
  const { limit, mathematics, protocol, sent, received } = of.figures
  const steps = [mathematics.deal, mathematics.verify, mathematics.combine, mathematics.sum]
  return [
    op,
    n,
    t,
    limit,
    mathematics.total,
    mathematics.total / limit,
    ...steps,
    protocol,
    protocol / limit,
    sent,
    received,
    of.dkg,
  ]
}

function goalsOf(op: string, { n, t }: Size, { limit, mathematics, protocol }: Figures): Goal[] {
  const { factor, roundMs, rounds } = PROTOCOL_GOAL
  const name = `${op} ${t} of ${n}`
  const whole = {
    what: `${name}: protocol / (${factor} limit + ${roundMs * rounds} ms)`,
    goal: 1,
    measured: protocol / (factor * limit + roundMs * rounds),
  }
  if (n < MATHEMATICS_GOAL.from) return [whole]
  const ratio = mathematics.total / limit
  return [{ what: `${name}: mathematics / limit`, goal: MATHEMATICS_GOAL.factor, measured: ratio }, whole]
}

function repeats({ budgetMs }: Effort, eachMs: number): number {
  return Math.max(3, Math.min(200, Math.ceil(budgetMs / Math.max(eachMs, 0.1))))
}

function between(one: Constants, other: Constants): Constants {
  const middle = (name: keyof Constants) => (one[name] + other[name]) / 2
  return {
    B: middle('B'),
    P: middle('P'),
    A: middle('A'),
    D: middle('D'),
    F: middle('F'),
    F128: middle('F128'),
    Hn: middle('Hn'),
    Vc: middle('Vc'),
  }
}
