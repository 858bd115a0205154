// Finding and reaching peers: the peer book first, then the DHT; and keeping our own address record announced.
import type { Connection } from '@libp2p/interface'
import { multiaddr } from '@multiformats/multiaddr'
import type { Address } from '../lib/bytes.ts'
import type { Clock } from '../lib/clock.ts'
import { NetworkError } from '../lib/errors.ts'
import type { PeerHello } from '../protocol/channel.ts'
import type { PeerBook } from './book.ts'
import type { Greeter } from './greeter.ts'
import type { BridgeId } from './hello.ts'
import { type Limits, pause } from './limits.ts'
import type { Links } from './links.ts'
import type { Libp2pNode } from './node.ts'
import { DISCOVERY_PROTOCOLS } from './protocols.ts'
import { announceRecord, findRecord, recordKey } from './records.ts'

/** A peer that was found, proven by the handshake to hold the address's key, and that greeted us. */
export interface FoundPeer {
  readonly address: Address
  readonly peerId: string
  /** How it was found. */
  readonly through: 'connection' | 'book' | 'dht'
  /** The multiaddr of the connection. */
  readonly multiaddr: string
  readonly latencyMs: number | null
  readonly hello: PeerHello
}

/** What the finder works with. */
export interface FinderParts {
  readonly self: Address
  readonly links: Links
  readonly limits: Limits
  readonly clock: Clock
  readonly network: BridgeId
  readonly book: PeerBook
  readonly greeter: Greeter
  /** Whether an address may have a record: bootnodes have none. */
  readonly recorded: (address: Address) => boolean
  readonly node: () => Libp2pNode
}

/** DHT searches at one time; further ones wait for the next round of their redial loop. */
const SEARCHES = 4
/** How long a search insists on a record before a connection or the peer book is good enough: records take a moment to stand. */
const PATIENCE_MS = 3000
/** The record stands well when this many nodes keep it: the k of Kademlia. */
const REPLICAS = 20
const ANNOUNCE_AGAIN_MS = 500

/** Reaches peers by address. */
export class Finder {
  readonly #parts: FinderParts
  #searching = 0
  #stored = 0
  #announceNow = new AbortController()

  constructor(parts: FinderParts) {
    this.#parts = parts
  }

  /** On how many nodes our record was stored when it was last announced. */
  get stored(): number {
    return this.#stored
  }

