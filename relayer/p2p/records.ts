// Address records in the DHT: a node provides a key made of its address, a finder keeps the provider whose own key fits.
import type { PeerInfo } from '@libp2p/interface'
import type { KadDHT } from '@libp2p/kad-dht'
import { CID } from 'multiformats/cid'
import * as Digest from 'multiformats/hashes/digest'
import { H } from '../crypto/hash.ts'
import { TAG } from '../crypto/tags.ts'
import { type Address, fromHex, u64 } from '../lib/bytes.ts'
import type { BridgeId } from './hello.ts'
import { addressOfPeer } from './identity.ts'

const RAW = 0x55
const SHA2_256 = 0x12

/** H("dht", u64 chainId, bridge, address) as the content id that the address's owner provides. */
export function recordKey({ chainId, bridge }: BridgeId, address: Address): CID {
  const digest = H(TAG.dhtRecord, u64(chainId), fromHex(bridge), fromHex(address))
  return CID.createV1(RAW, Digest.create(SHA2_256, digest))
}

/** Puts our record into the DHT. @returns on how many other nodes it stands now */
export async function announceRecord(dht: KadDHT, key: CID, signal: AbortSignal): Promise<number> {
  let stored = 0
  for await (const event of dht.provide(key, { signal })) {
    if (event.name === 'PEER_RESPONSE' && event.messageName === 'ADD_PROVIDER') stored += 1
  }
  return stored
}

/** Those providers of an address's record whose PeerId hashes to it; the handshake is the proof that they hold the key. */
export async function* findRecord(
  dht: KadDHT,
  network: BridgeId,
  { address, signal }: { address: Address; signal: AbortSignal },
): AsyncGenerator<PeerInfo> {
  for await (const event of dht.findProviders(recordKey(network, address), { signal })) {
    if (event.name !== 'PROVIDER') continue
    for (const provider of event.providers) if (addressOfPeer(provider.id) === address) yield provider
  }
}
