// Control messages that break the rules, each followed to the honest member that takes it and to what that member makes of it.
import type { Address } from '../../relayer/lib/bytes.ts'
import { toHex } from '../../relayer/lib/bytes.ts'
import { startOfFrame } from '../../relayer/protocol/envelope.ts'
import type { RefusalCode, SignMessage, SigningPackage } from '../../relayer/protocol/signwire.ts'
import type { Packet, SimNetwork } from '../support/sim-network.ts'
import type { Attendance } from './attendance.ts'
import type { Chronicle } from './chronicle.ts'
import type { Line } from './hearing.ts'
import type { Leaving, WireCheat } from './leaving.ts'
import { Ledger } from './ledger.ts'
import type { Member } from './member.ts'
import { packageHashOf } from './packages.ts'
import { mustAnswer } from './signwatch.ts'

/** What must come of a control message at an honest member that takes it; what shows it is listed by whoever makes the cheat. */
export interface Verdict {
  /** The refusal with which a signer answers a package. */
  readonly answer?: RefusalCode
  /** The line of a member's log that gives it. */
  readonly line?: (line: Line, culprit: Address) => boolean
  /** Silence is a violation where the member takes part for certain. */
  readonly loud?: true
  /** A line that shows the message taken for good, which is a violation. */
  readonly taken?: (line: Line, culprit: Address) => boolean
  /** It is a share that does not fit: a leader with all shares must say so. */
  readonly share?: true
  /** Of two packages that exclude each other, the second is refused with this code and no other. */
  readonly exact?: true
  /** A leader goes on without the culprit. */
  readonly passedOver?: true
  /** Nothing shows it to the honest member: a stranger who sees two packages of one session convicts the leader. */
  readonly stranger?: true
  /** Nothing may come of it, and it has arrived when an honest member looks at the start message in it. */
  readonly arrives?: true
  /** The network refuses a stranger. */
  readonly unserved?: true
  /** Blocks that the verdict may take; without it must be given in the block of the message. */
  readonly within?: number
}

/** A message that breaks the rules. */
export interface Charge {
  readonly name: string
  readonly culprit: Address
  readonly verdict: Verdict
  /** Hashes of packages, hex, of which one must be refused. */
  readonly hashes: readonly string[]
}

/** A start message carries its coordinator's signature: it does not matter who brings it. */
export const REFUSED_START: Verdict = { line: ({ msg }) => msg === 'start message refused', loud: true }

interface Open {
  readonly charge: Charge
  readonly member: Member
  readonly until: number
  /** Silence is a violation too, as long as this very process lives. */
  readonly owed: Member['relayer']
  /** Of its packages, those that were signed. */
  readonly signed: Set<string>
}

/** Two packages of one session that went to different signers. */
export interface Pair {
  readonly charge: Charge
  readonly one: Packet
  readonly other: Packet
}

/** All control messages of a world that break the rules. */
export class Charges {
  readonly #chronicle: Chronicle
  readonly #members: readonly Member[]
  readonly #attendance: Attendance
  readonly #ledger: Ledger
  readonly #charged = new WeakMap<Packet, Charge>()
  /** What a changed packet was before the first change. */
  readonly #originals = new WeakMap<Packet, Packet>()
  /** Processes that were sent a packet: the second copy of one is answered by nobody. */
  readonly #seen = new WeakMap<Packet, Set<Member['relayer']>>()
  /** Packages of which a stranger sees two, by the hash of the one that was changed. */
  readonly #pairs = new Map<string, Pair>()
  #open: Open[] = []

  constructor(of: {
    chronicle: Chronicle
    network: SimNetwork
    members: readonly Member[]
    attendance: Attendance
  }) {
    this.#chronicle = of.chronicle
    this.#members = of.members
    this.#attendance = of.attendance
    this.#ledger = new Ledger(of.chronicle)
    of.network.onDelivered = (packet) => this.#delivered(packet)
    of.network.onUnserved = (packet) => this.#unserved(packet)
  }

  /** What a corrupt operator sends in place of a packet: each that differs is followed, or that nothing is sent. */
  leaves(
    { name, verdict: asked, forbidden, change }: WireCheat,
    leaving: Leaving,
  ): readonly Packet[] | 'pass' {
    const { packet } = leaving
    const verdict = asked ?? (forbidden === true ? REFUSED_START : {})
    const packets = change(leaving)
    if (packets === null) return 'pass'
    const hashes = packets.flatMap((each) => packageHashOf(each) ?? [])
    const charge = { name, culprit: packet.from, verdict, hashes }
    const others = packets.filter((each) => each !== packet)
    const before = this.#originals.get(packet)
    for (const each of others) {
      this.#originals.set(each, before ?? packet)
      // A cheat on top of another may undo it, and what is left is honest.
      if (before !== undefined && Buffer.compare(each.body, before.body) === 0 && each.to === before.to)
        continue
      this.sends(each, charge)
      if (verdict.stranger === true)
        this.#pairs.set(packageHashOf(each) ?? '', { charge, one: packet, other: each })
    }
    if (packets.length === 0) this.#withholds(packet, charge)
    return packets
  }

