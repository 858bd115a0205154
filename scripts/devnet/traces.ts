// Looks for what was to be erased: byte strings of sealed shares and wrapped keys, taken from a copy, in every file of now.
import { cpSync, globSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { openLevel } from '../../relayer/store/level.ts'

/** Short enough that a compressing block writer leaves some of them whole, long enough never to occur by chance. */
const NEEDLE_BYTES = 16

/** Byte strings of one data directory's secrets, by the record that held them. */
export interface Traces {
  readonly records: number
  readonly needles: readonly Buffer[]
}

/** Copies a data directory while its daemon runs; LevelDB's own log makes the copy whole when it is opened. */
export function copyDirectory(from: string, to: string): void {
  cpSync(from, to, { recursive: true, filter: (path) => !path.endsWith('.sock') && !path.endsWith('LOCK') })
}

/**
 * The secrets of a copied data directory, sealed shares from the database and wrapped keys from their files, as needles.
 * @param epoch only records of this epoch
 */
export async function tracesOf(copy: string, epoch: number): Promise<Traces> {
  const { database, keyFiles } = await openLevel(copy)
  const secrets: Uint8Array[] = []
  for (const [key, value] of await database.entries('sealed/'))
    if (Number(key.split('/')[1]) === epoch) secrets.push(value)
  for (const name of await keyFiles.list())
    if (Number(name.split('-')[0]) === epoch) secrets.push((await keyFiles.read(name)) ?? new Uint8Array())
  await database.close()
  return { records: secrets.length, needles: secrets.flatMap(needlesOf) }
}

/** How many of the needles some file below the directory holds. */
export function countTraces(directory: string, { needles }: Traces): number {
  const files = globSync('**/*', { cwd: directory })
    .map((name) => join(directory, name))
    .filter((path) => statSync(path, { throwIfNoEntry: false })?.isFile() === true)
    .map((path) => readFileSync(path))
  return needles.filter((needle) => files.some((file) => file.includes(needle))).length
}

function needlesOf(bytes: Uint8Array): Buffer[] {
  const needles: Buffer[] = []
  for (let at = 0; at + NEEDLE_BYTES <= bytes.length; at += NEEDLE_BYTES) {
    const needle = Buffer.from(bytes.subarray(at, at + NEEDLE_BYTES))
    // A run of few values is a length field or padding, not ciphertext.
    if (new Set(needle).size > NEEDLE_BYTES / 2) needles.push(needle)
  }
  return needles
}
