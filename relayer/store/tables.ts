// The checksums of LevelDB's tables, looked at before it opens them: it reads damaged ones unlooked, and aborts in compaction.
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { systemClock } from '../lib/clock.ts'
import { crc32c, unmasked } from './crc32c.ts'
import { liveTables } from './manifest.ts'
import { VarintReader } from './varint.ts'

/** Bytes at a table's end: two handles, padded, and a magic number (LevelDB, doc/table_format.md). */
const FOOTER = 48
const HANDLES = 40
const MAGIC = 0xdb4775248b80fb57n
/** After each block: how it is compressed, and the checksum of its bytes and that one. */
const TRAILER = 5
const PLAIN = 0
/** Where a block lies in its table. */
interface Handle {
  readonly offset: number
  readonly size: number
}

/** How long a table may be half written: another process may have the directory open, which is found out after this. */
const WRITTEN_MS = 300

/**
 * The name of the first table in LevelDB's directory that is not as it was written, or null. Nothing is opened: that alone
 * may begin the compaction that ends the process.
 */
export async function damagedTable(location: string): Promise<string | null> {
  if ((await firstDamaged(location)) === null) return null
  await systemClock.sleep(WRITTEN_MS)
  return await firstDamaged(location)
}

async function firstDamaged(location: string): Promise<string | null> {
  const live = await liveTables(location)
  for (const name of (await readdir(location)).sort()) {
    const [, number] = /^(\d+)\.(?:ldb|sst)$/.exec(name) ?? []
    // What no manifest names was left over by a crash, and LevelDB removes it.
    if (number === undefined || live?.has(Number(number)) === false) continue
    if (!(await isWholeOrGone(join(location, name)))) return name
  }
  return null
}

/** Another process that has the directory open may remove a table meanwhile. */
async function isWholeOrGone(file: string): Promise<boolean> {
  try {
    return isWhole(await readFile(file))
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return true
    throw error
  }
}

/**
 * Whether every block of a table has its checksum. One without its end was being written in a crash, and no record is in it
 * alone: LevelDB removes it, or says itself that it misses it.
 */
export function isWhole(table: Uint8Array): boolean {
  const bytes = Buffer.from(table.buffer, table.byteOffset, table.length)
  if (bytes.length < FOOTER || bytes.readBigUInt64LE(bytes.length - FOOTER + HANDLES) !== MAGIC) return true
  try {
    return checked(bytes)
  } catch (error) {
    // Offsets and lengths that lead out of the table.
    if (error instanceof RangeError) return false
    throw error
  }
}

function checked(table: Buffer): boolean {
  const footer = new VarintReader(table.subarray(table.length - FOOTER))
  // One leads to the filter, which tells LevelDB what need not be looked for; the other to the records.
  return [handleOf(footer), handleOf(footer)].every((list) => {
    if (!holds(table, list)) return false
    const { offset, size } = list
    // What an earlier version compressed cannot be followed here; it is read as LevelDB reads it.
    if (table.readUInt8(offset + size) !== PLAIN) return true
    return handlesOf(table.subarray(offset, offset + size)).every((block) => holds(table, block))
  })
}

function holds(table: Buffer, { offset, size }: Handle): boolean {
  if (offset + size + TRAILER > table.length) return false
  return unmasked(table.readUInt32LE(offset + size + 1)) === crc32c(table.subarray(offset, offset + size + 1))
}

/** The values of an index block: where each data block lies. */
function handlesOf(block: Buffer): Handle[] {
  const end = block.length - 4 * (block.readUInt32LE(block.length - 4) + 1)
  const reader = new VarintReader(block)
  const handles: Handle[] = []
  while (reader.at < end) {
    reader.number()
    const [rest, length] = [reader.number(), reader.number()]
    const value = reader.at + rest
    reader.at = value
    handles.push(handleOf(reader))
    reader.at = value + length
  }
  return handles
}

function handleOf(reader: VarintReader): Handle {
  return { offset: reader.number(), size: reader.number() }
}
