// What the host refused and dropped, by protocol and reason: for status, metrics and tests.

/** One line of the count. */
export interface Count {
  readonly protocol: string
  readonly reason: string
  readonly count: number
}

/** Told about each event as it happens, to feed metrics. */
export interface CountObserver {
  /** A stream or connection was refused. */
  refused(protocol: string, reason: string): void
  /** A frame or message was dropped. */
  dropped(protocol: string, reason: string): void
}

/** Counts since the start of the process. */
export class Counters {
  readonly #observer: CountObserver | null
  readonly #refused = new Map<string, { protocol: string; reason: string; count: number }>()
  readonly #dropped = new Map<string, { protocol: string; reason: string; count: number }>()

  constructor(observer: CountObserver | null = null) {
    this.#observer = observer
  }

  /** Counts a refused stream or connection. */
  refuse(protocol: string, reason: string): void {
    add(this.#refused, protocol, reason)
    this.#observer?.refused(protocol, reason)
  }

  /** Counts a dropped frame or message. */
  drop(protocol: string, reason: string): void {
    add(this.#dropped, protocol, reason)
    this.#observer?.dropped(protocol, reason)
  }

  refusals(): readonly Count[] {
    return [...this.#refused.values()].map((each) => ({ ...each }))
  }

  drops(): readonly Count[] {
    return [...this.#dropped.values()].map((each) => ({ ...each }))
  }
}

function add(
  counts: Map<string, { protocol: string; reason: string; count: number }>,
  protocol: string,
  reason: string,
): void {
  const key = `${protocol} ${reason}`
  const entry = counts.get(key) ?? { protocol, reason, count: 0 }
  entry.count += 1
  counts.set(key, entry)
}
