// The peer book: network addresses at which members were reached, so that a restart needs no bootstrap node.
import { decList, enc } from '../crypto/enc.ts'
import { type Address, toAddress, utf8 } from '../lib/bytes.ts'
import { readable } from '../lib/errors.ts'
import { text } from './codec.ts'
import { KEY, PREFIX } from './layout.ts'
import type { Vault } from './shares.ts'

/** Most addresses that are kept of one peer. */
const MAX_ADDRESSES = 16

/** Replaces what is known of a peer; an empty list forgets it. */
export async function putPeer(
  { records }: Vault,
  peer: Address,
  multiaddrs: readonly string[],
): Promise<void> {
  const key = KEY.peer(peer)
  const kept = multiaddrs.slice(0, MAX_ADDRESSES)
  await records.commit(kept.length === 0 ? records.del(key) : records.put(key, enc(...kept.map(utf8))))
}

/** Every known peer with its addresses, best first. One whose record cannot be read is forgotten: it is found anew. */
export async function listPeers({ records }: Vault): Promise<Map<Address, string[]>> {
  const peers = new Map<Address, string[]>()
  for (const key of await records.keys(PREFIX.peer)) {
    const addresses = await readable(records.read(key, (body) => decList(body, MAX_ADDRESSES).map(text)))
    if (addresses !== null) peers.set(toAddress(key.slice(PREFIX.peer.length)), addresses)
  }
  return peers
}

const BOOT = /^boot:(\d+):([0-9a-f]{32})$/

/** What the network keeps of a peer. */
export interface BookEntry {
  readonly address: Address
  readonly multiaddrs: readonly string[]
  /** The highest that it ever said, with the id of that start. */
  readonly bootCounter: number
  readonly bootId: string
}

/** The network's peer book in a store: a peer's multiaddrs, and as one more line its highest boot counter. */
export function peerBookIn(store: {
  peers(): Promise<Map<Address, string[]>>
  putPeer(peer: Address, lines: readonly string[]): Promise<void>
}) {
  return {
    async load(): Promise<BookEntry[]> {
      return [...(await store.peers())].map(([address, lines]) => {
        const [, counter = '0', bootId = ''] = lines.map((line) => BOOT.exec(line)).find(Boolean) ?? []
        const multiaddrs = lines.filter((line) => !BOOT.test(line))
        return { address, multiaddrs, bootCounter: Number(counter), bootId }
      })
    },
    async save(entries: readonly BookEntry[]): Promise<void> {
      for (const { address, multiaddrs, bootCounter, bootId } of entries)
        await store.putPeer(
          address,
          bootCounter === 0 ? multiaddrs : [`boot:${bootCounter}:${bootId}`, ...multiaddrs],
        )
    },
  }
}
