// The Database port over LevelDB: synced atomic batches, one process per directory, compaction, and no write after a torn one.
import { mkdir, statfs } from 'node:fs/promises'
import { join } from 'node:path'
import { Level } from 'level'
import { StoreError } from '../lib/errors.ts'
import type { Database, KeyFiles, Op } from './database.ts'
import { openKeyFiles } from './keyfiles.ts'
import { damagedTable } from './tables.ts'

/** Sorts after every key that begins with the prefix: our keys are ASCII. */
const END = '\xff'

/** What is used of LevelDB; a write is on the disk when it resolves only if it is told to sync. */
export interface Records {
  get(key: string): Promise<Uint8Array | undefined>
  iterator(range: { gte: string; lt: string }): { all(): Promise<[string, Uint8Array][]> }
  keys(range: { gte: string; lt: string }): { all(): Promise<string[]> }
  batch(ops: Op[], options?: { sync?: boolean }): Promise<void>
  compactRange(start: string, end: string): Promise<void>
  close(): Promise<void>
}

const RESTORE =
  'stop the daemon, check the disk, and restore the data directory from a backup of this same epoch; if there is none, start with an empty one and run `truss share declare-lost`'

const FULL = 'free space on the disk of the data directory; the daemon goes on by itself'
/** Space without which a database that met a full disk is not opened again: the log and the table that LevelDB writes then. */
const ROOM_BYTES = 1 << 20

/**
 * Opens `<directory>/db` and `<directory>/keys`, creating them (mode 0700) if absent. The database's lock belongs to
 * this process until `close`.
 * @throws StoreError if another process holds the directory, or it cannot be read or written
 */
export async function openLevel(directory: string): Promise<{ database: Database; keyFiles: KeyFiles }> {
  const location = join(directory, 'db')
  try {
    await mkdir(location, { recursive: true, mode: 0o700 })
  } catch (cause) {
    throw new StoreError(`open data directory ${directory}: cannot create it`, {
      cause,
      hint: 'make it writable for the user that runs truss, or choose another dataDirectory',
    })
  }
  const damaged = await guarded(`open data directory ${directory}`, () => damagedTable(location))
  if (damaged !== null)
    throw new StoreError(`open data directory ${directory}: ${damaged} is damaged`, { hint: RESTORE })
  // CAST: in Node a Level is a ClassicLevel; the types that it shares with browsers leave compactRange out
  const level = new Level<string, Uint8Array>(location, {
    keyEncoding: 'utf8',
    valueEncoding: 'view',
    // Ciphertexts and codes do not get smaller, and the index of a table that is not compressed can be followed.
    compression: false,
  }) as Level<string, Uint8Array> & Records
  try {
    await level.open()
  } catch (cause) {
    throw openError(directory, cause)
  }
  try {
    const mender = new Mender(level, location)
    const database = databaseOf(level, mender)
    const close = () => {
      mender.end()
      return database.close()
    }
    return { database: { ...database, close }, keyFiles: await openKeyFiles(join(directory, 'keys')) }
  } catch (cause) {
    await level.close()
    throw cause
  }
}

/**
 * After a write that failed, LevelDB's log may end in half a record, behind which it goes on to write, and to report as
 * durable, what no later start will find (tried: a disk that was full). Only opening it anew begins another log.
 */
class Mender {
  readonly #level: Level<string, Uint8Array>
  readonly #location: string
  #torn = false
  #ended = false
  #mending: Promise<void> | null = null

  constructor(level: Level<string, Uint8Array>, location: string) {
    this.#level = level
    this.#location = location
  }

  /** Before each use. @throws StoreError while the disk is full, for a write; or if the database cannot be opened again */
  async whole(writes: boolean): Promise<void> {
    if (this.#mending === null && this.#torn && !this.#ended && (writes || this.#level.status !== 'open'))
      this.#mending = this.#mend().finally(() => {
        this.#mending = null
      })
    await this.#mending
  }

  tear(): void {
    this.#torn = true
  }

  /** The database is closed for good. */
  end(): void {
    this.#ended = true
  }

  async #mend(): Promise<void> {
    const { bavail, bsize } = await statfs(this.#location)
    if (bavail * bsize < ROOM_BYTES) throw new StoreError('write records: the disk is full', { hint: FULL })
    await this.#level.close()
    await this.#level.open()
    this.#torn = false
  }
}

/** The port over an open LevelDB. */
export function databaseOf(level: Records, mender: Pick<Mender, 'whole' | 'tear'>): Database {
  const read = <T>(action: string, run: () => Promise<T>) =>
    guarded(action, async () => {
      await mender.whole(false)
      return run()
    })
  const write = (action: string, run: () => Promise<void>) =>
    guarded(action, async () => {
      await mender.whole(true)
      await run().catch((error: unknown) => {
        mender.tear()
        throw error
      })
    })
  return {
    get: (key) =>
      read(`read record ${key}`, async () => {
        const value = await level.get(key)
        return value === undefined ? undefined : plain(value)
      }),
    entries: (prefix) =>
      read(`read records ${prefix}`, async () => {
        const found = await level.iterator({ gte: prefix, lt: prefix + END }).all()
        return found.map(([key, value]) => [key, plain(value)] as const)
      }),
    keys: (prefix) => read(`read keys ${prefix}`, () => level.keys({ gte: prefix, lt: prefix + END }).all()),
    batch: (ops) => write('write records', () => level.batch([...ops], { sync: true })),
    compact: (prefix) => write(`compact ${prefix}`, () => level.compactRange(prefix, prefix + END)),
    close: () => guarded('close database', () => level.close()),
  }
}

/** LevelDB gives Buffers, whose `slice` shares memory where a Uint8Array's copies. */
function plain(value: Uint8Array): Uint8Array {
  return new Uint8Array(value.buffer, value.byteOffset, value.length)
}

async function guarded<T>(action: string, run: () => Promise<T>): Promise<T> {
  try {
    return await run()
  } catch (cause) {
    if (cause instanceof StoreError) throw cause
    if (isFull(cause)) throw new StoreError(`${action}: the disk is full`, { cause, hint: FULL })
    throw new StoreError(`${action}: LevelDB reports ${codeOf(cause)}`, { cause, hint: RESTORE })
  }
}

function isFull(error: unknown): boolean {
  for (let at = error; at instanceof Error; at = at.cause)
    if (at.message.includes('No space left on device')) return true
  return false
}

function openError(directory: string, cause: unknown): StoreError {
  const code = codeOf(cause)
  if (code === 'LEVEL_LOCKED')
    return new StoreError(`open data directory ${directory}: another process has it open`, {
      cause,
      hint: 'one daemon per data directory: stop the other one, or give this one a directory and a key of its own',
    })
  if (isFull(cause))
    return new StoreError(`open data directory ${directory}: the disk is full`, {
      cause,
      hint: 'free space on the disk of the data directory, then start again',
    })
  return new StoreError(`open data directory ${directory}: LevelDB reports ${code}`, { cause, hint: RESTORE })
}

/** The innermost error code: LevelDB's own stands in the cause of abstract-level's. */
function codeOf(error: unknown): string {
  let code = 'an unknown error'
  for (let at = error; at instanceof Error; at = at.cause)
    if ('code' in at && typeof at.code === 'string') code = at.code
  return code
}
