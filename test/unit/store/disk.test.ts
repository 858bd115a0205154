// The contract of the Database and KeyFiles ports, run against LevelDB with files and against the memory disk.
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { test } from 'node:test'
import { promisify } from 'node:util'
import { StoreError } from '../../../relayer/lib/errors.ts'
import type { Op } from '../../../relayer/store/database.ts'
import { openLevel } from '../../../relayer/store/level.ts'
import { DISKS } from '../../support/open-store.ts'
import { scratch } from '../../support/scratch.ts'

const bytes = (...list: number[]) => Uint8Array.from(list)
const put = (key: string, ...list: number[]): Op => ({ type: 'put', key, value: bytes(...list) })
const plain = (entries: readonly (readonly [string, Uint8Array])[]) =>
  entries.map(([key, value]) => [key, [...value]])

for (const { name, make } of DISKS) {
  test(`${name}: a missing record is undefined, a written one is what was written, and a deleted one is gone`, async () => {
    const { database } = await make().open()
    assert.equal(await database.get('a'), undefined)
    await database.batch([put('a', 1, 2), put('b')])
    assert.deepEqual([...((await database.get('a')) ?? [])], [1, 2])
    assert.deepEqual([...((await database.get('b')) ?? [9])], [])
    await database.batch([{ type: 'del', key: 'a' }, put('b', 3)])
    assert.equal(await database.get('a'), undefined)
    assert.deepEqual(plain(await database.entries('')), [['b', [3]]])
    await database.close()
  })

  test(`${name}: entries of a prefix come in ascending order, and only they`, async () => {
    const { database } = await make().open()
    await database.batch([put('x/2', 2), put('x/10', 10), put('x', 0), put('y/1', 1), put('x/1', 1)])
    assert.deepEqual(plain(await database.entries('x/')), [
      ['x/1', [1]],
      ['x/10', [10]],
      ['x/2', [2]],
    ])
    assert.equal((await database.entries('')).length, 5)
    assert.deepEqual(await database.entries('z'), [])
    await database.close()
  })

  test(`${name}: what was written is there after closing and opening again, and after compaction`, async () => {
    const disk = make()
    const before = await disk.open()
    await before.database.batch([put('k/1', 1), put('k/2', 2)])
    await before.keyFiles.write('1-0.key', bytes(7, 7))
    await before.database.compact('k/')
    await before.database.close()
    const after = await disk.open()
    assert.deepEqual(plain(await after.database.entries('k/')), [
      ['k/1', [1]],
      ['k/2', [2]],
    ])
    assert.deepEqual([...((await after.keyFiles.read('1-0.key')) ?? [])], [7, 7])
    await after.database.close()
  })

  test(`${name}: a closed database refuses with a StoreError`, async () => {
    const { database } = await make().open()
    await database.close()
    await assert.rejects(database.get('a'), StoreError)
    await assert.rejects(database.batch([put('a', 1)]), StoreError)
  })

  test(`${name}: a key file is written once, listed, and destroyed for good, even twice`, async () => {
    const { keyFiles, database } = await make().open()
    assert.equal(await keyFiles.read('1-0.key'), undefined)
    await keyFiles.write('2-0.key', bytes(2))
    await keyFiles.write('1-0.key', bytes(1, 2, 3))
    await assert.rejects(keyFiles.write('1-0.key', bytes(9)), StoreError)
    assert.deepEqual(await keyFiles.list(), ['1-0.key', '2-0.key'])
    assert.deepEqual([...((await keyFiles.read('1-0.key')) ?? [])], [1, 2, 3])
    await keyFiles.destroy('1-0.key')
    await keyFiles.destroy('1-0.key')
    assert.equal(await keyFiles.read('1-0.key'), undefined)
    assert.deepEqual(await keyFiles.list(), ['2-0.key'])
    await database.close()
  })
}

test('LevelDB: a second opener of the same directory is refused and told why', async () => {
  const directory = scratch('store')
  const { database } = await openLevel(directory)
  await assert.rejects(openLevel(directory), (error: unknown) => {
    assert.ok(error instanceof StoreError)
    assert.match(error.message, /another process has it open/)
    assert.match(error.hint, /one daemon per data directory/)
    return true
  })
  await database.close()
  const again = await openLevel(directory)
  await again.database.close()
})

test('LevelDB: a directory that cannot be made is a StoreError with a hint', async () => {
  await assert.rejects(openLevel('/dev/null/truss'), (error: unknown) => {
    assert.ok(error instanceof StoreError)
    assert.match(error.message, /cannot create it/)
    assert.notEqual(error.hint, '')
    return true
  })
})

/** Writes until a file would be larger than this process may make it, and then again: prints how often each went well. */
const FAILING_WRITER = `
  const { openLevel } = await import(process.argv[1])
  const { database } = await openLevel(process.argv[2])
  const put = (key) => database.batch([{ type: 'put', key, value: new Uint8Array(700) }])
  let first = 0
  let failed = ''
  while (failed === '') await put('first/' + first).then(() => { first += 1 }, (error) => { failed = error.name })
  for (let at = 0; at < 20; at++) await put('second/' + at)
  console.log(JSON.stringify({ first, failed }))
  process.kill(process.pid, 'SIGKILL')`

test('LevelDB: what is reported durable after a write that failed is there at the next start', async () => {
  const directory = scratch('store')
  const level = new URL('../../../relayer/store/level.ts', import.meta.url).href
  const limited = 'trap "" XFSZ; ulimit -f 64; exec "$@"'
  const line = ['-c', limited, 'sh', process.execPath, '--input-type=module', '-e', FAILING_WRITER]
  const child = promisify(execFile)('sh', [...line, level, directory])
  const killed: unknown = await child.catch((error: unknown) => error)
  assert.ok(killed instanceof Error && 'stdout' in killed && 'stderr' in killed)
  assert.match(String(killed.stdout), /StoreError/, String(killed.stderr))
  const { first } = JSON.parse(String(killed.stdout)) as { first: number } // CAST: printed above
  const { database } = await openLevel(directory)
  assert.ok(first > 10)
  assert.ok((await database.entries('first/')).length >= first)
  assert.equal((await database.entries('second/')).length, 20)
  await database.close()
  await assert.rejects(database.batch([put('late', 1)]), StoreError)
  await assert.rejects(database.batch([put('late', 1)]), StoreError, 'it stays closed')
})
