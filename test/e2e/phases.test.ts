// SIGTERM in each named phase of a keygen and a refresh, the phase held open: exit code 0 in time, and both complete after the restarts.
import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import type { Status } from '../../relayer/bridge/status.ts'
import { committee, completed, receiptsOf } from '../../scripts/devnet/governance.ts'
import { type RelayerNode, until, type World } from '../../scripts/devnet/world.ts'
import { closeWorld, openWorld, relayer } from '../support/devnet-world.ts'

/** A member whose disk never finishes a chosen write, so that the others wait for it. */
const STOPPING = ['test/e2e/entries/stopping-member.ts', '--stop-at']
const IN_TIME_MS = 10_000
const PHASE_MS = 60_000

let world: World
/** Gets the signals. */
let victim: RelayerNode
/** Is what the others wait for. */
let slow: RelayerNode

before(async () => {
  // Finality that takes long enough to meet a node between its last message and the final word of the chain.
  world = await openWorld('--block-time-ms', '250', '--confirmations', '6', '--window-blocks', '32')
  victim = relayer(world, 1)
  slow = relayer(world, 2)
})
after(() => closeWorld(world))

/** Waits until the victim's status is as wanted. */
async function victimIs(phase: string, wanted: (status: Status) => boolean): Promise<void> {
  await until(`${victim.name} to be ${phase}`, PHASE_MS, async () => wanted(await world.status(victim)))
}

/** SIGTERM to the victim; `halt` throws unless its exit code is 0. */
async function terminated(): Promise<void> {
  const began = performance.now()
  await world.halt(victim)
  assert.ok(performance.now() - began < IN_TIME_MS)
}

/** Victim and slow member run as they should, whatever ran in their place. */
async function restarted(): Promise<void> {
  await world.kill(slow)
  await Promise.all([world.start(victim), world.start(slow)])
}

/** How often the slow member's disk has stopped. */
function stops(): number {
  const logFile = join(world.directory, 'logs', `${slow.name}.log`)
  return existsSync(logFile) ? readFileSync(logFile, 'utf8').split('stopped at').length : 0
}

test('announced: it waits for a member of the keygen that is not up', async () => {
  await Promise.all([world.start(victim), world.start(relayer(world, 3))])
  await world.govern('start-keygen')
  await victimIs('announced', ({ ceremony, members }) => {
    const self = members.find((member) => member.self)
    return ceremony?.stage === 'announcing' && self?.announced === true
  })
  await terminated()
  await world.start(victim)
})

test('dealing: it waits for the dealing of a member that joined and says no more', async () => {
  let before = 0
  let failures = 0
  const restart = async () => {
    await world.kill(slow)
    before = stops()
    await world.start(slow, [...STOPPING, 'marker/'])
  }
  await restart()
  await until(`${victim.name} to be dealing`, PHASE_MS, async () => {
    const { ceremony } = await world.status(victim)
    if (ceremony === null || ceremony.stage === 'dealing') return ceremony !== null
    // It stopped in an attempt that is over, or that it would have had to start: the next window is another chance.
    if (stops() === before) failures = ceremony.failureCount
    else if (ceremony.coordinator === slow.address || ceremony.failureCount > failures) await restart()
    return false
  })
  await terminated()
  await restarted()
})

test('activating: the activation is signed, and not final yet', async () => {
  await victimIs('activating', ({ ceremony }) => ceremony?.stage === 'activating')
  await terminated()
  await world.start(victim)
  const { epoch, members } = await completed(world, 0)
  assert.equal(epoch, 1)
  assert.equal(members.length, 3)
})

test('prepared: its new share is durable, and the acknowledgement of another member is missing', async () => {
  await world.kill(slow)
  await world.start(slow, [...STOPPING, 'share/'])
  await world.govern('refresh', 'while members stop')
  await victimIs('prepared', ({ ceremony, shares }) => {
    return ceremony?.stage === 'prepared' && shares.some(({ state }) => state === 'prepared')
  })
  await terminated()
  await restarted()
})

test('erasing: the new epoch is active, its old share still on disk', async () => {
  await victimIs('erasing', ({ epoch, shares }) => {
    return epoch === 2 && shares.some((share) => share.epoch === 1 && share.state === 'retired')
  })
  await terminated()
  await world.start(victim)
  const { epoch } = await completed(world, 1)
  assert.equal(epoch, 2)
  await victimIs('rid of all but the running share', ({ shares }) => {
    return shares.length === 1 && shares[0]?.epoch === 2 && shares[0].state === 'active'
  })
  await until('its receipt on chain', PHASE_MS, async () =>
    (await receiptsOf(world, 1)).receipts.includes(victim.address),
  )
  assert.equal((await committee(world)).epoch, 2)
})
