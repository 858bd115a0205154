// The report of a bench run: parts with a table and goals, printed, as JSON, and as Markdown between two marker lines.
import { readFileSync, writeFileSync } from 'node:fs'

export type Cell = number | string | null

/** A goal of a part: met if `measured` is at most `goal`. */
export interface Goal {
  readonly what: string
  readonly goal: number
  readonly measured: number
}

/** What one part measured. */
export interface Part {
  readonly name: string
  readonly title: string
  /** Units stand in the column titles. */
  readonly columns: readonly string[]
  readonly rows: readonly (readonly Cell[])[]
  readonly goals: readonly Goal[]
  /** Why some of the part could not be measured; null if all was. */
  readonly failure: string | null
}

/** A whole run. */
export interface Report {
  readonly quick: boolean
  readonly node: string
  readonly cpu: string
  readonly cores: number
  /** Load average of the last minute when the run began: above `cores`, the figures are rough. */
  readonly load: number
  readonly seconds: number
  readonly parts: readonly Part[]
}

const BEGIN = '<!-- bench: begin (written by npm run bench -- --markdown) -->'
const END = '<!-- bench: end -->'

/** The report as JSON, with the verdict on each goal. */
export function reportJson(report: Report): string {
  const parts = report.parts.map((part) => ({
    ...part,
    goals: part.goals.map((goal) => ({ ...goal, met: goal.measured <= goal.goal })),
  }))
  return `${JSON.stringify({ ...report, parts }, null, 2)}\n`
}

/** One part as lines of Markdown, which are plain enough for a terminal. */
export function partLines({ title, columns, rows, goals, failure }: Part): string[] {
  const lines = [`### ${title}`, '']
  if (failure !== null) lines.push(`Not all of it could be measured: ${failure}`, '')
  lines.push(...table(columns, rows), '')
  if (goals.length > 0) {
    const judged = goals.map(({ what, goal, measured }): Cell[] => [
      what,
      `at most ${shown(goal)}`,
      measured,
      measured <= goal ? 'met' : 'MISSED',
    ])
    lines.push(...table(['goal', 'wanted', 'measured', ''], judged), '')
  }
  return lines
}

/** Where and how a run was made, one line. */
export function headLine({ quick, node, cpu, cores, load, seconds }: Report): string {
  const trial = quick ? 'Trial run (--quick), its figures mean little. ' : ''
  return `${trial}Node ${node}, ${cores} cores (${cpu}), load ${shown(load)} at the start, ${shown(seconds)} s.`
}

/** Puts the tables between the marker lines of a page. @throws Error if the page has none */
export function writeMarkdown(file: string, report: Report): void {
  const page = readFileSync(file, 'utf8')
  const [from, to] = [page.indexOf(BEGIN), page.indexOf(END)]
  if (from === -1 || to < from) throw new Error(`${file}: give a page with the lines ${BEGIN} and ${END}`)
  const tables = report.parts.flatMap(partLines).join('\n')
  const body = `${BEGIN}\n\n${headLine(report)}\n\n${tables}\n`
  writeFileSync(file, page.slice(0, from) + body + page.slice(to))
}

/** Three digits that mean something. */
function shown(cell: Cell): string {
  if (cell === null || (typeof cell === 'number' && !Number.isFinite(cell))) return '–'
  if (typeof cell === 'string') return cell
  if (Number.isInteger(cell) || Math.abs(cell) >= 1000) return Math.round(cell).toLocaleString('en')
  return cell.toPrecision(3)
}

function table(titles: readonly string[], rows: readonly (readonly Cell[])[]): string[] {
  const text = [titles, ...rows].map((row) => row.map(shown))
  const widths = titles.map((_, at) => Math.max(3, ...text.map((row) => row[at]?.length ?? 0)))
  const numeric = titles.map((_, at) => rows.every((row) => typeof row[at] !== 'string'))
  const line = (row: readonly string[]) =>
    `| ${row.map((cell, at) => (numeric[at] ? cell.padStart(widths[at] ?? 0) : cell.padEnd(widths[at] ?? 0))).join(' | ')} |`
  const rule = `| ${widths.map((width, at) => (numeric[at] ? `${'-'.repeat(width - 1)}:` : '-'.repeat(width))).join(' | ')} |`
  const [head, ...body] = text.map(line)
  return [head ?? '', rule, ...body]
}
