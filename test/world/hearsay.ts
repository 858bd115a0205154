// What one honest member keeps as evidence in a ceremony all that are still in it must have some blocks later.
import type { Address } from '../../relayer/lib/bytes.ts'
import { toHex } from '../../relayer/lib/bytes.ts'
import type { FakeChain } from '../support/fake-chain.ts'
import type { Attendance } from './attendance.ts'
import type { Chronicle } from './chronicle.ts'
import type { Court } from './court.ts'
import { culpritsOf, type Line } from './hearing.ts'
import type { Member } from './member.ts'
import type { Weather } from './weather.ts'

/** Blocks in which word goes round where nothing is late. */
const BLOCKS = 2

interface World {
  readonly chronicle: Chronicle
  readonly chain: FakeChain
  readonly members: readonly Member[]
  readonly attendance: Attendance
  readonly weather: Pick<Weather, 'longest'>
}

interface Hearing {
  readonly culprit: Address
  readonly epoch: number
  readonly context: string
  readonly due: number
  /** Nobody need tell it: its finder alone is asked. */
  readonly alone: boolean
  /** Who took part when it was found, and still does, by the process. */
  readonly owing: Map<Member, Member['relayer']>
}

/** The word that goes round in one world. */
export class Hearsay {
  readonly #of: World
  readonly #known = new Set<string>()
  #hearings: Hearing[] = []
  /** A record was larger than a message. */
  #tooLarge = false

  constructor(of: World) {
    this.#of = of
  }

  /** An honest member writes a line to its log. */
  heard(member: Member, line: Line): void {
    if (line.msg.startsWith('evidence is too large')) this.#tooLarge = true
    // At its final block a member may still be in the ceremony before the one that is pending at the head.
    const now = line.epoch === this.#of.chain.head.state.pending?.epoch
    if (line.msg !== 'ceremony halted' || member.corrupt || !now) return
    // Whoever halts for somebody has it in writing.
    for (const culprit of culpritsOf(line)) this.#opens(member, culprit, [member])
  }

  /** The block is over: what is new is due of all that take part, and what was due must be there. */
  settle(court: Court): void {
    const { chronicle, members, weather, chain } = this.#of
    const { block } = chronicle
    const epoch = chain.head.state.pending?.epoch
    for (const { member, proven } of court.news.splice(0))
      for (const culprit of proven.epoch === epoch ? proven.culprits : []) {
        const context = this.#contextOf(member)
        if (proven.context !== null && proven.context !== context) continue
        const name = `${epoch} ${context} ${culprit}`
        if (this.#known.has(name) || weather.longest === null || !member.up) continue
        this.#known.add(name)
        this.#opens(member, culprit, members)
      }
    this.#hearings = this.#hearings.filter((hearing) => {
      if (hearing.epoch !== epoch || this.#tooLarge) return false
      for (const [member, relayer] of hearing.owing) {
        const here = member.relayer === relayer && this.#contextOf(member) === hearing.context
        if (!here || (!hearing.alone && weather.longest === null)) hearing.owing.delete(member)
      }
      if (hearing.due > block) return true
      for (const member of hearing.owing.keys()) this.#asks(court, member, hearing)
      return false
    })
  }

  #opens(finder: Member, culprit: Address, among: readonly Member[]): void {
    const { chronicle, chain, weather } = this.#of
    const context = this.#contextOf(finder)
    const epoch = chain.head.state.pending?.epoch
    if (context === null || epoch === undefined) return
    const present = among.filter((member) => !member.corrupt && this.#contextOf(member) === context)
    const owing = new Map(present.map((member) => [member, member.relayer]))
    const due = chronicle.block + BLOCKS + 2 * (weather.longest ?? 0)
    this.#hearings.push({ culprit, epoch, context, due, alone: among.length === 1, owing })
  }

  #asks(court: Court, member: Member, { culprit, epoch }: Hearing): void {
    if (court.convicts(member, culprit, epoch)) return
    this.#of.chronicle.violated(
      'every cheat gets its verdict',
      `${member.name} takes part in epoch ${epoch}, and keeps no evidence against ${culprit}, of whom others have some`,
    )
  }

  /** The ceremony in which a member takes part for certain. */
  #contextOf(member: Member): string | null {
    const said = this.#of.attendance.current(member)
    return said === null ? null : toHex(said.context)
  }
}
