// The simulator's flags, and the help that names them.
import { availableParallelism } from 'node:os'
import { parseArgs } from 'node:util'

/** Which worlds to run, and how. */
export interface Options {
  /** Seeds from `first`, so many; one seed where it was asked for alone; null for as many as fit the minutes. */
  readonly worlds:
    | { readonly kind: 'one'; readonly seed: number }
    | { readonly kind: 'seeds'; readonly count: number }
    | { readonly kind: 'minutes'; readonly minutes: number }
  readonly first: number
  readonly jobs: number
  /** What to print of one world. */
  readonly print: 'counts' | 'story' | 'log' | 'json'
  /** Of a violation, one line and no smaller case. */
  readonly brief: boolean
}

export const HELP = `npm run simulate -- --seed N | --seeds K | --minutes M [options]

Runs simulated worlds: relayers, corrupt operators, failing disks and a reorganising chain, each world a function of its seed.
Prints how often what happened. Exit code 1 at the first seed that breaks an invariant, with a smaller case told as a story;
and, for 2000 seeds or more, if something that must be tried never happened.

  --seed N       the world of this seed
  --seeds K      so many seeds
  --minutes M    as many seeds as fit
  --from N       first seed of many (1)
  --jobs J       processes (${availableParallelism()})
  --story        with --seed: what happened, in words
  --log          with --seed: every event
  --json         with --seed: seed, digest of the events and violation, as one line
  --brief        with --seeds: of a violation, one line
  --help         this text`

/** @throws Error with one line for flags that are unknown or make no sense */
export function parseOptions(argv: readonly string[]): Options | 'help' {
  const { values } = parseArgs({
    args: [...argv],
    options: {
      seed: { type: 'string' },
      seeds: { type: 'string' },
      minutes: { type: 'string' },
      from: { type: 'string', default: '1' },
      jobs: { type: 'string', default: String(availableParallelism()) },
      story: { type: 'boolean', default: false },
      log: { type: 'boolean', default: false },
      json: { type: 'boolean', default: false },
      brief: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  })
  if (values.help) return 'help'
  const { seed, seeds, minutes } = values
  const asked = [seed, seeds, minutes].filter((value) => value !== undefined)
  if (asked.length !== 1) throw new Error('give one of --seed N, --seeds K and --minutes M')
  return {
    worlds:
      seed !== undefined
        ? { kind: 'one', seed: whole('seed', seed) }
        : seeds !== undefined
          ? { kind: 'seeds', count: whole('seeds', seeds) }
          : { kind: 'minutes', minutes: whole('minutes', minutes ?? '') },
    first: whole('from', values.from),
    jobs: Math.max(1, whole('jobs', values.jobs)),
    print: values.json ? 'json' : values.log ? 'log' : values.story ? 'story' : 'counts',
    brief: values.brief,
  }
}

function whole(flag: string, text: string): number {
  const value = Number(text)
  if (text !== '' && Number.isSafeInteger(value) && value >= 0) return value
  throw new Error(`--${flag} ${text}: give a whole number`)
}
