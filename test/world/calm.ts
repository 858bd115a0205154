// After the storm: no more faults, and everything must come right; with corrupt members in the way, once governance has cancelled.
import type { Address } from '../../relayer/lib/bytes.ts'
import { Revert } from '../support/fake-bridge-state.ts'
import { probes } from './probes.ts'
import type { World } from './world.ts'

/** Windows that a ceremony is given in which everybody that it needs is honest. */
const WINDOWS = 8

export async function calm(world: World): Promise<void> {
  const { chronicle, chain } = world
  chronicle.tell('faults stop')
  world.weather.calm()
  for (const member of world.members) {
    member.armed = null
    member.makeRoom()
    world.mend(member)
    if (!member.up) member.due = chronicle.block
  }
  await settled(world, finality(world))
  await finishPending(world)
  if (chronicle.violation !== null) return
  if (chain.head.state.running === 0) await firstKey(world)
  await complete(world)
  if (chronicle.violation !== null || !corruptRun(world)) return
  // As long as they are in, they cheat in these sessions too.
  await probes(world)
  if (chronicle.violation === null) await replaceCorrupt(world)
}

/** What is pending completes if it can, and is cancelled where corrupt members stand in its way. */
async function finishPending(world: World): Promise<void> {
  const { chain, chronicle, governor } = world
  const { pending, epochs } = chain.head.state
  if (pending === null) return
  const able = canComplete(world)
  const windows = able ? WINDOWS : 2
  await until(world, () => chain.head.state.pending?.epoch !== pending.epoch, windows * pending.windowBlocks)
  if (chronicle.violation !== null || chain.head.state.pending?.epoch !== pending.epoch) return
  if (able) {
    const { members, threshold } = epochs[pending.epoch] ?? { members: [], threshold: 0 }
    chronicle.violated(
      'once faults stop, a ceremony of honest members completes',
      `epoch ${pending.epoch} (${pending.kind}, ${threshold} of ${members.length}) is pending after ${windows} windows:\n${await describe(world)}`,
    )
    return
  }
  governor.act('cancel', 0)
  await settled(world, finality(world))
}

/** Whether all pending members are honest, and t of those who hold the running epoch's shares. */
function canComplete({ chain, members }: World): boolean {
  const { pending, running, epochs } = chain.head.state
  const honest = (addresses: readonly Address[]) =>
    members.filter(({ address, corrupt }) => !corrupt && addresses.includes(address))
  const next = pending === null ? undefined : epochs[pending.epoch]
  if (pending === null || next === undefined || honest(next.members).length < next.members.length)
    return false
  const old = epochs[running]
  if (old === undefined) return true
  return honest(old.members).filter(({ wholeFrom }) => wholeFrom <= running).length >= old.threshold
}

/** A first committee of honest members generates the key. */
async function firstKey(world: World): Promise<void> {
  const { chain, governor, members } = world
  const honest = members.filter(({ corrupt }) => !corrupt).map(({ address }) => address)
  if (honest.length < 2) return
  const wanted = honest.slice(0, 4)
  try {
    governor.want({ members: wanted, threshold: 2 })
  } catch (error) {
    if (!(error instanceof Revert)) throw error
  }
  chain.startKeygen()
  await settled(world, finality(world))
  await finishPending(world)
}

/** Receipts come in; where members that owe them are corrupt or lost their disks, governance may have to waive. */
async function complete(world: World): Promise<void> {
  const { chain, chronicle, members } = world
  const done = () => chain.head.state.outstandingEpoch === 0
  await until(world, done, 10 * finality(world) + 40)
  if (chronicle.violation !== null || done()) return settled(world, finality(world))
  const { outstandingEpoch, epochs } = chain.head.state
  const owing = Object.values(epochs).filter(({ status }) => status === 'superseded' || status === 'burned')
  const whole = owing.every(({ epoch, members: seats }) =>
    members.every(
      ({ address, corrupt, wholeFrom }) => !seats.includes(address) || (!corrupt && wholeFrom <= epoch),
    ),
  )
  if (whole)
    chronicle.violated(
      'once faults stop, a reshare completes',
      `the deletions of epoch ${outstandingEpoch} are outstanding:\n${await describe(world)}`,
    )
  else {
    chronicle.count('deletions waived in the end')
    chain.adminWaiveDeletions(outstandingEpoch)
  }
  await settled(world, finality(world))
}

function corruptRun({ chain, members }: World): boolean {
  const { running, epochs } = chain.head.state
  return members.some(({ corrupt, address }) => corrupt && epochs[running]?.members.includes(address))
}

/** Governance has had enough of the corrupt ones. */
async function replaceCorrupt(world: World): Promise<void> {
  const { chain, chronicle, governor, members } = world
  const { running, epochs, pending } = chain.head.state
  const old = epochs[running]
  if (old === undefined || pending !== null) return
  const honest = members.filter(({ corrupt }) => !corrupt).map(({ address }) => address)
  const holders = members.filter(
    ({ corrupt, address, wholeFrom }) => !corrupt && old.members.includes(address) && wholeFrom <= running,
  )
  if (holders.length < old.threshold || honest.length < 2) return
  const wanted = [...new Set([...holders.map(({ address }) => address), ...honest])].slice(0, 4).sort()
  chronicle.tell(`governance replaces the corrupt members of epoch ${running}`)
  governor.want({ members: wanted, threshold: 2 })
  await settled(world, finality(world))
  await finishPending(world)
  await complete(world)
}

/** Blocks after which what stands in the chain is final twice over for everybody. */
function finality({ chain }: World): number {
  return 2 * chain.finalityDepth + 4
}

async function settled(world: World, blocks: number): Promise<void> {
  await until(world, () => false, blocks)
}

async function until(world: World, done: () => boolean, blocks: number): Promise<void> {
  for (let block = 0; block < blocks && !done() && world.chronicle.violation === null; block++)
    await world.step()
}

/** Where everybody stands. */
async function describe({ members }: World): Promise<string> {
  const lines = members.map(async ({ relayer, name }) => {
    if (relayer === null) return `${name} is down`
    const { epoch, ceremony, waitsFor, problems } = await relayer.status()
    const why = [...waitsFor.map(({ what }) => what), ...problems.map(({ message }) => message)].join('; ')
    return `${name}: epoch ${epoch}, ${ceremony?.stage ?? 'no ceremony'}, attempt ${ceremony?.attempt ?? '-'}, ${ceremony?.failures.at(-1)?.reason ?? ''} | ${why}`
  })
  return (await Promise.all(lines)).join('\n')
}
