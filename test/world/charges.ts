// Control messages that break the rules, each followed to the honest member that takes it and to what that member makes of it.
import type { Address } from '../../relayer/lib/bytes.ts'
import { toHex } from '../../relayer/lib/bytes.ts'
import { MOST_RECORDS } from '../../relayer/ceremony/evidence.ts'
import { startOfFrame } from '../../relayer/protocol/envelope.ts'
import type { SignMessage, SigningPackage } from '../../relayer/protocol/signwire.ts'
import type { Packet, SimNetwork } from '../support/sim-network.ts'
import type { Attendance } from './attendance.ts'
import type { Chronicle } from './chronicle.ts'
import { culpritsOf, type Line } from './hearing.ts'
import type { Leaving, WireCheat } from './leaving.ts'
import { Ledger } from './ledger.ts'
import type { Member } from './member.ts'
import { packageHashOf } from './packages.ts'
import { mustAnswer } from './signwatch.ts'
import { Together } from './together.ts'
import { type Charge, REFUSED_START } from './verdict.ts'

interface Open {
  readonly charge: Charge
  readonly member: Member
  readonly until: number
  /** Silence is a violation too, as long as this very process lives. */
  readonly owed: Member['relayer']
  /** Of its packages, those that were signed. */
  readonly signed: Set<string>
  /** How often its culprit had been convicted before. */
  readonly before: number
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
  /** Changed more than once: these may be none that their receiver would look at. */
  readonly #layered = new WeakSet<Packet>()
  /** Processes that were sent a packet: the second copy of one is answered by nobody. */
  readonly #seen = new WeakMap<Packet, Set<Member['relayer']>>()
  /** Packages of which a stranger sees two, by the hash of the one that was changed. */
  readonly #pairs = new Map<string, Pair>()
  readonly #together: Together
  /** Convictions in signing, by process, code and culprit; those of any code under an empty one. */
  readonly #convictions = new WeakMap<object, Map<string, number>>()
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
    this.#together = new Together(of.attendance)
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
      if (before !== undefined) this.#layered.add(each)
      this.sends(each, charge)
      if (verdict.stranger === true)
        this.#pairs.set(packageHashOf(each) ?? '', { charge, one: packet, other: each })
    }
    const [other] = others
    if (verdict.pair === true && other !== undefined && before === undefined)
      this.#together.left([packet, other], charge)
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
    const honest = this.#honest(packet.to)
    const pair = honest && this.#together.came(packet, honest)
    if (honest && pair) this.#proven(honest, pair)
  }

  /** Both messages of a pair have come to a member that looks at them. */
  #proven(member: Member, charge: Charge): void {
    const before = this.#convicted(member, charge.culprit)
    const known = this.#convicted(member, charge.culprit, 'E_EQUIV') > 0
    // Of two nonces under one counter a node says it once; and somebody's deeds beyond so many are of no interest.
    const owed = before < MOST_RECORDS && (charge.hashes.length > 0 || !known) ? member.relayer : null
    this.#open.push({ charge, member, until: this.#chronicle.block, owed, signed: new Set(), before })
  }

  #unserved(packet: Packet): void {
    const charge = this.#charged.get(packet)
    const honest = this.#honest(packet.to)
    if (charge?.verdict.unserved === true && honest !== null) this.#reached(charge)
  }

  /** An honest member writes a line to its log. */
  heard(member: Member, line: Line): void {
    this.#ledger.heard(member, line)
    this.#count(member, line)
    this.#judge(member, ({ verdict, culprit }) => {
      if (verdict.taken?.(line, culprit) === true) return 'taken'
      return verdict.line?.(line, culprit) === true ? 'given' : null
    })
  }

  /** An honest member answers a leader. */
  answered(member: Member, message: SignMessage): void {
    if (message.type !== 'share' && message.type !== 'refuse' && message.type !== 'need') return
    const hash = toHex(message.hash)
    this.#judge(member, ({ verdict, hashes, culprit }, { signed, before }) => {
      if (verdict.stranger === true || !hashes.includes(hash)) return null
      if (message.type === 'need') return 'moot'
      if (message.type === 'refuse' && message.code === verdict.answer) {
        const now = this.#convicted(member, culprit)
        return verdict.convicts === undefined || now > before || now >= MOST_RECORDS ? 'given' : 'unproven'
      }
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
    const owed = loud && !seen.has(member.relayer) && !this.#layered.has(packet) && this.#owes(member, packet)
    this.#seen.set(packet, seen.add(member.relayer))
    const before = this.#convicted(member, charge.culprit)
    this.#open.push({ charge, member, until, owed: owed ? member.relayer : null, signed: new Set(), before })
  }

  #judge(
    member: Member,
    verdict: (charge: Charge, open: Open) => 'given' | 'taken' | 'unproven' | 'moot' | null,
  ): void {
    if (this.#open.length === 0) return
    this.#open = this.#open.filter((open) => {
      if (open.member !== member) return true
      const found = verdict(open.charge, open)
      if (found === 'given') this.#reached(open.charge)
      if (found === 'taken') this.#missing(member, open.charge, 'takes it')
      if (found === 'unproven') this.#missing(member, open.charge, 'convicts nobody')
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

  #count({ relayer }: Member, line: Line): void {
    if (relayer === null || line.msg !== 'fault in signing') return
    const counts = this.#convictions.get(relayer) ?? new Map<string, number>()
    this.#convictions.set(relayer, counts)
    for (const address of culpritsOf(line))
      for (const name of [` ${address}`, `${line.code} ${address}`])
        counts.set(name, (counts.get(name) ?? 0) + 1)
  }

  /** How often this process has convicted somebody in signing. */
  #convicted({ relayer }: Member, culprit: Address, code = ''): number {
    return (relayer && this.#convictions.get(relayer)?.get(`${code} ${culprit}`)) ?? 0
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
