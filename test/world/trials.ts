// Who cheated how in which session, and what every honest party made of it: a missing verdict is a violation.
import { createHash } from 'node:crypto'
import type { Address } from '../../relayer/lib/bytes.ts'
import { messageOf } from '../../relayer/lib/errors.ts'
import { type DropCode, FaultError, ProtocolError } from '../../relayer/protocol/faults.ts'
import type { Drops } from './arrivals.ts'
import type { Sent } from './cheats.ts'
import type { Chronicle } from './chronicle.ts'
import { type Cheating, judge } from './judge.ts'
import type { Member } from './member.ts'

/** All sessions of a world. */
export class Trials {
  readonly #chronicle: Chronicle
  readonly #innocent: (address: Address) => boolean
  readonly #onConviction: () => void
  readonly #sessions = new Map<string, Cheating[]>()
  /** Frames that must be dropped, by session, receiver and digest. */
  readonly #marked = new Map<string, Cheating>()

  /** Start messages that honest parties must refuse. */
  readonly #forbidden = new Set<string>()

  /** @param onConviction called whenever an honest party convicts somebody */
  constructor(
    chronicle: Chronicle,
    of: { innocent: (address: Address) => boolean; onConviction: () => void },
  ) {
    this.#chronicle = chronicle
    this.#innocent = of.innocent
    this.#onConviction = of.onConviction
  }

  /**
   * A corrupt party has just cheated.
   * @param sent a frame that must be dropped by its receiver
   */
  cheated(session: string, cheating: Cheating, sent?: Sent): void {
    if (sent !== undefined) this.#marked.set(nameOf(`${session} ${sent.to}`, sent.frame), cheating)
    const known = this.#of(session)
    if (known.some(({ name, culprit }) => name === cheating.name && culprit === cheating.culprit)) return
    this.#sessions.set(session, [...known, cheating])
    this.#chronicle.count(`tried ${cheating.name}`)
    this.#chronicle.event(`cheat ${cheating.culprit} ${cheating.name} in ${session.slice(0, 8)}`)
  }

  /** Nobody honest may join this start message. */
  forbid(start: Uint8Array): void {
    this.#forbidden.add(nameOf('start', start))
  }

  /** An honest party joins an attempt. */
  joined(member: Member, start: Uint8Array): void {
    if (this.#forbidden.has(nameOf('start', start)))
      this.#missing(`${member.name} joins a start message that asks for E_AUTH`)
  }

  /** An honest party has looked at a frame: one that must be dropped is, for one of its reasons. */
  looked(member: Member, session: string, at: { frame: Uint8Array; before: Drops; after: Drops }): void {
    const cheating = this.#marked.get(nameOf(`${session} ${member.address}`, at.frame))
    if (cheating === undefined) return
    const codes = Object.keys(at.after) as DropCode[] // CAST: the keys of the record
    const code = codes.find((each) => at.after[each] > at.before[each])
    const { name, expected } = cheating
    if (code !== undefined && expected.verdict === 'drop' && expected.codes.includes(code))
      this.#reached(name)
    else
      this.#missing(
        `${member.name} ${code === undefined ? 'takes' : `drops for ${code}`} a message of "${name}", which asks for ${expected.codes.join(' or ')}`,
      )
  }

  /** An honest party ended a stage of a session well. */
  passed(member: Member, session: string, stage: 'prepare' | 'confirm'): void {
    for (const { name, expected, victims } of this.#of(session)) {
      const aimed = victims === null || victims.includes(member.address)
      if (expected.verdict === 'harmless' && aimed) this.#reached(name)
      if (expected.verdict === 'drop' || expected.verdict === 'harmless') continue
      // Nobody gets a certificate where somebody cheated; and whoever must notice before does not prepare.
      if (stage === 'prepare' && (expected.stage === 'confirm' || !aimed)) continue
      if (expected.onlyVictims === true && !aimed) continue
      // What comes too late is in time for one whose endpoints are down: its clock is the chain.
      if (expected.codes.includes('E_TIMEOUT') && !member.sees) continue
      this.#missing(
        `${member.name} ${stage === 'prepare' ? 'prepares' : 'confirms'} although "${name}" asks for ${expected.codes.join(' or ')}`,
      )
    }
  }

  /** An honest party gave a session up. */
  failed(member: Member, session: string, error: unknown): void {
    this.#chronicle.event(`ends ${member.position} ${session.slice(0, 8)} ${messageOf(error)}`)
    if (!byTheRules(error))
      this.#chronicle.violated(
        'an honest party ends a session by the rules',
        `${member.name} ends with ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`,
      )
    if (error instanceof FaultError) this.#convicted(member, error)
    if (!(error instanceof ProtocolError)) return
    const { reached, complaint } = judge(error, this.#of(session))
    for (const name of reached) this.#reached(name)
    if (complaint !== null) this.#missing(`${member.name} ${complaint}`)
  }

  /**
   * It gave up for somebody's silence or words, and no cheat explains that: what it says was missing had come, or all that
   * it had to check, so that it had to end well or to convict.
   */
  gaveUp(
    member: Member,
    session: string,
    { belied, error }: { belied: string | null; error: unknown },
  ): void {
    if (belied === null) return
    const owed = this.#of(session).filter(({ expected }) => expected.verdict === 'fault')
    const what = owed.map(({ name, expected }) => `"${name}" asks for ${expected.codes.join(' or ')}`)
    const why = what.length === 0 ? '' : `, and ${what.join(', ')}`
    this.#missing(`${member.name} ends with "${messageOf(error)}", but ${belied}${why}`)
  }

  #convicted(member: Member, { code, culprits }: FaultError): void {
    const named = [...new Set(culprits.map(({ address }) => address))]
    this.#chronicle.count(`verdict ${code}`)
    this.#chronicle.tell(
      `${member.name} convicts ${named.map((address) => address.slice(0, 8)).join(', ')} of ${code}`,
    )
    if (named.some((address) => this.#innocent(address)))
      this.#chronicle.violated(
        'an honest party is never named culprit',
        `${member.name} convicts ${named.join(', ')} of ${code}`,
      )
    this.#onConviction()
  }

  #missing(what: string): void {
    this.#chronicle.violated('every cheat gets its verdict', what)
  }

  #of(session: string): readonly Cheating[] {
    return this.#sessions.get(session) ?? []
  }

  #reached(name: string): void {
    this.#chronicle.count(`reached ${name}`)
  }
}

/** An error that a protocol may end with. */
function byTheRules(error: unknown): boolean {
  if (error instanceof ProtocolError) return true
  return error instanceof DOMException && error.name === 'AbortError'
}

function nameOf(place: string, bytes: Uint8Array): string {
  return `${place} ${createHash('sha1').update(bytes).digest('base64')}`
}
