// The leader's side of threshold signing: ROAST sessions over FROST (ePrint 2022/550), which end in at most n - t + 1 of them.
import { FrostKey } from '../crypto/frost.ts'
import { type Address, equal, toHex } from '../lib/bytes.ts'
import { InputError } from '../lib/errors.ts'
import type { Coordination, GroupSignature } from './coordination.ts'
import { commitmentsHash } from './keyshare.ts'
import { encodeRef, type NonceEntry } from './nonces.ts'
import { RoastSession } from './roastsession.ts'
import { Roster } from './roster.ts'
import { type SignEvidence, signFault } from './signfault.ts'
import { decodeMessage, encodeMessage, type SignMessage, type SignRequest, sealPackage } from './signwire.ts'

/** Waits without any session to open before the silent are given up. */
const EMPTY_WAITS = 3

/**
 * Has a payload signed by t members.
 * @throws SilenceError if fewer than t answer, DisputeError if too many refuse, FaultError if too many are faulty; the
 * signal's reason when it aborts; InputError for a key without FROST
 */
export function coordinateSignature(coordination: Coordination): Promise<GroupSignature> {
  return new Roast(coordination).run()
}

class Roast {
  readonly #c: Coordination
  readonly #key: FrostKey
  readonly #request: SignRequest
  readonly #commitmentsHash: Uint8Array
  readonly #roster: Roster
  readonly #sessions: RoastSession[] = []
  readonly #outcome = Promise.withResolvers<GroupSignature>()
  #over = false

  constructor(coordination: Coordination) {
    const { key, book, payload, rng, include = [] } = coordination
    if (include.length > key.commitments.length)
      throw new InputError(`coordinate signature: ${include.length} signers asked for by name`)
    if (key.scheme === 'ecdsa-secp256k1') throw new InputError('coordinate signature: not a FROST key')
    this.#c = coordination
    this.#roster = new Roster(coordination.committee)
    this.#key = new FrostKey({ ...key, scheme: key.scheme })
    this.#request = { ref: book.ref, payload, run: rng(16) }
    this.#commitmentsHash = commitmentsHash(key)
  }

  async run(): Promise<GroupSignature> {
    const { signal, mailbox } = this.#c
    signal.throwIfAborted()
    const off = mailbox.onMessage((from, body) => this.#receive(from, body))
    const onAbort = () => this.#outcome.reject(signal.reason)
    signal.addEventListener('abort', onAbort, { once: true })
    try {
      this.#askSilent()
      void this.#pace()
      return await this.#outcome.promise
    } finally {
      this.#over = true
      off()
      signal.removeEventListener('abort', onAbort)
    }
  }

  /** Declares sessions late when the caller's patience is over, and gives up when waiting is pointless. */
  async #pace(): Promise<void> {
    let empty = 0
    while (!this.#over) {
      const before = this.#sessions.length
      try {
        await this.#c.patience()
      } catch (error) {
        this.#outcome.reject(error)
        return
      }
      if (this.#over) return
      if (this.#sessions.length === before) {
        // Not those that open meanwhile.
        for (const session of [...this.#sessions]) this.#giveUpOn(session)
        this.#askSilent()
        this.#open()
      }
      // Giving up on a session opens the next, which may be the last of all and is waited for like any other.
      if (this.#sessions.length > before) empty = 0
      else if (++empty > EMPTY_WAITS || this.#sessions.length >= this.#most) {
        this.#fail(this.#roster.waited())
        return
      }
    }
  }

  get #most(): number {
    return this.#key.members - this.#key.threshold + 1
  }

  /** Whether a session holds the member: it was asked there and its answer is not back. */
  #busy(index: number): boolean {
    return this.#sessions.some((session) => session.holds(index))
  }

  #askSilent(): void {
    const { book, committee, mailbox, operator } = this.#c
    committee.members.forEach((member, at) => {
      const index = at + 1
      if (this.#roster.isReady(index) || this.#roster.out(index) || this.#busy(index)) return
      const { count, boot } = book.stock(index, operator.address)
      const held = count > 0 && boot !== null ? boot : new Uint8Array(16)
      mailbox.send(member, encodeMessage({ type: 'ask', ref: book.ref, boot: held }))
    })
  }

  #receive(from: Address, body: Uint8Array): void {
    const index = this.#c.committee.members.indexOf(from) + 1
    if (this.#over || index === 0) return
    let message: SignMessage
    try {
      message = decodeMessage(body)
    } catch {
      return
    }
    if (message.type === 'batch') this.#onBatch(index, message.batch)
    else if (message.type === 'ready') this.#onReady(index, message)
    else if (message.type === 'share') this.#onShare(index, message)
    else if (message.type === 'refuse') this.#onRefusal(index, message)
    else if (message.type === 'need') this.#onNeed(index, message)
    else if (message.type === 'stale') this.#onStale(index, message)
  }

  /** Nonces for another key or leader are no answer: those that we hold may be of an earlier boot. */
  #onBatch(index: number, batch: Uint8Array): void {
    const { book, operator } = this.#c
    book.add(batch, this.#roster.party(index).address)
    if (book.keeps(batch, index, operator.address)) this.#welcome(index)
  }

  #onReady(index: number, message: SignMessage & { type: 'ready' }): void {
    const { book, operator } = this.#c
    const { boot } = book.stock(index, operator.address)
    if (!equal(encodeRef(message.ref), encodeRef(book.ref)) || boot === null || !equal(boot, message.boot))
      return
    this.#welcome(index)
  }

  /** A member that answered, has nonces for us and is in no session becomes ready. */
  #welcome(index: number): void {
    const { book, operator } = this.#c
    if (this.#roster.out(index)) return
    const conflict = book.conflictOf(index)
    if (conflict !== null) {
      this.#accuse(index, { kind: 'batches', ...conflict })
      return
    }
    if (this.#busy(index) || book.stock(index, operator.address).count === 0) return
    this.#roster.welcome(index)
    this.#open()
  }

  /** Opens the next session if nobody is waited for, t members are ready, and the bound allows it. */
  #open(): void {
    if (this.#over || this.#sessions.length >= this.#most || this.#sessions.some((session) => !session.late))
      return
    const { include = [], book, operator } = this.#c
    const chosen = this.#roster.choose(this.#key.threshold, include)
    if (chosen === null) return
    const entries: NonceEntry[] = []
    for (const index of chosen) {
      const next = book.next(index, operator.address)
      if (next !== null && !('bad' in next)) {
        entries.push(next)
        continue
      }
      this.#roster.engage(index)
      if (next !== null) this.#accuse(index, { kind: 'point', batch: next.bad })
      else this.#askSilent()
      this.#open()
      return
    }
    this.#start(entries)
  }

  #start(entries: readonly NonceEntry[]): void {
    const { mailbox, operator, key } = this.#c
    const message = sealPackage(
      {
        request: this.#request,
        session: this.#sessions.length + 1,
        leader: operator.address,
        scheme: key.scheme,
        commitmentsHash: this.#commitmentsHash,
        entries,
      },
      operator,
    )
    const { book, digest } = this.#c
    this.#sessions.push(new RoastSession({ package: message, entries, book, key: this.#key, digest }))
    const bytes = encodeMessage(message)
    for (const { index } of entries) {
      this.#roster.engage(index)
      mailbox.send(this.#roster.party(index).address, bytes)
    }
  }

  #sessionOf(hash: Uint8Array, index: number): RoastSession | undefined {
    const session = this.#sessions.find((other) => equal(other.hash, hash))
    return session?.indices.includes(index) ? session : undefined
  }

  #onShare(index: number, message: SignMessage & { type: 'share' }): void {
    const session = this.#sessionOf(message.hash, index)
    if (session === undefined || this.#roster.out(index)) return
    const taken = session.take(index, this.#roster.party(index).address, message)
    if (taken === 'other') this.#withdraw(index, `signed another digest, ${toHex(message.digest)}`)
    else if (taken === 'dropped') return
    else if (session.complete) this.#aggregate(session)
    else if (session.late) this.#giveUpOn(session)
  }

  #aggregate(session: RoastSession): void {
    const result = session.aggregate()
    if (result.signature !== undefined) {
      const { signature } = result
      this.#outcome.resolve({ signature, quorum: session.indices, sessions: this.#sessions.length })
      this.#over = true
      return
    }
    session.late = true
    for (const index of result.culprits) this.#accuseShare(session, index)
    // Without culprits the nonces cancelled out, and new ones will do.
    for (const index of session.indices) this.#welcome(index)
  }

  /** Waits no longer for a session: those who answered it validly may sign in the next one. */
  #giveUpOn(session: RoastSession): void {
    const { free, culprits } = session.sift()
    for (const index of culprits) this.#accuseShare(session, index)
    for (const index of free) this.#welcome(index)
  }

