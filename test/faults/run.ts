// `npm run test:faults [-- PART...]`: faults on real processes, as root; prints a table of what was tried and what came of it.
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { copyFileSync, globSync, mkdirSync, writeFileSync } from 'node:fs'
import { basename, join, relative, resolve } from 'node:path'
import { finished } from 'node:stream/promises'
import { run } from 'node:test'
import { spec } from 'node:test/reporters'
import { parseArgs } from 'node:util'
import { rowsOf, summaryOf, tableOf } from '../support/fault-table.ts'
import { isPrivate } from '../support/namespaces.ts'
import { FUZZ, Fuzzing } from './fuzz-part.ts'

/** Everything runs in namespaces of its own: whatever is made or started in them goes with the first process there. */
const INSIDE = 'ip link set lo up && mount -t tmpfs none /run && "$@"; exit $?'
const UNSHARE = ['--net', '--mount', '--pid', '--fork', '--mount-proc', '--kill-child']
const OUT = resolve('build/faults')
/** What it is measured in wants the machine for itself: it comes last, when the fuzzer is through. */
const ALONE = 'hostile-peers'
const NOTHING_TRIED = 2

const nameOf = (file: string) => basename(file, '.test.ts')
const FILES = globSync('test/faults/*.test.ts').sort((a, b) => order(a) - order(b) || a.localeCompare(b))
const PARTS = [...FILES.map(nameOf), FUZZ]

function order(file: string): number {
  return nameOf(file) === ALONE ? 1 : 0
}

const HELP = `Faults on real processes, disks and networks, and hostile peers.

usage: npm run test:faults -- [--jobs N] [--inputs N] [PART...]

  PART         only these parts, of: ${PARTS.join(' ')}
  --jobs N     parts at once, 2 without it; ${ALONE} is always alone
  --inputs N   inputs of the fuzzer, 10000000 without it
  --help       this text

Needs root, and ip, nft, unshare and perl; works in namespaces of its own.
Prints one table: fault, required outcome, times tried, outcome seen. Each run has files of its own,
build/faults/<pid>.json and .jsonl; build/faults/last.json is that of the run that ended last.
Exit code: 0 if every row holds and each was tried, 1 if not, ${NOTHING_TRIED} if nothing could be tried.`

/** Why the faults cannot be tried here, or null. */
function missing(): string | null {
  if (process.getuid?.() !== 0) return 'root is needed, for a full disk and for network namespaces'
  const absent = [
    ['ip', '-V'],
    ['nft', '--version'],
    ['unshare', '--version'],
    ['perl', '--version'],
  ].filter(([program = '', flag = '']) => spawnSync(program, [flag]).error !== undefined)
  return absent.length === 0
    ? null
    : `${absent.map(([program]) => program).join(' and ')} not found (Debian: apt-get install iproute2 nftables util-linux perl)`
}

/** Runs this very program in namespaces of its own; if this process is told to end, all in there ends with it. */
async function enter(): Promise<number> {
  const inner = ['sh', '-c', INSIDE, 'sh', process.execPath, ...process.argv.slice(1)]
  const child = spawn('unshare', [...UNSHARE, ...inner], {
    stdio: 'inherit',
    env: { ...process.env, FAULT_NAMESPACE: 'private', FAULT_RUN: String(process.pid) },
  })
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const)
    process.once(signal, () => child.kill('SIGKILL'))
  const [code] = await once(child, 'exit')
  return typeof code === 'number' ? code : 1
}

/** Whether all of a file's tests passed and none was skipped. */
async function runFile(file: string): Promise<boolean> {
  let whole = true
  const events = run({ files: [file], concurrency: 1 })
  events.on('test:fail', () => {
    whole = false
  })
  events.on('test:pass', ({ skip }) => {
    if (skip !== undefined) whole = false
  })
  const report = events.compose(spec)
  report.pipe(process.stdout, { end: false })
  await finished(report, { writable: false })
  return whole
}

interface Asked {
  readonly parts: readonly string[]
  readonly inputs: number
  readonly jobs: number
}

/** Runs the parts, the fuzzer beside those that mostly wait; gives whether all passed. */
async function runParts({ parts, inputs, jobs }: Asked): Promise<boolean> {
  const lengths: string[] = []
  let passed = true
  const timed = async (part: string, passes: () => Promise<boolean>): Promise<void> => {
    const start = performance.now()
    passed = (await passes()) && passed
    lengths.push(`${part} ${((performance.now() - start) / 1000).toFixed(0)} s`)
  }
  const wanted = (part: string) => parts.length === 0 || parts.includes(part)
  const fuzzing = wanted(FUZZ) ? new Fuzzing(inputs) : null
  const files = FILES.filter((file) => wanted(nameOf(file)))
  const left = files.filter((file) => nameOf(file) !== ALONE)
  const worker = async () => {
    for (let file = left.shift(); file !== undefined; file = left.shift()) {
      const next = file
      await timed(nameOf(next), () => runFile(next))
    }
  }
  await Promise.all(Array.from({ length: jobs }, worker))
  if (fuzzing !== null) await timed(`then ${FUZZ}`, () => fuzzing.over())
  for (const file of files.filter((each) => nameOf(each) === ALONE))
    await timed(nameOf(file), () => runFile(file))
  console.log(`\n${lengths.join(', ')}`)
  return passed
}

async function main(): Promise<number> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      jobs: { type: 'string', default: '2' },
      inputs: { type: 'string', default: '10000000' },
      help: { type: 'boolean', short: 'h', default: false },
    },
  })
  if (values.help) {
    console.log(HELP)
    return 0
  }
  const unknown = positionals.filter((part) => !PARTS.includes(part))
  const [inputs, jobs] = [Number(values.inputs), Number(values.jobs)]
  const isCount = (value: number) => Number.isSafeInteger(value) && value >= 1
  if (unknown.length > 0 || !isCount(inputs) || !isCount(jobs)) {
    console.error(unknown.length > 0 ? `no part ${unknown.join(', ')}\n\n${HELP}` : HELP)
    return NOTHING_TRIED
  }
  const why = missing()
  if (why !== null) {
    console.error(`test:faults: nothing was tried: ${why}`)
    return NOTHING_TRIED
  }
  if (!isPrivate) return await enter()
  mkdirSync(OUT, { recursive: true })
  // In a namespace of their own processes of several runs have the same ids: what counts is that of whoever made it.
  const id = process.env.FAULT_RUN ?? process.pid
  const trials = join(OUT, `${id}.jsonl`)
  const table = join(OUT, `${id}.json`)
  writeFileSync(trials, '')
  process.env.FAULT_TRIALS_FILE = trials
  // Parts that run at once would each build them, in one another's way.
  if (spawnSync('node_modules/.bin/hardhat', ['build', '--quiet'], { stdio: 'inherit' }).status !== 0)
    return 1
  const start = performance.now()
  const passed = await runParts({ parts: positionals, inputs, jobs })
  const rows = rowsOf(trials)
  writeFileSync(table, `${JSON.stringify(rows, null, 2)}\n`)
  copyFileSync(table, join(OUT, 'last.json'))
  const minutes = ((performance.now() - start) / 60_000).toFixed(1)
  console.log(`\n${tableOf(rows)}\n\n${summaryOf(rows)}, ${minutes} minutes; ${relative('', table)}`)
  return passed && rows.length > 0 && rows.every(({ holds }) => holds) ? 0 : 1
}

process.exit(await main())
