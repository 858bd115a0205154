// The live connections by address, and waiting for one to come or go.
import type { Connection, PeerId } from '@libp2p/interface'
import type { Address } from '../lib/bytes.ts'
import { addressOfPeer } from './identity.ts'

/** Told when the first connection with an address opens and when its last one closes, and about each new one. */
export interface LinkListener {
  up?(address: Address): void
  down?(address: Address): void
  opened?(address: Address, connection: Connection): void
}

/** Connections with peers that have an address; the gater lets no others in. */
export class Links {
  readonly #connections = new Map<Address, Set<Connection>>()
  readonly #peers = new Map<Address, PeerId>()
  readonly #listeners = new Set<LinkListener>()

  listen(listener: LinkListener): void {
    this.#listeners.add(listener)
  }

  /** Takes over a connection that libp2p opened or accepted. */
  opened(connection: Connection): void {
    const address = addressOfPeer(connection.remotePeer)
    if (address === null || connection.status !== 'open') return
    const held = this.#connections.get(address) ?? new Set()
    const first = held.size === 0
    this.#connections.set(address, held.add(connection))
    this.#peers.set(address, connection.remotePeer)
    for (const listener of this.#listeners) {
      if (first) listener.up?.(address)
      listener.opened?.(address, connection)
    }
  }

  /** Forgets a connection that ended. */
  closed(connection: Connection): void {
    const address = addressOfPeer(connection.remotePeer)
    if (address === null) return
    const held = this.#connections.get(address)
    if (held === undefined || !held.delete(connection) || held.size > 0) return
    this.#connections.delete(address)
    this.#peers.delete(address)
    for (const listener of this.#listeners) listener.down?.(address)
  }

  /** A live connection with an address, the newest one; null without one. */
  of(address: Address): Connection | null {
    return this.all(address).findLast(({ status }) => status === 'open') ?? null
  }

  /** Every connection with an address. */
  all(address: Address): readonly Connection[] {
    return [...(this.#connections.get(address) ?? [])]
  }

  /** How many connections an address holds. */
  count(address: Address): number {
    return this.#connections.get(address)?.size ?? 0
  }

  peerId(address: Address): PeerId | null {
    return this.#peers.get(address) ?? null
  }

  addresses(): readonly Address[] {
    return [...this.#connections.keys()]
  }

  connections(): readonly { address: Address; connection: Connection }[] {
    return [...this.#connections].flatMap(([address, held]) =>
      [...held].map((connection) => ({ address, connection })),
    )
  }

  /** Cuts every connection with an address at once, but for the one to spare. */
  cut(address: Address, reason: string, spare: Connection | null = null): void {
    for (const connection of this.all(address)) if (connection !== spare) connection.abort(new Error(reason))
  }

  /** Resolves when no connection with the address is left, or throws the signal's reason. */
  untilDown(address: Address, signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      if (this.of(address) === null) {
        resolve()
        return
      }
      const done = (settle: () => void) => {
        this.#listeners.delete(listener)
        signal.removeEventListener('abort', onAbort)
        settle()
      }
      const onAbort = () => done(() => reject(signal.reason))
      const listener: LinkListener = {
        down: (gone) => {
          if (gone === address) done(resolve)
        },
      }
      this.#listeners.add(listener)
      signal.addEventListener('abort', onAbort, { once: true })
    })
  }
}

/** The host part of a connection's remote address, for limits per host; its whole text if it has none. */
export function hostOf(connection: { remoteAddr: { toString(): string } }): string {
  const text = connection.remoteAddr.toString()
  return /^\/(?:ip4|ip6|dns|dns4|dns6)\/([^/]+)/.exec(text)?.[1] ?? text
}