  /** Connects to an address by book or DHT and has it greet us. @throws NetworkError if that does not work now */
  async reach(address: Address, signal: AbortSignal): Promise<FoundPeer> {
    const known = await this.#known(address, signal)
    if (known !== null) return known
    if (!this.#parts.recorded(address)) throw new NetworkError(`reach ${address}: no answer`)
    if (this.#searching >= SEARCHES) throw new NetworkError(`find ${address}: other searches are under way`)
    return await this.#search(address, signal)
  }

  /**
   * Looks an address up in the DHT, then reaches it; a live connection or the peer book serve where there is no record.
   * Tries again until it works or the signal aborts.
   * @throws NetworkError that says what to check, when the signal aborts first
   */
  async find(address: Address, signal: AbortSignal): Promise<FoundPeer> {
    const { self, clock, limits } = this.#parts
    if (address === self) throw new NetworkError(`find ${address}: that is this node itself`)
    const patience = clock.now() + PATIENCE_MS
    for (let failures = 0; ; failures++) {
      try {
        return await this.#search(address, signal)
      } catch (error) {
        const patient = clock.now() < patience || signal.aborted
        const known = patient ? null : await this.#known(address, signal).catch(() => null)
        if (known !== null) return known
        if (!signal.aborted) await clock.sleep(pause(limits, failures), signal).catch(() => {})
        if (signal.aborted)
          throw new NetworkError(`find ${address}: no node with that key was found in time`, {
            cause: error,
            hint: 'Check that the node is up, that it knows a bootnode of this network, and that its announced address is reachable.',
          })
      }
    }
  }

  /** Keeps our record in the DHT until the signal aborts. */
  async announce(signal: AbortSignal): Promise<void> {
    const { clock, limits, network, node, self } = this.#parts
    const key = recordKey(network, self)
    while (!signal.aborted) {
      const limit = AbortSignal.any([signal, AbortSignal.timeout(limits.findMs)])
      this.#stored = await announceRecord(node().services.dht, key, limit).catch(() => 0)
      if (this.#stored === 0) await clock.sleep(ANNOUNCE_AGAIN_MS, signal)
      else {
        this.#announceNow = new AbortController()
        const early = AbortSignal.any([signal, this.#announceNow.signal])
        await clock.sleep(limits.announceEveryMs, early).catch(() => {})
        await clock.sleep(ANNOUNCE_AGAIN_MS, signal)
      }
    }
  }

  /** A peer was identified: a bootnode, or one more that can keep our record, is a reason to announce it now. */
  met(protocols: readonly string[], bootnode: boolean): void {
    if (protocols.includes(DISCOVERY_PROTOCOLS.kad) && (bootnode || this.#stored < REPLICAS))
      this.#announceNow.abort()
  }

  /** Without the DHT: a live connection, or the addresses of the peer book; null if neither leads there. */
  async #known(address: Address, signal: AbortSignal): Promise<FoundPeer | null> {
    const connection = this.#parts.links.of(address)
    if (connection !== null) return await this.#greet(address, { connection, through: 'connection' }, signal)
    const multiaddrs = this.#parts.book.multiaddrs(address)
    if (multiaddrs.length === 0) return null
    try {
      return await this.#dial(address, { multiaddrs, through: 'book' }, signal)
    } catch (error) {
      if (signal.aborted) throw error
      return null
    }
  }

  async #search(address: Address, signal: AbortSignal): Promise<FoundPeer> {
    const { limits, network, node } = this.#parts
    this.#searching += 1
    try {
      const limit = AbortSignal.any([signal, AbortSignal.timeout(limits.findMs)])
      for await (const { id, multiaddrs } of findRecord(node().services.dht, network, {
        address,
        signal: limit,
      })) {
        const texts = multiaddrs.map((each) => withPeer(each.toString(), id.toString()))
        const found = await this.#dial(address, { multiaddrs: texts, through: 'dht' }, signal).catch(
          () => null,
        )
        if (found !== null) return found
      }
    } finally {
      this.#searching -= 1
    }
    throw new NetworkError(`find ${address}: no reachable record in the DHT`)
  }

  async #dial(
    address: Address,
    { multiaddrs, through }: { multiaddrs: readonly string[]; through: 'book' | 'dht' },
    signal: AbortSignal,
  ): Promise<FoundPeer> {
    const { limits, node } = this.#parts
    const limit = AbortSignal.any([signal, AbortSignal.timeout(limits.dialMs)])
    const connection = await node().dial(
      multiaddrs.map((text) => multiaddr(text)),
      { signal: limit },
    )
    return await this.#greet(address, { connection, through }, signal)
  }

  async #greet(
    address: Address,
    { connection, through }: { connection: Connection; through: FoundPeer['through'] },
    signal: AbortSignal,
  ): Promise<FoundPeer> {
    const { book, greeter } = this.#parts
    const hello = await (through === 'connection'
      ? greeter.greet(connection, signal)
      : greeter.first(connection))
    const peerId = connection.remotePeer.toString()
    const text = withPeer(connection.remoteAddr.toString(), peerId)
    if (connection.direction === 'outbound') book.remember(address, [text])
    return { address, peerId, through, multiaddr: text, latencyMs: greeter.latency(address), hello }
  }
}

/** A multiaddr with the peer at its end. */
export function withPeer(text: string, peerId: string): string {
  return text.includes('/p2p/') ? text : `${text}/p2p/${peerId}`
}
