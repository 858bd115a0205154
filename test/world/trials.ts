// Who cheated how in which session, and what every honest party made of it: a missing verdict is a violation.
import type { Address } from '../../relayer/lib/bytes.ts'
import { messageOf } from '../../relayer/lib/errors.ts'
import {
  AbortedError,
  type DropCode,
  DisputeError,
  FaultError,
  ProtocolError,
  SilenceError,
} from '../../relayer/protocol/faults.ts'
import type { Chronicle } from './chronicle.ts'
import type { Member } from './member.ts'

/** What must come of a cheat at an honest party that it reaches. */
export interface Expected {
  /**
   * fault: its sender is convicted. suspect: it is named, by no proof. drop: the message is dropped and nothing else
   * happens. harmless: nothing may come of it.
   */
  readonly verdict: 'fault' | 'suspect' | 'drop' | 'harmless'
  /** The codes of which one must be given. */
  readonly codes: readonly string[]
  /** Where an honest party must notice: as it prepares, or as it confirms. */
  readonly stage: 'prepare' | 'confirm'
  /** Only those at whom it is aimed must notice; others may end well. */
  readonly onlyVictims?: boolean
}

/** A cheat that was carried out in a session. */
export interface Cheating {
  readonly name: string
  readonly culprit: Address
  readonly expected: Expected
  /** Whom it was aimed at; null for everybody. */
  readonly victims: readonly Address[] | null
}

/** All sessions of a world. */
export class Trials {
  readonly #chronicle: Chronicle
  readonly #innocent: (address: Address) => boolean
  readonly #onConviction: () => void
  readonly #sessions = new Map<string, Cheating[]>()

  /** @param onConviction called whenever an honest party convicts somebody */
  constructor(
    chronicle: Chronicle,
    of: { innocent: (address: Address) => boolean; onConviction: () => void },
  ) {
    this.#chronicle = chronicle
    this.#innocent = of.innocent
    this.#onConviction = of.onConviction
  }

  /** A corrupt party has just cheated. */
  cheated(session: string, cheating: Cheating): void {
    const known = this.#sessions.get(session) ?? []
    if (known.some(({ name, culprit }) => name === cheating.name && culprit === cheating.culprit)) return
    this.#sessions.set(session, [...known, cheating])
    this.#chronicle.count(`tried ${cheating.name}`)
    this.#chronicle.event(`cheat ${cheating.culprit} ${cheating.name} in ${session.slice(0, 8)}`)
  }

  /** Frames were dropped by an honest party. */
  dropped(session: string, drops: Readonly<Record<DropCode, number>>): void {
    for (const { name, expected } of this.#of(session)) {
      if (expected.verdict !== 'drop') continue
      if (expected.codes.some((code) => drops[code as DropCode] > 0)) this.#reached(name) // CAST: codes of drops
    }
  }

  /** An honest party ended a stage of a session well. */
  passed(member: Member, session: string, stage: 'prepare' | 'confirm'): void {
    for (const cheating of this.#of(session)) {
      const { name, expected, victims } = cheating
      if (expected.verdict === 'harmless') this.#reached(name)
      if (expected.verdict === 'drop' || expected.verdict === 'harmless') continue
      // Nobody gets a certificate where somebody cheated; and whoever must notice before does not prepare.
      const aimed = victims === null || victims.includes(member.address)
      if (stage === 'prepare' && (expected.stage === 'confirm' || !aimed)) continue
      if (expected.onlyVictims === true && !aimed) continue
      this.#chronicle.violated(
        'every cheat gets its verdict',
        `${member.name} ${stage === 'prepare' ? 'prepares' : 'confirms'} although "${name}" asks for ${expected.codes.join(' or ')}`,
      )
    }
  }

  /** An honest party gave a session up. */
  failed(member: Member, session: string, error: unknown): void {
    const cheats = this.#of(session)
    this.#chronicle.event(`ends ${member.position} ${session.slice(0, 8)} ${messageOf(error)}`)
    if (!byTheRules(error))
      this.#chronicle.violated(
        'an honest party ends a session by the rules',
        `${member.name} ends with ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`,
      )
    if (error instanceof FaultError) {
      const named = error.culprits.map(({ address }) => address)
      this.#chronicle.count(`verdict ${error.code}`)
      this.#chronicle.tell(
        `${member.name} convicts ${error.culprits.map(({ address }) => address.slice(0, 8)).join(', ')} of ${error.code}`,
      )
      if (named.some((address) => this.#innocent(address)))
        this.#chronicle.violated(
          'an honest party is never named culprit',
          `${member.name} convicts ${named.join(', ')} of ${error.code}`,
        )
      for (const { name, culprit, expected } of cheats)
        if (named.includes(culprit) && expected.codes.includes(error.code)) this.#reached(name)
      this.#wrongCode(member, cheats, error.code)
      this.#onConviction()
    }
    if (error instanceof AbortedError)
      for (const { name, culprit, expected } of cheats)
        if (isOpen(expected) && expected.codes.includes(error.code) && error.by.address === culprit)
          this.#reached(name)
    if (error instanceof DisputeError || error instanceof SilenceError) {
      const suspects = error.suspects.map(({ address }) => address)
      const named = (culprit: Address) => suspects.includes(culprit) || suspects.length === 0
      for (const { name, culprit, expected } of cheats)
        if (isOpen(expected) && expected.codes.includes(error.code) && named(culprit)) this.#reached(name)
      const [only] = cheats
      const provable = cheats.length === 1 && only !== undefined && !isOpen(only.expected)
      if (provable && only.expected.verdict === 'fault' && isVerdict(error))
        this.#chronicle.violated(
          'every cheat gets its verdict',
          `${member.name} says "${error.message}" and names no culprit of "${only.name}"`,
        )
    }
  }

  #of(session: string): readonly Cheating[] {
    return this.#sessions.get(session) ?? []
  }

  #reached(name: string): void {
    this.#chronicle.count(`reached ${name}`)
  }

  #wrongCode(member: Member, cheats: readonly Cheating[], code: string): void {
    if (cheats.some(({ expected }) => expected.codes.includes(code))) return
    this.#chronicle.violated(
      'every cheat gets its verdict',
      `${member.name} says ${code}, and what was tried is ${cheats.map(({ name, expected }) => `"${name}" (${expected.codes.join(' or ')})`).join(', ') || 'nothing'}`,
    )
  }
}

/** An error that a protocol may end with. */
function byTheRules(error: unknown): boolean {
  if (error instanceof ProtocolError) return true
  return error instanceof DOMException && error.name === 'AbortError'
}

/** Whether it may end without a proof: a suspicion, or two bodies that need not meet in time. */
function isOpen({ verdict, codes }: Expected): boolean {
  return verdict === 'suspect' || codes.includes('E_EQUIV')
}

/** Whether this node has come to the end of its checks, rather than waited in vain or been stopped. */
function isVerdict(error: DisputeError | SilenceError): boolean {
  return error instanceof DisputeError && !/: closed$/.test(error.message)
}
