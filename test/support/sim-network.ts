// The simulated Network: many relayers in one process, delivery order a function of a seed, rules on the wire for tests.
import type { Address } from '../../relayer/lib/bytes.ts'
import { MAX_FRAME, TOPICS } from '../../relayer/protocol/channel.ts'
import { settle } from './fake-clock.ts'
import type { MemoryDisk } from './memory-database.ts'
import { seededChooser } from './seeded-rng.ts'
import { type Packet, SimNode } from './sim-node.ts'

export type { Packet }

/**
 * What a rule does with a packet: leaves it, drops it, holds it until `release`, or puts these in its place
 * (changed, copied, redirected). Asked once for each packet, when it is sent; each rule sees what the one before left.
 */
export type Rule = (packet: Packet) => 'pass' | 'drop' | 'hold' | readonly Packet[]

/** The wire between all nodes of a simulation. */
export class SimNetwork {
  readonly #nodes = new Map<Address, SimNode>()
  readonly #choose: (bound: number) => number
  readonly #queue: Packet[] = []
  readonly #parked: Packet[] = []
  readonly #held: Packet[] = []
  readonly #rules = new Set<Rule>()
  readonly #waiting: (() => void)[] = []
  readonly #cuts = new Set<string>()
  readonly #onIdle: (() => void)[] = []
  #pumping = false
  /** Packets delivered so far. */
  delivered = 0
  /** Packets refused for their size or their sender's tier. */
  refused = 0
  /** Told of each packet as it is delivered. */
  onDelivered: (packet: Packet) => void = () => {}
  /** Told of each control message of a sender whom its receiver does not serve. */
  onUnserved: (packet: Packet) => void = () => {}

  constructor(seed: string | number = 0) {
    this.#choose = seededChooser(seed)
  }

  /** A node at an address; a second call replaces the first, as a restarted process does, and open sessions send again. */
  join(address: Address): SimNode {
    this.#nodes.get(address)?.leave()
    const node = new SimNode(address, this)
    this.#nodes.set(address, node)
    this.#reconnect(address)
    return node
  }

  /** The node leaves the network without a word: frames for it wait, control messages are lost. */
  leave(address: Address): void {
    this.#nodes.get(address)?.leave()
    this.#nodes.delete(address)
  }

  /** Adds a rule; the function returned takes it away. */
  rule(rule: Rule): () => void {
    this.#rules.add(rule)
    return () => this.#rules.delete(rule)
  }

  /** Cuts the links between the two sides, both directions. */
  partition(one: readonly Address[], other: readonly Address[]): void {
    for (const a of one) for (const b of other) this.#cuts.add(link(a, b)).add(link(b, a))
  }

  /** Mends all cuts; frames sent meanwhile are delivered. */
  heal(): void {
    this.#cuts.clear()
    for (const address of this.#nodes.keys()) this.#reconnect(address)
  }

  /** Puts what rules held back on the wire, without asking rules again. */
  release(): void {
    this.#enqueue(this.#held.splice(0))
  }

  /** Whether packets are under way. */
  get busy(): boolean {
    return this.#queue.length > 0 || this.#pumping
  }

  /** Resolves when nothing is under way and nobody had anything more to say. */
  async idle(): Promise<void> {
    while (this.#queue.length > 0 || this.#pumping) {
      await new Promise<void>((resolve) => this.#waiting.push(resolve))
      await new Promise<void>((resolve) => setImmediate(resolve))
    }
  }

  /** Waits until nobody has anything more to do: nothing was delivered and none of the disks written, so many times in a row. */
  async quiet(disks: readonly MemoryDisk[], times = 3): Promise<void> {
    const activity = () =>
      disks.reduce((sum, { writes }) => sum + writes.length, this.delivered + this.refused)
    for (let calm = 0; calm < times; calm++) {
      const before = activity()
      await settle()
      await this.idle()
      await settle()
      if (activity() !== before) calm = -1
    }
  }

  /** What to do, once, when nothing more is under way: mend a cut, release what was held. */
  onIdle(act: () => void): void {
    this.#onIdle.push(act)
  }

  /** Does what `onIdle` was told; false if there was nothing. */
  whenIdle(): boolean {
    const acts = this.#onIdle.splice(0)
    for (const act of acts) act()
    return acts.length > 0
  }

  /** Sends a packet as if its sender had: the way tests inject and replay. Rules are not asked. */
  inject(packet: Packet): void {
    this.#enqueue([packet])
  }

  /** A node's outgoing packet, through the rules. */
  send(packet: Packet): void {
    let packets: readonly Packet[] = [packet]
    for (const rule of this.#rules) {
      packets = packets.flatMap((each) => {
        const verdict = rule(each)
        if (verdict === 'hold') this.#held.push(each)
        if (verdict === 'pass') return [each]
        return typeof verdict === 'string' ? [] : verdict
      })
    }
    this.#enqueue(packets)
  }

  /** Whether packets pass between two nodes now. */
  reachable(from: Address, to: Address): boolean {
    return this.#nodes.has(from) && this.#nodes.has(to) && !this.#cuts.has(link(from, to))
  }

  /** The node at an address, if one is up. */
  nodeAt(address: Address): SimNode | null {
    return this.#nodes.get(address) ?? null
  }

  /** Frames that waited for this node, and all of open sessions once more: at least once. */
  #reconnect(address: Address): void {
    const again = this.#parked.splice(0)
    for (const [peer, node] of this.#nodes) if (peer !== address) again.push(...node.framesFor(address))
    this.#enqueue(again)
  }

  /** Tries what was refused for its sender's tier again. */
  retryParked(): void {
    this.#enqueue(this.#parked.splice(0))
  }

  #enqueue(packets: readonly Packet[]): void {
    this.#queue.push(...packets)
    if (this.#pumping || this.#queue.length === 0) return
    this.#pumping = true
    setImmediate(() => this.#pump())
  }

  #pump(): void {
    const last = this.#queue.length - 1
    const at = this.#choose(last + 1)
    const packet = this.#queue[at]
    const moved = this.#queue.pop()
    if (moved !== undefined && at < last) this.#queue[at] = moved
    if (packet !== undefined) this.#deliver(packet)
    if (this.#queue.length > 0) {
      setImmediate(() => this.#pump())
      return
    }
    this.#pumping = false
    for (const wake of this.#waiting.splice(0)) wake()
  }

  #deliver(packet: Packet): void {
    const node = this.#nodes.get(packet.to)
    const size = packet.topic === null ? MAX_FRAME : TOPICS[packet.topic]
    if (packet.body.length > size) {
      this.refused += 1
    } else if (
      node === undefined ||
      (!this.reachable(packet.from, packet.to) && packet.from !== packet.to) ||
      !node.serves(packet.from, packet.topic)
    ) {
      if (packet.kind === 'frame') this.#parked.push(packet)
      else if (node?.serves(packet.from, packet.topic) === false) this.onUnserved(packet)
      this.refused += 1
    } else {
      this.delivered += 1
      this.onDelivered(packet)
      node.receive(packet)
    }
  }
}

function link(from: Address, to: Address): string {
  return `${from}>${to}`
}
