// What happened in a world: every event in a digest, what people would tell as a story, how often what occurred, and the first violation.
import { createHash } from 'node:crypto'

/** An invariant that did not hold. */
export interface Violation {
  readonly invariant: string
  readonly what: string
  readonly block: number
}

/** The record of one run. */
export class Chronicle {
  readonly #hash = createHash('sha256')
  readonly #counts = new Map<string, number>()
  /** Every event, if asked for. */
  readonly lines: string[] | null
  readonly story: string[] = []
  block = 0
  violation: Violation | null = null

  constructor({ lines = false }: { lines?: boolean } = {}) {
    this.lines = lines ? [] : null
  }

  /** An event of the simulation; part of the digest. */
  event(line: string): void {
    this.#hash.update(`${this.block} ${line}\n`)
    this.lines?.push(`${this.block} ${line}`)
  }

  /** An event that people want to hear of. */
  tell(line: string): void {
    this.event(line)
    this.story.push(`block ${this.block}: ${line}`)
  }

  count(what: string, by = 1): void {
    this.#counts.set(what, (this.#counts.get(what) ?? 0) + by)
  }

  /** Holds the first violation; what follows from it is of no interest. */
  violated(invariant: string, what: string): void {
    if (this.violation !== null) return
    this.violation = { invariant, what, block: this.block }
    this.tell(`VIOLATION of "${invariant}": ${what}`)
  }

  get counts(): ReadonlyMap<string, number> {
    return this.#counts
  }

  /** Of all events so far, hex. */
  digest(): string {
    return this.#hash.copy().digest('hex')
  }
}
