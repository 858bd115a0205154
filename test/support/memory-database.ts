// A disk in memory: Database and KeyFiles with images to copy and restore, and a crash at any chosen durable write.
import { StoreError } from '../../relayer/lib/errors.ts'
import type { Database, KeyFiles, Op } from '../../relayer/store/database.ts'
import { databaseOf, type Records } from '../../relayer/store/level.ts'

/** What a test throws where the power goes out. */
export class PowerCut extends Error {
  override name = 'PowerCut'
}

/** One durable write: its number from 1 since the disk was made, what it was, and the keys or the file name. */
export interface DiskWrite {
  readonly number: number
  readonly kind: 'batch' | 'compact' | 'file' | 'destroy'
  readonly names: readonly string[]
}

/** Where the power goes out: before the write reaches the disk, or after it did but before its caller hears of it. */
export type CutPlace = 'before' | 'after'

/** A copy of all that a disk holds, as a thief or a restored backup would have it. */
export interface DiskImage {
  readonly records: ReadonlyMap<string, Uint8Array>
  readonly files: ReadonlyMap<string, Uint8Array>
}

/** A database that never needs to be opened again: after a failed write its process is dead. */
const SOUND = { whole: async () => {}, tear: () => {} }

/** One relayer's disk. What it holds survives `cutPower`; the handles given out before do not. */
export class MemoryDisk {
  #records = new Map<string, Uint8Array>()
  /** What a power cut leaves of the records, and what it takes away: batches that were not synced. */
  #synced = new Map<string, Uint8Array>()
  #unsynced: Op[] = []
  #files = new Map<string, Uint8Array>()
  #power = { on: true }
  /** Every durable write so far, oldest first. */
  readonly writes: DiskWrite[] = []
  /** Says for each write whether the power goes out there. */
  cut: (write: DiskWrite) => CutPlace | null = () => null
  /** Says for each write whether there is no room left for it: it fails, and whoever asked for it goes on. */
  isFull: (write: Omit<DiskWrite, 'number'>) => boolean = () => false
  /** Told of each write once it is on the disk. */
  wrote: (write: DiskWrite) => void = () => {}

  /** A disk that holds what the image holds. */
  static of(image: DiskImage): MemoryDisk {
    const disk = new MemoryDisk()
    disk.restore(image)
    return disk
  }

  /** A deep copy of the contents. */
  image(): DiskImage {
    return { records: copied(this.#records), files: copied(this.#files) }
  }

  /** The value of a record, if it is there. */
  record(key: string): Uint8Array | undefined {
    return this.#records.get(key)
  }

  /** Whether a key file is there. */
  hasFile(name: string): boolean {
    return this.#files.has(name)
  }

  /** Puts an image in place of the contents: a restored backup. Open handles see it at once. */
  restore(image: DiskImage): void {
    this.#records = copied(image.records)
    this.#synced = copied(image.records)
    this.#unsynced = []
    this.#files = copied(image.files)
  }

  /** Handles given out before throw PowerCut from now on; `open` gives fresh ones to the same contents. */
  cutPower(): void {
    if (this.#unsynced.length > 0) this.#records = copied(this.#synced)
    this.#unsynced = []
    this.#power.on = false
    this.#power = { on: true }
  }

  /** Fresh handles, as openLevel gives them for a directory. */
  open(): { database: Database; keyFiles: KeyFiles } {
    const { live, durable } = this.#handles()
    return { database: this.#database(live, durable), keyFiles: this.#keyFiles(live, durable) }
  }

  /** The same under the product's own LevelDB code: a batch that is not synced is lost in the next power cut. */
  openLevel(): { database: Database; keyFiles: KeyFiles } {
    const { live, durable } = this.#handles()
    const database = this.#database(live, durable)
    const level: Records = {
      get: (key) => database.get(key),
      iterator: ({ gte }) => ({
        all: async () => (await database.entries(gte)).map(([key, value]) => [key, value]),
      }),
      keys: ({ gte }) => ({ all: async () => [...(await database.keys(gte))] }),
      batch: async (ops, options) => {
        live()
        durable({ kind: 'batch', names: ops.map((op) => op.key) }, () =>
          this.#apply(ops, options?.sync === true),
        )
      },
      compactRange: (start) => database.compact(start),
      close: () => database.close(),
    }
    return { database: databaseOf(level, SOUND), keyFiles: this.#keyFiles(live, durable) }
  }

  #handles(): { live: () => void; durable: Durable } {
    const power = this.#power
    const live = () => {
      if (!power.on) throw new PowerCut('read or write after the power cut')
    }
    const durable = (write: Omit<DiskWrite, 'number'>, apply: () => void) => {
      live()
      if (this.isFull(write)) throw new StoreError(`write ${write.names[0] ?? write.kind}: the disk is full`)
      const entry = { ...write, number: this.writes.length + 1 }
      this.writes.push(entry)
      const place = this.cut(entry)
      if (place !== 'before') {
        apply()
        this.wrote(entry)
      }
      if (place === null) return
      this.cutPower()
      throw new PowerCut(`${place} ${entry.kind} ${entry.number} of ${entry.names.join(', ')}`)
    }
    return { live, durable }
  }

  /** A synced batch takes all that came before it to the disk: they share one log. */
  #apply(ops: readonly Op[], sync: boolean): void {
    write(this.#records, ops)
    this.#unsynced.push(...ops)
    if (sync) write(this.#synced, this.#unsynced.splice(0))
  }

  #database(live: () => void, durable: Durable): Database {
    let closed = false
    const open = () => {
      if (closed) throw new StoreError('read database: it is closed')
      live()
    }
    return {
      get: async (key) => {
        open()
        return this.#records.get(key)?.slice()
      },
      entries: async (prefix) => {
        open()
        return [...this.#records]
          .filter(([key]) => key.startsWith(prefix))
          .sort(([a], [b]) => (a < b ? -1 : 1))
          .map(([key, value]) => [key, value.slice()] as const)
      },
      keys: async (prefix) => {
        open()
        return [...this.#records.keys()].filter((key) => key.startsWith(prefix)).sort()
      },
      batch: async (ops: readonly Op[]) => {
        open()
        durable({ kind: 'batch', names: ops.map((op) => op.key) }, () => this.#apply(ops, true))
      },
      compact: async (prefix) => {
        open()
        durable({ kind: 'compact', names: [prefix] }, () => {})
      },
      close: async () => {
        closed = true
      },
    }
  }

  #keyFiles(live: () => void, durable: Durable): KeyFiles {
    return {
      write: async (name, bytes) => {
        live()
        if (this.#files.has(name)) throw new StoreError(`write key file ${name}: it exists`)
        durable({ kind: 'file', names: [name] }, () => this.#files.set(name, bytes.slice()))
      },
      read: async (name) => {
        live()
        return this.#files.get(name)?.slice()
      },
      destroy: async (name) => {
        durable({ kind: 'destroy', names: [name] }, () => this.#files.delete(name))
      },
      list: async () => {
        live()
        return [...this.#files.keys()].sort()
      },
    }
  }
}

type Durable = (write: Omit<DiskWrite, 'number'>, apply: () => void) => void

function write(records: Map<string, Uint8Array>, ops: readonly Op[]): void {
  for (const op of ops)
    if (op.type === 'put') records.set(op.key, op.value.slice())
    else records.delete(op.key)
}

function copied(map: ReadonlyMap<string, Uint8Array>): Map<string, Uint8Array> {
  return new Map([...map].map(([key, value]) => [key, value.slice()]))
}
