// Finding each other: one bootnode, none, a late one, a moved node, a liar; and a visitor that looks an address up.
import assert from 'node:assert/strict'
import { afterEach, test } from 'node:test'
import { ConfigError, NetworkError } from '../../../relayer/lib/errors.ts'
import type { Host } from '../../../relayer/p2p/host.ts'
import { recordKey } from '../../../relayer/p2p/records.ts'
import { allConnected, BookInMemory, dialHost, Hosts, NETWORK, until } from '../../support/p2p-hosts.ts'

const hosts = new Hosts()
afterEach(() => hosts.stop())

const soon = () => AbortSignal.timeout(10_000)

/** Relayers that know the bootnodes only, and admit each other. */
async function meshThrough(bootstrap: readonly string[], books: readonly BookInMemory[]): Promise<Host[]> {
  const mesh = await Promise.all(books.map((peerBook, at) => hosts.start(at + 1, { bootstrap, peerBook })))
  admitAll(mesh)
  return mesh
}

function admitAll(mesh: readonly Host[]): void {
  const committee = mesh.map((host) => host.self)
  for (const host of mesh) host.admit({ committee, receipts: [] })
}

async function connected(mesh: readonly Host[]): Promise<void> {
  const committee = mesh.map((host) => host.self)
  await until('the mesh stands', () => mesh.every((host) => allConnected(host, committee)))
}

const books = (count: number) => Array.from({ length: count }, () => new BookInMemory())

test('relayers that know one bootnode find each other by address', async () => {
  const boot = await hosts.start(100, { mode: 'bootnode' })
  const mesh = await meshThrough(boot.multiaddrs(), books(5))
  await connected(mesh)
  await until('all have said hello', () =>
    mesh.every((host) => host.peers().every(({ hello, latencyMs }) => hello !== null && latencyMs !== null)),
  )
  const view = mesh[0]?.peers().find(({ address }) => address === mesh[1]?.self)
  assert.deepEqual(
    {
      tier: view?.tier,
      connected: view?.connected,
      peerId: view?.peerId,
      version: view?.hello?.protocolVersion,
    },
    { tier: 'committee', connected: true, peerId: mesh[1]?.peerId, version: 1 },
  )
  assert.equal(mesh[0]?.bootnodes()[0]?.connected, true)
  await until('all records stand', () => mesh.every((host) => host.recordReplicas > 0))
})

test('a bootnode that comes up late is joined, and one that went away and came back as well', async () => {
  const first = await hosts.start(100, { mode: 'bootnode' })
  const at = first.multiaddrs()
  const listen = at.map((text) => text.replace(/\/p2p\/.*/, ''))
  await hosts.end(first)
  const mesh = await meshThrough(at, books(3))
  assert.deepEqual(mesh[0]?.bootnodes(), [{ multiaddr: at[0], connected: false }])
  const second = await hosts.start(100, { mode: 'bootnode', listen })
  await connected(mesh)
  await hosts.end(second)
  await until('its end was noticed', () => mesh.every((host) => host.bootnodes()[0]?.connected === false))
  assert.ok(
    mesh.every((host) =>
      allConnected(
        host,
        mesh.map(({ self }) => self),
      ),
    ),
  )
  await hosts.start(100, { mode: 'bootnode', listen })
  await until('it is joined again', () => mesh.every((host) => host.bootnodes()[0]?.connected === true))
})

test('a restart of everybody needs no bootnode, because good addresses are kept', async () => {
  const boot = await hosts.start(100, { mode: 'bootnode' })
  const bootstrap = boot.multiaddrs()
  const kept = books(3)
  const mesh = await meshThrough(bootstrap, kept)
  await connected(mesh)
  const ports = mesh.map((host) => (host.multiaddrs()[0] ?? '').replace(/\/p2p\/.*/, ''))
  const isKept = () => kept.every(({ entries }) => entries.some(({ multiaddrs }) => multiaddrs.length > 0))
  await until('addresses are kept', isKept)
  await Promise.all([boot, ...mesh].map((host) => hosts.end(host)))
  const again = await Promise.all(
    kept.map((peerBook, at) => hosts.start(at + 1, { bootstrap, peerBook, listen: [ports[at] ?? ''] })),
  )
  admitAll(again)
  await connected(again)
})

