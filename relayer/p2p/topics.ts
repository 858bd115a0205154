// Control messages by topic: bounded queues per peer that forget what could not be sent soon, and handlers.
import type { Address } from '../lib/bytes.ts'
import type { Clock } from '../lib/clock.ts'
import { TOPICS, type Topic } from '../protocol/channel.ts'
import type { Counters } from './counters.ts'
import { encodeFrame } from './framing.ts'
import type { Outgoing } from './lane.ts'
import type { Limits } from './limits.ts'
import { kindOf, protocolOf, topicOf } from './protocols.ts'

/** What the topics work with. */
export interface TopicsParts {
  readonly self: Address
  readonly limits: Limits
  readonly counters: Counters
  readonly clock: Clock
  /** Whether a peer may be told something of a topic. */
  readonly mayTell: (to: Address, topic: Topic) => boolean
  /** There is something new for a peer. */
  readonly wake: (to: Address, protocol: 'control' | 'receipt') => void
}

type Handler = (from: Address, body: Uint8Array) => void

/** Queues and handlers of all topics. */
export class Topics {
  readonly #parts: TopicsParts
  readonly #handlers = new Map<Topic, Set<Handler>>()
  readonly #queues = new Map<string, TellQueue>()

  constructor(parts: TopicsParts) {
    this.#parts = parts
  }

  /** See Network.tell. @throws RangeError if the body is above the topic's cap */
  tell(to: Address, topic: Topic, body: Uint8Array): void {
    const { self, counters, mayTell, wake } = this.#parts
    if (body.length > TOPICS[topic])
      throw new RangeError(`tell ${topic}: ${body.length} bytes, at most ${TOPICS[topic]}`)
    if (to === self) {
      const copy = body.slice()
      setImmediate(() => this.receive(self, kindOf(topic), copy))
    } else if (mayTell(to, topic)) {
      this.queue(to, protocolOf(topic)).add(encodeFrame(kindOf(topic), body))
      wake(to, protocolOf(topic))
    } else {
      counters.drop(protocolOf(topic), 'not-admitted')
    }
  }

  /** See Network.onTell. */
  onTell(topic: Topic, handler: Handler): () => void {
    const handlers = this.#handlers.get(topic) ?? new Set()
    this.#handlers.set(topic, handlers.add(handler))
    return () => handlers.delete(handler)
  }

  /** Hands a message of an admitted peer to the handlers of its topic. */
  receive(from: Address, kind: number, body: Uint8Array): void {
    const topic = topicOf(kind)
    if (topic === undefined) return
    for (const handler of [...(this.#handlers.get(topic) ?? [])]) handler(from, body.slice())
  }

  /** The queue of a peer; made on first use. */
  queue(to: Address, protocol: 'control' | 'receipt'): TellQueue {
    const key = `${protocol} ${to}`
    let queue = this.#queues.get(key)
    if (queue === undefined) {
      const { clock, limits, counters } = this.#parts
      queue = new TellQueue({ clock, limits, dropped: (reason) => counters.drop(protocol, reason) })
      this.#queues.set(key, queue)
    }
    return queue
  }
}

interface QueueParts {
  readonly clock: Clock
  readonly limits: Limits
  readonly dropped: (reason: 'full' | 'late') => void
}

const QUEUE_BYTES = 4_194_304

/** Messages for one peer; the oldest make way, and those that waited too long are dropped. */
export class TellQueue implements Outgoing {
  readonly #parts: QueueParts
  readonly #queue: { frame: Uint8Array; until: number }[] = []
  #bytes = 0

  constructor(parts: QueueParts) {
    this.#parts = parts
  }

  add(frame: Uint8Array): void {
    const { clock, limits } = this.#parts
    this.#expire()
    this.#queue.push({ frame, until: clock.now() + limits.tellMs })
    this.#bytes += frame.length
    while (this.#queue.length > limits.tellQueue || this.#bytes > QUEUE_BYTES) this.#drop('full')
  }

  waiting(): boolean {
    this.#expire()
    return this.#queue.length > 0
  }

  begin(): void {}

  again(): void {}

  next(): Uint8Array | null {
    this.#expire()
    const first = this.#queue.shift()
    this.#bytes -= first?.frame.length ?? 0
    return first?.frame ?? null
  }

  #expire(): void {
    const now = this.#parts.clock.now()
    while ((this.#queue[0]?.until ?? now) < now) this.#drop('late')
  }

  #drop(reason: 'full' | 'late'): void {
    this.#bytes -= this.#queue.shift()?.frame.length ?? 0
    this.#parts.dropped(reason)
  }
}
