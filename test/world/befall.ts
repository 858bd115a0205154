// What befalls one operator: the power goes out, a disk is put back or lost, endpoints fail, somebody wants a signature.
import type { Member } from './member.ts'
import type { Happening } from './scenario.ts'
import type { World } from './world.ts'

/** Makes it happen now. */
export async function befall(
  world: World,
  member: Member,
  happening: Exclude<Happening, { kind: 'govern' | 'partition' | 'reorganise' }>,
): Promise<void> {
  const { chronicle } = world
  switch (happening.kind) {
    case 'probe':
      return probe(world, member)
    case 'crash':
      if (!member.up) return
      chronicle.count('crashes at any time')
      chronicle.tell(`${member.name} loses power for ${happening.down} blocks`)
      await member.kill()
      return void (member.due = chronicle.block + happening.down)
    case 'restart':
      if (!member.up) return
      chronicle.count('restarts')
      chronicle.tell(`${member.name} is stopped, and started ${happening.down} blocks later`)
      await member.stop()
      return void (member.due = chronicle.block + happening.down)
    case 'crash at':
      return void (member.armed = happening)
    case 'copy disk':
      chronicle.tell(`the disk of ${member.name} is copied`)
      return void (member.copy = { image: member.disk.image(), block: chronicle.block })
    case 'put disk back': {
      if (member.copy === null) return
      const { image } = member.copy
      return replace(world, member, {
        disk: () => member.disk.restore(image),
        what: 'is put back from a copy',
      })
    }
    case 'lose disk':
      return replace(world, member, {
        disk: () => member.disk.restore({ records: new Map(), files: new Map() }),
        what: 'is lost',
      })
    case 'full disk':
      return void (member.filling = happening)
    case 'endpoint':
      return endpoint(world, member, happening)
  }
}

/** Asks for a probe, and does not wait for what comes of it. */
function probe(world: World, member: Member): void {
  const { relayer } = member
  if (relayer === null) return
  world.chronicle.count('probes asked for in the storm')
  const stop = new AbortController()
  world.later(30, () => stop.abort(new DOMException('given up', 'AbortError')))
  const text = `storm ${world.chronicle.block}`
  relayer.signProbe({ keyId: 0, text }, stop.signal).then(
    () => world.chronicle.count('probes signed in the storm'),
    () => {},
  )
}

/** Another disk; the process comes back in a later window, as the page for operators says. */
async function replace(
  world: World,
  member: Member,
  change: { disk: () => void; what: string },
): Promise<void> {
  const { chronicle, chain } = world
  const { what } = change
  if (member.up) await member.kill()
  change.disk()
  member.lives += 1
  member.wholeFrom = chain.pendingState.lastEpoch + 1
  member.due = chronicle.block + 21
  chronicle.count(`disk ${what}`)
  chronicle.tell(`the disk of ${member.name} ${what}`)
}

function endpoint(
  world: World,
  member: Member,
  { fault, blocks }: Extract<Happening, { kind: 'endpoint' }>,
): void {
  if (!member.up) return
  world.chronicle.count(`endpoints: ${fault}`)
  world.chronicle.tell(`for ${blocks} blocks the endpoints of ${member.name}: ${fault}`)
  if (fault === 'lag') member.view.lag = 4
  else if (fault === 'down' || fault === 'disagree') member.view.fault = fault
  else member.chain.lie = fault
  world.later(blocks, () => world.mend(member))
}
