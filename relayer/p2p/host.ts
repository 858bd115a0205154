// The libp2p host of a relayer, a bootnode or a visitor: the Network port over real connections.
import type { Connection } from '@libp2p/interface'
import type { Address } from '../lib/bytes.ts'
import { NetworkError } from '../lib/errors.ts'
import type { Channel, Network, PeerView, Topic } from '../protocol/channel.ts'
import type { BootAlarm } from './book.ts'
import type { Count } from './counters.ts'
import type { FoundPeer } from './finder.ts'
import { createGater } from './gater.ts'
import { addressOfPeer, libp2pKey, peerIdOf } from './identity.ts'
import { type Libp2pNode, startNode } from './node.ts'
import { bootnodeOf, type HostOptions } from './options.ts'
import { CLOSED_PROTOCOLS, type ClosedProtocol, DISCOVERY_PROTOCOLS } from './protocols.ts'
import { type HostParts, wire } from './wiring.ts'

/** Makes a host; nothing happens before `start`. @throws ConfigError for a key that is none */
export function createHost(options: HostOptions): Host {
  return new Host(options)
}

/** The Network over libp2p, and what status and the command line ask beyond it. */
export class Host implements Network {
  readonly self: Address
  readonly peerId: string
  readonly #options: HostOptions
  readonly #parts: HostParts
  readonly #bootnodes = new Set<Address>()
  readonly #stop = new AbortController()
  #node: Libp2pNode | null = null
  #tasks: Promise<unknown>[] = []

  constructor(options: HostOptions) {
    this.#options = options
    this.#parts = wire(options, () => this.#live())
    this.self = this.#parts.self
    this.peerId = peerIdOf(options.privateKey)
  }

