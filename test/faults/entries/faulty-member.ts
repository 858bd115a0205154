// A relayer that keeps a ledger of the attempts it joined, dies or waits at a chosen write, and whose clock jumps when told to.
import { appendFileSync, existsSync, readFileSync, renameSync } from 'node:fs'
import { setTimeout as pause } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { openKeystore } from '../../../relayer/chain/keystore.ts'
import { stopInTime } from '../../../relayer/cli/start.ts'
import { loadConfig } from '../../../relayer/config.ts'
import { utf8 } from '../../../relayer/lib/bytes.ts'
import { TrussError } from '../../../relayer/lib/errors.ts'
import { createLog } from '../../../relayer/lib/log.ts'
import { Secret } from '../../../relayer/lib/secret.ts'
import { createNode } from '../../../relayer/node.ts'
import { openLevel } from '../../../relayer/store/level.ts'

/**
 * A step is named `before|after:NAME` by the start of its name: `put:KEY` and `del:KEY` of a record, `one:KEY` of a record
 * that is written by itself, `compact:PREFIX`, `write:` and `destroy:` of a key file.
 * `--die STEP`: SIGKILL there, `--nth N` at the N-th occurrence. `--hold FILE`: at the step that this file names, if it is
 * there, it is renamed to FILE.held, and the step waits until that is gone. `--steps FILE`: the steps taken, one a line.
 * `--shift MS`: the clock of the machine is wrong by this. `--jump MS`: it jumps by this at SIGUSR2, forth and back in
 * turns with `--swing`.
 */
const { values } = parseArgs({
  allowPositionals: true,
  options: {
    config: { type: 'string', short: 'c', default: '' },
    json: { type: 'boolean', default: false },
    ledger: { type: 'string', default: '/dev/null' },
    steps: { type: 'string', default: '/dev/null' },
    die: { type: 'string', default: '' },
    nth: { type: 'string', default: '1' },
    hold: { type: 'string', default: '' },
    shift: { type: 'string', default: '0' },
    jump: { type: 'string', default: '0' },
    swing: { type: 'boolean', default: false },
  },
})
let left = Number(values.nth)
let shift = Number(values.shift)
let jump = Number(values.jump)

const machine = Date.now.bind(Date)
Date.now = () => machine() + shift
process.on('SIGUSR2', () => {
  shift += jump
  if (values.swing) jump = -jump
})

const isAt = (wanted: string, when: string, names: readonly string[]) =>
  wanted.startsWith(`${when}:`) && names.some((name) => name.startsWith(wanted.slice(when.length + 1)))

async function held(when: string, names: readonly string[]): Promise<void> {
  const [asked, here] = [values.hold, `${values.hold}.held`]
  if (asked === '' || !existsSync(asked) || !isAt(readFileSync(asked, 'utf8'), when, names)) return
  renameSync(asked, here)
  while (existsSync(here)) await pause(20)
}

/** Runs a step of the disk, unless this is where the process dies. */
async function step<T>(names: readonly string[], run: () => Promise<T>): Promise<T> {
  const dies = ['before', 'after'].some((when) => isAt(values.die, when, names)) && --left === 0
  appendFileSync(values.steps, `${names.join(' ')}\n`)
  await held('before', names)
  if (dies && values.die.startsWith('before')) process.kill(process.pid, 'SIGKILL')
  const result = await run()
  if (dies) process.kill(process.pid, 'SIGKILL')
  await held('after', names)
  return result
}

const openDisk: typeof openLevel = async (directory) => {
  const { database, keyFiles } = await openLevel(directory)
  const batch: typeof database.batch = (ops) => {
    const names = ops.map(({ type, key }) => `${type}:${key}`)
    const [only] = ops.length === 1 ? ops : []
    return step(only?.type === 'put' ? [...names, `one:${only.key}`] : names, async () => {
      await database.batch(ops)
      for (const op of ops)
        if (op.type === 'put' && op.key.startsWith('marker/')) appendFileSync(values.ledger, `${op.key}\n`)
    })
  }
  const compact: typeof database.compact = (range) =>
    step([`compact:${range}`], () => database.compact(range))
  const write: typeof keyFiles.write = (name, bytes) => step(['write:'], () => keyFiles.write(name, bytes))
  const destroy: typeof keyFiles.destroy = (name) => step(['destroy:'], () => keyFiles.destroy(name))
  return { database: { ...database, batch, compact }, keyFiles: { ...keyFiles, write, destroy } }
}

const config = loadConfig({ file: values.config, env: {} })
const password = new Secret(utf8(readFileSync(config.passwordFile ?? '', 'utf8').trim()))
const operatorKey = await openKeystore(config.keystore, password)
const node = createNode(config, { operatorKey, openDisk }, createLog(config.logLevel))
const over = new AbortController()
try {
  await node.start(over.signal)
} catch (error) {
  if (!(error instanceof TrussError)) throw error
  await stopInTime(() => node.stop())
  process.stderr.write(`truss: ${error.message}: ${error.hint}\n`)
  process.exit(5)
}
if (values.json) console.log('{}')
process.once('SIGTERM', () => {
  over.abort()
  void stopInTime(() => node.stop()).then(() => process.exit(0))
})
