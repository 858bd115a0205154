// What a host is made of: mode, key, addresses, bootnodes, bridge, and the ports that it is handed.
import type { Address } from '../lib/bytes.ts'
import type { Clock } from '../lib/clock.ts'
import { ConfigError } from '../lib/errors.ts'
import type { Log } from '../lib/log.ts'
import type { Secret } from '../lib/secret.ts'
import type { PeerHello } from '../protocol/channel.ts'
import { addressIn, type PeerBookPort } from './book.ts'
import type { CountObserver } from './counters.ts'
import type { BridgeId } from './hello.ts'
import type { Limits } from './limits.ts'

/** What a host is made of. */
export interface HostOptions {
  /** `relayer`: everything; `bootnode`: discovery only; `visitor`: asks and dials, listens and serves nothing. */
  readonly mode: 'relayer' | 'bootnode' | 'visitor'
  /** 32 bytes, secp256k1. */
  readonly privateKey: Secret
  /** Multiaddrs to listen on; port 0 takes a free one. */
  readonly listen: readonly string[]
  /** Multiaddrs that others are told instead of those listened on; empty: the same. */
  readonly announce: readonly string[]
  /** Bootnodes, each ending in /p2p/ and a PeerId. */
  readonly bootstrap: readonly string[]
  /** The bridge served; absent in a bootnode. */
  readonly network?: BridgeId
  readonly peerBook: PeerBookPort
  readonly log: Log
  /** What to say of ourselves; asked at each hello. */
  readonly hello: () => PeerHello
  readonly limits?: Partial<Limits>
  readonly clock?: Clock
  readonly observer?: CountObserver
}

/**
 * The address behind a bootnode's multiaddr.
 * @throws ConfigError unless it ends in /p2p/ and the PeerId of a secp256k1 key
 */
export function bootnodeOf(text: string): { address: Address; text: string } {
  const address = addressIn(text)
  if (address === null)
    throw new ConfigError(`read bootstrap ${text}: no multiaddr that ends in /p2p/ and a secp256k1 PeerId`, {
      hint: 'Take the whole line that `truss bootnode` prints.',
    })
  return { address, text }
}
