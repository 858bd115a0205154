// A relayer that keeps a ledger of the attempts it joined, dies at a chosen write, and whose clock jumps when told to.
import { appendFileSync, readFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { openKeystore } from '../../../relayer/chain/keystore.ts'
import { stopInTime } from '../../../relayer/cli/start.ts'
import { loadConfig } from '../../../relayer/config.ts'
import { utf8 } from '../../../relayer/lib/bytes.ts'
import { type Clock, systemClock } from '../../../relayer/lib/clock.ts'
import { TrussError } from '../../../relayer/lib/errors.ts'
import { createLog } from '../../../relayer/lib/log.ts'
import { Secret } from '../../../relayer/lib/secret.ts'
import { createNode } from '../../../relayer/node.ts'
import { openLevel } from '../../../relayer/store/level.ts'

/**
 * `--die before|after:ACTION:PREFIX`: SIGKILL before or after a durable step. Actions: `put` and `del` of a record whose
 * key starts with the prefix, `compact` of that prefix, `write` and `destroy` of a key file (no prefix).
 * `--nth N`: at its N-th occurrence. `--jump MS`: the wall clock jumps by this at SIGUSR2, each time.
 */
const { values } = parseArgs({
  options: {
    config: { type: 'string', default: '' },
    ledger: { type: 'string', default: '' },
    die: { type: 'string', default: '' },
    nth: { type: 'string', default: '1' },
    jump: { type: 'string', default: '0' },
  },
})
const [when = '', wanted = '', prefix = ''] = values.die.split(':')
let left = Number(values.nth)
let offset = 0

const clock: Clock = {
  now: () => systemClock.now() + offset,
  sleep: (ms, signal) => systemClock.sleep(ms, signal),
}
process.on('SIGUSR2', () => {
  offset += Number(values.jump)
})

/** Runs a step of the disk, unless this is where the process dies. */
async function step<T>(names: readonly string[], run: () => Promise<T>): Promise<T> {
  const here = names.some((name) => name.startsWith(`${wanted}:${prefix}`) && wanted !== '') && --left === 0
  if (here && when === 'before') process.kill(process.pid, 'SIGKILL')
  const result = await run()
  if (here) process.kill(process.pid, 'SIGKILL')
  return result
}

const openDisk: typeof openLevel = async (directory) => {
  const { database, keyFiles } = await openLevel(directory)
  const batch: typeof database.batch = (ops) =>
    step(
      ops.map(({ type, key }) => `${type}:${key}`),
      async () => {
        await database.batch(ops)
        for (const op of ops)
          if (op.type === 'put' && op.key.startsWith('marker/')) appendFileSync(values.ledger, `${op.key}\n`)
      },
    )
  const compact: typeof database.compact = (range) =>
    step([`compact:${range}`], () => database.compact(range))
  const write: typeof keyFiles.write = (name, bytes) => step(['write:'], () => keyFiles.write(name, bytes))
  const destroy: typeof keyFiles.destroy = (name) => step(['destroy:'], () => keyFiles.destroy(name))
  return { database: { ...database, batch, compact }, keyFiles: { ...keyFiles, write, destroy } }
}

const config = loadConfig({ file: values.config, env: {} })
const password = new Secret(utf8(readFileSync(config.passwordFile ?? '', 'utf8').trim()))
const operatorKey = await openKeystore(config.keystore, password)
const node = createNode(config, { operatorKey, openDisk, clock }, createLog(config.logLevel))
const over = new AbortController()
try {
  await node.start(over.signal)
} catch (error) {
  if (!(error instanceof TrussError)) throw error
  await stopInTime(() => node.stop())
  process.stderr.write(`truss: ${error.message}: ${error.hint}\n`)
  process.exit(5)
}
process.once('SIGTERM', () => {
  over.abort()
  void stopInTime(() => node.stop()).then(() => process.exit(0))
})
