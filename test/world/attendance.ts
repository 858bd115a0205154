// Which honest members take part in the pending ceremony for certain: they have announced themselves, and nothing has happened since.
import { decodeAnnouncement } from '../../relayer/ceremony/announcement.ts'
import { type Address, equal } from '../../relayer/lib/bytes.ts'
import { decodeStart } from '../../relayer/protocol/spec.ts'
import type { FakeChain } from '../support/fake-chain.ts'
import type { Packet } from '../support/sim-network.ts'
import type { Member } from './member.ts'

/** Records that a member looks at for certain, of one sender in one block; it looks at no more than twice as many. */
const LOOKS = 8

/** What a member has announced last. */
export interface Said {
  readonly relayer: Member['relayer']
  readonly epoch: number
  readonly block: number
  readonly context: Uint8Array
  readonly attempt: number
}

/** The attendance in one world. */
export class Attendance {
  readonly #chain: FakeChain
  readonly #said = new Map<Member, Said>()
  readonly #looks = new Map<string, number>()

  constructor(chain: FakeChain) {
    this.#chain = chain
  }

  /** A packet leaves an honest member. */
  saw({ topic, body }: Packet, sender: Member): void {
    const { pending } = this.#chain.head.state
    if (topic !== 'announce' || pending === null) return
    const { context, attempt } = decodeAnnouncement(body)
    const block = this.#chain.head.ref.number
    this.#said.set(sender, { relayer: sender.relayer, epoch: pending.epoch, block, context, attempt })
  }

  /** Whether a member looks for certain at a start message of the attempt for which it has announced itself, whoever brings it. */
  looksAt(member: Member, from: Address, bytes: Uint8Array): boolean {
    const said = this.current(member)
    const start = decodeStart(bytes)?.start
    if (said === null || start === undefined || this.#looked(`start ${from}`, member) > LOOKS) return false
    return equal(start.context, said.context) && start.attempt === said.attempt
  }

  /** Whether a member that gets this start message or evidence must say what it makes of it. */
  attends(member: Member, { topic, from, body }: Packet): boolean {
    const said = this.current(member)
    const { pending } = this.#chain.head.state
    if (said === null || pending === null) return false
    if (topic === 'evidence') return this.#looked(from, member) <= LOOKS
    const start = topic === 'start' ? decodeStart(body)?.start : undefined
    if (start === undefined || this.#chain.head.ref.number > said.block + pending.windowBlocks) return false
    return !equal(start.context, said.context) || start.attempt === said.attempt
  }

  /** What this very process last announced for the pending epoch, if it sees the chain as it is. */
  current(member: Member): Said | null {
    const said = this.#said.get(member)
    const { pending } = this.#chain.head.state
    if (said === undefined || said.relayer !== member.relayer || said.epoch !== pending?.epoch) return null
    return member.sees && member.chain.told === 0 ? said : null
  }

  /** How many of these a member has looked at in this block, this one counted. */
  #looked(what: string, { address }: Member): number {
    const look = `${this.#chain.head.ref.number} ${what} ${address}`
    const looks = (this.#looks.get(look) ?? 0) + 1
    this.#looks.set(look, looks)
    return looks
  }
}
