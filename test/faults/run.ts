// `npm run test:faults [-- PART...]`: faults on real processes, as root; prints a table of what was tried and what came of it.
import { spawnSync } from 'node:child_process'
import { globSync, mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { basename, join, resolve } from 'node:path'
import { finished } from 'node:stream/promises'
import { run } from 'node:test'
import { spec } from 'node:test/reporters'
import { rowsOf, tableOf } from '../support/fault-table.ts'
import { isPrivate } from '../support/namespaces.ts'

/** Everything runs in network and mount namespaces of its own: whatever is made in them goes with the last process. */
const INSIDE = 'ip link set lo up && mount -t tmpfs none /run && exec "$@"'
const OUT = resolve('build')
const TRIALS = join(OUT, 'faults.jsonl')
const TABLE = join(OUT, 'faults.json')

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

/** Runs this very program in namespaces of its own. */
function enter(): number {
  const inner = ['sh', '-c', INSIDE, 'sh', process.execPath, ...process.argv.slice(1)]
  const { status } = spawnSync('unshare', ['--net', '--mount', ...inner], {
    stdio: 'inherit',
    env: { ...process.env, FAULT_NAMESPACE: 'private' },
  })
  return status ?? 1
}

async function runFile(file: string): Promise<boolean> {
  let failed = false
  const events = run({ files: [file], concurrency: 1 })
  events.on('test:fail', () => {
    failed = true
  })
  const report = events.compose(spec)
  report.pipe(process.stdout, { end: false })
  await finished(report, { writable: false })
  return !failed
}

async function main(): Promise<number> {
  const why = missing()
  if (why !== null) {
    console.log(`test:faults skipped: ${why}`)
    return 0
  }
  if (!isPrivate) return enter()
  const asked = process.argv.slice(2)
  const nameOf = (file: string) => basename(file, '.test.ts')
  const all = globSync('test/faults/*.test.ts').sort()
  const files = all.filter((file) => asked.length === 0 || asked.includes(nameOf(file)))
  if (files.length === 0) {
    console.error(`no such part; parts are: ${all.map(nameOf).join(' ')}`)
    return 2
  }
  mkdirSync(OUT, { recursive: true })
  rmSync(TRIALS, { force: true })
  writeFileSync(TRIALS, '')
  process.env.FAULT_TRIALS_FILE = TRIALS
  let passed = true
  for (const file of files) passed = (await runFile(file)) && passed
  const rows = rowsOf(TRIALS)
  writeFileSync(TABLE, `${JSON.stringify(rows, null, 2)}\n`)
  const held = rows.filter(({ holds }) => holds).length
  console.log(`\n${tableOf(rows)}\n\n${held} of ${rows.length} rows hold; as JSON in ${TABLE}`)
  return passed && held === rows.length && rows.length > 0 ? 0 : 1
}

process.exit(await main())
