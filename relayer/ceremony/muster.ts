// The muster before an attempt: announce, hear who is there, and start it as coordinator or join the coordinator's start.
import { EncodingError } from '../crypto/enc.ts'
import { type Address, equal } from '../lib/bytes.ts'
import { PROTOCOL_VERSION } from '../protocol/channel.ts'
import { indexOf } from '../protocol/party.ts'
import { contextOf, type SignedStart, sessionIdOf, signStart } from '../protocol/spec.ts'
import {
  type Announcement,
  AnnouncementBoard,
  decodeAnnouncement,
  encodeAnnouncement,
} from './announcement.ts'
import { Bell } from './bell.ts'
import { chooseDealers, type Suspicion } from './dealers.ts'
import { Patience } from './patience.ts'
import { type Roster, rosterOf, versionConflict } from './roster.ts'
import { coordinatorOf, type Standing, type StartDesk } from './starts.ts'
import { type CeremonyDeps, type CeremonyTerms, dealingOf, participantsOf, seatsOf } from './terms.ts'
import { NotStartedError, notStarted } from './unstarted.ts'
import type { CeremonyView } from './view.ts'
import { attemptAt, comingUntil, opening, roundDeadline, startDeadline } from './windows.ts'

/** What an old member announces that cannot deal. */
export const NO_SHARE = 'it holds no share that it can deal from'

/** What a muster works on; all of it belongs to one ceremony. */
export interface MusterParts {
  readonly deps: CeremonyDeps
  readonly terms: CeremonyTerms
  readonly desk: StartDesk
  readonly suspicion: Suspicion
  /** Proven culprits: they do not deal. */
  readonly excluded: ReadonlySet<Address>
  readonly view: CeremonyView
  /** Called when a participant shows that it still looks for an attempt. */
  readonly onAnnounced: (from: Address) => void
  /** The highest attempt of this epoch that this node ever joined. */
  readonly lastJoined: number | null
}

/** The musters of one ceremony, one attempt after another. */
export class Muster {
  readonly #parts: MusterParts
  readonly #context: Uint8Array
  readonly #participants: readonly Address[]
  readonly #board: AnnouncementBoard
  readonly #bell = new Bell()
  readonly #patience: Patience
  #lastJoined: number | null
  #announcing: number | null = null
  /** The last announcement, as sent. */
  #said: Uint8Array = new Uint8Array()

  constructor(parts: MusterParts) {
    this.#parts = parts
    this.#context = contextOf(parts.terms.spec)
    this.#patience = new Patience(parts.deps.blocks)
    this.#participants = participantsOf(parts.terms.spec)
    this.#board = new AnnouncementBoard(this.#context, this.#participants)
    this.#lastJoined = parts.lastJoined
  }

