// Who may hold a connection: members always, strangers for discovery only and within limits, nobody without a secp256k1 key; and how many a host may hold that do not say whose they are.
import type { ConnectionGater, MultiaddrConnection, PeerId } from '@libp2p/interface'
import type { Counters } from './counters.ts'
import { addressOfPeer } from './identity.ts'
import type { Limits } from './limits.ts'
import { hostOf, type Links } from './links.ts'
import type { Membership } from './membership.ts'

/** What the gater looks at. */
export interface GaterParts {
  readonly membership: Membership
  readonly links: Links
  readonly limits: Limits
  readonly counters: Counters
}

/** The gate of inbound connections; outbound ones are only asked whether the peer has an address. */
export function createGater({ membership, links, limits, counters }: GaterParts): ConnectionGater {
  const refuse = (reason: string): boolean => {
    counters.refuse('connection', reason)
    return true
  }
  const refused = (peer: PeerId, connection: MultiaddrConnection): boolean => {
    const address = addressOfPeer(peer)
    if (address === null) return refuse('identity')
    if (links.count(address) >= limits.connectionsPerPeer) return refuse('connections-per-peer')
    if (membership.tierOf(address) !== 'discovery') return false
    const strangers = links
      .connections()
      .filter(
        (each) => membership.tierOf(each.address) === 'discovery' && each.connection.direction === 'inbound',
      )
    if (strangers.length >= limits.strangers) return refuse('strangers')
    const host = hostOf(connection)
    const neighbours = strangers.filter((each) => hostOf(each.connection) === host)
    return neighbours.length >= limits.strangersPerHost ? refuse('strangers-per-host') : false
  }
  const pending = new Map<string, Set<MultiaddrConnection>>()
  const settled = (connection: MultiaddrConnection): void => {
    const host = hostOf(connection)
    const held = pending.get(host)
    if (held?.delete(connection) === true && held.size === 0) pending.delete(host)
  }
  /** Whoever stays silent is cut off by libp2p in the end; until then it takes room from its own host only. */
  const crowded = (connection: MultiaddrConnection): boolean => {
    const host = hostOf(connection)
    const held = pending.get(host) ?? new Set()
    if (held.size >= limits.pendingPerHost) return refuse('pending-per-host')
    pending.set(host, held.add(connection))
    connection.addEventListener('close', () => settled(connection), { once: true })
    return false
  }
  return {
    denyInboundConnection: crowded,
    denyInboundEncryptedConnection: refused,
    denyInboundUpgradedConnection: (_peer, connection) => {
      settled(connection)
      return false
    },
    denyOutboundEncryptedConnection: (peer) => addressOfPeer(peer) === null && refuse('identity'),
    denyDialPeer: (peer) => addressOfPeer(peer) === null,
  }
}
