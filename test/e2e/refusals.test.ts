// What `truss start` refuses, as a process of its own with shares on its disk: one line, the documented code, and nothing changed.
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { createServer, type Server } from 'node:net'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { copyDirectory } from '../../scripts/devnet/traces.ts'
import type { RelayerNode, World } from '../../scripts/devnet/world.ts'
import {
  closeWorld,
  firstKey,
  isReady,
  openRecords,
  openWorld,
  readyz,
  relayer,
} from '../support/devnet-world.ts'

const NOBODY = `0x${'77'.repeat(20)}`
const LIMIT_MS = 30_000

let world: World
let own: RelayerNode
let other: RelayerNode
const taken: Server = createServer()
let port = 0

interface Ended {
  readonly code: number
  readonly out: string
  readonly err: string
}

/** A command as a process; what it logs is not asked for. */
function truss(args: readonly string[]): Promise<Ended> {
  const env = { ...process.env, TRUSS_LOG_LEVEL: 'silent' }
  return new Promise((resolve, reject) => {
    execFile(
      process.execPath,
      ['relayer/main.ts', ...args],
      { env, timeout: LIMIT_MS },
      (error, out, err) => {
        if (error !== null && typeof error.code !== 'number') reject(error)
        else resolve({ code: Number(error?.code ?? 0), out, err })
      },
    )
  })
}

/** Every record but the boot counter, and every key file. */
async function contents(dataDirectory: string): Promise<object> {
  const level = await openRecords(dataDirectory)
  const records = await level.iterator().all()
  await level.close()
  const keys = join(dataDirectory, 'keys')
  const files = readdirSync(keys).map((name) => [name, readFileSync(join(keys, name), 'hex')])
  assert.ok(files.length > 0 && records.some(([key]) => key.startsWith('sealed/')), 'a share is there')
  return { records: records.filter(([key]) => key !== 'boot'), files }
}

/** Nonces, committee, epochs and events, as the chain's node encodes them. */
async function chainState(): Promise<object> {
  const { provider, bridge } = world
  const admin = await (await world.admin()).getAddress()
  const read = (name: string, ...args: number[]) =>
    provider.call({ to: bridge, data: bridge.interface.encodeFunctionData(name, args) })
  return {
    nonces: await Promise.all(
      [admin, own.address, other.address].map((account) => provider.getTransactionCount(account, 'pending')),
    ),
    committee: await read('committeeState'),
    epochs: [await read('epochInfo', 1), await read('epochInfo', 2)],
    events: (await provider.getLogs({ address: bridge, fromBlock: 0 })).length,
  }
}

/** A configuration beside the relayer's own, with settings changed, added or (null) left out; gives the file. */
function configWith(name: string, changes: Readonly<Record<string, string | null>>): string {
  const kept = readFileSync(own.config, 'utf8')
    .split('\n')
    .filter((line) => !((line.split(':')[0] ?? '') in changes))
  const added = Object.entries(changes).flatMap(([key, value]) =>
    value === null ? [] : [`${key}: ${value}`],
  )
  const file = join(own.directory, `${name}.yaml`)
  writeFileSync(file, [...kept, ...added].join('\n'))
  return file
}

/** One line that names the code's meaning in the documentation. */
function assertRefused({ code, out, err }: Ended, wanted: { code: number; line: RegExp }): void {
  assert.equal(code, wanted.code, err)
  assert.match(err, /^truss: [^\n]+\n$/, 'one line')
  assert.match(err, wanted.line)
  assert.equal(out, '')
  assert.match(readFileSync('docs/cli.md', 'utf8'), new RegExp(`^\\| ${code} \\| \\w`, 'm'), 'documented')
}

before(async () => {
  world = await openWorld('--relayers', '2', '--threshold', '2', '--block-time-ms', '250')
  own = relayer(world, 1)
  other = relayer(world, 2)
  await firstKey(world)
  await Promise.all([world.halt(own), world.halt(other)])
  writeFileSync(join(own.directory, 'wrong'), 'another password')
  const keystore = readFileSync(join(own.directory, 'keystore.json'), 'utf8')
  writeFileSync(join(own.directory, 'truncated.json'), keystore.slice(0, keystore.length >> 1))
  writeFileSync(join(own.directory, 'other.json'), readFileSync(join(other.directory, 'keystore.json')))
  await new Promise<void>((resolve) => void taken.listen(0, '127.0.0.1', resolve))
  const bound = taken.address()
  port = typeof bound === 'object' && bound !== null ? bound.port : 0
})
after(async () => {
  taken.close()
  await closeWorld(world)
})