  /** Where this node stands now, for start messages. */
  standing(): Standing {
    const { deps, terms } = this.#parts
    return { current: attemptAt(terms, deps.blocks.head()) ?? 0, lastJoined: this.#lastJoined }
  }

  /** Listens to announcements and start messages until the function returned is called. */
  listen(): () => void {
    const { network } = this.#parts.deps
    const stop = [
      network.onTell('announce', (from, body) => this.#heard(from, body)),
      network.onTell('start', (from, body) => this.offer(from, body)),
    ]
    return () => {
      for (const each of stop) each()
    }
  }

  /**
   * A start message that a participant brings, by the topic or in a first-round envelope. Its signature takes a key
   * recovery, so that of each bringer only so many are looked at in a block.
   */
  offer(from: Address, bytes: Uint8Array): void {
    if (!this.#participants.includes(from) || !this.#patience.spend(from)) return
    if (!this.#parts.desk.take(bytes, this.standing())) return
    this.#patience.refund(from)
    this.#bell.ring()
  }

  /**
   * Announces this node for an attempt until it starts. The attempt's marker is durable when this resolves.
   * @returns the start message that was joined; it may be of a neighbouring attempt
   * @throws NotStartedError when time is over, or when members run different versions
   */
  async gather(attempt: number, signal: AbortSignal): Promise<SignedStart> {
    const { deps, terms, desk, view } = this.#parts
    const coordinator = coordinatorOf(terms.spec, this.#context, attempt)
    const leads = coordinator === deps.network.self
    const until = leads ? startDeadline(terms, attempt) : roundDeadline(terms, attempt, 1)
    let announcedAt = -1
    this.#announcing = attempt
    try {
      for (;;) {
        const head = deps.blocks.head()
        // One of a window that is not open yet waits: its coordinator must not spoil the attempt before its own.
        const isOpen = (each: number) => head >= opening(terms, each) && head < roundDeadline(terms, each, 1)
        const offered = desk.joinable(this.standing(), isOpen)
        if (offered !== null) return await this.#join(offered)
        const roster = this.#roster(attempt)
        if (head >= until) throw notStarted(roster, coordinator, this.#board.heard(attempt))
        if (head !== announcedAt) {
          this.#announce(attempt, announcedAt === -1)
          announcedAt = head
          deps.blocks.reached(head + 1, signal).then(
            () => this.#bell.ring(),
            () => {},
          )
        }
        this.#show(view, attempt, this.#roster(attempt))
        const start = leads ? this.#compose(attempt, this.#roster(attempt)) : null
        if (start !== null) return await this.#lead(start)
        await this.#bell.heard(signal)
      }
    } finally {
      this.#announcing = null
      view.coming = []
    }
  }

  /** What participants said for an attempt. */
  heard(attempt: number): ReadonlyMap<Address, Announcement> {
    return this.#board.heard(attempt)
  }

  #heard(from: Address, body: Uint8Array): void {
    const { deps, desk, onAnnounced } = this.#parts
    let said: Announcement
    try {
      said = decodeAnnouncement(body)
    } catch (error) {
      if (error instanceof EncodingError) return
      throw error
    }
    const first = this.#board.post(from, said, this.standing().current)
    if (first === null || from === deps.network.self) return
    const start = desk.of(said.attempt)
    // Whoever announces itself late has not heard of the start, or of us.
    if (start !== null) deps.network.tell(from, 'start', start.bytes)
    else if (first && said.attempt === this.#announcing)
      deps.network.tell(from, 'announce', encodeAnnouncement(this.#own(said.attempt)))
    if (first) onAnnounced(from)
    this.#bell.ring()
  }

  #announce(attempt: number, toAll: boolean): void {
    const { deps, terms } = this.#parts
    const own = this.#own(attempt)
    this.#board.post(deps.network.self, own, attempt)
    const heard = this.#board.heard(attempt)
    const coordinator = coordinatorOf(terms.spec, this.#context, attempt)
    const bytes = encodeAnnouncement(own)
    // An operator that changes its mind within a window is heard by all.
    const all = toAll || !equal(bytes, this.#said)
    this.#said = bytes
    for (const member of this.#participants) {
      if (member === deps.network.self) continue
      if (all || member === coordinator || !heard.has(member)) deps.network.tell(member, 'announce', bytes)
    }
  }

  #own(attempt: number): Announcement {
    const { deps, terms } = this.#parts
    const { spec, held } = terms
    const seated = spec.old !== null && indexOf(spec.old, deps.network.self) !== null
    const veto = terms.veto?.(spec) ?? null
    const heldBack = seated ? (terms.mayDeal?.(spec) ?? '') : ''
    const holds = spec.held.every((key) => held.some(({ keyId }) => keyId === key.keyId))
    const refusal = veto ?? (seated && !holds ? NO_SHARE : heldBack)
    return {
      context: this.#context,
      attempt,
      protocolVersion: deps.protocolVersion ?? PROTOCOL_VERSION,
      softwareVersion: deps.softwareVersion,
      deals: seated && refusal === '',
      vetoes: veto !== null,
      refusal,
    }
  }

  #roster(attempt: number): Roster {
    const { terms, excluded } = this.#parts
    const coming = new Set(this.#coming(attempt))
    const roster = rosterOf(terms.spec, this.#board.heard(attempt), { excluded, coming })
    const elsewhere = roster.missingMembers.filter((member) => this.#board.elsewhere.has(member))
    if (elsewhere.length === 0) return roster
    const doubt = 'announce another change than this node reads on chain: compare RPC endpoints'
    return { ...roster, missing: `${roster.missing}; ${elsewhere.join(', ')} ${doubt}` }
  }

  /** Who is connected, said nothing yet, not even of another change, and has time to. */
  #coming(attempt: number): Address[] {
    const { deps, terms } = this.#parts
    if (deps.blocks.head() >= comingUntil(terms, attempt)) return []
    const heard = this.#board.heard(attempt)
    return this.#participants.filter(
      (member) => !heard.has(member) && !this.#board.elsewhere.has(member) && deps.network.connected(member),
    )
  }

  /** The start message, if this is the time for it: everybody needed is there, and no better dealer is on its way. */
  #compose(attempt: number, roster: Roster): SignedStart | null {
    const { deps, terms, suspicion } = this.#parts
    const { spec } = terms
    if (!roster.complete || this.#coming(attempt).length > 0) return null
    const choice = { context: this.#context, attempt, willing: roster.willing, suspicion }
    const dealers = spec.old === null ? [] : chooseDealers({ old: spec.old, next: spec.next }, choice)
    if (dealers === null) return null
    return signStart(deps.signer, { context: this.#context, attempt, dealers, startNonce: deps.rng(32) })
  }

  /** The marker first: a coordinator that restarts must not sign a second start message for the same attempt. */
  async #lead(signed: SignedStart): Promise<SignedStart> {
    const { deps, desk } = this.#parts
    await this.#join(signed)
    desk.take(signed.bytes, this.standing())
    for (const member of this.#participants)
      if (member !== deps.network.self) deps.network.tell(member, 'start', signed.bytes)
    return signed
  }

  async #join(signed: SignedStart): Promise<SignedStart> {
    const { deps, terms, view } = this.#parts
    const { attempt, dealers } = signed.start
    const dealing = dealingOf(terms.spec, dealers)
    const seats = seatsOf(terms.spec, dealers)
    this.#lastJoined = Math.max(this.#lastJoined ?? -1, attempt)
    const own = this.#own(attempt)
    // Whoever coordinates, it does not decide whether this node deals.
    if (own.vetoes) throw new NotStartedError(`this node takes no part: ${own.refusal}`, [])
    if (dealing.includes(deps.network.self) && !own.deals)
      throw new NotStartedError(`this node was named to deal, and refuses: ${own.refusal}`, [])
    // Its coordinator heard what all of them run. What another one tells this node alone must not make this node look silent.
    const speaker = [coordinatorOf(terms.spec, this.#context, attempt)]
    const conflict = versionConflict(speaker, this.heard(attempt), deps.protocolVersion ?? PROTOCOL_VERSION)
    if (conflict !== null) throw new NotStartedError(conflict, seats)
    // Who has no seat sends nothing in this attempt, so there is nothing to mark.
    const seated = seats.includes(deps.network.self)
    if (seated && !(await deps.store.markAttempt(terms.spec.next.epoch, attempt, sessionIdOf(signed.start))))
      throw new NotStartedError(`this node joined attempt ${attempt} before (E_SID_REUSE)`, [])
    view.attempt = attempt
    view.coordinator = coordinatorOf(terms.spec, this.#context, attempt)
    view.dealers = dealing
    view.waitingFor = null
    return signed
  }

  #show(view: CeremonyView, attempt: number, roster: Roster): void {
    const coordinator = coordinatorOf(this.#parts.terms.spec, this.#context, attempt)
    view.stage = 'announcing'
    view.attempt = attempt
    view.coordinator = coordinator
    view.dealers = []
    view.ready = []
    view.coming = this.#coming(attempt)
    view.announced = [...this.#board.heard(attempt)].map(([address, said]) => ({
      address,
      protocolVersion: said.protocolVersion,
      softwareVersion: said.softwareVersion,
      deals: said.deals,
      vetoes: said.vetoes,
      refusal: said.refusal,
    }))
    if (roster.complete)
      view.waitingFor = { what: 'the start message of the coordinator', members: [coordinator] }
    else if (roster.missing === '') view.waitingFor = null
    else view.waitingFor = { what: roster.missing, members: roster.missingMembers }
  }
}
