// One attempt as one node runs it: it signs and sends, gathers each round, and turns what went wrong into blame for all.
import type { Signer } from '../crypto/identity.ts'
import type { Rng } from '../crypto/rng.ts'
import type { Address } from '../lib/bytes.ts'
import { isEarly, verdictOf, wordsOf } from './accusation.ts'
import { addressesOf, type Attempt, attemptOf, partyAt } from './attempt.ts'
import type { Channel } from './channel.ts'
import { encodeFrame, type SignedEnvelope, seal } from './envelope.ts'
import { encodeEvidence } from './evidence.ts'
import {
  AbortedError,
  DisputeError,
  type DropCode,
  FaultError,
  RefusalError,
  SilenceError,
} from './faults.ts'
import { Inbox } from './inbox.ts'
import { ABORT, encodeAbort, NOTICE, ROUND } from './messages.ts'
import type { Party, Role, Seat } from './party.ts'
import { encodeProof, type Proof } from './proof.ts'
import type { CeremonySpec, SignedStart } from './spec.ts'
import { DISPUTE, Views } from './views.ts'
import { Waits } from './waits.ts'

/** What a session is opened with. */
export interface SessionParts {
  readonly spec: CeremonySpec
  /** Verified by the caller (`startFault`). */
  readonly start: SignedStart
  readonly signer: Signer
  /** The session's channel, opened for `addressesOf(attemptOf(spec, start.start))`. */
  readonly channel: Channel
  readonly rng: Rng
  /** Aborts when the time of round 1, 2 or 3 is over, or (4) that of finding out whose messages differ. */
  readonly deadline: (round: number) => AbortSignal
}

/**
 * Opens a session; from now on it listens. The attempt's marker must be durable before.
 * @throws RefusalError E_AUTH if spec and start message break a rule, or this node has no seat
 */
export function openSession(parts: SessionParts): Session {
  const attempt = attemptOf(parts.spec, parts.start.start)
  if (!addressesOf(attempt).includes(parts.signer.address))
    throw new RefusalError('E_AUTH', 'open session: this node takes no part in the attempt')
  return new Session(attempt, parts)
}

/** See `openSession`. */
export class Session {
  readonly attempt: Attempt
  readonly self: Address
  readonly rng: Rng
  /** This node's seats: old if it deals, new if it is of the new committee. */
  readonly seats: readonly Party[]
  readonly #parts: SessionParts
  readonly #inbox: Inbox
  readonly #waits = new Waits()
  readonly #views: Views
  readonly #gaveUp = new Set<Address>()
  #failure: Error | null = null
  /** Aborts whose proof names messages that are not here yet. */
  readonly #open = new Map<SignedEnvelope, Party>()
  /** One of these, or an abort over somebody's silence before its time was over here: the suspects may still speak. */
  #rash: AbortedError | null = null
  /** Words of somebody who owes nothing here any more, by who passed them on: what that one gave up for. */
  readonly #passedOn = new Map<Address, AbortedError>()
  #disputing = false
  #announced = false

