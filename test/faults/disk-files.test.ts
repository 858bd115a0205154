// Each kind of file of the data directory truncated, bit-flipped and missing: the node refuses, heals, or has its share restored.
import assert from 'node:assert/strict'
import { readFileSync, globSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { OUTCOMES, type Outcome, trial } from '../support/fault-table.ts'
import { FaultWorld } from '../support/fault-world.ts'

const [REFUSED, HEALED, LOST] = OUTCOMES

/** Patterns below the data directory, and what may come of damage; a file that holds nothing of worth is made again. */
const FILES: readonly (readonly [name: string, pattern: string, required: readonly Outcome[]])[] = [
  ['key file', 'keys/*.key', [LOST]],
  ['table of records', 'db/*.ldb', [REFUSED, HEALED, LOST]],
  ['log of records', 'db/*.log', [REFUSED, HEALED, LOST]],
  ['manifest', 'db/MANIFEST-*', [REFUSED, HEALED, LOST]],
  ['name of the manifest', 'db/CURRENT', [REFUSED]],
  ['lock file', 'db/LOCK', [HEALED]],
  ["LevelDB's own notes", 'db/LOG', [HEALED]],
]
const DAMAGES: Readonly<Record<string, (file: string) => void>> = {
  truncated: (file) => truncateSync(file, readFileSync(file).length >> 1),
  emptied: (file) => truncateSync(file, 0),
  'bit-flipped': (file) => flip(file, 0.5),
  'bit-flipped near its end': (file) => flip(file, 0.9),
  missing: (file) => rmSync(file),
}

let faults: FaultWorld

function flip(file: string, at: number): void {
  const bytes = readFileSync(file)
  const place = Math.floor(bytes.length * at)
  if (bytes.length > 0) bytes.writeUInt8(bytes.readUInt8(place) ^ 0x10, place)
  writeFileSync(file, bytes)
}

/** Stops the victim, damages its disk, starts it, and sees it through. The victim runs and signs in the end. */
async function damaged(damage: () => void): Promise<Outcome> {
  await faults.halt()
  const whole = faults.copy('whole')
  try {
    damage()
    return await seenThrough(whole)
  } catch (error) {
    // The next case begins with a sound disk whatever came of this one.
    await faults.halt()
    faults.putBack(whole)
    await faults.start()
    throw error
  }
}

async function seenThrough(whole: string): Promise<Outcome> {
  const refusal = await faults.tryStart()
  if (refusal !== null) {
    assert.match(refusal, /^truss: [^:]+.*: \w+/, 'it says what to do')
    faults.putBack(whole)
    await faults.start()
    await faults.sound()
    return REFUSED
  }
  if ((await faults.verdict()) === 'alarms') return faults.restored()
  await faults.sound()
  return HEALED
}

before(async () => {
  faults = await FaultWorld.open()
})
after(() => faults.close())

for (const [name, pattern, required] of FILES)
  for (const [how, damage] of Object.entries(DAMAGES))
    test(`${name} ${how}: ${required.join(' or ')}`, async () => {
      // A lock file is empty, and notes may be: there is nothing to damage but the file itself.
      if (name === 'lock file' && how !== 'missing') return
      await trial({ part: 'disk', fault: `${name} ${how}`, required }, () =>
        damaged(() => {
          const found = globSync(pattern, { cwd: faults.data })
          assert.ok(found.length > 0, `no ${pattern}`)
          for (const file of found) damage(join(faults.data, file))
        }),
      )
    })

for (const [how, damage] of Object.entries(DAMAGES))
  test(`the log that holds the records of the last refresh ${how}: no wrong share is used`, async () => {
    const fault = `log with the last refresh ${how}`
    await trial({ part: 'disk', fault, required: [REFUSED, HEALED, LOST] }, async () => {
      await faults.healed(await faults.refresh())
      return damaged(() => {
        for (const file of globSync('db/*.log', { cwd: faults.data })) damage(join(faults.data, file))
      })
    })
  })

test('database gone, key files there: refused', async () => {
  await trial({ part: 'disk', fault: 'database folder missing', required: [REFUSED] }, () =>
    damaged(() => rmSync(join(faults.data, 'db'), { recursive: true })),
  )
})

test('all key files gone: the share is lost, and restored', async () => {
  await trial({ part: 'disk', fault: 'folder of key files missing', required: [LOST] }, () =>
    damaged(() => rmSync(join(faults.data, 'keys'), { recursive: true })),
  )
})

test('the whole data directory gone: the share is lost, and restored', async () => {
  await trial({ part: 'disk', fault: 'data directory missing', required: [LOST] }, () =>
    damaged(() => rmSync(faults.data, { recursive: true })),
  )
})
