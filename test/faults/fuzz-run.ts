// `npm run fuzz -- --inputs N --seed S [--decoder NAME]`: every decoder in two worker threads, a table, exit 1 if any fails.
import { parseArgs } from 'node:util'
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads'
import { allDecoders } from './fuzz-decoders.ts'
import { type Failure, fuzz, shares, unreached } from './fuzz-engine.ts'

/** Threads, as the machines that it is made for have cores. */
const THREADS = 2

interface Job {
  readonly inputs: number
  readonly seed: number
  readonly only: string
  readonly thread: number
}

/** What one thread found of one decoder. */
interface Row {
  readonly name: string
  readonly inputs: number
  readonly taken: number
  readonly seconds: number
  readonly seen: readonly (readonly [string, number])[]
  readonly failures: readonly Failure[]
  /** Bytes that lived on the thread's heap before and after, garbage collected if node has --expose-gc. */
  readonly heap: readonly [number, number]
}

/** Bytes that live on this thread's heap. */
function heapUsed(): number {
  const collect: unknown = Reflect.get(globalThis, 'gc')
  if (typeof collect === 'function') Reflect.apply(collect, null, [])
  return process.memoryUsage().heapUsed
}

async function work({ inputs, seed, only, thread }: Job): Promise<void> {
  const decoders = await allDecoders()
  for (const [decoder, share] of shares(decoders, inputs)) {
    if (only !== '' && !decoder.name.includes(only)) continue
    const count = only === '' ? share : inputs
    // Caches of known keys and addresses fill first; what grows after that is a leak.
    await fuzz(decoder, Math.min(count, 3000), seed + thread + THREADS)
    const [before, start] = [heapUsed(), performance.now()]
    const { taken, seen, failures } = await fuzz(decoder, count, seed + thread)
    const row: Row = {
      name: decoder.name,
      inputs: count,
      taken,
      seconds: (performance.now() - start) / 1000,
      seen: [...seen],
      failures,
      heap: [before, heapUsed()],
    }
    parentPort?.postMessage(row)
  }
}

/** Runs the threads and gathers what they found, by decoder. */
async function inThreads(job: Omit<Job, 'thread'>): Promise<Map<string, Row[]>> {
  const rows = new Map<string, Row[]>()
  const ends = Array.from({ length: THREADS }, (_, thread) => {
    const data: Job = { ...job, thread, inputs: Math.ceil(job.inputs / THREADS) }
    const worker = new Worker(new URL(import.meta.url), { workerData: data })
    worker.on('message', (row: Row) => rows.set(row.name, [...(rows.get(row.name) ?? []), row]))
    return new Promise<void>((resolve, reject) => {
      worker.once('error', reject)
      worker.once('exit', () => resolve())
    })
  })
  await Promise.all(ends)
  return rows
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      inputs: { type: 'string', default: '100000' },
      seed: { type: 'string', default: '1' },
      decoder: { type: 'string', default: '' },
    },
  })
  const [inputs, seed] = [Number(values.inputs), Number(values.seed)]
  if (!Number.isSafeInteger(inputs) || inputs < 1 || !Number.isSafeInteger(seed))
    throw new RangeError('fuzz: --inputs and --seed are whole numbers')
  const start = performance.now()
  const rows = await inThreads({ inputs, seed, only: values.decoder })
  let [total, bad, kinds] = [0, 0, 0]
  console.log('inputs      taken     us each  heap KiB before > after   refusals  decoder')
  for (const decoder of await allDecoders()) {
    const found = rows.get(decoder.name)
    if (found === undefined) continue
    const sum = (of: (row: Row) => number) => found.reduce((all, row) => all + of(row), 0)
    const seen = new Map(found.flatMap((row) => row.seen))
    const [before, after] = [0, 1].map((at) => Math.round(sum(({ heap }) => heap[at] ?? 0) / 1024))
    const count = sum((row) => row.inputs)
    const each = ((1e6 * sum((row) => row.seconds)) / count).toFixed(1)
    total += count
    kinds += seen.size
    console.log(
      `${String(count).padEnd(11)} ${String(sum((row) => row.taken)).padEnd(9)} ${each.padEnd(8)} ${`${before} > ${after}`.padEnd(25)} ${String(seen.size).padEnd(9)} ${decoder.name}`,
    )
    for (const missing of unreached(decoder, seen)) {
      bad += 1
      console.log(`  never reached: ${missing}`)
    }
    for (const { why, input } of found.flatMap((row) => row.failures)) {
      bad += 1
      console.log(`  FAILED: ${why}\n  input: ${input}`)
    }
  }
  const seconds = ((performance.now() - start) / 1000).toFixed(0)
  console.log(
    `\n${total} inputs, ${rows.size} decoders, ${kinds} kinds of answer, ${bad} failures, ${seconds} s`,
  )
  process.exitCode = bad === 0 && total > 0 ? 0 : 1
}

await (isMainThread ? main() : work(workerData as Job)) // CAST: what inThreads gives
