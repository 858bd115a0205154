// The table of faults: what a fault test tried and saw, one line each, gathered over files and printed in the end.
import assert from 'node:assert/strict'
import { appendFileSync, readFileSync } from 'node:fs'

/** What may come of a fault; in none of them is a wrong share used or an attempt run again. */
export const OUTCOMES = ['refused', 'healed from the chain', 'share lost, alarmed, restored'] as const
export type Outcome = (typeof OUTCOMES)[number]

/** One time that a fault was tried. */
export interface Trial {
  readonly part: string
  readonly fault: string
  readonly required: readonly Outcome[]
  /** An outcome, or what happened instead. */
  readonly seen: string
}

/** One line of the table. */
export interface Row {
  readonly part: string
  readonly fault: string
  readonly required: readonly Outcome[]
  readonly tried: number
  /** How often each outcome was seen. */
  readonly seen: Readonly<Record<string, number>>
  readonly holds: boolean
}

/** Where the trials of a run are gathered; without it a test still asserts. */
const FILE = process.env.FAULT_TRIALS_FILE

/** Tries a fault once, and notes what came of it. @throws AssertionError unless it is one of what is required */
export async function trial(about: Omit<Trial, 'seen'>, attempt: () => Promise<Outcome>): Promise<Outcome> {
  const note = (seen: string) => {
    if (FILE !== undefined) appendFileSync(FILE, `${JSON.stringify({ ...about, seen })}\n`)
  }
  let seen: Outcome
  try {
    seen = await attempt()
  } catch (error) {
    note(`FAILED: ${error instanceof Error ? (error.message.split('\n')[0] ?? '') : String(error)}`)
    throw error
  }
  note(seen)
  assert.ok(about.required.includes(seen), `${about.fault}: ${seen}, and not ${about.required.join(' or ')}`)
  return seen
}

/** The trials of a file, gathered by fault, in the order in which they came. */
export function rowsOf(file: string): Row[] {
  const rows = new Map<string, Row>()
  for (const line of readFileSync(file, 'utf8').split('\n').filter(Boolean)) {
    const { part, fault, required, seen } = JSON.parse(line) as Trial // CAST: written by `trial`
    const name = `${part}: ${fault}`
    const row = rows.get(name) ?? { part, fault, required, tried: 0, seen: {}, holds: true }
    rows.set(name, {
      ...row,
      tried: row.tried + 1,
      seen: { ...row.seen, [seen]: (row.seen[seen] ?? 0) + 1 },
      holds: row.holds && required.some((outcome) => outcome === seen),
    })
  }
  return [...rows.values()]
}

/** The rows as a table for people. */
export function tableOf(rows: readonly Row[]): string {
  const lines = [
    ['fault', 'required', 'tried', 'seen'],
    ...rows.map(({ part, fault, required, tried, seen, holds }) => [
      `${part}: ${fault}`,
      required.join(' or '),
      String(tried),
      Object.entries(seen)
        .map(([outcome, times]) => `${outcome} ×${times}`)
        .join(', ') + (holds ? '' : '  <- DOES NOT HOLD'),
    ]),
  ]
  const width = (at: number) => Math.max(...lines.map((line) => line[at]?.length ?? 0))
  const widths = [width(0), width(1), width(2)]
  return lines
    .map((line) =>
      line
        .map((cell, at) => cell.padEnd(widths[at] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .join('\n')
}
