// All lanes of this node: one per peer and closed protocol, made when first needed.
import type { Address } from '../lib/bytes.ts'
import type { Clock } from '../lib/clock.ts'
import { Lane } from './lane.ts'
import type { Limits } from './limits.ts'
import type { Links } from './links.ts'
import type { Membership } from './membership.ts'
import { CLOSED_PROTOCOLS, type ClosedProtocol, serves } from './protocols.ts'
import type { Sessions } from './sessions.ts'
import type { Topics } from './topics.ts'

/** What the lanes work with. */
export interface LanesParts {
  readonly clock: Clock
  readonly limits: Limits
  readonly links: Links
  readonly membership: Membership
  readonly sessions: Sessions
  readonly topics: Topics
}

/** Opens streams only to admitted peers, and remembers who refuses us. */
export class Lanes {
  readonly #parts: LanesParts
  readonly #lanes = new Map<Address, Map<ClosedProtocol, Lane>>()
  readonly #refusals = new Map<Address, string>()

  constructor(parts: LanesParts) {
    this.#parts = parts
  }

  /** There is something new for a peer on a protocol. */
  wake(to: Address, protocol: ClosedProtocol): void {
    this.#lane(to, protocol).wake()
  }

  /** A peer showed itself: connected, admitted or serving us. */
  kick(address: Address): void {
    for (const lane of this.#lanes.get(address)?.values() ?? []) lane.kick()
  }

  /** Cuts our streams to a peer that its tier no longer serves. */
  recheck(address: Address): void {
    const tier = this.#parts.membership.tierOf(address)
    for (const [protocol, lane] of this.#lanes.get(address) ?? [])
      if (!serves(tier, protocol)) lane.cut('no longer admitted')
    this.#refusals.delete(address)
  }

  /** Why a peer refuses our committee streams, or null. */
  refusedBy(address: Address): string | null {
    return this.#refusals.get(address) ?? null
  }

  async stop(): Promise<void> {
    await Promise.all(
      [...this.#lanes.values()].flatMap((lanes) => [...lanes.values()].map((lane) => lane.stop())),
    )
  }

  #lane(to: Address, protocol: ClosedProtocol): Lane {
    const lanes = this.#lanes.get(to) ?? new Map<ClosedProtocol, Lane>()
    this.#lanes.set(to, lanes)
    let lane = lanes.get(protocol)
    if (lane === undefined) {
      const { clock, limits, links, membership, sessions, topics } = this.#parts
      lane = new Lane({
        protocolId: CLOSED_PROTOCOLS[protocol],
        outgoing: protocol === 'session' ? sessions.outbox(to) : topics.queue(to, protocol),
        clock,
        limits,
        connection: () => (serves(membership.tierOf(to), protocol) ? links.of(to) : null),
        refused: (reason) => {
          if (reason === null) this.#refusals.delete(to)
          else if (protocol !== 'receipt') this.#refusals.set(to, reason)
        },
      })
      lanes.set(protocol, lane)
    }
    return lane
  }
}
