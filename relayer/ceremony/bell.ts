// A bell: many may ring it, one loop waits for it; what was rung before the wait is not lost.

/** Says that something changed, without saying what. */
export class Bell {
  #rung = false
  #wake: (() => void) | null = null

  ring(): void {
    this.#rung = true
    this.#wake?.()
  }

  /**
   * Resolves at the next ring, or at once if it rang since the last wait ended. One waiter at a time.
   * @throws the signal's reason when it aborts first
   */
  heard(signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      if (signal.aborted) {
        reject(signal.reason)
        return
      }
      const done = () => {
        this.#wake = null
        signal.removeEventListener('abort', onAbort)
      }
      const onAbort = () => {
        done()
        reject(signal.reason)
      }
      this.#wake = () => {
        done()
        this.#rung = false
        resolve()
      }
      signal.addEventListener('abort', onAbort, { once: true })
      if (this.#rung) this.#wake()
    })
  }
}
