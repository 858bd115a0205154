// The table of faults: what a fault test tried and saw, one line each, gathered over files and printed in the end.
import assert from 'node:assert/strict'
import { appendFileSync, readFileSync } from 'node:fs'

/** What may come of a fault; in none of them is a wrong share used or an attempt run again. */
export const OUTCOMES = ['refused', 'healed from the chain', 'share lost, alarmed, restored'] as const
export type Outcome = (typeof OUTCOMES)[number]

/** A fault, and what may come of it. */
export interface Fault {
  readonly part: string
  readonly fault: string
  readonly required: readonly Outcome[]
}

/** What a trial came to, where something was measured too: what it was. */
export interface Measured {
  readonly outcome: Outcome
  readonly measured: string
}

/** A line of the file of trials; `seen` is null where a fault is only announced. */
interface Line extends Fault {
  /** An outcome, or what happened instead. */
  readonly seen: string | null
  readonly measured?: string
}

/** One line of the table. */
export interface Row extends Fault {
  readonly tried: number
  /** How often each outcome was seen. */
  readonly seen: Readonly<Record<string, number>>
  readonly measured: readonly string[]
  readonly holds: boolean
}

/** Adds to the file in which the trials of a run are gathered; without one a test still asserts. */
function write(line: Line): void {
  const file = process.env.FAULT_TRIALS_FILE
  if (file !== undefined) appendFileSync(file, `${JSON.stringify(line)}\n`)
}

/**
 * Announces a fault at once, so that it has a row even if it is never tried; gives the test that tries it and notes what
 * came of it. The test throws an AssertionError unless that is one of what is required.
 */
export function trial(fault: Fault, attempt: () => Promise<Outcome | Measured>): () => Promise<void> {
  write({ ...fault, seen: null })
  return async () => {
    let seen: Outcome | Measured
    try {
      seen = await attempt()
    } catch (error) {
      const why = error instanceof Error ? (error.message.split('\n')[0] ?? '') : String(error)
      write({ ...fault, seen: `FAILED: ${why}` })
      throw error
    }
    const { outcome, measured } = typeof seen === 'string' ? { outcome: seen, measured: undefined } : seen
    write({ ...fault, seen: outcome, ...(measured === undefined ? {} : { measured }) })
    assert.ok(
      fault.required.includes(outcome),
      `${fault.fault}: ${outcome}, and not ${fault.required.join(' or ')}`,
    )
  }
}

/** The trials of a file, gathered by fault, in the order in which they came; a fault that was never tried does not hold. */
export function rowsOf(file: string): Row[] {
  const rows = new Map<string, Row>()
  for (const line of readFileSync(file, 'utf8').split('\n').filter(Boolean)) {
    const { seen, measured, ...fault } = JSON.parse(line) as Line // CAST: written by `trial`
    const name = `${fault.part}: ${fault.fault}`
    const row = rows.get(name) ?? { ...fault, tried: 0, seen: {}, measured: [], holds: false }
    if (seen === null) rows.set(name, row)
    else
      rows.set(name, {
        ...row,
        tried: row.tried + 1,
        seen: { ...row.seen, [seen]: (row.seen[seen] ?? 0) + 1 },
        measured: measured === undefined ? row.measured : [...row.measured, measured],
        holds: (row.holds || row.tried === 0) && fault.required.some((outcome) => outcome === seen),
      })
  }
  return [...rows.values()]
}

/** The rows as a table for people; what was measured stands under its row. */
export function tableOf(rows: readonly Row[]): string {
  const cells = rows.map(({ part, fault, required, tried, seen, measured, holds }) => ({
    line: [
      `${part}: ${fault}`,
      required.join(' or '),
      String(tried),
      Object.entries(seen)
        .map(([outcome, times]) => `${outcome} ×${times}`)
        .join(', ') + (holds ? '' : '  <- DOES NOT HOLD'),
    ],
    measured,
  }))
  const all = [{ line: ['fault', 'required outcome', 'tried', 'outcome seen'], measured: [] }, ...cells]
  const width = (at: number) => Math.max(...all.map(({ line }) => line[at]?.length ?? 0))
  const widths = [width(0), width(1), width(2)]
  return all
    .flatMap(({ line, measured }) => [
      line
        .map((cell, at) => cell.padEnd(widths[at] ?? 0))
        .join('  ')
        .trimEnd(),
      ...measured.map((what) => `    ${what}`),
    ])
    .join('\n')
}

/** The last line of a run. */
export function summaryOf(rows: readonly Row[]): string {
  const trials = rows.reduce((sum, { tried }) => sum + tried, 0)
  return `${rows.length} rows, ${trials} trials, ${rows.filter(({ holds }) => holds).length} rows hold`
}
