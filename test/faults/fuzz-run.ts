// `npm run fuzz -- --inputs N --seed S [--decoder NAME]`: every decoder in two worker threads, a table, exit 1 if any fails.
import { setImmediate } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads'
import { scratch } from '../support/scratch.ts'
import { allDecoders } from './fuzz-decoders.ts'
import { type Decoder, fuzz, type Outcome, shares, unreached } from './fuzz-engine.ts'
import { neverSeen } from './fuzz-refusals.ts'

/** Threads, as the machines that it is made for have cores. */
const THREADS = 2
/** What lives on a heap after a run, by what lived there before: over one decoder, and over all of them. */
const HEAP_RATIO = { decoder: 1.15, run: 1.25 } as const
/** Inputs of a decoder before the heap is looked at: caches of known keys and addresses fill; what grows after that is a leak. */
const WARM_UP = 1000

const HELP = `npm run fuzz -- [options]

Feeds every decoder of foreign bytes with inputs, a third each random, mutated from valid ones, and structured.
Fails if anything but a typed refusal is thrown, if a value does not encode to its bytes again, if a refusal that
stands in the source is never reached, or if the heap grows.

  --inputs N       inputs in all, at least (100000)
  --seed S         the same seed makes the same inputs (1)
  --decoder NAME   only decoders whose names hold this
  --help           this text`

interface Job {
  readonly inputs: number
  readonly seed: number
  readonly only: string
  readonly thread: number
}

/** What one thread found of one decoder. */
interface Row extends Omit<Outcome, 'seen'> {
  readonly name: string
  readonly seconds: number
  readonly seen: readonly (readonly [string, number])[]
  readonly heap: Heap
}

/** Bytes that lived on a thread's heap before and after. */
type Heap = readonly [before: number, after: number]

/** What a thread says: a row, or at the end its heap over the whole run. */
type Message = { readonly row: Row } | { readonly heap: Heap }

interface Found {
  readonly rows: Map<string, Row[]>
  readonly heaps: Heap[]
}

/** Bytes that live on this thread's heap and in its buffers, garbage collected. */
async function heapUsed(): Promise<number> {
  const collect: unknown = Reflect.get(globalThis, 'gc')
  if (typeof collect !== 'function') throw new Error('fuzz: run node with --expose-gc')
  // What lies in buffers is given back by the second time only.
  for (let times = 0; times < 2; times++) {
    Reflect.apply(collect, null, [])
    await setImmediate()
  }
  const { heapUsed, arrayBuffers } = process.memoryUsage()
  return heapUsed + arrayBuffers
}

async function work({ inputs, seed, only, thread }: Job): Promise<void> {
  const all = [...shares(await allDecoders(), inputs)].filter(([{ name }]) => name.includes(only))
  const jobs = all.map(([decoder, share]) => [decoder, only === '' ? share : inputs] as const)
  for (const [decoder, count] of jobs) await fuzz(decoder, Math.min(count, WARM_UP), seed + thread + THREADS)
  const first = await heapUsed()
  for (const [decoder, count] of jobs) {
    const [before, start] = [await heapUsed(), performance.now()]
    const { seen, ...outcome } = await fuzz(decoder, count, seed + thread)
    const seconds = (performance.now() - start) / 1000
    const heap: Heap = [before, await heapUsed()]
    say({ row: { ...outcome, name: decoder.name, seen: [...seen], seconds, heap } })
  }
  say({ heap: [first, await heapUsed()] })
}

function say(message: Message): void {
  parentPort?.postMessage(message)
}

/** Runs the threads and gathers what they found. */
async function inThreads(job: Omit<Job, 'thread'>): Promise<Found> {
  const rows = new Map<string, Row[]>()
  const heaps: Heap[] = []
  const ends = Array.from({ length: THREADS }, (_, thread) => {
    const data: Job = { ...job, thread, inputs: Math.ceil(job.inputs / THREADS) }
    const worker = new Worker(new URL(import.meta.url), { workerData: data })
    worker.on('message', (message: Message) => {
      if ('heap' in message) heaps.push(message.heap)
      else rows.set(message.row.name, [...(rows.get(message.row.name) ?? []), message.row])
    })
    return new Promise<void>((resolve, reject) => {
      worker.once('error', reject)
      worker.once('exit', () => resolve())
    })
  })
  await Promise.all(ends)
  return { rows, heaps }
}

const sumOf = <T>(list: readonly T[], of: (each: T) => number) =>
  list.reduce((sum, each) => sum + of(each), 0)
const thirdsOf = (rows: readonly Row[]) => [0, 1, 2].map((at) => sumOf(rows, ({ thirds }) => thirds[at] ?? 0))
const ratioOf = (heaps: readonly Heap[]) => Math.max(...heaps.map(([before, after]) => after / before))
const kib = (bytes: number) => Math.round(bytes / 1024)

