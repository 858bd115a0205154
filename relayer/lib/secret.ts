// Secret bytes that redact themselves wherever something tries to print them.
import { inspect } from 'node:util'

const REDACTED = '[secret]'

/**
 * Bytes that must not reach a log, an error, a metric or an answer. JSON, inspect, template strings and
 * String() all give `[secret]`. `wipe` overwrites the bytes; BigInt copies that arithmetic made are outside its reach.
 */
export class Secret {
  readonly #bytes: Uint8Array

  /** Takes the array over: it is not copied, and `wipe` overwrites it. */
  constructor(bytes: Uint8Array) {
    this.#bytes = bytes
  }

  /** The bytes themselves, not a copy. */
  expose(): Uint8Array {
    return this.#bytes
  }

  /** Overwrites the bytes with zeros. */
  wipe(): void {
    this.#bytes.fill(0)
  }

  toString(): string {
    return REDACTED
  }

  toJSON(): string {
    return REDACTED
  }

  [inspect.custom](): string {
    return REDACTED
  }
}
