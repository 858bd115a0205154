// A member's side of threshold signing: one object per set of shares that answers leaders, and never signs what it cannot derive.
import { FrostKey } from '../crypto/frost.ts'
import type { Signer } from '../crypto/identity.ts'
import type { Rng } from '../crypto/rng.ts'
import { type Address, equal } from '../lib/bytes.ts'
import { InputError, messageOf } from '../lib/errors.ts'
import { commitmentsHash, type KeyShare } from './keyshare.ts'
import type { Mailbox } from './mailbox.ts'
import { NonceBook } from './noncebook.ts'
import { type Boot, encodeRef, MAX_BATCH, NoncePool, type ShareRef } from './nonces.ts'
import { type HashedCommittee, indexOf } from './party.ts'
import type { Certificate } from './certificate.ts'
import type { FaultError } from './faults.ts'
import { type Arrived, allReady, checkPackage, Refusal, type SigningState, type Slot } from './signcheck.ts'
import { type SignEvidence, signFault } from './signfault.ts'
import { LeaderMemory } from './signmemory.ts'
import {
  decodeMessage,
  decodePackage,
  encodeMessage,
  packageHash,
  packageIsFrom,
  type RefusalCode,
  type SigningPackage,
  type SignMessage,
  type SignRequest,
  shareDigest,
} from './signwire.ts'
import { type Activation, activationDigest, type Domain } from './typed.ts'

/** What a member signs with, and what it may sign. */
export interface ShareSignerOptions {
  /** Active shares sign probes, SetGroupKey and proposals; prepared ones their own activation and nothing else. */
  readonly state:
    | { readonly kind: 'active' }
    | { readonly kind: 'prepared'; readonly domain: Domain; readonly activation: Activation }
  readonly epoch: number
  readonly attempt: number
  /** T of the attempt that made the shares, 32 bytes. */
  readonly transcript: Uint8Array
  /** This member's shares; ECDSA keys are left aside. They stay the caller's to wipe. */
  readonly shares: readonly KeyShare[]
  /** The committee of the shares' epoch; only its members may lead. */
  readonly committee: HashedCommittee
  readonly operator: Signer
  readonly boot: Boot
  readonly rng: Rng
  /** Messages to ourselves must come back (withLoopback). */
  readonly mailbox: Mailbox
  /** How many nonces to publish at a time for a leader, 1 to 64; 8 if absent. */
  readonly batchSize?: number
  /**
   * The owner's word: the 32-byte digest that it computes itself for a request, from its own view of the chain and its
   * own policy; `leader` asks for it. Rejecting refuses the request (E_POLICY). What must be durable before a share leaves
   * is done in here.
   */
  authorize(request: SignRequest, leader: Address): Promise<Uint8Array> | Uint8Array
  /** Gives others a turn in the midst of a long computation; nobody gets one if absent. */
  readonly pause?: () => Promise<void>
  /** Told of provable misbehaviour of leaders and members. */
  onFault?(fault: FaultError): void
  /** Told of each package that is refused. */
  onRefused?(leader: Address, code: RefusalCode, reason: string): void
}

/** Answers signing messages with the shares of one (epoch, attempt) until it is closed. */
export class ShareSigner {
  readonly index: number
  readonly #options: ShareSignerOptions
  readonly #slots: ReadonlyMap<number, Slot>
  readonly #memory = new LeaderMemory()
  readonly #asked = new Map<string, { from: Address; message: SignMessage & { type: 'ask' } }>()
  readonly #unsubscribe: () => void
  #certified = false
  #closed = false

  /** @throws InputError if the operator is no member of the committee */
  constructor(options: ShareSignerOptions) {
    const { committee, operator, epoch, attempt, transcript, shares, boot, rng, state } = options
    const active = state.kind === 'active'
    const index = indexOf(committee, operator.address)
    if (index === null) throw new InputError('open signer: the operator is no member of the committee')
    this.index = index
    this.#options = options
    const slots = new Map<number, Slot>()
    for (const share of shares) {
      const { scheme, keyId } = share
      if (scheme === 'ecdsa-secp256k1') continue
      const key = new FrostKey({ ...share, scheme })
      const ref = { keyId, epoch, attempt, transcript, committeeHash: committee.hash }
      const pool = new NoncePool({ key, ref, index, share: share.share, boot, rng, active, signer: operator })
      const book = new NonceBook(ref, committee, scheme)
      slots.set(keyId, { share, key, ref, pool, book, commitmentsHash: commitmentsHash(share) })
    }
    this.#slots = slots
    this.#unsubscribe = options.mailbox.onMessage((from, body) => this.#receive(from, body))
  }

