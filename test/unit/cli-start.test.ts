// What `truss start` refuses, each with one line and its exit code, and nothing changed on disk or chain.
import assert from 'node:assert/strict'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { encryptKeystoreJson } from 'ethers'
import { EXIT } from '../../relayer/cli/exit.ts'
import { run } from '../../relayer/cli/program.ts'
import { toAddress, toHex } from '../../relayer/lib/bytes.ts'
import { KEY } from '../../relayer/store/layout.ts'
import { openLevel } from '../../relayer/store/level.ts'
import { daemon, quietIo, truss } from '../support/cli.ts'
import { HardhatChain } from '../support/hardhat-chain.ts'
import { scratch } from '../support/scratch.ts'
import { type Settings, writeSettings } from '../support/settings.ts'

const MEMBERS = ['11', '22', '33'].map((byte) => toAddress(`0x${byte.repeat(20)}`))
const PASSWORD = 'correct horse'

let chain: HardhatChain
let folder = ''
let address = toAddress(`0x${'00'.repeat(20)}`)

const at = (name: string) => join(folder, name)

function config(name: string, changes: Settings = {}): string {
  const own = { dataDirectory: 'data', keystore: 'keystore.json', logLevel: 'silent' }
  return writeSettings(at(name), { ...chain.settings, ...own, ...changes })
}

async function operator(keystore: string): Promise<string> {
  const account = await chain.account()
  writeFileSync(at(keystore), await encryptKeystoreJson(account, PASSWORD, { scrypt: { N: 1024 } }))
  return account.address
}

/** Every record and key file but the boot counter, the account's nonce and the contract's state. */
async function everything(): Promise<object> {
  const { database, keyFiles } = await openLevel(at('data'))
  const entries = (await database.entries('')).filter(([key]) => key !== KEY.boot)
  const files = await keyFiles.list()
  await database.close()
  const nonce = await chain.rpc('eth_getTransactionCount', address, 'latest')
  const block = await chain.rpc('eth_getBlockByNumber', 'latest', false)
  return { records: entries.map(([key, value]) => [key, toHex(value)]), files, nonce, block }
}

async function portInUse(): Promise<{ port: number; free: () => void }> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const bound = server.address()
  return {
    port: typeof bound === 'object' && bound !== null ? bound.port : 0,
    free: () => void server.close(),
  }
}

before(async () => {
  chain = await HardhatChain.start({ members: MEMBERS })
  folder = scratch('start')
  writeFileSync(at('password'), `${PASSWORD}\n`)
  address = toAddress(await operator('keystore.json'))
})
after(() => chain.stop())

test('it starts, answers, refuses a second process on its data directory, and stops with exit code 0', async () => {
  const file = config('good.yaml')
  const running = daemon(['start', '-c', file])
  const up = await running.up
  assert.equal(up.address, address)
  const answer = await fetch(`${String(up.http)}/livez`)
  assert.equal(answer.status, 200)
  const status = await truss(['status', '-c', file, '--json'])
  assert.equal(status.code, 0, status.err)
  const second = await truss(['start', '-c', file])
  assert.equal(second.code, EXIT.store.code)
  assert.match(second.err, /another process has it open/)
  assert.equal(await running.stop(), EXIT.done.code)
  const gone = await truss(['status', '-c', file])
  assert.equal(gone.code, EXIT.daemon.code)
})

test('each bad input is one clear line with its exit code, and changes nothing', async (context) => {
  const first = daemon(['start', '-c', config('good.yaml')])
  await first.up
  await first.stop()
  await operator('other.json')
  writeFileSync(at('wrong'), 'wrong horse')
  writeFileSync(at('truncated.json'), readFileSync(at('keystore.json'), 'utf8').slice(0, 150))
  const taken = await portInUse()
  context.after(taken.free)
  const unused = `0x${'77'.repeat(20)}`

  const cases: readonly (readonly [
    string,
    Record<string, string | number | null>,
    keyof typeof EXIT,
    RegExp,
  ])[] = [
    ['wrong password', { passwordFile: 'wrong' }, 'config', /the password is wrong/],
    ['no password file', { passwordFile: 'none' }, 'config', /cannot be read/],
    ['no password', { passwordFile: null }, 'config', /no password is given: set passwordFile/],
    ['no keystore', { keystore: 'none.json' }, 'config', /there is no such file/],
    ['unreadable keystore', { keystore: '.' }, 'config', /open keystore/],
    ['truncated keystore', { keystore: 'truncated.json' }, 'config', /truncated/],
    ['unknown key', { colour: 'red' }, 'config', /colour: there is no such setting/],
    ['bad value', { pollMs: 'often' }, 'config', /pollMs: must be a whole number/],
    ['another chain', { chainId: 5 }, 'chain', /serves chain 31337, not 5/],
    ['no bridge', { bridge: unused }, 'chain', /no contract at the bridge address/],
    ["another operator's data", { keystore: 'other.json' }, 'store', /belongs to operator 0x/],
    ['p2p port in use', { listen: `[/ip4/127.0.0.1/tcp/${taken.port}]` }, 'network', /port is in use/],
    ['HTTP port in use', { httpPort: taken.port }, 'network', /port is in use/],
  ]
  const unchanged = await everything()
  for (const [name, changes, exit, line] of cases) {
    const { code, out, err } = await truss(['start', '-c', config('bad.yaml', changes)])
    assert.equal(code, EXIT[exit].code, `${name}: ${err}`)
    assert.match(err, line, name)
    assert.match(err, /^truss: [^\n]+$/, `${name}: one line`)
    assert.equal(out, '', name)
    assert.ok(!err.includes(PASSWORD) && !err.includes('wrong horse'), name)
    assert.deepEqual(await everything(), unchanged, name)
  }
})

test('an admin command without the role is refused, and sends nothing', async () => {
  await operator('other.json')
  const file = config('good.yaml')
  const unchanged = await everything()
  const key = ['--keystore', at('other.json'), '--password-file', at('password'), '--yes']
  const { code, err } = await truss(['admin', 'start-keygen', '-c', file, ...key])
  assert.equal(code, EXIT.refused.code)
  assert.match(
    err,
    /^truss: send: 0x[0-9a-f]{40} does not hold the admin role; 0x[0-9a-f]{40} does: use its key/m,
  )
  assert.deepEqual(await everything(), unchanged)
})

test('stopped before its key is unlocked it ends well, and has made nothing', async () => {
  const { io, out, err } = quietIo()
  const stop = new AbortController()
  const asked = Promise.withResolvers<void>()
  const ended = run(
    ['start', '--config', config('asks.yaml', { passwordFile: null, dataDirectory: 'never' })],
    {
      ...io,
      interactive: true,
      askSecret: () => {
        asked.resolve()
        return new Promise<string>(() => {})
      },
      stopSignal: () => stop.signal,
    },
  )
  await asked.promise
  stop.abort('SIGTERM')
  assert.equal(await ended, 0)
  assert.deepEqual([out, err], [[], []])
  assert.equal(existsSync(at('never')), false)
})
