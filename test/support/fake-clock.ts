// The Clock port in the test's hand: time stands still until `advance`, and sleepers wake in the order of their deadlines.
import type { Clock } from '../../relayer/lib/clock.ts'

interface Sleeper {
  readonly due: number
  readonly order: number
  readonly wake: () => void
}

/** Lets everything that can run without the passing of time run: microtasks, and callbacks of promises, ports and streams. */
export async function settle(turns = 3): Promise<void> {
  for (let turn = 0; turn < turns; turn++) await new Promise<void>((resolve) => setImmediate(resolve))
}

/** A clock that moves only when told to. */
export class FakeClock implements Clock {
  #now: number
  #order = 0
  readonly #sleepers = new Set<Sleeper>()

  /** @param start milliseconds since the Unix epoch */
  constructor(start = 1_700_000_000_000) {
    this.#now = start
  }

  now(): number {
    return this.#now
  }

  /** How many are asleep. */
  get sleeping(): number {
    return this.#sleepers.size
  }

  sleep(ms: number, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      if (signal?.aborted) {
        reject(signal.reason)
        return
      }
      const onAbort = () => {
        this.#sleepers.delete(sleeper)
        reject(signal?.reason)
      }
      const wake = () => {
        signal?.removeEventListener('abort', onAbort)
        resolve()
      }
      const sleeper = { due: this.#now + Math.max(0, ms), order: this.#order++, wake }
      this.#sleepers.add(sleeper)
      signal?.addEventListener('abort', onAbort, { once: true })
    })
  }

  /** Moves time on by `ms`, waking each sleeper at its own time, first come first among equals; settles after each. */
  async advance(ms: number): Promise<void> {
    const until = this.#now + ms
    await settle()
    for (let next = this.#next(until); next !== undefined; next = this.#next(until)) {
      this.#sleepers.delete(next)
      this.#now = Math.max(this.#now, next.due)
      next.wake()
      await settle()
    }
    this.#now = until
  }

  /** Advances in steps until the condition holds. @throws after `limitMs` of fake time */
  async advanceUntil(
    condition: () => boolean,
    { stepMs = 100, limitMs = 3_600_000 }: { stepMs?: number; limitMs?: number } = {},
  ): Promise<void> {
    for (let passed = 0; !condition(); passed += stepMs) {
      if (passed >= limitMs) throw new Error(`fake clock: condition does not hold after ${limitMs} ms`)
      await this.advance(stepMs)
    }
  }

  #next(until: number): Sleeper | undefined {
    return [...this.#sleepers]
      .filter(({ due }) => due <= until)
      .sort((a, b) => a.due - b.due || a.order - b.order)[0]
  }
}
