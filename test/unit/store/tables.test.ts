// Damaged tables are refused at the start, whichever bit is wrong: LevelDB itself would read on, or abort the process.
import assert from 'node:assert/strict'
import { cpSync, globSync, readFileSync, writeFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { before, test } from 'node:test'
import { StoreError } from '../../../relayer/lib/errors.ts'
import { openLevel } from '../../../relayer/store/level.ts'
import { crc32c } from '../../../relayer/store/crc32c.ts'
import { liveTables, tablesOf } from '../../../relayer/store/manifest.ts'
import { isWhole } from '../../../relayer/store/tables.ts'
import { scratch } from '../../support/scratch.ts'

const folder = scratch('tables')
const whole = join(folder, 'whole')

before(async () => {
  const { database } = await openLevel(whole)
  const puts = Array.from({ length: 60 }, (_, at) => {
    const value = new Uint8Array(200).map((_, place) => (place * 7 + at) & 0xff)
    return { type: 'put', key: `share/${String(at).padStart(16, '0')}`, value } as const
  })
  await database.batch(puts)
  await database.compact('share/')
  await database.close()
})

function tables(directory: string): string[] {
  return globSync('db/*.ldb', { cwd: directory }).map((name) => join(directory, name))
}

test('checksums are those of RFC 3720, appendix B.4', () => {
  assert.equal(crc32c(new Uint8Array(32)), 0x8a9136aa)
  assert.equal(crc32c(new Uint8Array(32).fill(0xff)), 0x62a8ab43)
  assert.equal(crc32c(Uint8Array.from({ length: 32 }, (_, at) => at)), 0x46dd794e)
})

test('a table that LevelDB wrote is whole, and without any one byte of its blocks it is not', () => {
  const [file = ''] = tables(whole)
  const table = readFileSync(file)
  assert.ok(table.length > 8000 && isWhole(table))
  const footer = table.length - 48
  for (let at = 0; at < footer; at += 3) {
    const damaged = new Uint8Array(table)
    damaged[at] = (damaged[at] ?? 0) ^ (1 << (at % 8))
    assert.equal(isWhole(damaged), false, `byte ${at}`)
  }
  for (let at = footer; at < table.length; at++) {
    const damaged = new Uint8Array(table)
    damaged[at] = 0xff
    assert.equal(typeof isWhole(damaged), 'boolean', `byte ${at}`)
  }
})

function copyOf(directory: string): string {
  const copy = scratch('tables')
  cpSync(directory, copy, { recursive: true })
  return copy
}

test('a directory with a damaged table does not open, and says which and what to do', async () => {
  const directory = copyOf(whole)
  for (const file of tables(directory)) writeFileSync(file, readFileSync(file).fill(0x55, 50, 51))
  await assert.rejects(openLevel(directory), (error) => {
    assert.ok(error instanceof StoreError)
    assert.match(error.message, /^open data directory .*\.ldb is damaged$/)
    assert.match(error.hint, /restore the data directory from a backup of this same epoch/)
    return true
  })
})

test('a table that was being written in a crash is none of it: the directory opens', async () => {
  const directory = copyOf(whole)
  const [file = ''] = tables(directory)
  for (const [name, length] of [
    ['900001.ldb', 0],
    ['900002.ldb', 5000],
  ] as const)
    writeFileSync(join(directory, 'db', name), readFileSync(file).subarray(0, length))
  const { database } = await openLevel(directory)
  assert.equal((await database.entries('share/')).length, 60)
  await database.close()
})

test('a table that no manifest names, its end on the disk and its blocks not, keeps nobody from starting', async () => {
  const directory = copyOf(whole)
  const [file = ''] = tables(directory)
  const orphan = readFileSync(file)
  writeFileSync(join(directory, 'db', '900001.ldb'), orphan.fill(0, 0, orphan.length - 48))
  const { database } = await openLevel(directory)
  assert.equal((await database.entries('share/')).length, 60)
  await database.close()
  assert.deepEqual(tables(directory), [file], 'LevelDB has removed it')
})

test('the manifest names the tables in use through many compactions; a damaged one is not followed', async () => {
  const directory = join(folder, 'many')
  for (let start = 0; start < 6; start++) {
    const { database } = await openLevel(directory)
    for (let round = 0; round < 40; round++)
      await database.batch([
        { type: 'put', key: `share/${(round * 7 + start) % 50}`, value: new Uint8Array(20_000).fill(round) },
      ])
    await database.compact('share/')
    await database.close()
    const live = await liveTables(join(directory, 'db'))
    const there = tables(directory).map((file) => Number(basename(file, '.ldb')))
    assert.ok(there.length > 0)
    assert.deepEqual(
      there.filter((number) => live?.has(number) !== true),
      [],
      'closed, it has only those in use',
    )
    assert.deepEqual(
      [...(live ?? [])].filter((number) => !there.includes(number)),
      [],
    )
  }
  const [manifest = ''] = globSync('db/MANIFEST-*', { cwd: directory })
  const log = readFileSync(join(directory, manifest))
  const named = (bytes: Buffer) => [...(tablesOf(bytes) ?? [])].toSorted((a, b) => a - b).join()
  // A length that leads past the end is a last record that was being written: what is read is what stands before it.
  const before = new Set(Array.from({ length: log.length + 1 }, (_, end) => named(log.subarray(0, end))))
  assert.ok(tablesOf(log) !== null && before.size > 3)
  for (let at = 0; at < log.length; at++) {
    const flipped = Buffer.from(log)
    flipped[at] = (flipped[at] ?? 0) ^ 0x10
    assert.ok(tablesOf(flipped) === null || before.has(named(flipped)), `byte ${at}`)
  }
})
