// Puts the parts of a host together; they reach each other through the callbacks made here, and nowhere else.
import { signerOf } from '../crypto/identity.ts'
import type { Address } from '../lib/bytes.ts'
import { systemClock } from '../lib/clock.ts'
import { messageOf } from '../lib/errors.ts'
import { Acquaintances } from './acquaintances.ts'
import { PeerBook } from './book.ts'
import { Counters } from './counters.ts'
import { Dialer } from './dialer.ts'
import { Finder } from './finder.ts'
import { Greeter } from './greeter.ts'
import { encodeHello, NO_BRIDGE } from './hello.ts'
import { Door } from './inbound.ts'
import { Lanes } from './lanes.ts'
import { BOOTNODE_LIMITS, Buckets, DEFAULT_LIMITS, type Limits } from './limits.ts'
import { Links } from './links.ts'
import { Membership } from './membership.ts'
import type { Libp2pNode } from './node.ts'
import type { HostOptions } from './options.ts'
import { type ClosedProtocol, protocolOf, serves } from './protocols.ts'
import { Sessions } from './sessions.ts'
import type { Frame } from './streams.ts'
import { Topics } from './topics.ts'

/** The parts of a host. */
export type HostParts = ReturnType<typeof wire>

/** Every part, not started. @param node the running libp2p node; called only once the host is started */
export function wire(options: HostOptions, node: () => Libp2pNode) {
  const signer = signerOf(options.privateKey)
  const self = signer.address
  const clock = options.clock ?? systemClock
  const limits: Limits = {
    ...(options.mode === 'bootnode' ? BOOTNODE_LIMITS : DEFAULT_LIMITS),
    ...options.limits,
  }
  const network = options.network ?? NO_BRIDGE
  const counters = new Counters(options.observer ?? null)
  const [links, membership, book] = [new Links(), new Membership(), new PeerBook()]
  const base = { self, clock, limits, network, counters, links, membership, book }
  const { log } = options
  const acquaintances = new Acquaintances({ ...base, port: options.peerBook, log })
  const sessions = new Sessions({
    ...base,
    wake: (to) => lanes.wake(to, 'session'),
    askAgain: (from, sessionId) => door.askAgain(from, sessionId),
  })
  const topics = new Topics({
    ...base,
    mayTell: (to, topic) => serves(membership.tierOf(to), protocolOf(topic)),
    wake: (to, protocol) => lanes.wake(to, protocol),
  })
  const lanes = new Lanes({ ...base, sessions, topics })
  const deliver = (protocol: ClosedProtocol, from: Address, { kind, body }: Frame) => {
    try {
      if (protocol === 'session') sessions.receive(from, body)
      else topics.receive(from, kind, body)
    } catch (error) {
      log.error({ from, protocol, error: messageOf(error) }, 'handle a message: its handler threw')
    }
  }
  const door = new Door({ ...base, deliver, opened: (from) => lanes.kick(from) })
  const greeter = new Greeter({
    ...base,
    own: () => encodeHello(options.hello(), network, signer),
    heard: (address, hello) => acquaintances.heard(address, hello),
    ping: (connection, signal) => node().services.ping.ping(connection.remotePeer, { signal }),
  })
  const recorded = (address: Address) => membership.tierOf(address) !== 'discovery'
  const finder = new Finder({ ...base, greeter, recorded, node })
  const reach = (address: Address, signal: AbortSignal) => finder.reach(address, signal)
  const dialer = new Dialer({ ...base, reach })
  const perSecond = (rate: number) => new Buckets<Address>(clock, { rate, burst: 10 * rate })
  const discovery = perSecond(limits.discoveryPerSecond)
  const memberDiscovery = perSecond(limits.memberDiscoveryPerSecond)
  links.listen({
    up: (address) => lanes.kick(address),
    // Whoever dialled greets; members greet both ways, so that each knows the latency.
    opened: (address, connection) => {
      acquaintances.reached(address, connection)
      if (connection.direction === 'outbound' || membership.tierOf(address) !== 'discovery')
        void greeter.first(connection).catch(() => {})
    },
    down: (address) => {
      greeter.forget(address)
      discovery.forget(address)
    },
  })
  return {
    ...base,
    acquaintances,
    sessions,
    topics,
    lanes,
    door,
    greeter,
    finder,
    dialer,
    discovery,
    memberDiscovery,
  }
}
