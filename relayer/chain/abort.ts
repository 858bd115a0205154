// Waiting that a signal can end, without leaving a listener behind on a signal that lives as long as the process.

/** The promise's outcome, or the signal's reason if it aborts first. */
export async function unlessAborted<T>(promise: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (signal === undefined) return promise
  promise.catch(() => undefined)
  signal.throwIfAborted()
  const abort = Promise.withResolvers<never>()
  const onAbort = () => abort.reject(signal.reason)
  signal.addEventListener('abort', onAbort, { once: true })
  try {
    return await Promise.race([promise, abort.promise])
  } finally {
    signal.removeEventListener('abort', onAbort)
  }
}
