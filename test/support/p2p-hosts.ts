// Libp2p hosts inside one process, over real TCP on 127.0.0.1, and a bare libp2p node to play the stranger.
import { noise } from '@chainsafe/libp2p-noise'
import { yamux } from '@chainsafe/libp2p-yamux'
import type { Connection, Stream } from '@libp2p/interface'
import { identify } from '@libp2p/identify'
import { ping } from '@libp2p/ping'
import { tcp } from '@libp2p/tcp'
import { multiaddr } from '@multiformats/multiaddr'
import { kadDHT, passthroughMapper } from '@libp2p/kad-dht'
import { createLibp2p } from 'libp2p'
import { type Address, toHex } from '../../relayer/lib/bytes.ts'
import { silentLog } from '../../relayer/lib/log.ts'
import { Secret } from '../../relayer/lib/secret.ts'
import type { PeerBookEntry, PeerBookPort } from '../../relayer/p2p/book.ts'
import { createHost, type Host } from '../../relayer/p2p/host.ts'
import { libp2pKey } from '../../relayer/p2p/identity.ts'
import { DISCOVERY_PROTOCOLS } from '../../relayer/p2p/protocols.ts'
import type { HostOptions } from '../../relayer/p2p/options.ts'

export const NETWORK = { chainId: 31337, bridge: `0x${'ab'.repeat(20)}` } as const

/** A private key that is a function of a small number. */
export function keyOf(seed: number): Secret {
  const bytes = new Uint8Array(32).fill(7)
  new DataView(bytes.buffer).setUint32(0, seed)
  return new Secret(bytes)
}

/** A peer book on no disk, which outlives the hosts that use it. */
export class BookInMemory implements PeerBookPort {
  entries: readonly PeerBookEntry[] = []

  async load(): Promise<readonly PeerBookEntry[]> {
    return this.entries
  }

  async save(entries: readonly PeerBookEntry[]): Promise<void> {
    this.entries = structuredClone(entries)
  }
}

/** The options of a quick host on a free port. */
export function hostOptions(seed: number, options: Partial<HostOptions> = {}): HostOptions {
  const { limits, ...rest } = options
  return {
    mode: 'relayer',
    privateKey: keyOf(seed),
    listen: ['/ip4/127.0.0.1/tcp/0'],
    announce: [],
    bootstrap: [],
    network: NETWORK,
    peerBook: new BookInMemory(),
    log: silentLog,
    hello: () => ({
      protocolVersion: 1,
      softwareVersion: 'test',
      head: 100,
      epoch: 1,
      bootCounter: 1,
      bootId: toHex(new Uint8Array(16).fill(seed)),
    }),
    ...rest,
    limits: { retryMs: 20, retryMostMs: 200, helloMs: 5000, ...limits },
  }
}

/** Hosts of one test; `stop` ends all that were started. */
export class Hosts {
  readonly #running = new Set<{ stop(): unknown }>()

  /** A started host. */
  async start(seed: number, options: Partial<HostOptions> = {}): Promise<Host> {
    const host = createHost(hostOptions(seed, options))
    this.#running.add(host)
    await host.start()
    return host
  }

  /** `count` relayers with seeds from 1, each bootstrapped from those before, all admitting each other, all connected. */
  async committee(count: number, options: Partial<HostOptions> = {}): Promise<Host[]> {
    const hosts: Host[] = []
    for (let seed = 1; seed <= count; seed++) {
      const bootstrap = hosts.flatMap((host) => host.multiaddrs())
      hosts.push(await this.start(seed, { bootstrap, ...options }))
    }
    const committee = hosts.map((host) => host.self)
    for (const host of hosts) host.admit({ committee, receipts: [] })
    await until('the committee is connected', () => hosts.every((host) => allConnected(host, committee)))
    return hosts
  }

  /** A bare libp2p node that can open any protocol. */
  async stranger(seed: number, privateKey = libp2pKey(keyOf(seed))) {
    const node = await createLibp2p({
      privateKey,
      addresses: { listen: ['/ip4/127.0.0.1/tcp/0'] },
      transports: [tcp()],
      connectionEncrypters: [noise()],
      streamMuxers: [yamux()],
      services: {
        identify: identify({ protocolPrefix: 'truss' }),
        ping: ping({ protocolPrefix: 'truss' }),
        dht: kadDHT({
          protocol: DISCOVERY_PROTOCOLS.kad,
          clientMode: true,
          peerInfoMapper: passthroughMapper,
          allowQueryWithZeroPeers: true,
        }),
      },
    })
    this.#running.add(node)
    return node
  }

  /** Stops a host for good, as a test's step. */
  async end(host: { stop(): unknown }): Promise<void> {
    this.#running.delete(host)
    await host.stop()
  }

  async stop(): Promise<void> {
    await Promise.all([...this.#running].map((host) => host.stop()))
    this.#running.clear()
  }
}

/** Whether a host is connected to all others of a committee. */
export function allConnected(host: Host, committee: readonly Address[]): boolean {
  return committee.every((address) => address === host.self || host.connected(address))
}

/** A connection of a bare node to a host. */
export async function dialHost(
  node: { dial(to: ReturnType<typeof multiaddr>): Promise<Connection> },
  host: Host,
): Promise<Connection> {
  return await node.dial(multiaddr(host.multiaddrs()[0] ?? ''))
}

/** Everything that comes on a stream until it ends. */
export async function readAll(stream: Stream): Promise<Uint8Array> {
  const chunks: Uint8Array[] = []
  try {
    for await (const chunk of stream) chunks.push(chunk instanceof Uint8Array ? chunk : chunk.subarray())
  } catch {
    // A reset ends it as well.
  }
  return new Uint8Array(Buffer.concat(chunks))
}

/** Waits until a state holds. @throws Error that names it after `ms` */
export async function until(what: string, holds: () => boolean, ms = 15_000): Promise<void> {
  const end = Date.now() + ms
  while (!holds()) {
    if (Date.now() > end) throw new Error(`waited ${ms} ms in vain: ${what}`)
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
}
