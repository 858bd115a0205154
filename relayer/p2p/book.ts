// The peer book: good addresses of members and the highest boot counter of each, kept on disk through a port.
import { multiaddr } from '@multiformats/multiaddr'
import type { Address } from '../lib/bytes.ts'
import { addressOfPeerText } from './identity.ts'

/** What is kept about one address; plain JSON. */
export interface PeerBookEntry {
  readonly address: Address
  /** Ending in /p2p/ and a PeerId of that address; the last good one first. */
  readonly multiaddrs: readonly string[]
  /** Highest boot counter seen, with its boot id in hex; 0 and empty before the first. */
  readonly bootCounter: number
  readonly bootId: string
}

/** Where the peer book lives. */
export interface PeerBookPort {
  load(): Promise<readonly PeerBookEntry[]>
  save(entries: readonly PeerBookEntry[]): Promise<void>
}

/** Two starts of one identity that cannot both be honest. */
export interface BootAlarm {
  readonly address: Address
  /** `rollback`: a lower counter than before, as from a restored disk; `clone`: the same counter with another id. */
  readonly kind: 'rollback' | 'clone'
  readonly seen: { readonly bootCounter: number; readonly bootId: string }
  readonly got: { readonly bootCounter: number; readonly bootId: string }
}

const ADDRESSES_AT_MOST = 8
const ENTRIES_AT_MOST = 512
const TEXT_AT_MOST = 256

/** The book in memory; `changed` says that it should be saved. */
export class PeerBook {
  readonly #entries = new Map<Address, PeerBookEntry>()
  readonly #alarms = new Map<string, BootAlarm>()
  #changed = false

  /** Takes over what the disk knows; entries that make no sense are left out. */
  fill(entries: readonly PeerBookEntry[]): void {
    for (const entry of entries) {
      this.#entries.set(entry.address, {
        ...entry,
        multiaddrs: entry.multiaddrs.filter((text) => addressIn(text) === entry.address),
      })
    }
  }

  get changed(): boolean {
    return this.#changed
  }

  /** All entries, to be saved; the book counts as saved from here on. */
  take(): readonly PeerBookEntry[] {
    this.#changed = false
    return [...this.#entries.values()].slice(-ENTRIES_AT_MOST)
  }

  /** The book was not saved after all. */
  touch(): void {
    this.#changed = true
  }

  /** The multiaddrs known for an address, best first. */
  multiaddrs(address: Address): readonly string[] {
    return this.#entries.get(address)?.multiaddrs ?? []
  }

  /** The PeerId in the book for an address, or null. */
  peerId(address: Address): string | null {
    return this.multiaddrs(address)[0]?.split('/').at(-1) ?? null
  }

  /** Remembers multiaddrs, the best first, in front of those known; those of another address are left out. */
  remember(address: Address, multiaddrs: readonly string[]): void {
    const entry = this.#entry(address)
    const good = multiaddrs.filter((text) => addressIn(text) === address)
    const merged = [...new Set([...good, ...entry.multiaddrs])].slice(0, ADDRESSES_AT_MOST)
    if (merged.join() !== entry.multiaddrs.join()) this.#put({ ...entry, multiaddrs: merged })
  }

  /** Compares a hello's boot counter with the highest seen. @returns the alarm if the two cannot both be honest */
  boot(address: Address, bootCounter: number, bootId: string): BootAlarm | null {
    const entry = this.#entry(address)
    const known = entry.bootCounter > 0
    if (!known && bootCounter === 0) return null
    if (bootCounter > entry.bootCounter) {
      this.#put({ ...entry, bootCounter, bootId })
      // Started once more than ever before: if another one lives that shares its past, its next hello is an alarm anew.
      for (const [key, alarm] of this.#alarms) if (alarm.address === address) this.#alarms.delete(key)
      return null
    }
    if (bootCounter === entry.bootCounter && bootId === entry.bootId) return null
    const alarm: BootAlarm = {
      address,
      kind: bootCounter < entry.bootCounter ? 'rollback' : 'clone',
      seen: { bootCounter: entry.bootCounter, bootId: entry.bootId },
      got: { bootCounter, bootId },
    }
    const key = `${address} ${bootCounter} ${bootId}`
    const fresh = !this.#alarms.has(key)
    if (this.#alarms.size < ENTRIES_AT_MOST) this.#alarms.set(key, alarm)
    return fresh ? alarm : null
  }

  /** Those of addresses whose counter has not risen since. */
  alarms(): readonly BootAlarm[] {
    return [...this.#alarms.values()]
  }

  #entry(address: Address): PeerBookEntry {
    return this.#entries.get(address) ?? { address, multiaddrs: [], bootCounter: 0, bootId: '' }
  }

  #put(entry: PeerBookEntry): void {
    this.#entries.delete(entry.address)
    this.#entries.set(entry.address, entry)
    this.#changed = true
  }
}

/** The address behind the PeerId at the end of a multiaddr in text, or null. */
export function addressIn(text: string): Address | null {
  if (text.length > TEXT_AT_MOST) return null
  try {
    const id = multiaddr(text).getComponents().at(-1)
    return id?.name === 'p2p' && id.value !== undefined ? addressOfPeerText(id.value) : null
  } catch {
    return null
  }
}
