// Parts that are started one after another and stopped in reverse.
import { messageOf } from './errors.ts'
import type { Log } from './log.ts'

/** What was started, in order. `stop` may be called at any time, also while a start is under way or has thrown. */
export class Lifecycle {
  readonly #log: Log
  #started: { name: string; stop: () => Promise<void> }[] = []

  constructor(log: Log) {
    this.#log = log
  }

  /** Notes how to stop a part that is up, or about to be. */
  add(name: string, stop: () => Promise<void>): void {
    this.#started.push({ name, stop })
  }

  /** Stops everything, the last first; an error of one part does not keep the others running. */
  async stop(): Promise<void> {
    const parts = this.#started.reverse()
    this.#started = []
    for (const { name, stop } of parts) {
      const begun = performance.now()
      try {
        await stop()
        this.#log.debug({ part: name, ms: Math.round(performance.now() - begun) }, 'stopped')
      } catch (error) {
        this.#log.error({ part: name, reason: messageOf(error) }, 'stop')
      }
    }
  }
}
