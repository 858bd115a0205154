// A host that follows no chain and keeps nothing: bootnodes, and visitors that only ask.
import { systemRng } from '../crypto/rng.ts'
import { toHex } from '../lib/bytes.ts'
import { SOFTWARE_VERSION } from '../lib/version.ts'
import { PROTOCOL_VERSION, type PeerHello } from '../protocol/channel.ts'
import type { PeerBookPort } from './book.ts'

/** Its peer book, forgotten at the end of the process, and its hello: no block, no epoch, a boot that is not counted. */
export function forgetful(): { readonly peerBook: PeerBookPort; readonly hello: () => PeerHello } {
  const hello: PeerHello = {
    protocolVersion: PROTOCOL_VERSION,
    softwareVersion: SOFTWARE_VERSION,
    head: 0,
    epoch: 0,
    bootCounter: 0,
    bootId: toHex(systemRng(16)),
  }
  return { peerBook: { load: async () => [], save: async () => {} }, hello: () => hello }
}