/** The line of one decoder, and what is wrong with it. */
function report(decoder: Decoder, rows: readonly Row[]): { line: string; wrong: string[] } {
  const seen = new Map(rows.flatMap((row) => row.seen))
  const inputs = sumOf(rows, (row) => row.inputs)
  const heaps = rows.map(({ heap }) => heap)
  const [before, after] = [0, 1].map((at) => kib(sumOf(heaps, (heap) => heap[at] ?? 0)))
  const [random = 0, mutated = 0, structured = 0] = thirdsOf(rows)
  const columns = [
    String(inputs).padEnd(9),
    `${random} ${mutated} ${structured}`.padEnd(24),
    String(sumOf(rows, ({ taken }) => taken)).padEnd(8),
    ((1e6 * sumOf(rows, ({ seconds }) => seconds)) / inputs).toFixed(1).padEnd(8),
    `${before} > ${after}`.padEnd(16),
    ratioOf(heaps).toFixed(3).padEnd(6),
    String(seen.size).padEnd(8),
    decoder.name,
  ]
  const wrong = [
    ...unreached(decoder, seen).map((missing) => `never reached: ${missing}`),
    ...rows.flatMap(({ failures }) => failures.map(({ why, input }) => `FAILED: ${why}\n  input: ${input}`)),
  ]
  if (ratioOf(heaps) > HEAP_RATIO.decoder) wrong.push(`the heap grew more than ${HEAP_RATIO.decoder} times`)
  if (Math.max(random, mutated, structured) - Math.min(random, mutated, structured) > THREADS)
    wrong.push('not a third each')
  return { line: columns.join(' '), wrong }
}

/** The table and what is wrong; the last line sums up. */
async function print(
  { rows, heaps }: Found,
  { only, start }: { only: string; start: number },
): Promise<boolean> {
  const decoders = (await allDecoders()).filter(({ name }) => rows.has(name))
  console.log(
    'inputs    random/mutated/structured taken    us each  heap KiB         ratio  answers  decoder',
  )
  let bad = 0
  const complain = (lines: readonly string[]) => {
    bad += lines.length
    for (const line of lines) console.log(`  ${line}`)
  }
  for (const decoder of decoders) {
    const { line, wrong } = report(decoder, rows.get(decoder.name) ?? [])
    console.log(line)
    complain(wrong)
  }
  const all = [...rows.values()].flat()
  const labels = all.flatMap(({ seen }) => seen.map(([label]) => label))
  if (only === '')
    complain(neverSeen(decoders, labels).map((missing) => `in the source, never reached: ${missing}`))
  if (ratioOf(heaps) > HEAP_RATIO.run)
    complain([`the heap grew more than ${HEAP_RATIO.run} times over the run`])
  const inputs = sumOf(all, (row) => row.inputs)
  const taken = sumOf(all, (row) => row.taken)
  const [random, mutated, structured] = thirdsOf(all)
  console.log(
    `\n${random} random, ${mutated} mutated and ${structured} structured inputs; ${taken} taken, ${inputs - taken} refused; heap of a thread ${ratioOf(heaps).toFixed(3)} times that before (at most ${HEAP_RATIO.run})`,
  )
  const seconds = ((performance.now() - start) / 1000).toFixed(0)
  const kinds = new Set(labels).size
  console.log(
    `${inputs} inputs, ${decoders.length} decoders, ${kinds} kinds of answer, ${bad} failures, ${seconds} s`,
  )
  return bad === 0 && inputs > 0
}

function optionsOf(args: readonly string[]): Omit<Job, 'thread'> | 'help' {
  const { values } = parseArgs({
    args: [...args],
    options: {
      inputs: { type: 'string', default: '100000' },
      seed: { type: 'string', default: '1' },
      decoder: { type: 'string', default: '' },
      help: { type: 'boolean', default: false },
    },
  })
  if (values.help) return 'help'
  const [inputs, seed] = [Number(values.inputs), Number(values.seed)]
  if (!Number.isSafeInteger(inputs) || inputs < 1 || !Number.isSafeInteger(seed))
    throw new RangeError('--inputs and --seed are whole numbers')
  return { inputs, seed, only: values.decoder }
}

async function main(): Promise<number> {
  let options: ReturnType<typeof optionsOf>
  try {
    options = optionsOf(process.argv.slice(2))
  } catch (error) {
    console.error(`fuzz: ${error instanceof Error ? error.message.replaceAll(/\s+/g, ' ') : String(error)}`)
    return 2
  }
  if (options === 'help') {
    console.log(HELP)
    return 0
  }
  // Threads that are ended clear nothing up: what they make in here goes with this process, also when it is interrupted.
  process.env.TMPDIR = scratch('fuzz')
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(1))
  const start = performance.now()
  const found = await inThreads(options)
  if (found.rows.size === 0) {
    console.error(`fuzz: --decoder ${options.only}: there is none of that name`)
    return 2
  }
  return (await print(found, { only: options.only, start })) ? 0 : 1
}

if (isMainThread) process.exitCode = await main()
else await work(workerData as Job) // CAST: what inThreads gives