  /** What this node knows of the members' nonces for a key; the leader's side shares it. Undefined for a key not held. */
  book(keyId: number): NonceBook | undefined {
    return this.#slots.get(keyId)?.book
  }

  /**
   * Lets prepared shares sign their activation. The certificate must come from `confirm` or from
   * `decodeAndVerifyCertificate`, which verify the proofs of all shares; the readiness of all members is verified here,
   * with pauses for others.
   * @throws InputError if the certificate is of another transcript, incomplete or badly signed
   */
  async certify(certificate: Pick<Certificate, 'transcript' | 'readiness'>): Promise<void> {
    const { state, committee, transcript, pause } = this.#options
    if (state.kind !== 'prepared') throw new InputError('certify shares: they are active')
    if (!equal(certificate.transcript, transcript))
      throw new InputError('certify shares: the certificate is of another transcript')
    if (!(await allReady(state, committee, { readiness: certificate.readiness, pause })))
      throw new InputError('certify shares: a readiness signature is missing or invalid')
    this.#certified = true
    const asked = [...this.#asked.values()]
    this.#asked.clear()
    for (const { from, message } of asked) this.#onAsk(from, message)
  }

  /** Stops answering and wipes all nonces. Idempotent. */
  close(): void {
    this.#closed = true
    this.#unsubscribe()
    this.#memory.clear()
    for (const slot of this.#slots.values()) slot.pool.destroy()
  }

  #receive(from: Address, body: Uint8Array): void {
    let message: SignMessage
    try {
      message = decodeMessage(body)
      if (message.type === 'batch') this.#onBatch(from, message.batch)
      else if (message.type === 'ask') this.#onAsk(from, message)
      else if (message.type === 'package') this.#onPackage(from, message)
    } catch {
      // Malformed or unauthentic input is dropped: it aborts nothing and blames nobody.
    }
  }

  #slotOf(ref: ShareRef): Slot | undefined {
    const slot = this.#slots.get(ref.keyId)
    return slot !== undefined && equal(encodeRef(slot.ref), encodeRef(ref)) ? slot : undefined
  }

  #onAsk(from: Address, message: SignMessage & { type: 'ask' }): void {
    const slot = this.#slotOf(message.ref)
    const { state, epoch, boot, mailbox, committee } = this.#options
    if (this.#closed || !committee.members.includes(from)) return
    if (slot === undefined) {
      // An asker ahead of us means our prepared shares, which answer for themselves.
      if (state.kind === 'active' && message.ref.epoch < epoch)
        mailbox.send(from, encodeMessage({ type: 'stale', ref: message.ref, epoch }))
      return
    }
    if (state.kind === 'prepared' && !this.#certified) {
      this.#asked.set(`${from}:${message.ref.keyId}`, { from, message })
      return
    }
    if (equal(message.boot, boot.id) && slot.pool.unspent(from) > 0)
      mailbox.send(from, encodeMessage({ type: 'ready', ref: slot.ref, boot: boot.id }))
    else {
      // One that keeps asking and spends nothing gets nothing new.
      const full = slot.pool.unspent(from) + (this.#options.batchSize ?? 8) > MAX_BATCH
      const batch = full ? slot.pool.untouched(from) : null
      if (batch === null) this.#publish(slot, from)
      else mailbox.send(from, encodeMessage({ type: 'batch', batch }))
    }
  }

  /** Draws nonces for a leader and tells everybody, the leader first. */
  #publish(slot: Slot, leader: Address): void {
    const { mailbox, committee, operator, batchSize = 8 } = this.#options
    const body = encodeMessage({ type: 'batch', batch: slot.pool.batch(leader, batchSize) })
    mailbox.send(leader, body)
    for (const member of committee.members)
      if (member !== leader && member !== operator.address) mailbox.send(member, body)
  }

