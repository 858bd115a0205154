// What the daemon lives through: it starts, /readyz says what is wrong, and it heals by itself.
import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import { encryptKeystoreJson, Wallet } from 'ethers'
import { toAddress } from '../../relayer/lib/bytes.ts'
import { KEY } from '../../relayer/store/layout.ts'
import { openLevel } from '../../relayer/store/level.ts'
import { daemon, truss } from '../support/cli.ts'
import { HardhatChain } from '../support/hardhat-chain.ts'
import { LyingEndpoint } from '../support/lying-endpoint.ts'
import { scratch } from '../support/scratch.ts'
import { type Settings, writeSettings } from '../support/settings.ts'

const PASSWORD = 'correct horse'
const MEMBERS = ['11', '22', '33'].map((byte) => toAddress(`0x${byte.repeat(20)}`))

let chain: HardhatChain
let folder = ''

const at = (name: string) => join(folder, name)

function config(name: string, changes: Settings): string {
  const own = { dataDirectory: `data-${name}`, keystore: 'keystore.json', logLevel: 'silent' }
  return writeSettings(at(name), { ...chain.settings, pollMs: 50, ...own, ...changes })
}

interface Readiness {
  readonly ready: boolean
  readonly reasons: readonly string[]
  readonly warnings: readonly string[]
}

/** Asks /readyz until it says what is waited for; fails with its last answer. */
async function readyz(http: unknown, wanted: (answer: Readiness) => boolean): Promise<Readiness> {
  let answer: Readiness = { ready: false, reasons: [], warnings: [] }
  for (let tries = 0; tries < 300; tries++) {
    const response = await fetch(`${String(http)}/readyz`)
    answer = (await response.json()) as Readiness // CAST: compared right below
    assert.equal(response.status, answer.ready ? 200 : 503)
    if (wanted(answer)) return answer
    await pause(50)
  }
  assert.fail(`/readyz stays at ${JSON.stringify(answer)}`)
}

const says = (pattern: RegExp) => (answer: Readiness) => answer.reasons.some((reason) => pattern.test(reason))
const ready = (answer: Readiness) => answer.ready

before(async () => {
  chain = await HardhatChain.start({ members: MEMBERS })
  await chain.mine(3)
  folder = scratch('up')
  writeFileSync(at('password'), PASSWORD)
  const { address, privateKey } = Wallet.createRandom()
  const keystore = await encryptKeystoreJson({ address, privateKey }, PASSWORD, { scrypt: { N: 1024 } })
  writeFileSync(at('keystore.json'), keystore)
  await chain.fund(toAddress(address), 10n ** 18n)
})
after(() => chain.stop())

test('endpoints that are down: it starts, says so, and heals when they are back', async (context) => {
  const endpoint = new LyingEndpoint(chain.url, () => ({ status: 503 }))
  const url = await endpoint.start()
  context.after(() => endpoint.stop())
  const running = daemon(['start', '-c', config('down.yaml', { rpcUrls: `[${url}]` })])
  context.after(() => running.stop())
  const { http } = await running.up
  const down = await readyz(http, says(/^rpc: .*503/))
  assert.match(down.reasons[0] ?? '', /: check /, 'the reason carries its remedy')
  endpoint.rule = () => null
  await readyz(http, ready)
  endpoint.rule = () => ({ status: 503 })
  await readyz(http, says(/^rpc: /))
  endpoint.rule = () => null
  await readyz(http, ready)
  assert.equal(await running.stop(), 0)
})

test('endpoints that disagree: it acts on nothing, says so, and heals', async (context) => {
  const liar = new LyingEndpoint(chain.url)
  const url = await liar.start()
  context.after(() => liar.stop())
  const settings = { rpcUrls: `[${chain.url}, ${url}]`, rpcQuorum: 2 }
  const running = daemon(['start', '-c', config('liar.yaml', settings)])
  context.after(() => running.stop())
  const { http } = await running.up
  await readyz(http, ready)
  liar.rule = ({ method }, truth) =>
    method === 'eth_getBlockByNumber' && typeof truth === 'object'
      ? { result: { ...truth, hash: `0x${'ab'.repeat(32)}` } }
      : null
  await chain.mine(3)
  await readyz(http, says(/^rpc: .*disagree/))
  liar.rule = () => null
  await readyz(http, ready)
})

test('bootnode down: it starts, says so, and heals when it is up', async (context) => {
  const settings = (port: number) => ({
    TRUSS_DATA_DIRECTORY: at('bootnode'),
    TRUSS_LISTEN: `/ip4/127.0.0.1/tcp/${port}`,
    TRUSS_HTTP_PORT: '0',
    TRUSS_LOG_LEVEL: 'silent',
  })
  const first = daemon(['bootnode'], settings(0))
  const { multiaddrs } = await first.up
  const multiaddr = String(multiaddrs)
  assert.equal(await first.stop(), 0)

  const running = daemon(['start', '-c', config('alone.yaml', { bootstrap: `[${multiaddr}]` })])
  context.after(() => running.stop())
  const { http } = await running.up
  await readyz(http, says(/^bootstrap: no bootnode is connected/))
  const port = Number(/tcp\/(\d+)/.exec(multiaddr)?.[1])
  const second = daemon(['bootnode'], settings(port))
  context.after(() => second.stop())
  assert.equal(String((await second.up).multiaddrs), multiaddr, 'its identity is kept')
  await readyz(http, ready)
})

test('status, keys and probes of a node that is no member say so', async (context) => {
  const file = config('quiet.yaml', {})
  const running = daemon(['start', '-c', file])
  context.after(() => running.stop())
  await readyz((await running.up).http, ready)
  const status = await truss(['status', '-c', file])
  assert.match(status.out, /^epoch +0, idle, 2 of 3 sign$/m)
  assert.match(status.out, /^signs +no: not a member of the running committee$/m)
  assert.match(status.out, /^all checks are well$/m)
  const keys = await truss(['keys', '-c', file])
  assert.match(keys.out, /no key yet/)
  const probe = await truss(['sign-probe', '-c', file])
  assert.equal(probe.code, 2)
  assert.match(probe.err, /^truss: sign probe: there is no key 0: see `truss keys`$/)
  const lost = await truss(['share', 'declare-lost', '--yes', '-c', file])
  assert.match(lost.err, /no epoch is running/)
})

test('a damaged boot counter or record of a peer keeps no daemon down: it starts, and counts from 1 again', async (context) => {
  const file = config('worn.yaml', {})
  const first = daemon(['start', '-c', file])
  await readyz((await first.up).http, ready)
  assert.equal(await first.stop(), 0)
  const peer = KEY.peer(toAddress(`0x${'44'.repeat(20)}`))
  const { database } = await openLevel(at('data-worn.yaml'))
  const value = new Uint8Array(9)
  const ops = [KEY.boot, peer].map((key) => ({ type: 'put', key, value }) as const)
  await database.batch(ops)
  await database.close()
  const again = daemon(['start', '-c', file])
  context.after(() => again.stop())
  await readyz((await again.up).http, ready)
  assert.equal(await again.stop(), 0)
  const worn = await openLevel(at('data-worn.yaml'))
  assert.notDeepEqual(await worn.database.get(KEY.boot), value)
  await worn.database.close()
})