  /**
   * Listens, and begins to dial bootnodes and members.
   * @throws NetworkError that says what to do, if it cannot listen; ConfigError for a bootnode without PeerId
   */
  async start(): Promise<void> {
    const { mode, privateKey, listen, announce, bootstrap, log } = this.#options
    const bootnodes = bootstrap.map(bootnodeOf)
    await this.#parts.acquaintances.load()
    const gater = createGater(this.#parts)
    const node = await startNode(
      {
        privateKey: libp2pKey(privateKey),
        listen: mode === 'visitor' ? [] : listen,
        announce,
        gater,
        limits: this.#parts.limits,
        server: mode !== 'visitor',
        opened: (connection) => this.#parts.links.opened(connection),
        closed: (connection) => this.#parts.links.closed(connection),
      },
      (protocol, connection) => this.#meter(protocol, connection),
    )
    if (this.#stop.signal.aborted) {
      await node.stop()
      throw new NetworkError('start the network: it was stopped meanwhile')
    }
    this.#node = node
    node.addEventListener('peer:identify', ({ detail: { peerId, protocols } }) => {
      const address = addressOfPeer(peerId)
      if (address === null) return
      this.#parts.finder.met(protocols, this.#bootnodes.has(address))
      void this.#parts.acquaintances.remember(address, this.#node)
    })
    await this.#serve(node)
    for (const { address, text } of bootnodes) {
      if (address === this.self) continue
      this.#parts.book.remember(address, [text])
      this.#bootnodes.add(address)
      this.#parts.dialer.pursue(address)
    }
    this.#parts.dialer.setTargets(this.#parts.membership.committee)
    this.#tasks = [
      this.#parts.greeter.rounds(() => this.#parts.membership.members()).catch(() => {}),
      this.#parts.acquaintances.keep(this.#stop.signal).catch(() => {}),
      ...(mode === 'relayer' ? [this.#parts.finder.announce(this.#stop.signal).catch(() => {})] : []),
    ]
    if (mode !== 'visitor')
      log.info({ peerId: this.peerId, listen: this.multiaddrs() }, `${mode} is listening`)
  }

  /** Ends every connection and saves the peer book; waits for what is under way. Idempotent. */
  async stop(): Promise<void> {
    if (this.#stop.signal.aborted) return
    this.#stop.abort()
    this.#parts.greeter.stop()
    this.#parts.sessions.closeAll()
    await Promise.all([this.#parts.lanes.stop(), this.#parts.dialer.stop()])
    for (const address of this.#parts.links.addresses()) this.#parts.links.cut(address, 'this node stops')
    await this.#node?.stop()
    await Promise.all(this.#tasks)
    await this.#parts.acquaintances.save()
  }

  open(sessionId: Uint8Array, peers: readonly Address[]): Channel {
    return this.#parts.sessions.open(sessionId, peers)
  }

  onUnopened(listener: (from: Address, sessionId: Uint8Array, frame: Uint8Array) => void): () => void {
    return this.#parts.sessions.onUnopened(listener)
  }

  tell(to: Address, topic: Topic, body: Uint8Array): void {
    this.#parts.topics.tell(to, topic, body)
  }

  onTell(topic: Topic, handler: (from: Address, body: Uint8Array) => void): () => void {
    return this.#parts.topics.onTell(topic, handler)
  }

  admit(members: { committee: readonly Address[]; receipts: readonly Address[] }): void {
    const { removed, demoted, joined } = this.#parts.membership.admit(members)
    for (const address of [...removed, ...demoted]) {
      this.#parts.door.recheck(address)
      this.#parts.lanes.recheck(address)
      this.#parts.sessions.forget(address)
    }
    for (const address of removed)
      if (address !== this.self) this.#parts.links.cut(address, 'no longer a member')
    for (const address of joined) {
      const [connection, hello] = [this.#parts.links.of(address), this.#parts.greeter.hello(address)]
      for (const each of this.#parts.links.all(address)) this.#parts.acquaintances.reached(address, each)
      if (connection !== null) void this.#parts.greeter.first(connection).catch(() => {})
      if (hello !== null) this.#parts.acquaintances.heard(address, hello)
      void this.#parts.acquaintances.remember(address, this.#node)
      this.#parts.lanes.kick(address)
    }
    if (this.#node !== null) this.#parts.dialer.setTargets(this.#parts.membership.committee)
  }

  connected(address: Address): boolean {
    return this.#parts.membership.tierOf(address) !== 'discovery' && this.#parts.links.of(address) !== null
  }

  /** Every admitted peer, connected or not, and every other peer with a connection. */
  peers(): readonly PeerView[] {
    const addresses = new Set([...this.#parts.membership.members(), ...this.#parts.links.addresses()])
    addresses.delete(this.self)
    return [...addresses].sort().map((address) => {
      const connection = this.#parts.links.of(address)
      return {
        address,
        peerId: connection?.remotePeer.toString() ?? this.#parts.book.peerId(address),
        tier: this.#parts.membership.tierOf(address),
        connected: connection !== null,
        direction: connection?.direction ?? null,
        latencyMs: this.#parts.greeter.latency(address),
        hello: this.#parts.greeter.hello(address),
        refusedUs: this.#parts.lanes.refusedBy(address),
      }
    })
  }

  /**
   * Finds the node behind an address, members and strangers alike: by the peer book or the DHT, then dial, handshake, hello, ping.
   * @throws NetworkError with a hint when the signal aborts first
   */
  async find(address: Address, { signal }: { signal: AbortSignal }): Promise<FoundPeer> {
    return await this.#parts.finder.find(address, AbortSignal.any([signal, this.#stop.signal]))
  }

  /** Our own dialable addresses, each ending in our PeerId. */
  multiaddrs(): readonly string[] {
    return this.#node?.getMultiaddrs().map((each) => each.toString()) ?? []
  }

  /** The configured bootnodes and whether each is connected now. */
  bootnodes(): readonly { readonly multiaddr: string; readonly connected: boolean }[] {
    return this.#options.bootstrap.map((text) => ({
      multiaddr: text,
      connected: this.#parts.links.of(bootnodeOf(text).address) !== null,
    }))
  }

  /** On how many other nodes our address record was last stored; 0: nobody can find us. */
  get recordReplicas(): number {
    return this.#parts.finder.stored
  }

  /** Streams and connections refused, by protocol and reason. */
  refusals(): readonly Count[] {
    return this.#parts.counters.refusals()
  }

  /** Frames and messages dropped, by protocol and reason. */
  drops(): readonly Count[] {
    return this.#parts.counters.drops()
  }

  /** Rolled back or cloned members seen since the start. */
  bootAlarms(): readonly BootAlarm[] {
    return this.#parts.book.alarms()
  }

  /** Calls back for each new boot alarm. Returns the unsubscriber. */
  onBootAlarm(listener: (alarm: BootAlarm) => void): () => void {
    return this.#parts.acquaintances.onAlarm(listener)
  }

  #live(): Libp2pNode {
    if (this.#node === null) throw new NetworkError('use the network: the host is not started')
    return this.#node
  }

  async #serve(node: Libp2pNode): Promise<void> {
    await node.handle(
      DISCOVERY_PROTOCOLS.hello,
      (stream, connection) => {
        if (this.#meter(DISCOVERY_PROTOCOLS.hello, connection))
          return this.#parts.greeter.answer(stream, connection)
        stream.abort(new Error('too many streams'))
      },
      { maxInboundStreams: 4 },
    )
    if (this.#options.mode !== 'relayer') return
    for (const protocol of Object.keys(CLOSED_PROTOCOLS) as ClosedProtocol[]) // CAST: its keys are ClosedProtocol
      await node.handle(
        CLOSED_PROTOCOLS[protocol],
        (stream, connection) => this.#parts.door.enter(protocol, stream, connection),
        { maxInboundStreams: 8 },
      )
  }

  /** Streams on discovery protocols are metered: strangers' by the connection, members' for good. */
  #meter(protocol: string, connection: Connection): boolean {
    const address = addressOfPeer(connection.remotePeer)
    if (address === null) return false
    const { membership, discovery, memberDiscovery } = this.#parts
    const meter = membership.tierOf(address) === 'discovery' ? discovery : memberDiscovery
    if (meter.of(address).take()) return true
    this.#parts.counters.refuse(protocol.split('/')[2] ?? protocol, 'rate')
    return false
  }
}
