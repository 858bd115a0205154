// Messages that break a rule only together: who has got all of them, and looks at them for certain, must say what they prove.
import { recover } from '../../relayer/crypto/identity.ts'
import { startOfFrame } from '../../relayer/protocol/envelope.ts'
import { decodeStart, startDigest } from '../../relayer/protocol/spec.ts'
import { type Address, toHex } from '../../relayer/lib/bytes.ts'
import type { Packet } from '../support/sim-network.ts'
import type { Attendance } from './attendance.ts'
import type { Charge } from './verdict.ts'
import type { Member } from './member.ts'
import { mustAnswer } from './signwatch.ts'

interface Group {
  readonly charge: Charge
  /** Of each process, the parts that came to it. */
  readonly came: WeakMap<object, Set<string>>
}

/** The groups of one world. */
export class Together {
  readonly #attendance: Attendance
  readonly #packets = new WeakMap<Packet, { readonly group: Group; readonly part: string }>()
  /** By the start message. */
  readonly #starts = new Map<string, Group>()
  /** By coordinator, ceremony and attempt. */
  readonly #attempts = new Map<string, Group>()

  constructor(attendance: Attendance) {
    this.#attendance = attendance
  }

  /** One operator sends both, of which no two may come to an honest member without a word. */
  left(packets: readonly [Packet, Packet], charge: Charge): void {
    if (packets[0].topic === 'start') {
      if (this.#isBy(packets[0], charge.culprit)) for (const packet of packets) this.#started(packet, charge)
      return
    }
    const group: Group = { charge, came: new WeakMap() }
    packets.forEach((packet, at) => this.#packets.set(packet, { group, part: String(at) }))
  }

  /** A packet comes to an honest member; the charge of which it has two parts from now on, or null. */
  came(packet: Packet, member: Member): Charge | null {
    const { group, part } = this.#partIn(packet, member) ?? {}
    const { relayer } = member
    if (group === undefined || part === undefined || relayer === null) return null
    const came = group.came.get(relayer) ?? new Set()
    const before = came.size
    group.came.set(relayer, came.add(part))
    return before === 1 && came.size === 2 ? group.charge : null
  }

  /** Whoever hands on another's start message, changed, signs it in vain: it is not the coordinator. */
  #isBy({ body }: Packet, address: Address): boolean {
    const signed = decodeStart(body)
    return signed !== null && recover(startDigest(signed.start), signed.signature) === address
  }

  #started(packet: Packet, charge: Charge): void {
    const start = decodeStart(packet.body)?.start
    if (start === undefined) return
    const { context, attempt } = start
    const name = `${charge.culprit} ${toHex(context)} ${attempt}`
    const group = this.#attempts.get(name) ?? { charge, came: new WeakMap() }
    this.#attempts.set(name, group)
    this.#starts.set(toHex(packet.body), group)
  }

  /** What of a group a packet brings, if its receiver looks at it for certain. */
  #partIn(packet: Packet, member: Member): { group: Group; part: string } | null {
    const known = this.#packets.get(packet)
    if (known !== undefined) return mustAnswer(member, packet) ? known : null
    const start = packet.topic === 'start' ? packet.body : packet.topic === null && startOfFrame(packet.body)
    if (!start) return null
    const looks = this.#attendance.looksAt(member, packet.from, start)
    const group = this.#starts.get(toHex(start))
    return looks && group !== undefined ? { group, part: toHex(start) } : null
  }
}
