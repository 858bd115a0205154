// Many seeds in several processes, each taking every so-many-th; the first that breaks an invariant ends them all.
import { type ChildProcess, spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import type { Violation } from './chronicle.ts'
import { generate } from './generate.ts'
import { simulate } from './simulate.ts'

/** What is reported of one seed, a line of JSON. */
export interface Report {
  readonly seed: number
  readonly violation: Violation | null
  /** Of its event log, hex. */
  readonly digest: string
  readonly counts: readonly (readonly [string, number])[]
}

/** One process's part: each seed reported on standard output, up to the first that breaks an invariant. */
async function sail(seeds: Iterable<number>): Promise<void> {
  for (const seed of seeds) {
    const { violation, digest, counts } = await simulate(generate(seed))
    const report: Report = { seed, violation, digest, counts: [...counts] }
    console.log(JSON.stringify(report))
    if (violation !== null) return
  }
}

/**
 * Runs seeds in so many processes.
 * @param over when to stop, beside at the first violation
 * @returns the reports, in the order in which they came
 * @throws Error if a process ends badly
 */
export async function fleet(
  seeds: { from: number; last: number },
  of: { jobs: number; over: AbortSignal; onReport: (report: Report) => void },
): Promise<Report[]> {
  const reports: Report[] = []
  const ships: ChildProcess[] = []
  const stop = () => {
    for (const ship of ships) ship.kill()
  }
  of.over.addEventListener('abort', stop, { once: true })
  const runs = Array.from({ length: of.jobs }, async (_, at) => {
    const args = [import.meta.filename, String(seeds.from + at), String(of.jobs), String(seeds.last)]
    const ship = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] })
    ships.push(ship)
    const ended = new Promise<number | null>((resolve) => ship.once('close', resolve))
    for await (const line of createInterface(ship.stdout)) {
      const report = JSON.parse(line) as Report // CAST: what `sail` prints
      reports.push(report)
      of.onReport(report)
      if (report.violation !== null) stop()
    }
    const code = await ended
    if (code !== null && code !== 0) throw new Error(`simulate: a process ended with code ${code}`)
  })
  await Promise.all(runs)
  return reports
}

function* every(stride: number, from: number, last: number): Generator<number> {
  for (let seed = from; seed <= last; seed += stride) yield seed
}

// From, stride and last; or the seeds themselves, with commas between them.
if (import.meta.main) {
  const [first = '', ...rest] = process.argv.slice(2)
  const [stride = 1, last = 1] = rest.map(Number)
  await sail(rest.length === 0 ? first.split(',').map(Number) : every(stride, Number(first), last))
}