  #onBatch(from: Address, batch: Uint8Array): void {
    for (const { book } of this.#slots.values()) {
      const conflict = book.add(batch, from, (leader, digest) => this.#memory.waitsWith(leader, digest))
      if (conflict !== null) this.#report({ kind: 'batches', ...conflict })
    }
    const ready = this.#memory.takeReady((arrived) => this.#unknown(arrived).length === 0)
    for (const arrived of ready) void this.#answer(arrived)
  }

  #onPackage(from: Address, message: SignMessage & { type: 'package' }): void {
    const hash = packageHash(message.body)
    const signing = decodePackage(message.body)
    const slot = this.#slotOf(signing.request.ref)
    if (slot === undefined || from !== signing.leader || !this.#options.committee.members.includes(from))
      return
    if (!packageIsFrom(from, message)) return
    const arrived = { slot, signing, message, hash }
    const first = this.#memory.first(arrived)
    if (first === 'repeated') return
    if (first !== 'first') {
      this.#report({ kind: 'packages', first, second: message })
      this.#refuse(arrived, new Refusal('E_EQUIV', 'another package for this session came before'))
      return
    }
    const unknown = this.#unknown(arrived)
    if (unknown.length === 0) {
      void this.#answer(arrived)
      return
    }
    this.#memory.wait(arrived)
    this.#options.mailbox.send(from, encodeMessage({ type: 'need', hash, indices: unknown }))
  }

  /** Indices whose nonces no batch that we know has. */
  #unknown({ slot, signing }: Arrived): number[] {
    const { members } = slot.key
    return signing.entries
      .filter((entry) => entry.index !== this.index && entry.index >= 1 && entry.index <= members)
      .filter((entry) => slot.book.judge(entry) === 'unknown')
      .map((entry) => entry.index)
  }

  async #answer(arrived: Arrived): Promise<void> {
    const { slot, signing, hash } = arrived
    const { mailbox, operator } = this.#options
    try {
      const own = checkPackage(arrived, {
        index: this.index,
        committee: this.#options.committee,
        state: this.#state(),
        report: (evidence) => this.#report(evidence),
      })
      // Before anybody is asked: of many packages with one nonce, one is considered.
      if (!slot.pool.reserve(own, signing.leader)) throw new Refusal('E_B', 'our nonce is spent')
      const digest = await this.#digestOf(signing)
      if (this.#closed) return
      // From here to the share without a pause: the nonce is gone before anything else can happen.
      const nonces = slot.pool.take(own, signing.leader)
      if (nonces === null) throw new Refusal('E_B', 'our nonce is spent')
      const z = slot.key.signShare(
        { index: this.index, share: slot.share.share, nonces },
        signing.entries,
        digest,
      )
      const signature = operator.sign(shareDigest(hash, digest, z))
      if (slot.pool.unspent(signing.leader) === 0) this.#publish(slot, signing.leader)
      mailbox.send(signing.leader, encodeMessage({ type: 'share', hash, digest, z, signature }))
    } catch (error) {
      // Whatever the reason, the nonce that the package names is burned.
      for (const entry of signing.entries)
        if (entry.index === this.index) slot.pool.burn(entry, signing.leader)
      this.#refuse(arrived, error instanceof Refusal ? error : new Refusal('E_B', messageOf(error)))
    }
  }

  async #digestOf({ request, leader }: SigningPackage): Promise<Uint8Array> {
    const { state } = this.#options
    let digest: Uint8Array
    try {
      digest = await this.#options.authorize(request, leader)
    } catch (error) {
      throw new Refusal('E_POLICY', messageOf(error))
    }
    if (digest.length !== 32) throw new Refusal('E_POLICY', 'the digest is not 32 bytes')
    // A prepared share signs what its own record says, whatever anybody else computes.
    if (state.kind === 'prepared' && !equal(digest, activationDigest(state.domain, state.activation)))
      throw new Refusal('E_POLICY', 'the digest is not that of our own prepared record')
    return digest
  }

  #state(): SigningState {
    const { kind } = this.#options.state
    return kind === 'prepared' && this.#certified ? 'certified' : kind
  }

  #refuse({ signing, hash }: Arrived, { code, message }: Refusal): void {
    if (this.#closed) return
    this.#options.onRefused?.(signing.leader, code, message)
    this.#options.mailbox.send(signing.leader, encodeMessage({ type: 'refuse', hash, code, reason: message }))
  }

  #report(evidence: SignEvidence): void {
    this.#options.onFault?.(signFault(evidence, this.#options.committee))
  }
}