type Case = readonly [name: string, changes: () => Record<string, string | null>, code: number, line: RegExp]

const CASES: readonly Case[] = [
  ['a wrong password', () => ({ passwordFile: 'wrong' }), 3, /the password is wrong: give the password/],
  [
    'a password file that is not there',
    () => ({ passwordFile: 'none' }),
    3,
    /cannot be read: mend passwordFile/,
  ],
  ['an unreadable keystore', () => ({ keystore: '.' }), 3, /open keystore .*EISDIR: correct keystore/],
  [
    'a truncated keystore',
    () => ({ keystore: 'truncated.json' }),
    3,
    /truncated or no JSON: restore the file/,
  ],
  ['an unknown key', () => ({ colour: 'red' }), 3, /colour: there is no such setting: remove it/],
  ['a bad value', () => ({ pollMs: 'often' }), 3, /pollMs: must be a whole number from 50 to/],
  [
    'a missing value',
    () => ({ bridge: null }),
    3,
    /bridge: is missing: set it in the file or as TRUSS_BRIDGE/,
  ],
  [
    'an RPC of another chain',
    () => ({ rpcUrls: `[${world.otherRpcUrl}]` }),
    4,
    /serves chain 31338, not 31337: \w+/,
  ],
  ['a bridge without code', () => ({ bridge: `"${NOBODY}"` }), 4, /no contract at the bridge address.*: \w+/],
  [
    "another operator's data directory",
    () => ({ keystore: 'other.json' }),
    5,
    /belongs to operator 0x.*use the data directory that belongs/,
  ],
  ['a p2p port in use', () => ({ listen: `[/ip4/127.0.0.1/tcp/${port}]` }), 6, /port is in use: \w+/],
  ['an HTTP port in use', () => ({ httpPort: String(port) }), 6, /port is in use: stop what uses the port/],
]

describe('truss start refuses, and leaves shares, account and contract as they are:', {
  concurrency: 2,
}, () => {
  for (const [at, [name, changes, code, line]] of CASES.entries())
    test(name, async () => {
      const data = join(own.directory, `data-${at}`)
      copyDirectory(join(own.directory, 'data'), data)
      const unchanged = [await contents(data), await chainState()]
      const file = configWith(`case-${at}`, { dataDirectory: `data-${at}`, ...changes() })
      assertRefused(await truss(['start', '--config', file]), { code, line })
      assert.deepEqual([await contents(data), await chainState()], unchanged)
    })
})

test('a second process on one data directory is refused, and the first goes on', async () => {
  const data = join(own.directory, 'data')
  const unchanged = [await contents(data), await chainState()]
  const level = await openRecords(data)
  const file = configWith('second', { listen: '[/ip4/127.0.0.1/tcp/0]', httpPort: '0' })
  const line = /another process has it open: one daemon per data directory/
  assertRefused(await truss(['start', '--config', file]), { code: 5, line })
  await level.close()
  assert.deepEqual([await contents(data), await chainState()], unchanged)

  await Promise.all([world.start(own), world.start(other)])
  await readyz(own, isReady)
  assertRefused(await truss(['start', '--config', file]), { code: 5, line })
  await readyz(own, isReady)
  await world.halt(own)
  await world.halt(other)
  assert.deepEqual(await chainState(), unchanged[1])
})

test('an admin command without the role is refused, and sends nothing', async () => {
  const unchanged = await chainState()
  const key = ['--keystore', join(other.directory, 'keystore.json')]
  const password = ['--password-file', join(world.directory, 'password'), '--yes']
  const refresh = ['admin', 'refresh', 'no role', '--config', own.config, ...key, ...password]
  const line = new RegExp(`${other.address} does not hold the admin role; 0x[0-9a-f]{40} does: use its key`)
  assertRefused(await truss(refresh), { code: 8, line })
  assert.deepEqual(await chainState(), unchanged)
})
