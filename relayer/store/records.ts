// Authenticated records: every value carries a code over its key and body, so that none can be altered, moved or forged.
import { dec, enc, EncodingError } from '../crypto/enc.ts'
import { deriveKey, mac, macHolds } from '../crypto/derive.ts'
import { TAG } from '../crypto/tags.ts'
import { utf8 } from '../lib/bytes.ts'
import { readable, StoreError } from '../lib/errors.ts'
import type { Secret } from '../lib/secret.ts'
import type { Database, Op } from './database.ts'

/** What an operator can do about a record that cannot be read. */
export const UNREADABLE =
  'stop the daemon and restore the data directory from a backup of this same epoch; if there is none, run `truss share declare-lost`'

/** A record's key and its decoded body. */
export type Entry<T> = readonly [key: string, value: T]

/** Records of one operator over a database: bodies in, bodies out, with their codes added and checked. */
export class Records {
  readonly #database: Database
  readonly #macKey: Secret

  constructor(database: Database, operatorKey: Secret) {
    this.#database = database
    this.#macKey = deriveKey(operatorKey, TAG.macKey)
  }

  /**
   * The decoded record, or undefined if there is none.
   * @throws StoreError if it is there and its code or its form is wrong
   */
  async read<T>(key: string, decode: (body: Uint8Array) => T): Promise<T | undefined> {
    const value = await this.#database.get(key)
    return value === undefined ? undefined : this.#open(key, value, decode)
  }

  /** The decoded records whose key starts with the prefix, ascending. @throws StoreError as `read` does */
  async list<T>(prefix: string, decode: (body: Uint8Array) => T): Promise<Entry<T>[]> {
    const entries = await this.#database.entries(prefix)
    return entries.map(([key, value]) => [key, this.#open(key, value, decode)] as const)
  }

  /** The same, with null for a record that cannot be read. Only where one that is damaged may be passed over. */
  async listReadable<T>(prefix: string, decode: (body: Uint8Array) => T): Promise<Entry<T | null>[]> {
    const entries = await this.#database.entries(prefix)
    const read = async ([key, value]: Entry<Uint8Array>) => this.#open(key, value, decode)
    return Promise.all(entries.map(async (entry) => [entry[0], await readable(read(entry))] as const))
  }

  /** The keys that start with the prefix, ascending, whether their records can be read or not. */
  keys(prefix: string): Promise<readonly string[]> {
    return this.#database.keys(prefix)
  }

  /** The change that writes a record; nothing is written before `commit`. */
  put(key: string, body: Uint8Array): Op {
    return { type: 'put', key, value: enc(body, mac(this.#macKey, TAG.recordMac, utf8(key), body)) }
  }

  /** The change that removes a record. */
  del(key: string): Op {
    return { type: 'del', key }
  }

  /** Applies changes, all or none; durable when it resolves. */
  commit(...ops: readonly Op[]): Promise<void> {
    return this.#database.batch(ops)
  }

  /** Rewrites the files that hold keys of the prefix. */
  compact(prefix: string): Promise<void> {
    return this.#database.compact(prefix)
  }

  close(): Promise<void> {
    return this.#database.close()
  }

  #open<T>(key: string, value: Uint8Array, decode: (body: Uint8Array) => T): T {
    try {
      const [body, code] = dec(value, [-1, 32])
      if (body === undefined || code === undefined) throw new EncodingError('decode: no body')
      if (!macHolds(code, this.#macKey, TAG.recordMac, utf8(key), body))
        throw new EncodingError('its authentication code is wrong')
      return decode(body)
    } catch (cause) {
      if (!(cause instanceof EncodingError || cause instanceof RangeError)) throw cause
      throw new StoreError(`read record ${key}: damaged (${cause.message})`, { cause, hint: UNREADABLE })
    }
  }
}