  #onRefusal(index: number, message: SignMessage & { type: 'refuse' }): void {
    const session = this.#sessionOf(message.hash, index)
    // What we hold of its nonces may be spent: the next run asks for new ones.
    if (session && message.code === 'E_B') this.#c.book.forget(index, this.#c.operator.address)
    if (session?.holds(index) && !this.#roster.out(index))
      this.#withdraw(index, `${message.code}: ${message.reason}`)
  }

  /** A member that is ahead of us signs no more for this epoch. */
  #onStale(index: number, { ref, epoch }: SignMessage & { type: 'stale' }): void {
    if (equal(encodeRef(ref), encodeRef(this.#c.book.ref)) && !this.#roster.out(index))
      this.#withdraw(index, `signs with the share of epoch ${epoch}, not of epoch ${ref.epoch}`)
  }

  #onNeed(index: number, message: SignMessage & { type: 'need' }): void {
    const session = this.#sessionOf(message.hash, index)
    for (const [owner, batch] of session?.batches ?? [])
      if (message.indices.includes(owner))
        this.#c.mailbox.send(this.#roster.party(index).address, encodeMessage({ type: 'batch', batch }))
  }

  #accuseShare(session: RoastSession, index: number): void {
    const evidence = session.evidence(index, this.#c.key.commitments)
    if (evidence !== null && !this.#roster.out(index)) this.#accuse(index, evidence)
  }

  #accuse(index: number, evidence: SignEvidence): void {
    const fault = signFault(evidence, this.#c.committee)
    this.#roster.convict(index, fault)
    this.#c.onFault?.(fault)
    for (const session of this.#sessions)
      if (!session.late && session.indices.includes(index)) this.#giveUpOn(session)
    this.#settle()
  }

  /** A member that will not sign this takes no further part, and its sessions are over. */
  #withdraw(index: number, reason: string): void {
    this.#roster.withdraw(index, reason)
    this.#c.onRefusal?.(index, reason)
    for (const session of this.#sessions) if (session.indices.includes(index)) this.#giveUpOn(session)
    this.#settle()
    this.#open()
  }

  /** Fails at once when those who are left cannot be enough. */
  #settle(): void {
    if (!this.#roster.hopeful(this.#key.threshold, this.#c.include ?? [])) this.#fail(this.#roster.hopeless())
  }

  #fail(error: Error): void {
    if (this.#over) return
    this.#over = true
    this.#outcome.reject(error)
  }
}
