// Connections that come, go and double: kill -9, simultaneous dials, lost frames asked for again, and what peers() shows.
import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { afterEach, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { signerOf } from '../../../relayer/crypto/identity.ts'
import type { BootAlarm } from '../../../relayer/p2p/book.ts'
import { BookInMemory, Hosts, hostOptions, keyOf, until } from '../../support/p2p-hosts.ts'

const hosts = new Hosts()
const children = new Set<ChildProcess>()
afterEach(async () => {
  for (const child of children) child.kill('SIGKILL')
  children.clear()
  await hosts.stop()
})

const SESSION = new Uint8Array(32).fill(1)
const CHILD = 80
const child = signerOf(keyOf(CHILD)).address

/** Starts the child and collects the lines that it prints. */
function startChild(bootstrap: string, member: string): { process: ChildProcess; lines: () => string[] } {
  const path = fileURLToPath(import.meta.resolve('../../support/p2p-child.ts'))
  const running = spawn(process.execPath, [path, `${CHILD}`, bootstrap, member], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  children.add(running)
  let out = ''
  running.stdout.on('data', (chunk: Buffer) => {
    out += chunk.toString()
  })
  return { process: running, lines: () => out.split('\n') }
}

test('frames sent before and after a kill -9 reach the process that takes its place', async () => {
  const host = await hosts.start(1)
  host.admit({ committee: [host.self, child], receipts: [] })
  const channel = host.open(SESSION, [child])
  const first = startChild(host.multiaddrs()[0] ?? '', host.self)
  channel.send(child, Uint8Array.of(1))
  await until('the first frame came', () => first.lines().includes('frame 0x01'))
  first.process.kill('SIGKILL')
  await until('its death was noticed', () => !host.connected(child))
  channel.send(child, Uint8Array.of(2))
  const second = startChild(host.multiaddrs()[0] ?? '', host.self)
  await until('both frames came', () =>
    ['frame 0x01', 'frame 0x02'].every((line) => second.lines().includes(line)),
  )
})

test('a process that fell silent does not hold back the one that takes its place', async () => {
  const host = await hosts.start(1)
  host.admit({ committee: [host.self, child], receipts: [] })
  const channel = host.open(SESSION, [child])
  const silent = startChild(host.multiaddrs()[0] ?? '', host.self)
  channel.send(child, Uint8Array.of(1))
  await until('the first frame came', () => silent.lines().includes('frame 0x01'))
  silent.process.kill('SIGSTOP')
  const next = await hosts.start(CHILD, {
    bootstrap: host.multiaddrs(),
    hello: () => ({ ...hostOptions(CHILD).hello(), bootCounter: 2, bootId: 'ee'.repeat(16) }),
  })
  next.admit({ committee: [host.self, child], receipts: [] })
  const heard = new Set<number>()
  next.open(SESSION, [host.self]).onFrame((_, frame) => heard.add(frame[0] ?? 0))
  channel.send(child, Uint8Array.of(2))
  await until('both frames came', () => heard.has(1) && heard.has(2))
  assert.deepEqual(host.bootAlarms(), [])
})

test('two nodes that dial each other at the same moment serve each other', async () => {
  const [a, b] = [await hosts.start(1), await hosts.start(2)]
  const seed = (book: BookInMemory, address: typeof a.self, multiaddrs: readonly string[]) => {
    book.entries = [{ address, multiaddrs, bootCounter: 0, bootId: '' }]
    return book
  }
  const ends = [a, b].map((host) => host.multiaddrs())
  await Promise.all([a, b].map((host) => hosts.end(host)))
  const listen = ends.map(([text]) => [(text ?? '').replace(/\/p2p\/.*/, '')])
  const [left, right] = await Promise.all([
    hosts.start(1, { listen: listen[0] ?? [], peerBook: seed(new BookInMemory(), b.self, ends[1] ?? []) }),
    hosts.start(2, { listen: listen[1] ?? [], peerBook: seed(new BookInMemory(), a.self, ends[0] ?? []) }),
  ])
  for (const host of [left, right]) host.admit({ committee: [a.self, b.self], receipts: [] })
  const heard = new Set<string>()
  for (const [here, there] of [
    [left, right],
    [right, left],
  ] as const) {
    const channel = here.open(SESSION, [there.self])
    channel.onFrame((from, frame) => heard.add(`${from} ${frame[0]}`))
    for (let at = 0; at < 20; at++) channel.send(there.self, Uint8Array.of(at))
  }
  await until('each heard all of the other', () => heard.size === 40)
})

test('early frames that did not fit are sent again when the session opens', async () => {
  const [a, b] = await hosts.committee(2, { limits: { unopenedFrames: 4 } })
  assert.ok(a && b)
  const channel = a.open(SESSION, [b.self])
  for (let at = 0; at < 50; at++) channel.send(b.self, Uint8Array.of(at))
  await until('most are dropped', () =>
    b.drops().some(({ reason, count }) => reason === 'unopened' && count === 46),
  )
  const heard = new Set<number>()
  b.open(SESSION, [a.self]).onFrame((_, frame) => heard.add(frame[0] ?? -1))
  await until('all came', () => heard.size === 50)
})

test('who refuses us is seen in peers(), until it admits us', async () => {
  const [a, b] = await hosts.committee(2)
  assert.ok(a && b)
  const c = await hosts.start(3, { bootstrap: a.multiaddrs() })
  c.admit({ committee: [a.self, c.self], receipts: [] })
  const channel = c.open(SESSION, [a.self])
  channel.send(a.self, Uint8Array.of(1))
  const refused = () => c.peers().find(({ address }) => address === a.self)?.refusedUs ?? null
  await until('it is refused', () => refused() === 'not a member that this node admits')
  const heard: number[] = []
  a.open(SESSION, [c.self]).onFrame((_, frame) => heard.push(frame[0] ?? 0))
  a.admit({ committee: [a.self, b.self, c.self], receipts: [] })
  await until('it is served', () => heard.includes(1) && refused() === null)
})

test('versions of the members are seen in peers()', async () => {
  const options = (seed: number, protocolVersion: number, softwareVersion: string) => ({
    hello: () => ({ ...hostOptions(seed).hello(), protocolVersion, softwareVersion }),
  })
  const a = await hosts.start(1, options(1, 1, '0.1.0'))
  const b = await hosts.start(2, { ...options(2, 2, '0.2.0'), bootstrap: a.multiaddrs() })
  for (const host of [a, b]) host.admit({ committee: [a.self, b.self], receipts: [] })
  const seen = () => a.peers()[0]?.hello
  await until('the hello came', () => seen() !== null && seen() !== undefined)
  assert.deepEqual([seen()?.protocolVersion, seen()?.softwareVersion], [2, '0.2.0'])
})

test('a node of another bridge is not greeted', async () => {
  const a = await hosts.start(1)
  const b = await hosts.start(2, {
    bootstrap: a.multiaddrs(),
    network: { chainId: 1, bridge: `0x${'cd'.repeat(20)}` },
  })
  await until('it is counted', () => a.drops().some(({ reason }) => reason === 'other-bridge'))
  assert.equal(a.peers().find(({ address }) => address === b.self)?.hello ?? null, null)
})

for (const [kind, bootCounter, bootId] of [
  ['rollback', 4, 'aa'.repeat(16)],
  ['clone', 5, 'bb'.repeat(16)],
] as const)
  test(`a member that starts as a ${kind} raises an alarm, also after we restarted`, async () => {
    const peerBook = new BookInMemory()
    const boot = (counter: number, id: string) => ({
      hello: () => ({ ...hostOptions(2).hello(), bootCounter: counter, bootId: id }),
    })
    const before = await hosts.start(1, { peerBook })
    const honest = await hosts.start(2, { ...boot(5, 'aa'.repeat(16)), bootstrap: before.multiaddrs() })
    before.admit({ committee: [before.self, honest.self], receipts: [] })
    await until('its boot is known', () => before.peers()[0]?.hello?.bootCounter === 5)
    await hosts.end(before)
    await hosts.end(honest)
    assert.equal(peerBook.entries.find(({ address }) => address === honest.self)?.bootCounter, 5)

    const after = await hosts.start(1, { peerBook })
    const alarms: BootAlarm[] = []
    after.onBootAlarm((alarm) => alarms.push(alarm))
    await hosts.start(2, { ...boot(bootCounter, bootId), bootstrap: after.multiaddrs() })
    after.admit({ committee: [after.self, honest.self], receipts: [] })
    await until('the alarm came', () => alarms.length > 0)
    assert.deepEqual(after.bootAlarms(), alarms)
    assert.deepEqual(alarms, [
      {
        address: honest.self,
        kind,
        seen: { bootCounter: 5, bootId: 'aa'.repeat(16) },
        got: { bootCounter, bootId },
      },
    ])
  })