  /** A corrupt member sends this. */
  sends(packet: Packet, charge: Charge): Packet {
    this.#chronicle.count(`tried ${charge.name}`)
    this.#charged.set(packet, charge)
    return packet
  }

  #delivered(packet: Packet): void {
    const charge = this.#charged.get(packet)
    this.#ledger.delivered(packet, charge?.verdict.share === true)
    if (charge?.verdict.arrives === true) {
      if (this.#honest(packet.to) !== null && startOfFrame(packet.body) !== null) this.#reached(charge)
    } else if (charge !== undefined) this.#follow(packet, charge)
  }

  #unserved(packet: Packet): void {
    const charge = this.#charged.get(packet)
    const honest = this.#honest(packet.to)
    if (charge?.verdict.unserved === true && honest !== null) this.#reached(charge)
  }

  /** An honest member writes a line to its log. */
  heard(member: Member, line: Line): void {
    this.#ledger.heard(member, line)
    this.#judge(member, ({ verdict, culprit }) => {
      if (verdict.taken?.(line, culprit) === true) return 'taken'
      return verdict.line?.(line, culprit) === true ? 'given' : null
    })
  }

  /** An honest member answers a leader. */
  answered(member: Member, message: SignMessage): void {
    if (message.type !== 'share' && message.type !== 'refuse' && message.type !== 'need') return
    const hash = toHex(message.hash)
    this.#judge(member, ({ verdict, hashes }, signed) => {
      if (verdict.stranger === true || !hashes.includes(hash)) return null
      if (message.type === 'need') return 'moot'
      if (message.type === 'refuse' && message.code === verdict.answer) return 'given'
      if (message.type === 'refuse' && verdict.answer === undefined) return null
      if (message.type === 'refuse' && verdict.exact !== true) return 'moot'
      // Of two packages that exclude each other, one may be signed.
      signed.add(message.type === 'share' ? hash : 'refused otherwise')
      return signed.size === hashes.length && hashes.some((each) => signed.has(each)) ? 'taken' : null
    })
  }

  /** An honest leader asks these members to sign. */
  packaged(leader: Member, of: { hash: string; signing: SigningPackage; signers: readonly Address[] }): void {
    const { signers } = of
    this.#ledger.led(leader, of.hash, of)
    this.#judge(leader, ({ verdict, culprit }) =>
      verdict.passedOver === true && !signers.includes(culprit) ? 'given' : null,
    )
  }

  /** The package that its leader told others otherwise, if this hash names one. */
  pairOf(hash: string): Pair | null {
    return this.#pairs.get(hash) ?? null
  }

  /** A stranger who saw what left comes to the verdict. */
  judged({ name }: Pick<Charge, 'name'>): void {
    this.#chronicle.count(`reached ${name}`)
  }

  /** The block is over: verdicts that were due must have been given. */
  settle(): void {
    this.#ledger.settle()
    const { block } = this.#chronicle
    for (const { charge, member, until, owed } of this.#open)
      if (until <= block && owed !== null && owed === member.relayer && !member.hampered)
        this.#missing(member, charge, 'says nothing')
    this.#open = this.#open.filter(({ until }) => until > block)
  }

  #withholds(packet: Packet, charge: Charge): void {
    this.#chronicle.count(`tried ${charge.name}`)
    this.#follow(packet, charge)
  }

  #follow(packet: Packet, charge: Charge): void {
    const member = this.#honest(packet.to)
    if (member === null || charge.verdict.unserved === true) return
    const until = this.#chronicle.block + (charge.verdict.within ?? 0)
    const seen = this.#seen.get(packet) ?? new Set()
    const { verdict, hashes } = charge
    const loud = verdict.loud === true || (verdict.answer !== undefined && hashes.length === 1)
    const owed = loud && !seen.has(member.relayer) && this.#owes(member, packet)
    this.#seen.set(packet, seen.add(member.relayer))
    this.#open.push({ charge, member, until, owed: owed ? member.relayer : null, signed: new Set() })
  }

  #judge(
    member: Member,
    verdict: (charge: Charge, signed: Set<string>) => 'given' | 'taken' | 'moot' | null,
  ): void {
    if (this.#open.length === 0) return
    this.#open = this.#open.filter((open) => {
      if (open.member !== member) return true
      const found = verdict(open.charge, open.signed)
      if (found === 'given') this.#reached(open.charge)
      if (found === 'taken') this.#missing(member, open.charge, 'takes it')
      return found === null
    })
  }

  #reached({ name, culprit }: Charge): void {
    this.#chronicle.count(`reached ${name}`)
    this.#chronicle.event(`verdict on ${culprit} for ${name}`)
  }

  #missing(member: Member, { name, verdict }: Charge, how: string): void {
    this.#chronicle.violated(
      'every cheat gets its verdict',
      `${member.name} ${how} where "${name}" asks for ${verdict.answer ?? 'a refusal'}`,
    )
  }

  /** Whether a member must answer this packet, as far as the world can see. */
  #owes(member: Member, packet: Packet): boolean {
    return mustAnswer(member, packet) || this.#attendance.attends(member, packet)
  }

  #honest(address: Address): Member | null {
    const member = this.#members.find((each) => each.address === address)
    return member === undefined || member.corrupt || !member.up || member.hampered ? null : member
  }
}
