// The bench's flags, and the help that names them.
import { parseArgs } from 'node:util'

/** Parts by name, in the order in which they run. */
export const PARTS = ['constants', 'ceremonies', 'frost', 'heap', 'devnet'] as const
export type PartName = (typeof PARTS)[number]

/** What `npm run bench` was asked for. */
export interface Options {
  readonly parts: readonly PartName[]
  /** Small committees and few calls, no devnet: shows that the bench works, its figures mean little. */
  readonly quick: boolean
  /** Largest committee of part `ceremonies`. */
  readonly most: number
  /** File for the report as JSON, or null. */
  readonly json: string | null
  /** File for the report as tables in Markdown, or null. */
  readonly markdown: string | null
}

export const HELP = `npm run bench -- [options]

Measures what the relayer computes, as ratios to primitives that are measured in the same run, and prints tables.
A goal that is missed is reported as such; the exit code is 0 all the same.

  --part NAME       only this part, may be given several times: ${PARTS.join(', ')}
  --most N          largest committee of part ceremonies (100)
  --quick           small committees and few calls, no devnet: a trial of the bench itself
  --json FILE       write the report as JSON too
  --markdown FILE   write the tables into FILE too, between its two marker lines
  --help            this text`

/** @throws Error with one line for flags that are unknown or make no sense */
export function parseOptions(argv: readonly string[]): Options | 'help' {
  const { values } = parseArgs({
    args: [...argv],
    options: {
      part: { type: 'string', multiple: true, default: [] },
      most: { type: 'string', default: '100' },
      quick: { type: 'boolean', default: false },
      json: { type: 'string' },
      markdown: { type: 'string' },
      help: { type: 'boolean', default: false },
    },
  })
  if (values.help) return 'help'
  const most = Number(values.most)
  if (!Number.isInteger(most) || most < 3 || most > 100)
    throw new Error(`--most ${values.most}: give a whole number from 3 to 100`)
  for (const name of values.part)
    if (!PARTS.some((part) => part === name)) throw new Error(`--part ${name}: parts are ${PARTS.join(', ')}`)
  const asked = PARTS.filter((name) => values.part.length === 0 || values.part.includes(name))
  return {
    parts: values.quick && values.part.length === 0 ? asked.filter((name) => name !== 'devnet') : asked,
    quick: values.quick,
    most,
    json: values.json ?? null,
    markdown: values.markdown ?? null,
  }
}