test('a member that moved is found again, and its new address is the one that is kept', async () => {
  const boot = await hosts.start(100, { mode: 'bootnode' })
  const kept = books(3)
  const mesh = await meshThrough(boot.multiaddrs(), kept)
  await connected(mesh)
  const [moving, ...rest] = mesh
  assert.ok(moving)
  await hosts.end(moving)
  await until('it is gone', () => rest.every((host) => !host.connected(moving.self)))
  const moved = await hosts.start(1, { bootstrap: boot.multiaddrs() })
  assert.notDeepEqual(moved.multiaddrs(), moving.multiaddrs())
  // It does not dial anybody itself: the others must find it.
  await until('it is found', () => rest.every((host) => host.connected(moved.self)))
  await until('it is kept', () =>
    kept
      .slice(1)
      .every(({ entries }) => entries.some(({ multiaddrs }) => multiaddrs[0] === moved.multiaddrs()[0])),
  )
})

test('a visitor finds a node by its address through the DHT, and has its hello and its latency', async () => {
  const boot = await hosts.start(100, { mode: 'bootnode' })
  const newcomer = await hosts.start(1, { bootstrap: boot.multiaddrs() })
  const visitor = await hosts.start(99, { mode: 'visitor', bootstrap: boot.multiaddrs() })
  const found = await visitor.find(newcomer.self, { signal: soon() })
  assert.deepEqual(
    { address: found.address, peerId: found.peerId, through: found.through, head: found.hello.head },
    { address: newcomer.self, peerId: newcomer.peerId, through: 'dht', head: 100 },
  )
  assert.ok((found.latencyMs ?? -1) >= 0)
  assert.deepEqual(newcomer.refusals(), [])
  assert.deepEqual(visitor.multiaddrs(), [])
})

test('an address that nobody holds is not found, in words that help', async () => {
  const boot = await hosts.start(100, { mode: 'bootnode' })
  const visitor = await hosts.start(99, { mode: 'visitor', bootstrap: boot.multiaddrs() })
  await assert.rejects(
    visitor.find(`0x${'12'.repeat(20)}`, { signal: AbortSignal.timeout(3000) }),
    (error: unknown) =>
      error instanceof NetworkError && /no node with that key/.test(error.message) && error.hint !== '',
  )
})

test("a liar under another's record is passed over", async () => {
  const boot = await hosts.start(100, { mode: 'bootnode' })
  const honest = await hosts.start(1, { bootstrap: boot.multiaddrs() })
  const liar = await hosts.start(2, { bootstrap: boot.multiaddrs() })
  const forger = await hosts.stranger(3)
  await dialHost(forger, boot)
  let stored = 0
  await until('the forged record stands', () => {
    if (stored === 0)
      void (async () => {
        for await (const event of forger.services.dht.provide(recordKey(NETWORK, honest.self)))
          if (event.name === 'PEER_RESPONSE' && event.messageName === 'ADD_PROVIDER') stored += 1
      })()
    return stored > 0
  })
  const visitor = await hosts.start(99, { mode: 'visitor', bootstrap: boot.multiaddrs() })
  const found = await visitor.find(honest.self, { signal: soon() })
  assert.equal(found.peerId, honest.peerId)
  assert.notEqual(found.peerId, liar.peerId)
})

test('a port in use is refused in words that say what to do', async () => {
  const first = await hosts.start(1)
  const listen = first.multiaddrs().map((text) => text.replace(/\/p2p\/.*/, ''))
  await assert.rejects(
    hosts.start(2, { listen }),
    (error: unknown) =>
      error instanceof NetworkError && /port is in use/.test(error.message) && /listen/.test(error.hint),
  )
})

test('a bootstrap address without a PeerId is refused at start', async () => {
  await assert.rejects(
    hosts.start(1, { bootstrap: ['/dns4/boot.example/tcp/9000'] }),
    (error: unknown) => error instanceof ConfigError && error.hint !== '',
  )
})

test('announce addresses, names too, are what others are told', async () => {
  const host = await hosts.start(1, { announce: ['/dns4/relayer.example/tcp/9000'] })
  assert.deepEqual(host.multiaddrs(), [`/dns4/relayer.example/tcp/9000/p2p/${host.peerId}`])
})
