// LevelDB's manifest: which tables of a directory hold its records; any other is left over from a crash, and goes when it opens.
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { crc32c, unmasked } from './crc32c.ts'
import { VarintReader } from './varint.ts'

/** The log is a row of blocks of this size, in which a record of seven bytes of header or more may go on (doc/log_format.md). */
const BLOCK = 32_768
const HEADER = 7
/** What a piece is of its record. */
const PIECE = { full: 1, first: 2, middle: 3, last: 4 } as const
/** Fields of a version edit (db/version_edit.cc). */
const EDIT = {
  comparator: 1,
  logNumber: 2,
  nextFile: 3,
  lastSequence: 4,
  compactPointer: 5,
  deletedFile: 6,
  newFile: 7,
  previousLog: 9,
} as const

/** The numbers of the tables in use; null if the manifest cannot be followed, which LevelDB itself will then say. */
export async function liveTables(location: string): Promise<ReadonlySet<number> | null> {
  try {
    const current = (await readFile(join(location, 'CURRENT'), 'utf8')).trim()
    if (!/^MANIFEST-\d+$/.test(current)) return null
    return tablesOf(await readFile(join(location, current)))
  } catch (error) {
    // Missing, or cut off within a field.
    if (error instanceof RangeError || (error instanceof Error && 'code' in error && error.code === 'ENOENT'))
      return null
    throw error
  }
}

/** The tables after all edits of a manifest; null if one of them is not as it was written. */
export function tablesOf(log: Buffer): ReadonlySet<number> | null {
  const records = recordsOf(log)
  if (records === null) return null
  const live = new Set<number>()
  for (const record of records) if (!edited(live, new VarintReader(record))) return null
  return live
}

/** The records of a log in their order; a last one that is not whole was being written and does not count. */
function recordsOf(log: Buffer): Buffer[] | null {
  const records: Buffer[] = []
  let pieces: Buffer[] = []
  for (let at = 0; at + HEADER <= log.length; ) {
    const left = BLOCK - (at % BLOCK)
    if (left < HEADER) {
      at += left
      continue
    }
    const [length, kind] = [log.readUInt16LE(at + 4), log.readUInt8(at + 6)]
    const end = at + HEADER + length
    if (end > log.length) break
    if (unmasked(log.readUInt32LE(at)) !== crc32c(log.subarray(at + 6, end))) return null
    if (kind < PIECE.full || kind > PIECE.last) return null
    if (kind === PIECE.full || kind === PIECE.first) pieces = []
    pieces.push(log.subarray(at + HEADER, end))
    if (kind === PIECE.full || kind === PIECE.last) records.push(Buffer.concat(pieces))
    at = end
  }
  return records
}

/** Applies one edit to the tables in use; false for a field that is not known. @throws RangeError if it is cut off */
function edited(live: Set<number>, edit: VarintReader): boolean {
  while (edit.left > 0) {
    switch (edit.number()) {
      case EDIT.comparator:
        edit.skip(edit.number())
        break
      case EDIT.logNumber:
      case EDIT.nextFile:
      case EDIT.lastSequence:
      case EDIT.previousLog:
        edit.number()
        break
      case EDIT.compactPointer:
        edit.number()
        edit.skip(edit.number())
        break
      case EDIT.deletedFile:
        edit.number()
        live.delete(edit.number())
        break
      case EDIT.newFile: {
        edit.number()
        const table = edit.number()
        edit.number()
        // Its smallest and its largest key.
        edit.skip(edit.number())
        edit.skip(edit.number())
        live.add(table)
        break
      }
      default:
        return false
    }
  }
  return true
}
