// The peer book: network addresses at which members were reached, so that a restart needs no bootstrap node.
import { decList, enc } from '../crypto/enc.ts'
import { type Address, toAddress, utf8 } from '../lib/bytes.ts'
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

/** Every known peer with its addresses, best first. */
export async function listPeers({ records }: Vault): Promise<Map<Address, string[]>> {
  const found = await records.list(PREFIX.peer, (body) => decList(body, MAX_ADDRESSES).map(text))
  return new Map(found.map(([key, addresses]) => [toAddress(key.slice(PREFIX.peer.length)), addresses]))
}
