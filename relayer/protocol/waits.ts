// What a session waits for: each wait ends when nobody is missing any more, when its time is over, or when the attempt fails.
import type { Party } from './party.ts'

/** A wait for the messages of a round. */
export interface Wait {
  readonly round: number
  /** Whom it still waits for. */
  readonly missing: () => readonly Party[]
}

interface Waiter extends Wait {
  readonly done: () => void
  readonly fail: (error: Error) => void
}

/** The open waits of one session. */
export class Waits {
  readonly #open = new Set<Waiter>()

  /** The waits that are not over. */
  get open(): Iterable<Wait> {
    return this.#open
  }

  /** The open waits for which nobody is missing any more; each is `done` by whoever asks. */
  get fulfilled(): readonly { readonly done: () => void }[] {
    return [...this.#open].filter((waiter) => waiter.missing().length === 0)
  }

  /** @throws what `late` gives when the signal aborts; the error with which the attempt fails */
  until({ round, missing }: Wait, signal: AbortSignal, late: () => Error): Promise<void> {
    if (missing().length === 0) return Promise.resolve()
    if (signal.aborted) return Promise.reject(late())
    return new Promise((resolve, reject) => {
      const end = () => {
        this.#open.delete(waiter)
        signal.removeEventListener('abort', over)
      }
      const waiter: Waiter = {
        round,
        missing,
        done: () => {
          end()
          resolve()
        },
        fail: (error) => {
          end()
          reject(error)
        },
      }
      const over = () => waiter.fail(late())
      this.#open.add(waiter)
      signal.addEventListener('abort', over, { once: true })
    })
  }

  /** Ends all of them. */
  fail(error: Error): void {
    for (const waiter of [...this.#open]) waiter.fail(error)
  }
}
