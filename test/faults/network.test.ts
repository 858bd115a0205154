// Relayers in network namespaces: latency, loss, partitions in each phase, a dead bootnode, moved, half-open and slow members.
import { after, afterEach, before, describe, test } from 'node:test'
import { OUTCOMES, trial } from '../support/fault-table.ts'
import { NamespaceWorld } from '../support/namespace-world.ts'
import { isPrivate } from '../support/namespaces.ts'

const [, HEALED] = OUTCOMES
const part = 'network'
const required = [HEALED]
/** Blocks that a partition lasts: shorter than a window of 20, or longer. */
const SHORT = 8
const LONG = 26

/** The durable step of the victim with which a phase begins, and at which the committee is cut in two. */
const PHASES: Readonly<Record<string, string>> = {
  'it has announced itself': 'before:put:marker/',
  dealing: 'after:put:marker/',
  prepared: 'after:put:share/',
  activating: 'after:put:seen/',
  erasing: 'before:destroy:',
}

describe('the network', { skip: isPrivate ? false : '`npm run test:faults` makes its namespaces' }, () => {
  let world: NamespaceWorld
  before(async () => {
    world = await NamespaceWorld.open()
  })
  after(() => world.close())
  // Whatever came of one fault, the next begins in fair weather.
  afterEach(() => {
    world.release()
    world.network.heal()
    world.network.weather({ delayMs: 0, loss: 0 })
  })

  /** A refresh during which something happens; it completes, and everybody signs. */
  async function refreshWhile(happens: () => Promise<void> = async () => {}): Promise<typeof HEALED> {
    await world.refresh()
    await happens()
    await world.completed()
    return HEALED
  }

  /** A partition of some hosts for so many blocks. */
  async function cutOff(side: readonly string[], blocks: number): Promise<void> {
    world.network.cut(side)
    await world.blocks(blocks)
    world.network.heal()
  }

  for (const [name, weather] of [
    ['100 ms of latency', { delayMs: 100, loss: 0 }],
    ['10 % of packets lost', { delayMs: 10, loss: 0.1 }],
  ] as const)
    test(
      `${name}: a refresh completes`,
      trial({ part, fault: name, required }, async () => {
        world.network.weather(weather)
        return refreshWhile()
      }),
    )

  for (const [name, step] of Object.entries(PHASES))
    for (const [sides, side] of [
      ['two halves', () => world.half],
      ['one member and the others', () => [world.victim.name]],
    ] as const)
      test(
        `a partition into ${sides} while ${name}, which heals: the refresh completes`,
        trial({ part, fault: `partition into ${sides} while ${name}`, required }, async () => {
          world.hold(step)
          return refreshWhile(async () => {
            await world.held()
            world.network.cut(side())
            world.release()
            await world.blocks(SHORT)
            world.network.heal()
          })
        }),
      )

  test(
    'a partition for longer than an attempt, which heals: a later attempt completes',
    trial({ part, fault: 'partition for longer than an attempt', required }, () =>
      refreshWhile(() => cutOff(world.half, LONG)),
    ),
  )

  test(
    'the bootnode dies: members that know each other go on, one that restarts finds them',
    trial({ part, fault: 'bootnode dies', required }, async () => {
      await world.killBootnode()
      await world.stop(world.victim)
      await world.start(world.victim)
      await world.connected()
      const seen = await refreshWhile()
      await world.startBootnode()
      return seen
    }),
  )

  test(
    'a half-open connection: a member that vanished without a word and came back is reached',
    trial({ part, fault: 'half-open connection', required }, async () => {
      await vanish()
      await world.start(world.victim)
      world.network.heal()
      return refreshWhile()
    }),
  )

  test(
    'a slow reader: a member that stands still most of the time delays only itself, and the refresh completes',
    trial({ part, fault: 'slow reader', required }, () =>
      refreshWhile(async () => {
        const { name } = world.victim
        for (let times = 0; times < 3; times++) {
          await world.signal(name, 'SIGSTOP')
          await world.blocks(6)
          // The others sign meanwhile.
          await world.probe()
          await world.signal(name, 'SIGCONT')
          await world.blocks(2)
        }
      }),
    ),
  )

  test(
    "a member's address changes: it is found at the new one",
    trial({ part, fault: 'address changes', required }, async () => {
      await world.stop(world.victim)
      await moveTo('10.77.0.99')
      return refreshWhile()
    }),
  )

  test(
    "a member's address changes while the others hold connections to the old one: it is found at the new one",
    trial({ part, fault: 'address changes without a word', required }, async () => {
      await vanish()
      world.network.heal()
      await moveTo('10.77.0.98')
      return refreshWhile()
    }),
  )

  /** The victim is killed, and no packet says so to the others. */
  async function vanish(): Promise<void> {
    world.network.cut([world.victim.name])
    await world.signal(world.victim.name, 'SIGKILL')
  }

  async function moveTo(address: string): Promise<void> {
    world.network.move(world.victim.name, address)
    world.configure(world.victim, address)
    await world.start(world.victim)
  }
})
