// Times work by the CPU time of this thread, so that other processes on the machine disturb it little; warm medians.

const bed = new Int32Array(new SharedArrayBuffer(4))

/**
 * CPU time of this thread so far, in ms. Linux brings the figure up to date when a thread is put to sleep, otherwise only
 * every few ms: so this sleeps for a moment, which costs about 20 µs.
 */
export function cpuMs(): number {
  Atomics.wait(bed, 0, 0, 0.01)
  const { user, system } = process.threadCpuUsage()
  return (user + system) / 1000
}

/** A sample is at least so long that reading the clock does not matter, in ms. */
const SAMPLE_MS = 10
const SAMPLES = 20

/** The middle value; the mean of the two middle ones for an even count. NaN for none. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b)
  const low = sorted[Math.floor((sorted.length - 1) / 2)] ?? Number.NaN
  const high = sorted[Math.floor(sorted.length / 2)] ?? Number.NaN
  return (low + high) / 2
}

/** What a call costs. */
export interface Cost {
  /** CPU time of a call in ms, the median of the samples. */
  readonly ms: number
  /** How many calls were timed. */
  readonly calls: number
}

/**
 * The cost of a call: warmed up first, then at least `calls` calls in twenty samples or more of at least
 * `SAMPLE_MS` each (fewer samples if fewer calls are asked for).
 * @param call given a running number, so that it can walk through its inputs
 */
export function costOf(call: (at: number) => unknown, { calls }: { calls: number }): Cost {
  let at = 0
  const next = () => call(at++)
  const perSample = callsPerSample(next)
  const samples: number[] = []
  while (samples.length < Math.min(SAMPLES, calls) || samples.length * perSample < calls)
    samples.push(sampleOf(next, perSample))
  return { ms: median(samples), calls: samples.length * perSample }
}

/** CPU time of a call of each in ms, medians; the samples are taken in turn, so that what slows the machine slows both. */
export function costOfBoth(
  ours: () => unknown,
  theirs: () => unknown,
  { samples }: { samples: number },
): { ours: number; theirs: number } {
  const perSample = Math.max(callsPerSample(ours), callsPerSample(theirs))
  const pairs = Array.from(
    { length: samples },
    () => [sampleOf(ours, perSample), sampleOf(theirs, perSample)] as const,
  )
  return { ours: median(pairs.map(([our]) => our)), theirs: median(pairs.map(([, their]) => their)) }
}

/** How many calls make a sample; warms up on the way. */
function callsPerSample(call: () => unknown): number {
  let count = 1
  while (sampleOf(call, count) * count < SAMPLE_MS) count *= 2
  return count
}

/** CPU time of a call in ms, the mean of `count`. */
function sampleOf(call: () => unknown, count: number): number {
  const began = cpuMs()
  for (let i = 0; i < count; i++) call()
  return (cpuMs() - began) / count
}
