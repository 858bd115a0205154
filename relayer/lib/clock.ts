// The Clock port: the only door to time, so that tests and simulations can hold it in their hand.

/** Milliseconds that never go back, and waiting. Implementations: `systemClock`, and test/support's fake one. */
export interface Clock {
  /** Milliseconds; 0 is the Unix epoch, as far as the machine knew it when the process began. */
  now(): number
  /**
   * Resolves after `ms` milliseconds.
   * @throws the signal's reason when it aborts first.
   */
  sleep(ms: number, signal?: AbortSignal): Promise<void>
}

/** The machine's own time; setting its clock, by hand or by NTP, moves nothing. */
export const systemClock: Clock = {
  now: () => Math.floor(performance.timeOrigin + performance.now()),
  sleep: (ms, signal) =>
    new Promise((resolve, reject) => {
      if (signal?.aborted) {
        reject(signal.reason)
        return
      }
      const onAbort = () => {
        clearTimeout(timer)
        reject(signal?.reason)
      }
      const timer = setTimeout(() => {
        signal?.removeEventListener('abort', onAbort)
        resolve()
      }, ms)
      signal?.addEventListener('abort', onAbort, { once: true })
    }),
}
