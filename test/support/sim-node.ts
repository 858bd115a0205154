// A node of the simulated network: the Network and Channel ports over an in-memory wire.
import { type Address, fromHex, toHex } from '../../relayer/lib/bytes.ts'
import { type Channel, MAX_FRAME, type Network, TOPICS, type Topic } from '../../relayer/protocol/channel.ts'

/** One message under way: a session's frame, or a control message of a topic. */
export interface Packet {
  readonly from: Address
  readonly to: Address
  readonly kind: 'frame' | 'tell'
  /** Hex of the session id; empty for a control message. */
  readonly session: string
  /** Null for a frame. */
  readonly topic: Topic | null
  readonly body: Uint8Array
}

/** What a node needs of the simulation. */
export interface Wire {
  send(packet: Packet): void
  retryParked(): void
  reachable(from: Address, to: Address): boolean
  nodeAt(address: Address): SimNode | null
}

const KEPT_PER_PEER = 512

/** The Network as one simulated node sees it. Until `admit` is called nobody is served. */
export class SimNode implements Network {
  readonly self: Address
  readonly #network: Wire
  readonly #channels = new Map<string, SimChannel>()
  readonly #unopened = new Map<Address, { from: Address; session: string; body: Uint8Array }[]>()
  readonly #listeners = new Set<(from: Address, sessionId: Uint8Array, frame: Uint8Array) => void>()
  readonly #handlers = new Map<Topic, Set<(from: Address, body: Uint8Array) => void>>()
  #committee: ReadonlySet<Address> = new Set()
  #receipts: ReadonlySet<Address> = new Set()
  #up = true

  constructor(self: Address, network: Wire) {
    this.self = self
    this.#network = network
  }

  open(sessionId: Uint8Array, peers: readonly Address[]): Channel {
    const session = toHex(sessionId)
    const early: { from: Address; body: Uint8Array }[] = []
    for (const [from, kept] of this.#unopened) {
      early.push(...kept.filter((frame) => frame.session === session && peers.includes(from)))
      const rest = kept.filter((frame) => frame.session !== session)
      this.#unopened.set(from, rest)
    }
    const channel = new SimChannel({
      early,
      peers: new Set(peers),
      send: (to, body) => this.#send({ from: this.self, to, kind: 'frame', session, topic: null, body }),
      closed: () => this.#channels.delete(session),
    })
    this.#channels.set(session, channel)
    return channel
  }

  onUnopened(listener: (from: Address, sessionId: Uint8Array, frame: Uint8Array) => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  tell(to: Address, topic: Topic, body: Uint8Array): void {
    if (body.length > TOPICS[topic])
      throw new RangeError(`tell ${topic}: ${body.length} bytes, at most ${TOPICS[topic]}`)
    this.#send({ from: this.self, to, kind: 'tell', session: '', topic, body: body.slice() })
  }

  onTell(topic: Topic, handler: (from: Address, body: Uint8Array) => void): () => void {
    const handlers = this.#handlers.get(topic) ?? new Set()
    this.#handlers.set(topic, handlers.add(handler))
    return () => handlers.delete(handler)
  }

  admit(members: { committee: readonly Address[]; receipts: readonly Address[] }): void {
    this.#committee = new Set(members.committee)
    this.#receipts = new Set(members.receipts)
    this.#network.retryParked()
  }

  connected(address: Address): boolean {
    const peer = this.#network.nodeAt(address)
    return (
      this.#network.reachable(this.self, address) &&
      this.#knows(address) &&
      peer !== null &&
      peer.#knows(this.self)
    )
  }

  /** Whether this node serves a sender a topic (null: session frames). */
  serves(from: Address, topic: Topic | null): boolean {
    return (
      from === this.self || this.#committee.has(from) || (topic === 'receipt' && this.#receipts.has(from))
    )
  }

  /** Frames of open sessions already sent to a peer. */
  framesFor(to: Address): readonly Packet[] {
    return [...this.#channels].flatMap(([session, channel]) =>
      channel
        .sentTo(to)
        .map((body): Packet => ({ from: this.self, to, kind: 'frame', session, topic: null, body })),
    )
  }

  /** Takes a packet that the wire delivers. */
  receive({ from, session, topic, body }: Packet): void {
    if (!this.#up) return
    if (topic !== null) {
      for (const handler of this.#handlers.get(topic) ?? []) handler(from, body.slice())
      return
    }
    const channel = this.#channels.get(session)
    if (channel !== undefined) {
      channel.receive(from, body.slice())
      return
    }
    const kept = this.#unopened.get(from) ?? []
    if (kept.length < KEPT_PER_PEER) this.#unopened.set(from, [...kept, { from, session, body }])
    for (const listener of this.#listeners) listener(from, fromHex(session), body.slice())
  }

  /** The process is gone: it sends and hears nothing more. */
  leave(): void {
    this.#up = false
  }

  #knows(address: Address): boolean {
    return this.#committee.has(address) || this.#receipts.has(address)
  }

  #send(packet: Packet): void {
    if (this.#up) this.#network.send(packet)
  }
}

interface SimChannelParts {
  readonly early: readonly { from: Address; body: Uint8Array }[]
  readonly peers: ReadonlySet<Address>
  readonly send: (to: Address, body: Uint8Array) => void
  readonly closed: () => void
}

class SimChannel implements Channel {
  readonly #parts: SimChannelParts
  readonly #sent = new Map<Address, Uint8Array[]>()
  #early: { from: Address; body: Uint8Array }[]
  #receiver: ((from: Address, frame: Uint8Array) => void) | null = null
  #open = true

  constructor(parts: SimChannelParts) {
    this.#parts = parts
    this.#early = [...parts.early]
  }

  send(to: Address, frame: Uint8Array): void {
    if (frame.length > MAX_FRAME)
      throw new RangeError(`send frame: ${frame.length} bytes, at most ${MAX_FRAME}`)
    if (!this.#open || !this.#parts.peers.has(to)) return
    const copy = frame.slice()
    this.#sent.set(to, [...(this.#sent.get(to) ?? []), copy])
    this.#parts.send(to, copy)
  }

  onFrame(receiver: (from: Address, frame: Uint8Array) => void): void {
    this.#receiver = receiver
    for (const { from, body } of this.#early.splice(0)) receiver(from, body.slice())
  }

  close(): void {
    this.#open = false
    this.#early = []
    this.#parts.closed()
  }

  /** Frames sent to a peer so far. */
  sentTo(to: Address): readonly Uint8Array[] {
    return this.#sent.get(to) ?? []
  }

  /** A frame from the wire. */
  receive(from: Address, frame: Uint8Array): void {
    if (!this.#open || !this.#parts.peers.has(from)) return
    if (this.#receiver === null) this.#early.push({ from, body: frame })
    else this.#receiver(from, frame)
  }
}
