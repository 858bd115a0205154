// The primitives that every other figure is a ratio to, measured on noble itself: base multiplication, parsing, sums.
import { mulAddUnsafe } from '@noble/curves/abstract/curve.js'
import { secp256k1 } from '@noble/curves/secp256k1.js'
import { multiplySmall } from '../../relayer/crypto/group.ts'
import { systemRng } from '../../relayer/crypto/rng.ts'
import { toBigint } from '../../relayer/lib/bytes.ts'
import type { Part } from './report.ts'
import { type Cost, costOf, median } from './stopwatch.ts'

const { Point } = secp256k1
const SAMPLE = 64

/** What each constant is, in the words of the table. */
const NAMES = {
  B: 'base multiplication in constant time',
  P: 'parsing a 65-byte point',
  A: 'addition',
  D: 'doubling',
  F: `sum of ${SAMPLE} multiples, per point, full scalars`,
  F128: `sum of ${SAMPLE} multiples, per point, 128-bit scalars`,
  Hn: 'Horner step in the exponent at an index of 7 bits',
  Vc: 'multiplication of any point in constant time',
} as const

export type ConstantName = keyof typeof NAMES

/** Each primitive's CPU time in ms. */
export type Constants = Readonly<Record<ConstantName, number>>

/** A constant measured several times in a run: the machine is not equally fast all the time. */
export class ConstantsLog {
  readonly #passes: Readonly<Record<ConstantName, Cost>>[] = []

  /**
   * Measures all once more and gives the result of this pass.
   * @param calls least calls of each
   */
  measure(calls: number): Constants {
    const pass = measurePass(calls)
    this.#passes.push(pass)
    return mapNames((name) => pass[name].ms)
  }

  /** The median of all passes. */
  get all(): Constants {
    return mapNames((name) => median(this.#passes.map((pass) => pass[name].ms)))
  }

  part(): Part {
    const { all } = this
    return {
      name: 'constants',
      title: 'Constants: primitives of noble on secp256k1',
      columns: ['name', 'what', 'µs', 'passes', 'calls timed'],
      rows: mapEntries((name) => [
        name,
        NAMES[name],
        all[name] * 1000,
        this.#passes.length,
        this.#passes.reduce((sum, pass) => sum + pass[name].calls, 0),
      ]),
      goals: [],
      failure: null,
    }
  }
}

function measurePass(calls: number): Record<ConstantName, Cost> {
  const scalars = Array.from({ length: SAMPLE }, () => secretScalar())
  const weights = scalars.map(() => toBigint(systemRng(16)) + 1n)
  const bytes = scalars.map((scalar) => Point.BASE.multiply(scalar).toBytes(false))
  const points = bytes.map((each) => Point.fromBytes(each))
  const pick = <T>(list: readonly T[], at: number): T => {
    const item = list[at % SAMPLE]
    if (item === undefined) throw new Error('measure constants: nothing to measure with')
    return item
  }
  let sum = Point.BASE
  const perPoint = ({ ms, calls: timed }: Cost): Cost => ({ ms: ms / SAMPLE, calls: timed })
  return {
    B: costOf((at) => Point.BASE.multiply(pick(scalars, at)), { calls }),
    P: costOf((at) => Point.fromBytes(pick(bytes, at)), { calls }),
    A: costOf((at) => (sum = sum.add(pick(points, at))), { calls }),
    D: costOf(() => (sum = sum.double()), { calls }),
    F: perPoint(costOf(() => mulAddUnsafe(Point, points, scalars), { calls })),
    F128: perPoint(costOf(() => mulAddUnsafe(Point, points, weights), { calls })),
    Hn: costOf((at) => multiplySmall(sum, 65 + (at % 63)).add(pick(points, at)), { calls }),
    Vc: costOf((at) => pick(points, at).multiply(pick(scalars, at)), { calls }),
  }
}

function secretScalar(): bigint {
  return (toBigint(systemRng(48)) % (Point.Fn.ORDER - 1n)) + 1n
}

function mapNames(value: (name: ConstantName) => number): Constants {
  return {
    B: value('B'),
    P: value('P'),
    A: value('A'),
    D: value('D'),
    F: value('F'),
    F128: value('F128'),
    Hn: value('Hn'),
    Vc: value('Vc'),
  }
}

function mapEntries<T>(value: (name: ConstantName) => T): T[] {
  const names: readonly ConstantName[] = ['B', 'P', 'A', 'D', 'F', 'F128', 'Hn', 'Vc']
  return names.map(value)
}
