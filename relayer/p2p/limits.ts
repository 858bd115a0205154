// How much a peer may ask of this node: connections, streams, frames, buffers and times, and the bucket that meters rates.
import type { Clock } from '../lib/clock.ts'

/** Every bound of the host; sizes in bytes, times in milliseconds. */
export interface Limits {
  /** Connections of the discovery tier, in all and from one host. */
  readonly strangers: number
  readonly strangersPerHost: number
  /** Connections with one peer. */
  readonly connectionsPerPeer: number
  /** New inbound connections per second from one host, before anything is known about it. */
  readonly inboundPerSecond: number
  /** Inbound connections that have not said yet who they are, in all and from one host. */
  readonly pending: number
  readonly pendingPerHost: number
  /** Discovery streams, and DHT messages, per second of one stranger, with a burst of ten times as many. */
  readonly discoveryPerSecond: number
  /** The same of one member, over all its connections. */
  readonly memberDiscoveryPerSecond: number
  /** Refused streams of one peer per minute; above it the connection is closed. */
  readonly refusalsPerMinute: number
  /** Frames and bytes per second of one member, each with a burst of eight times as many; above it reading pauses. */
  readonly framesPerSecond: number
  readonly bytesPerSecond: number
  /** Receipts per minute of one former member; above it they are dropped. */
  readonly receiptsPerMinute: number
  /** What is kept per peer for sessions that are not open. */
  readonly unopenedSessions: number
  readonly unopenedFrames: number
  readonly unopenedBytes: number
  /** What is kept for a peer to be sent again, and control messages that wait for it. */
  readonly outboxBytes: number
  readonly tellQueue: number
  readonly tellMs: number
  /** One dial of a peer, over all its addresses one after another, and each of these. */
  readonly dialMs: number
  readonly dialAddressMs: number
  readonly helloMs: number
  readonly findMs: number
  /** Hello and ping of each member are repeated after this time. */
  readonly greetEveryMs: number
  /** First and longest pause between two dials or two streams to the same peer. */
  readonly retryMs: number
  readonly retryMostMs: number
  /** The address record is announced again after this time. */
  readonly announceEveryMs: number
}

export const DEFAULT_LIMITS: Limits = {
  strangers: 64,
  strangersPerHost: 32,
  connectionsPerPeer: 8,
  inboundPerSecond: 50,
  pending: 1024,
  pendingPerHost: 64,
  discoveryPerSecond: 20,
  memberDiscoveryPerSecond: 100,
  refusalsPerMinute: 60,
  framesPerSecond: 1000,
  bytesPerSecond: 8_388_608,
  receiptsPerMinute: 30,
  unopenedSessions: 4,
  unopenedFrames: 64,
  unopenedBytes: 1_048_576,
  outboxBytes: 33_554_432,
  tellQueue: 256,
  tellMs: 10_000,
  dialMs: 10_000,
  dialAddressMs: 2500,
  helloMs: 5000,
  findMs: 15_000,
  greetEveryMs: 15_000,
  retryMs: 200,
  retryMostMs: 5000,
  announceEveryMs: 600_000,
}

/** A bootnode serves newcomers and members alike as strangers. */
export const BOOTNODE_LIMITS: Limits = { ...DEFAULT_LIMITS, strangers: 1000, strangersPerHost: 256 }

/** Pause before the next try after `failures` failed ones: doubled each time up to the longest. */
export function pause(limits: Limits, failures: number): number {
  return Math.min(limits.retryMostMs, limits.retryMs * 2 ** Math.min(failures, 16))
}

/** A token bucket: `rate` per second, at most `burst` at once; it may go into debt. */
export class Bucket {
  readonly #clock: Clock
  readonly #rate: number
  readonly #burst: number
  #tokens: number
  #at: number

  constructor(clock: Clock, { rate, burst }: { rate: number; burst: number }) {
    this.#clock = clock
    this.#rate = rate
    this.#burst = burst
    this.#tokens = burst
    this.#at = clock.now()
  }

  /** Takes `count` if the bucket is not in debt; false: nothing was taken. */
  take(count = 1): boolean {
    if (this.#refilled() < count) return false
    this.#tokens -= count
    return true
  }

  /** Takes `count` in any case. @returns milliseconds until the debt is paid, 0 without one */
  charge(count: number): number {
    this.#tokens = this.#refilled() - count
    return this.#tokens >= 0 ? 0 : Math.ceil((-this.#tokens / this.#rate) * 1000)
  }

  #refilled(): number {
    const now = this.#clock.now()
    this.#tokens = Math.min(this.#burst, this.#tokens + (Math.max(0, now - this.#at) / 1000) * this.#rate)
    this.#at = now
    return this.#tokens
  }
}

/** One bucket per key, forgotten by `forget`. */
export class Buckets<Key> {
  readonly #clock: Clock
  readonly #size: { rate: number; burst: number }
  readonly #buckets = new Map<Key, Bucket>()

  constructor(clock: Clock, size: { rate: number; burst: number }) {
    this.#clock = clock
    this.#size = size
  }

  of(key: Key): Bucket {
    let bucket = this.#buckets.get(key)
    if (bucket === undefined) {
      bucket = new Bucket(this.#clock, this.#size)
      this.#buckets.set(key, bucket)
    }
    return bucket
  }

  forget(key: Key): void {
    this.#buckets.delete(key)
  }
}
