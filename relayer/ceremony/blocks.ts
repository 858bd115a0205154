// The latest head as ceremonies see it: deadlines are block numbers, and waiting for one takes a signal.

/** The chain's clock. */
export interface Blocks {
  /** Number of the latest head known; 0 before the first. */
  head(): number
  /**
   * Resolves once the head is at `block` or above.
   * @throws the signal's reason when it aborts first
   */
  reached(block: number, signal?: AbortSignal): Promise<void>
}

interface Waiter {
  readonly block: number
  readonly wake: () => void
}

/** Blocks that somebody who polls the chain feeds. The head never goes back: a lower one is ignored. */
export class BlockFeed implements Blocks {
  #head: number
  #first = 0
  readonly #waiters = new Set<Waiter>()

  constructor(head = 0) {
    this.#head = head
  }

  head(): number {
    return this.#head
  }

  /** The first head that was fed; 0 before it. */
  first(): number {
    return this.#first
  }

  /** The head is now `head`; wakes who waited for it. */
  advance(head: number): void {
    if (this.#first === 0) this.#first = head
    if (head <= this.#head) return
    this.#head = head
    for (const waiter of [...this.#waiters].filter(({ block }) => block <= head)) waiter.wake()
  }

  reached(block: number, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      if (signal?.aborted === true) {
        reject(signal.reason)
        return
      }
      if (block <= this.#head) {
        resolve()
        return
      }
      const onAbort = () => {
        this.#waiters.delete(waiter)
        reject(signal?.reason)
      }
      const waiter: Waiter = {
        block,
        wake: () => {
          this.#waiters.delete(waiter)
          signal?.removeEventListener('abort', onAbort)
          resolve()
        },
      }
      this.#waiters.add(waiter)
      signal?.addEventListener('abort', onAbort, { once: true })
    })
  }
}

/** A signal that aborts with a TimeoutError when the head reaches `block`, or with the parent's reason before that. */
export function deadlineAt(blocks: Blocks, block: number, parent: AbortSignal): AbortSignal {
  const controller = new AbortController()
  blocks.reached(block, parent).then(
    () => controller.abort(new DOMException(`block ${block} reached`, 'TimeoutError')),
    (reason: unknown) => controller.abort(reason),
  )
  return controller.signal
}
