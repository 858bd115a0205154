// Folders of tests: gone when the process that made them ends, unless a failure keeps them for their logs.
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { existsSync, globSync, readFileSync } from 'node:fs'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { scratch } from '../support/scratch.ts'

const MODULE = fileURLToPath(new URL('../support/scratch.ts', import.meta.url))
const TMPDIR = scratch('scratch')

/** Runs a process that makes a folder of each kind and a file in each, and then does `last`; gives the folders and what it complained of. */
function made(last: string): { plain: string; logs: string; err: string; status: number | null } {
  const program = `
    import { writeFileSync } from 'node:fs'
    import { scratch, scratchWithLogs } from ${JSON.stringify(MODULE)}
    const folders = [scratch('plain'), scratchWithLogs('logs')]
    for (const folder of folders) writeFileSync(folder + '/file', '')
    console.log(folders.join('\\n'))
    ${last}`
  const args = ['--input-type=module', '--eval', program]
  const { stdout, stderr, status } = spawnSync(process.execPath, args, {
    encoding: 'utf8',
    env: { ...process.env, TMPDIR },
  })
  const [plain = '', logs = ''] = stdout.trim().split('\n')
  assert.ok(plain.startsWith(`${TMPDIR}/truss-plain-`))
  assert.ok(logs.startsWith(`${TMPDIR}/truss-logs-`))
  return { plain, logs, err: stderr, status }
}

for (const last of ['', 'process.exit(0)'])
  test(`nothing stays after ${last || 'the last line'}`, () => {
    const { plain, logs, err, status } = made(last)
    assert.equal(status, 0)
    assert.equal(existsSync(plain), false)
    assert.equal(existsSync(logs), false)
    assert.equal(err, '')
  })

for (const last of ['process.exitCode = 1', 'throw new Error()', 'await Promise.reject(new Error())'])
  test(`only what has logs stays after ${last}, and its path is printed`, () => {
    const { plain, logs, err, status } = made(last)
    assert.equal(status, 1)
    assert.equal(existsSync(plain), false)
    assert.equal(existsSync(logs), true)
    assert.ok(err.includes(logs) && !err.includes(plain), err)
  })

test('all tests have their folders from there', () => {
  const bare = globSync('test/**/*.ts').filter((file) =>
    /\bmkdtemp(Sync)?\(/.test(readFileSync(file, 'utf8')),
  )
  assert.deepEqual(bare, ['test/support/scratch.ts'])
})
