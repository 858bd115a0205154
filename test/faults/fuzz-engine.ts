// The fuzzer's engine: thirds of random, mutated and structured inputs into a decoder, and what came out of it.
import { equal, toHex } from '../../relayer/lib/bytes.ts'
import { Dice, mutated, randomInput } from './fuzz-random.ts'
import { bentTree, type Tree, treeOf } from './fuzz-structure.ts'

/** What a decoder made of an input that it took. */
export type Taken =
  /** What its encoder makes of the value: must be the input. */
  | { readonly again: Uint8Array }
  /** There is no encoder, or the value is an answer such as "signed by nobody". */
  | { readonly value: string }

/** One decoder of foreign bytes. */
export interface Decoder {
  readonly name: string
  /** The exported functions that it runs, as `file#name` below relayer/. */
  readonly covers: readonly string[]
  /** Its share of the inputs; those that verify signatures or touch files take less. */
  readonly weight: number
  /** Fewest inputs of a run, where a share by weight would not reach every refusal. */
  readonly fewest?: number
  readonly samples: readonly Uint8Array[]
  /** Inputs of its form; by default trees of `enc` with changed parts. */
  readonly structured?: (dice: Dice) => Uint8Array
  /** Throws one of `errors`, and nothing else. */
  readonly run: (bytes: Uint8Array) => Taken | Promise<Taken>
  readonly errors: readonly (abstract new (...args: never[]) => Error)[]
  /** Each refusal (its class and the beginning of its message) and each value that must be seen. */
  readonly reaches: readonly string[]
}

/** An input for which the property does not hold. */
export interface Failure {
  readonly decoder: string
  readonly why: string
  /** Hex. */
  readonly input: string
}

export interface Outcome {
  readonly inputs: number
  /** How many of them were random, mutated from valid ones, and structured. */
  readonly thirds: readonly [number, number, number]
  readonly taken: number
  /** How often each refusal or value came. */
  readonly seen: ReadonlyMap<string, number>
  readonly failures: readonly Failure[]
}

/** Failures that are kept of one run; the rest is only counted. */
const FAILURES_AT_MOST = 5
/** Different answers that are told apart: some quote their input. */
const LABELS_AT_MOST = 2000
/** Random, mutated, structured, in turn. */
const THIRDS = [0, 1, 2] as const

/** Runs a decoder on `inputs` inputs that a seed fixes. */
export async function fuzz(decoder: Decoder, inputs: number, seed: number): Promise<Outcome> {
  const dice = new Dice(seed ^ hashOf(decoder.name))
  const trees: Tree[] = decoder.structured === undefined ? decoder.samples.map(treeOf) : []
  const structured = decoder.structured ?? ((each: Dice) => bentTree(each, trees))
  const seen = new Map<string, number>()
  const failures: Failure[] = []
  const thirds: [number, number, number] = [0, 0, 0]
  let taken = 0
  for (let count = 0; count < inputs; count++) {
    const third = THIRDS[count % 3] ?? 0
    thirds[third] += 1
    const input =
      third === 0 ? randomInput(dice) : third === 1 ? mutated(dice, decoder.samples) : structured(dice)
    let label: string
    try {
      const result = decoder.run(input)
      const value = result instanceof Promise ? await result : result
      taken += 1
      if ('again' in value && !equal(value.again, input))
        fail(`encodes again to ${toHex(value.again)}`, input)
      label = 'again' in value ? 'taken' : value.value
    } catch (error) {
      label = labelOf(error)
      if (!decoder.errors.some((kindOf) => error instanceof kindOf))
        fail(error instanceof Error ? (error.stack ?? error.message) : String(error), input)
    }
    const known = seen.get(label)
    if (known !== undefined || seen.size < LABELS_AT_MOST) seen.set(label, (known ?? 0) + 1)
  }
  return { inputs, thirds, taken, seen, failures }

  function fail(why: string, input: Uint8Array): void {
    if (failures.length < FAILURES_AT_MOST) failures.push({ decoder: decoder.name, why, input: toHex(input) })
  }
}

/** What a decoder must reach and did not. */
export function unreached(decoder: Decoder, seen: ReadonlyMap<string, number>): string[] {
  return decoder.reaches.filter((wanted) => ![...seen.keys()].some((label) => label.startsWith(wanted)))
}

/** Fewest inputs of a decoder, so that the slow ones reach each of their errors. */
const FEWEST = 600

/** How many inputs of a total each decoder gets, by weight. */
export function shares(decoders: readonly Decoder[], inputs: number): Map<Decoder, number> {
  const all = decoders.reduce((sum, { weight }) => sum + weight, 0)
  return new Map(
    decoders.map((decoder) => [
      decoder,
      Math.max(decoder.fewest ?? FEWEST, Math.ceil((inputs * decoder.weight) / all)),
    ]),
  )
}

/** An error as its class and its message without numbers and names. */
function labelOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  const first = error.message.split('\n')[0] ?? ''
  return `${error.name}: ${withoutNumbers(first)}`.slice(0, 160)
}

/** A message without its numbers, so that refusals of one kind read alike. */
export function withoutNumbers(text: string): string {
  return text.replaceAll(/0x[0-9a-f]+|\d+/g, 'N')
}

function hashOf(name: string): number {
  let hash = 0
  for (const letter of name) hash = (Math.imul(hash, 31) + letter.charCodeAt(0)) >>> 0
  return hash
}
