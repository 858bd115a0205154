// Each kind of file of the data directory truncated, bit-flipped and missing: the node refuses, heals, or has its share restored.
import assert from 'node:assert/strict'
import { readFileSync, globSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { OUTCOMES, type Outcome, trial } from '../support/fault-table.ts'
import { FaultWorld } from '../support/fault-world.ts'
import type { RelayerNode } from '../../scripts/devnet/world.ts'

const [REFUSED, HEALED, LOST] = OUTCOMES
const part = 'disk'

/** Patterns below the data directory, and what may come of damage; a file that holds nothing of worth is made again. */
const FILES: readonly (readonly [name: string, pattern: string, required: readonly Outcome[]])[] = [
  ['key file', 'keys/*.key', [LOST]],
  ['table of records', 'db/*.ldb', [REFUSED]],
  ['log of records', 'db/*.log', [REFUSED, HEALED, LOST]],
  ['manifest', 'db/MANIFEST-*', [REFUSED, HEALED, LOST]],
  ['name of the manifest', 'db/CURRENT', [REFUSED]],
  ["LevelDB's own notes", 'db/LOG', [HEALED]],
]
const DAMAGES: Readonly<Record<string, (file: string) => void>> = {
  truncated: (file) => truncateSync(file, readFileSync(file).length >> 1),
  emptied: (file) => truncateSync(file, 0),
  'bit-flipped': (file) => flip(file, 0.5),
  'bit-flipped near its end': (file) => flip(file, 0.9),
  missing: (file) => rmSync(file),
}

/** A lock file is empty: what can be done to it is other than with the others. */
const LOCKS: Readonly<Record<string, (file: string) => void>> = {
  'full of garbage': (file) => writeFileSync(file, Buffer.alloc(5000, 0x5a)),
  missing: (file) => rmSync(file),
}
/** What the operator keeps beside the data directory; no half of it is ever enough. */
const BESIDE: Readonly<Record<string, (node: RelayerNode) => string>> = {
  configuration: ({ config }) => config,
  keystore: ({ directory }) => join(directory, 'keystore.json'),
  'password file': ({ directory }) => join(directory, '..', 'password'),
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

/** Damages the files of a pattern below the data directory. */
function spoil(pattern: string, damage: (file: string) => void): void {
  const found = globSync(pattern, { cwd: faults.data })
  assert.ok(found.length > 0, `no ${pattern}`)
  for (const file of found) damage(join(faults.data, file))
}

for (const [name, pattern, required] of FILES)
  for (const [how, damage] of Object.entries(DAMAGES))
    test(
      `${name} ${how}: ${required.join(' or ')}`,
      trial({ part, fault: `${name} ${how}`, required }, () => damaged(() => spoil(pattern, damage))),
    )

for (const [how, damage] of Object.entries(LOCKS))
  test(
    `lock file ${how}: it is made again`,
    trial({ part, fault: `lock file ${how}`, required: [HEALED] }, () =>
      damaged(() => spoil('db/LOCK', damage)),
    ),
  )

for (const [how, damage] of Object.entries(DAMAGES))
  test(
    `the log that holds the records of the last refresh ${how}: no wrong share is used`,
    trial(
      { part, fault: `log with the last refresh ${how}`, required: [REFUSED, HEALED, LOST] },
      async () => {
        await faults.healed(await faults.refresh())
        return damaged(() => spoil('db/*.log', damage))
      },
    ),
  )

test(
  'database gone, key files there: refused',
  trial({ part, fault: 'database folder missing', required: [REFUSED] }, () =>
    damaged(() => rmSync(join(faults.data, 'db'), { recursive: true })),
  ),
)

test(
  'all key files gone: the share is lost, and restored',
  trial({ part, fault: 'folder of key files missing', required: [LOST] }, () =>
    damaged(() => rmSync(join(faults.data, 'keys'), { recursive: true })),
  ),
)

test(
  'the whole data directory gone: the share is lost, and restored',
  trial({ part, fault: 'data directory missing', required: [LOST] }, () =>
    damaged(() => rmSync(faults.data, { recursive: true })),
  ),
)

// A flipped bit in a configuration may well be another configuration.
for (const [name, where] of Object.entries(BESIDE))
  for (const [how, damage] of Object.entries(DAMAGES))
    if (name !== 'configuration' || !how.startsWith('bit'))
      test(
        `${name} ${how}: refused`,
        trial({ part, fault: `${name} ${how}`, required: [REFUSED] }, async () => {
          await faults.halt()
          const file = where(faults.victim)
          const whole = readFileSync(file)
          try {
            damage(file)
            const { processes } = faults.world
            const victim = processes.start('refused', [
              'relayer/main.ts',
              'start',
              '--config',
              faults.victim.config,
            ])
            assert.equal(await victim.gone, 3, 'the code of a configuration that is refused')
            assert.match(readFileSync(victim.logFile, 'utf8').trimEnd(), /truss: .+: \w+[^\n]*$/)
          } finally {
            writeFileSync(file, whole)
          }
          return REFUSED
        }),
      )

test(
  'with everything back in its place the victim signs again',
  trial({ part, fault: 'files beside the data directory put back', required: [HEALED] }, async () => {
    await faults.start()
    await faults.sound()
    return HEALED
  }),
)
