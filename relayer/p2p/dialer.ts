// The redial loops: one per bootnode and one per member, for ever, each with its own back-off, so that none can stall another.
import type { Address } from '../lib/bytes.ts'
import type { Clock } from '../lib/clock.ts'
import { type Limits, pause } from './limits.ts'
import type { Links } from './links.ts'

/** What the dialer works with. */
export interface DialerParts {
  readonly self: Address
  readonly links: Links
  readonly limits: Limits
  readonly clock: Clock
  /** Connects to an address by every means known and has it greet us. @throws if that did not work */
  readonly reach: (address: Address, signal: AbortSignal) => Promise<unknown>
}

/** Two nodes that know each other would both dial at once; the one with the higher address leaves the other this long. */
const COURTESY_MS = 250

/** Keeps a connection with every target. */
export class Dialer {
  readonly #parts: DialerParts
  readonly #stop = new AbortController()
  readonly #pursuits = new Map<Address, AbortController>()
  readonly #tasks = new Set<Promise<void>>()

  constructor(parts: DialerParts) {
    this.#parts = parts
  }

  /** Replaces the targets among members. */
  setTargets(addresses: ReadonlySet<Address>): void {
    for (const [address, pursuit] of this.#pursuits) {
      if (addresses.has(address)) continue
      pursuit.abort()
      this.#pursuits.delete(address)
    }
    for (const address of addresses) {
      if (address === this.#parts.self || this.#pursuits.has(address)) continue
      const pursuit = new AbortController()
      this.#pursuits.set(address, pursuit)
      this.pursue(address, AbortSignal.any([this.#stop.signal, pursuit.signal]))
    }
  }

  /** Keeps a connection with one address until the signal aborts or the dialer stops. */
  pursue(address: Address, signal: AbortSignal = this.#stop.signal): void {
    if (this.#stop.signal.aborted) return
    const task = this.#pursue(address, signal)
      .catch(() => {})
      .finally(() => this.#tasks.delete(task))
    this.#tasks.add(task)
  }

  async stop(): Promise<void> {
    this.#stop.abort()
    await Promise.all(this.#tasks)
  }

  async #pursue(address: Address, signal: AbortSignal): Promise<void> {
    const { self, links, limits, clock, reach } = this.#parts
    for (let failures = 0; !signal.aborted; ) {
      if (links.of(address) !== null) {
        failures = 0
        await links.untilDown(address, signal)
      }
      if (self > address) await clock.sleep(COURTESY_MS, signal)
      if (links.of(address) !== null) continue
      try {
        await reach(address, signal)
        failures = 0
      } catch {
        failures += 1
        await clock.sleep(pause(limits, failures), signal)
      }
    }
  }
}
