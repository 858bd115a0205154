// What passes on the wire between two members, and addresses that lead nowhere.
import assert from 'node:assert/strict'
import { connect, createServer, type Server, type Socket } from 'node:net'
import { afterEach, test } from 'node:test'
import type { PeerBookEntry } from '../../../relayer/p2p/book.ts'
import { allConnected, BookInMemory, Hosts, until } from '../../support/p2p-hosts.ts'

const hosts = new Hosts()
const taps: { server: Server; sockets: Set<Socket> }[] = []
afterEach(async () => {
  await hosts.stop()
  for (const { server, sockets } of taps.splice(0)) {
    server.close()
    for (const socket of sockets) socket.destroy()
  }
})

/** A wire tap: passes everything on to a port, and keeps a copy of both directions. */
async function tap(port: number): Promise<{ port: number; heard: () => Buffer }> {
  const copies: Buffer[] = []
  const sockets = new Set<Socket>()
  const server = createServer((near) => {
    const far = connect(port, '127.0.0.1')
    for (const [from, to] of [
      [near, far],
      [far, near],
    ] as const) {
      sockets.add(from)
      from.on('data', (bytes: Buffer) => {
        copies.push(bytes)
        to.write(bytes)
      })
      from.on('close', () => to.destroy())
      from.on('error', () => to.destroy())
    }
  })
  taps.push({ server, sockets })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  assert.ok(address !== null && typeof address === 'object')
  return { port: address.port, heard: () => Buffer.concat(copies) }
}

test('what two members say to each other stands on no wire in the clear', async () => {
  const a = await hosts.start(1)
  const [address = ''] = a.multiaddrs()
  const port = Number(/\/tcp\/(\d+)/.exec(address)?.[1])
  const wire = await tap(port)
  const b = await hosts.start(2, { bootstrap: [address.replace(`/tcp/${port}`, `/tcp/${wire.port}`)] })
  for (const host of [a, b]) host.admit({ committee: [a.self, b.self], receipts: [] })
  await until('they are connected', () => a.connected(b.self) && b.connected(a.self))

  const secret = Buffer.from('a share of the key, which nobody on the line may read')
  const session = new Uint8Array(32).fill(6)
  const heard: string[] = []
  a.open(session, [b.self]).onFrame((_, frame) => heard.push(Buffer.from(frame).toString()))
  a.onTell('sign', (_, body) => heard.push(Buffer.from(body).toString()))
  b.open(session, [a.self]).send(a.self, secret)
  b.tell(a.self, 'sign', secret)
  await until('both came', () => heard.length === 2)
  assert.deepEqual(heard, [String(secret), String(secret)])
  const copy = wire.heard()
  assert.ok(copy.length > 2 * secret.length, 'they speak through the tap')
  for (const words of [secret, secret.subarray(2, 18), Buffer.from(session)])
    assert.ok(!copy.includes(words), 'the tap reads along')
})

test('a member whose addresses lead nowhere or to somebody else keeps nobody else apart', async () => {
  const first = await hosts.start(1)
  const [there = ''] = first.multiaddrs()
  const gone = await hosts.start(9)
  const { self, peerId } = gone
  await hosts.end(gone)
  const book = new BookInMemory()
  const bad: PeerBookEntry = {
    address: self,
    multiaddrs: [
      `/ip4/127.0.0.1/tcp/1/p2p/${peerId}`,
      `/dns4/nowhere.invalid/tcp/9700/p2p/${peerId}`,
      // The port is the first member's, the name that of the one that is gone.
      there.replace(/\/p2p\/.*/, `/p2p/${peerId}`),
    ],
    bootCounter: 0,
    bootId: '',
  }
  await book.save([bad])
  const others = await Promise.all(
    [2, 3].map((seed) => hosts.start(seed, { bootstrap: [there], peerBook: book })),
  )
  const mesh = [first, ...others]
  const present = mesh.map((host) => host.self)
  for (const host of mesh) host.admit({ committee: [...present, self], receipts: [] })
  await until('everybody else is together', () => mesh.every((host) => allConnected(host, present)))
  for (const host of mesh) assert.equal(host.connected(self), false)
  const heard: number[] = []
  const session = new Uint8Array(32).fill(7)
  first.open(session, present).onFrame((_, frame) => heard.push(frame[0] ?? 0))
  for (const [at, host] of others.entries())
    host.open(session, present).send(first.self, Uint8Array.of(at + 1))
  await until('they are served', () => heard.length === 2)
})