  constructor(attempt: Attempt, parts: SessionParts) {
    this.attempt = attempt
    this.self = parts.signer.address
    this.rng = parts.rng
    this.seats = attempt.parties.filter((party) => party.address === this.self)
    this.#parts = parts
    this.#inbox = new Inbox(attempt, this.seats)
    const [seat] = this.seats
    this.#views = new Views(attempt, {
      inbox: this.#inbox,
      self: this.self,
      wire: {
        say: (round, body) => seat && this.sendToAll(seat, round, body),
        pass: (to, envelope) => parts.channel.send(to, encodeFrame(envelope)),
      },
    })
    parts.channel.onFrame((carrier, frame) => this.#receive(carrier, frame))
  }

  /** Frames dropped so far, by reason. */
  get drops(): Readonly<Record<DropCode, number>> {
    return this.#inbox.drops
  }

  /** This node's party of a role, or null. */
  seat(role: Role): Party | null {
    return this.seats.find((seat) => seat.role === role) ?? null
  }

  /** Sends a signed body to all parties, this node included. */
  sendToAll(from: Party, round: number, body: Uint8Array): void {
    const envelope = this.#seal({ from, to: null, round, body })
    const frame = this.#frame(envelope)
    for (const address of this.#others()) this.#parts.channel.send(address, frame)
    this.#inbox.put(envelope)
  }

  /** Sends a signed body to one party, which may be this node. */
  send(from: Party, to: Party, message: { round: number; body: Uint8Array }): void {
    const envelope = this.#seal({ from, to, ...message })
    if (to.address === this.self) this.#inbox.put(envelope)
    else this.#parts.channel.send(to.address, this.#frame(envelope))
  }

  /**
   * The messages to all of these senders, in their order.
   * @throws SilenceError when the round's time is over; whatever made the attempt fail
   */
  gather(round: number, from: readonly Party[]): Promise<SignedEnvelope[]> {
    return this.#collect(round, from, null)
  }

  /** The messages of these senders to one seat of this node, in their order. @throws as `gather` */
  gatherPrivate(round: number, to: Party, from: readonly Party[]): Promise<SignedEnvelope[]> {
    return this.#collect(round, from, to)
  }

  /** An error that convicts the senders of these envelopes, with its evidence. */
  fault(proof: Proof, culprits: readonly Party[]): FaultError {
    const evidence = encodeEvidence(this.attempt, encodeProof(proof))
    return new FaultError(proof.code, {
      culprits,
      evidence,
      message: `run attempt ${this.attempt.start.attempt}`,
    })
  }

  /** Runs the steps of a protocol; if they fail, says so to the others, with the evidence if there is any. */
  async run<T>(steps: () => Promise<T>): Promise<T> {
    try {
      return await steps()
    } catch (error) {
      this.#announce(error)
      throw error
    }
  }

  /** Passes a signed message to all on to everybody. */
  passOn(round: number, from: Party): void {
    const envelope = this.#inbox.at(round, from, null)
    if (envelope !== undefined) this.#relay(envelope)
  }

  /**
   * Shows this node's view of a round, and waits until everybody has shown its own and they agree, or time is over.
   * @throws FaultError E_EQUIV when two signed bodies of one place meet
   */
  async compareViews(round: number): Promise<void> {
    this.#disputing = true
    this.#views.show(round)
    const missing = () =>
      this.#others().filter((address) => !this.#gaveUp.has(address) && !this.#views.agrees(round, address))
    try {
      await this.#wait(DISPUTE, () =>
        this.attempt.parties.filter((party) => missing().includes(party.address)),
      )
    } catch (error) {
      if (!(error instanceof SilenceError)) throw error
    }
  }

  /** Stops listening. Idempotent. */
  close(): void {
    this.#fail(new DisputeError('E_STATE', { suspects: [], message: 'run session: closed' }))
    this.#announced = true
    this.#parts.channel.close()
  }

  async #collect(round: number, from: readonly Party[], to: Party | null): Promise<SignedEnvelope[]> {
    await this.#wait(round, () => from.filter((party) => this.#inbox.at(round, party, to) === undefined))
    return from.flatMap((party) => this.#inbox.at(round, party, to) ?? [])
  }

  #wait(round: number, missing: () => readonly Party[]): Promise<void> {
    if (this.#failure !== null) return Promise.reject(this.#failure)
    return this.#waits.until({ round, missing }, this.#parts.deadline(round), () =>
      this.#late(round, missing()),
    )
  }

  /**
   * The end of a round's time. Who passed another's abort on is not silent: it gave up for that one's sake, who told the rest
   * all that they need and may be known to nobody else.
   */
  #late(round: number, missing: readonly Party[]): Error {
    // When views are compared, who shows none of its own ends nothing.
    const silent = round === DISPUTE ? missing : missing.filter(({ address }) => !this.#passedOn.has(address))
    const [told] = missing.flatMap(({ address }) => this.#passedOn.get(address) ?? [])
    return silent.length === 0 && told !== undefined ? told : new SilenceError(round, silent)
  }

  #receive(carrier: Address, frame: Uint8Array): void {
    const arrival = this.#inbox.take(carrier, frame)
    if (arrival.kind === 'conflict') {
      const [first] = arrival.envelopes
      const culprit = partyAt(this.attempt, first.from)
      const proof: Proof = { code: 'E_EQUIV', envelopes: arrival.envelopes, transcript: [] }
      // Two aborts for two audiences would make whoever heeds one look silent to the rest; two views mislead nobody.
      const counts = first.round < NOTICE || first.round === ABORT
      if (culprit !== null && counts) this.#fail(this.fault(proof, [culprit]))
    }
    if (arrival.kind !== 'new') return
    const { envelope, sender } = arrival
    if (envelope.round === ABORT) this.#onAbort(sender, envelope, carrier)
    else if (envelope.round >= NOTICE) this.#views.ask(envelope.round - NOTICE)
    this.#views.settle()
    // Only a dealer's message to all can complete a proof that names it.
    if (envelope.to === null && (envelope.round === ROUND.commit || envelope.round === ROUND.open))
      for (const [abort, by] of this.#open) this.#onAbort(by, abort, by.address)
    const over = this.#waits.fulfilled
    if (over.length > 0 && this.#rash !== null) this.#fail(this.#rash)
    else for (const wait of over) wait.done()
  }

  #onAbort(sender: Party, envelope: SignedEnvelope, carrier: Address): void {
    this.#gaveUp.add(sender.address)
    if (this.#failure !== null) return
    const held = (round: number, from: Party) => this.#inbox.at(round, from, null)
    const verdict = verdictOf(this.attempt, envelope, held)
    if (verdict.proof !== null) {
      const { proof, culprits } = verdict
      this.#fail(this.fault(proof, culprits ?? [sender]))
      return
    }
    const { accusation, open } = verdict
    if (open) this.#open.set(envelope, sender)
    const aborted = new AbortedError(sender, accusation)
    // Whoever has said all that is needed of it takes nothing back by giving up.
    if (this.#disputing || this.#inbox.owesNothing(sender)) {
      if (carrier !== sender.address) this.#passedOn.set(carrier, aborted)
      return
    }
    if (open || isEarly(accusation, this.#waits.open)) this.#rash ??= aborted
    else this.#fail(aborted)
  }

  #fail(error: Error): void {
    if (this.#failure !== null) return
    this.#failure = error
    this.#waits.fail(error)
  }

  /**
   * Tells the others once why this node gives up. What another party said without proof is passed on as it is: said to
   * one alone, it would make that one look silent.
   */
  #announce(error: unknown): void {
    const [seat] = this.seats
    if (this.#announced || seat === undefined) return
    this.#announced = true
    if (error instanceof AbortedError) {
      this.passOn(ABORT, error.by)
      return
    }
    const { shown, abort } = wordsOf(error)
    for (const envelope of shown) this.#relay(envelope)
    if (abort !== null) this.sendToAll(seat, ABORT, encodeAbort(abort))
  }

  /** Without start message, with which a body as long as one may be would not fit a frame: who is in the session has it. */
  #relay(envelope: SignedEnvelope): void {
    const frame = encodeFrame(envelope)
    for (const address of this.#others()) this.#parts.channel.send(address, frame)
  }

  #seal(message: { from: Seat; to: Seat | null; round: number; body: Uint8Array }): SignedEnvelope {
    return seal(this.#parts.signer, { sessionId: this.attempt.sessionId, ...message })
  }

  /** Of this node's own words; those of round 1 carry the start message. */
  #frame(envelope: SignedEnvelope): Uint8Array {
    return encodeFrame(envelope, envelope.round === ROUND.commit ? this.#parts.start.bytes : undefined)
  }

  #others(): Address[] {
    return addressesOf(this.attempt).filter((address) => address !== this.self)
  }
}
