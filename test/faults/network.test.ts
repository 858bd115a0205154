// Relayers in network namespaces: latency, loss, partitions in each phase, a dead bootnode, moved, half-open and slow members.
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import type { FullStatus } from '../../relayer/cli/status.ts'
import { OUTCOMES, trial } from '../support/fault-table.ts'
import { NamespaceWorld } from '../support/namespace-world.ts'
import { isPrivate } from '../support/namespaces.ts'

const [, HEALED] = OUTCOMES
const part = 'network'
const CUT_MS = 3000
/** Longer than a window of 20 blocks. */
const LONG_CUT_MS = 12_000
const PHASE_MS = 30_000

/** What the victim's status shows while it is in a phase. */
const PHASES: Readonly<Record<string, (now: FullStatus) => boolean>> = {
  announcing: ({ ceremony, members }) =>
    ceremony?.stage === 'announcing' || members.some(({ self, announced }) => self && announced),
  dealing: ({ ceremony }) => ceremony?.stage === 'dealing',
  prepared: ({ ceremony }) => ceremony?.stage === 'prepared' || ceremony?.stage === 'signing',
  activating: ({ ceremony }) => ceremony?.stage === 'activating',
  erasing: ({ shares }) => shares.some(({ state }) => state === 'retired'),
}

describe('the network', { skip: isPrivate ? false : '`npm run test:faults` makes its namespaces' }, () => {
  let world: NamespaceWorld
  before(async () => {
    world = await NamespaceWorld.open()
  })
  after(() => world.close())

  /** A refresh during which something happens; it completes, and everybody signs. */
  async function refreshWhile(happens: () => Promise<void>): Promise<typeof HEALED> {
    await world.refresh()
    await happens()
    await world.completed()
    return HEALED
  }

  for (const [name, weather] of [
    ['100 ms of latency', { delayMs: 100, loss: 0 }],
    ['10 % of packets lost', { delayMs: 10, loss: 0.1 }],
  ] as const)
    test(`${name}: a refresh completes`, async () => {
      await trial({ part, fault: name, required: [HEALED] }, async () => {
        world.network.weather(weather)
        try {
          return await refreshWhile(async () => {})
        } finally {
          world.network.weather({ delayMs: 0, loss: 0 })
        }
      })
    })

  for (const [name, phase] of Object.entries(PHASES))
    test(`a partition while ${name}, which heals: the refresh completes`, async () => {
      const fault = `partition while ${name}`
      await trial({ part, fault, required: [HEALED] }, async () => {
        // A little latency makes the phases long enough to be met.
        world.network.weather({ delayMs: 40, loss: 0 })
        for (let tries = 0; tries < 5; tries++) {
          let met = false
          await refreshWhile(async () => {
            met = await meets(phase)
            if (!met) return
            world.network.cut(world.victim.name)
            await pause(CUT_MS)
            world.network.heal(world.victim.name)
          })
          if (met) {
            world.network.weather({ delayMs: 0, loss: 0 })
            return HEALED
          }
        }
        return assert.fail(`the phase was never met`)
      })
    })

  test('a partition for longer than an attempt, which heals: a later attempt completes', async () => {
    await trial({ part, fault: 'partition for longer than an attempt', required: [HEALED] }, () =>
      refreshWhile(async () => {
        world.network.cut(world.victim.name)
        await pause(LONG_CUT_MS)
        world.network.heal(world.victim.name)
      }),
    )
  })

  test('the bootnode dies: members that know each other go on, one that restarts finds them', async () => {
    await trial({ part, fault: 'bootnode dies', required: [HEALED] }, async () => {
      await world.killBootnode()
      await world.stop(world.victim)
      await world.start(world.victim)
      await world.connected()
      const seen = await refreshWhile(async () => {})
      await world.startBootnode()
      return seen
    })
  })

  test('a half-open connection: a member that vanished without a word and came back is reached', async () => {
    await trial({ part, fault: 'half-open connection', required: [HEALED] }, async () => {
      world.network.cut(world.victim.name)
      await world.signal(world.victim.name, 'SIGKILL')
      await world.start(world.victim)
      world.network.heal(world.victim.name)
      return refreshWhile(async () => {})
    })
  })

  test('a slow reader: a member that stands still most of the time delays, and the refresh completes', async () => {
    await trial({ part, fault: 'slow reader', required: [HEALED] }, async () => {
      let slow = true
      const { name } = world.victim
      const stutter = (async () => {
        while (slow) {
          await world.signal(name, 'SIGSTOP')
          await pause(300)
          await world.signal(name, 'SIGCONT')
          await pause(300)
        }
      })()
      try {
        return await refreshWhile(async () => pause(8000))
      } finally {
        slow = false
        await stutter
      }
    })
  })

  test("a member's address changes: it is found at the new one", async () => {
    await trial({ part, fault: 'address changes', required: [HEALED] }, async () => {
      const address = '10.77.0.99'
      await world.stop(world.victim)
      world.network.move(world.victim.name, address)
      world.configure(world.victim, address)
      await world.start(world.victim)
      return refreshWhile(async () => {})
    })
  })

  /** Whether the victim is seen in the phase before the ceremony is over. */
  async function meets(phase: (now: FullStatus) => boolean): Promise<boolean> {
    const until = performance.now() + PHASE_MS
    let begun = false
    while (performance.now() < until) {
      const now = await world.status(world.victim)
      if (phase(now)) return true
      begun ||= now.pendingEpoch !== null
      if (begun && now.phase === 'complete' && now.shares.every(({ state }) => state === 'active'))
        return false
      await pause(10)
    }
    return false
  }
})
