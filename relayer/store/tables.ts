// The checksums of LevelDB's tables, looked at before it opens them: it reads damaged ones unlooked, and aborts in compaction.
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { systemClock } from '../lib/clock.ts'

/** Bytes at a table's end: two handles, padded, and a magic number (LevelDB, doc/table_format.md). */
const FOOTER = 48
const HANDLES = 40
const MAGIC = 0xdb4775248b80fb57n
/** After each block: how it is compressed, and the checksum of its bytes and that one. */
const TRAILER = 5
const PLAIN = 0
/** LevelDB masks checksums, since they stand among bytes that are summed again (util/crc32c.h). */
const MASK_DELTA = 0xa282ead8

/** Where a block lies in its table. */
interface Handle {
  readonly offset: number
  readonly size: number
}

/** CRC-32C (RFC 3720, section 12.1) of every byte, its polynomial reflected. */
const CRCS = Uint32Array.from({ length: 256 }, (_, byte) => {
  let crc = byte
  for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0x82f63b78 : crc >>> 1
  return crc
})

/** CRC-32C of bytes. */
export function crc32c(bytes: Uint8Array): number {
  let crc = 0xffffffff
  for (const byte of bytes) crc = (CRCS[(crc ^ byte) & 0xff] ?? 0) ^ (crc >>> 8)
  return (crc ^ 0xffffffff) >>> 0
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
  for (const name of (await readdir(location)).sort())
    if (/\.(?:ldb|sst)$/.test(name) && !(await isWholeOrGone(join(location, name)))) return name
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
  const footer = new Reader(table.subarray(table.length - FOOTER))
  // One leads to the filter, which tells LevelDB what need not be looked for; the other to the records.
  return [footer.handle(), footer.handle()].every((list) => {
    if (!holds(table, list)) return false
    const { offset, size } = list
    // What an earlier version compressed cannot be followed here; it is read as LevelDB reads it.
    if (table.readUInt8(offset + size) !== PLAIN) return true
    return handlesOf(table.subarray(offset, offset + size)).every((block) => holds(table, block))
  })
}

function holds(table: Buffer, { offset, size }: Handle): boolean {
  if (offset + size + TRAILER > table.length) return false
  const rotated = (table.readUInt32LE(offset + size + 1) - MASK_DELTA) >>> 0
  const crc = ((rotated >>> 17) | (rotated << 15)) >>> 0
  return crc === crc32c(table.subarray(offset, offset + size + 1))
}

/** The values of an index block: where each data block lies. */
function handlesOf(block: Buffer): Handle[] {
  const end = block.length - 4 * (block.readUInt32LE(block.length - 4) + 1)
  const reader = new Reader(block)
  const handles: Handle[] = []
  while (reader.at < end) {
    reader.number()
    const [rest, length] = [reader.number(), reader.number()]
    const value = reader.at + rest
    reader.at = value
    handles.push(reader.handle())
    reader.at = value + length
  }
  return handles
}

/** Reads varints: seven bits a byte, the lowest first. */
class Reader {
  at = 0
  readonly #bytes: Buffer

  constructor(bytes: Buffer) {
    this.#bytes = bytes
  }

  /** @throws RangeError past the end, or for more than is ever written */
  number(): number {
    for (let value = 0, factor = 1; factor <= 2 ** 42; factor *= 128) {
      const byte = this.#bytes.readUInt8(this.at++)
      value += (byte & 0x7f) * factor
      if (byte < 0x80) return value
    }
    throw new RangeError('read varint: too long')
  }

  handle(): Handle {
    return { offset: this.number(), size: this.number() }
  }
}
