// A full disk: what was reported durable is there after a crash, a relayer says what is wrong, signs on, and goes on by itself.
import assert from 'node:assert/strict'
import { execFileSync, spawnSync } from 'node:child_process'
import { appendFileSync, cpSync, mkdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { until } from '../../scripts/devnet/world.ts'
import { openLevel } from '../../relayer/store/level.ts'
import { OUTCOMES, type Outcome, trial } from '../support/fault-table.ts'
import { FaultWorld } from '../support/fault-world.ts'
import { isPrivate } from '../support/namespaces.ts'
import { scratch } from '../support/scratch.ts'

const [, HEALED] = OUTCOMES
const part = 'disk'

/** A file system of its own below a directory; it goes with the mount namespace of this run, if not before. */
function mount(directory: string, size: string): void {
  mkdirSync(directory, { recursive: true })
  execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${size}`, 'none', directory])
}

/** Fills a disk to its last block; gives what frees it. */
function fill(directory: string): () => void {
  const filler = join(directory, 'filler')
  for (let size = 1 << 16; size >= 1; size >>= 4)
    try {
      for (;;) appendFileSync(filler, Buffer.alloc(size))
    } catch (error) {
      assert.ok(error instanceof Error && 'code' in error && error.code === 'ENOSPC')
    }
  return () => rmSync(filler)
}

describe('a full disk', { skip: isPrivate ? false : '`npm run test:faults` makes its namespaces' }, () => {
  test(
    'writes reported durable after a full disk was freed outlive a crash',
    trial({ part, fault: 'full disk, freed: later writes', required: [HEALED] }, async () => {
      const folder = scratch('full')
      const directory = join(folder, 'disk')
      mount(directory, '6m')
      const { database } = await openLevel(directory)
      const put = (key: string) => database.batch([{ type: 'put', key, value: new Uint8Array(700) }])
      const free = fill(directory)
      const refused = async () => {
        for (let at = 0; ; at++) await put(`full/${at}`)
      }
      await assert.rejects(refused(), /the disk is full/)
      await assert.rejects(put('full/again'), /the disk is full/)
      assert.deepEqual(await database.entries('none/'), [], 'it can still be read')
      free()
      for (let at = 0; at < 20; at++) await put(`kept/${at}`)
      // What a crash leaves: the files as they are now, the database not closed.
      cpSync(directory, join(folder, 'crashed'), { recursive: true })
      const crashed = await openLevel(join(folder, 'crashed'))
      assert.equal((await crashed.database.entries('kept/')).length, 20)
      await crashed.database.close()
      await database.close()
      execFileSync('umount', [directory])
      return HEALED
    }),
  )

  test(
    'a relayer whose disk is full alarms, prepares nothing, and goes on once there is space',
    trial({ part, fault: 'full disk during a refresh', required: [HEALED] }, async () => {
      const faults = await FaultWorld.open()
      try {
        return await throughFullDisk(faults)
      } finally {
        // Only then can the world's directory be removed, also after a failure.
        spawnSync('umount', ['--lazy', faults.data])
        await faults.close()
      }
    }),
  )
})

async function throughFullDisk(faults: FaultWorld): Promise<Outcome> {
  await faults.halt()
  const copy = faults.copy('small-disk')
  mount(faults.data, '6m')
  cpSync(copy, faults.data, { recursive: true })
  await faults.start()
  await faults.sound()
  const free = fill(faults.data)
  const epoch = await faults.refresh()
  await until('the alarm', 240_000, async () => {
    const { problems } = await faults.world.status(faults.victim)
    return problems.some(
      ({ severity, message, remedy }) =>
        severity === 'critical' && message.includes('disk is full') && remedy.startsWith('free space'),
    )
  })
  free()
  const seen = await faults.healed(epoch)
  // Everything is still there after a crash.
  await faults.world.kill(faults.victim)
  await faults.start()
  await faults.sound()
  await faults.halt()
  // At a start it can write nothing: it says so and ends, and starts once there is space.
  const freeAgain = fill(faults.data)
  assert.match((await faults.tryStart()) ?? '', /disk is full: free space/)
  freeAgain()
  await faults.start()
  await faults.sound()
  await faults.halt()
  return seen
}
