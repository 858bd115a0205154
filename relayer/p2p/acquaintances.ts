// What this node learns about members: where they can be reached and how often they started; kept in the peer book.
import type { Connection } from '@libp2p/interface'
import type { Address } from '../lib/bytes.ts'
import type { Clock } from '../lib/clock.ts'
import { messageOf } from '../lib/errors.ts'
import type { Log } from '../lib/log.ts'
import type { PeerHello } from '../protocol/channel.ts'
import type { BootAlarm, PeerBook, PeerBookPort } from './book.ts'
import { withPeer } from './finder.ts'
import type { Links } from './links.ts'
import type { Membership } from './membership.ts'
import type { Libp2pNode } from './node.ts'

/** What it works with. */
export interface AcquaintancesParts {
  readonly book: PeerBook
  readonly port: PeerBookPort
  readonly links: Links
  readonly membership: Membership
  readonly clock: Clock
  readonly log: Log
}

const SAVE_EVERY_MS = 1000

/** Only members are remembered: strangers could fill the book. */
export class Acquaintances {
  readonly #parts: AcquaintancesParts
  readonly #listeners = new Set<(alarm: BootAlarm) => void>()

  constructor(parts: AcquaintancesParts) {
    this.#parts = parts
  }

  async load(): Promise<void> {
    this.#parts.book.fill(await this.#parts.port.load())
  }

  /** A member's hello: its boot counter is compared with the highest seen. */
  heard(address: Address, hello: PeerHello): void {
    const { book, membership, log } = this.#parts
    if (membership.tierOf(address) === 'discovery') return
    const alarm = book.boot(address, hello.bootCounter, hello.bootId)
    if (alarm === null) return
    log.error({ alarm }, `peer ${address}: its boot counter says ${alarm.kind}`)
    for (const listener of this.#listeners) listener(alarm)
  }

  /** An address at which we reached a member is good. */
  reached(address: Address, connection: Connection): void {
    const { book, membership } = this.#parts
    if (connection.direction !== 'outbound' || membership.tierOf(address) === 'discovery') return
    book.remember(address, [withPeer(connection.remoteAddr.toString(), connection.remotePeer.toString())])
  }

  /** Takes what a connected member announces about itself into the book. */
  async remember(address: Address, node: Libp2pNode | null): Promise<void> {
    const { book, links, membership } = this.#parts
    const peer = links.peerId(address)
    if (peer === null || node === null || membership.tierOf(address) === 'discovery') return
    const { addresses } = await node.peerStore.get(peer).catch(() => ({ addresses: [] }))
    const live = links.all(address).filter(({ direction }) => direction === 'outbound')
    // What it signed itself: the DHT adds to these what anybody says of it.
    const own = addresses.filter(({ isCertified }) => isCertified).map((each) => each.multiaddr)
    const good = [...live.map(({ remoteAddr }) => remoteAddr), ...own]
    book.remember(
      address,
      good.map((each) => withPeer(each.toString(), peer.toString())),
    )
  }

  /** Calls back for each new boot alarm. Returns the unsubscriber. */
  onAlarm(listener: (alarm: BootAlarm) => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  /** Saves the book whenever it changed, until the signal aborts. */
  async keep(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      await this.#parts.clock.sleep(SAVE_EVERY_MS, signal)
      await this.save()
    }
  }

  /** Saves the book if it changed; a failure is logged, and the next time tries again. */
  async save(): Promise<void> {
    const { book, port, log } = this.#parts
    if (!book.changed) return
    const entries = book.take()
    try {
      await port.save(entries)
    } catch (error) {
      book.touch()
      log.warn({ error: messageOf(error) }, 'save the peer book: it will be tried again')
    }
  }
}
