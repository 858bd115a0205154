// From a certificate to a signed activation: what this node prepared, its signers, and its turn to lead.
import { setImmediate } from 'node:timers/promises'
import { type Address, equal, fromHex, to0x } from '../lib/bytes.ts'
import { messageOf, StoreError } from '../lib/errors.ts'
import { type Certificate, decodeAndVerifyCertificate, encodeCertificate } from '../protocol/confirm.ts'
import type { FaultError } from '../protocol/faults.ts'
import type { KeyShare } from '../protocol/keyshare.ts'
import type { Mailbox } from '../protocol/mailbox.ts'
import { committeeHash, hashedCommittee, rankMembers } from '../protocol/party.ts'
import type { Prepared } from '../protocol/prepared.ts'
import { coordinateSignature } from '../protocol/roast.ts'
import { ShareSigner } from '../protocol/sign.ts'
import { contextOf } from '../protocol/spec.ts'
import { type Activation, activationDigest, activationOf } from '../protocol/typed.ts'
import { decodeActivation, encodeActivation } from '../store/codec.ts'
import { wipeShares } from '../store/shares.ts'
import { activationFault, type SignedActivation } from './activation.ts'
import { signingMailbox } from './mailbox.ts'
import { Patience } from './patience.ts'
import { type CeremonyDeps, type CeremonyTerms, participantsOf } from './terms.ts'
import type { CeremonyView } from './view.ts'
import { leadDelay } from './windows.ts'

/** Blocks after which a leader counts signers that have not answered as late. */
const PATIENCE_BLOCKS = 2

interface Held {
  readonly prepared: Omit<Prepared, 'shares'>
  readonly activation: Activation
  readonly shares: readonly KeyShare[]
  readonly signer: ShareSigner
  certificate: { readonly bytes: Uint8Array; readonly readiness: readonly Uint8Array[] } | null
}

/** What the desk works on; all of it belongs to one ceremony. */
export interface ActivationsParts {
  readonly deps: CeremonyDeps
  readonly terms: CeremonyTerms
  readonly view: CeremonyView
  /** Aborts when the ceremony is over. */
  readonly signal: AbortSignal
  /** Called with each verified signed activation, once for each attempt. */
  readonly onSigned: (signed: SignedActivation) => void
  /** Told of provable misbehaviour in signing. */
  readonly onEvidence: (evidence: Uint8Array) => void
}

/**
 * The prepared results of a ceremony, of every attempt that got that far: a withheld certificate may complete an older
 * one later, and the contract takes whichever activation comes first.
 */
export class Activations {
  readonly #parts: ActivationsParts
  readonly #mailbox: Mailbox
  readonly #held = new Map<number, Held>()
  readonly #signed = new Map<number, SignedActivation>()
  readonly #done = new AbortController()
  readonly #patience: Patience

  constructor(parts: ActivationsParts) {
    this.#parts = parts
    this.#patience = new Patience(parts.deps.blocks)
    this.#mailbox = signingMailbox(parts.deps.network)
  }

  /** A signed activation of this ceremony, if one is known: no further attempt is needed then. */
  get signed(): SignedActivation | null {
    return [...this.#signed.values()][0] ?? null
  }

  /**
   * Takes up what earlier starts of this process prepared. One of which any part cannot be read stays on disk and signs
   * nothing; it must not keep the whole committee from another attempt. The view names it.
   */
  async load(): Promise<void> {
    const { deps, terms, view } = this.#parts
    const { chainId, bridge, next } = terms.spec
    for (const slot of await deps.store.preparedSlots(next.epoch)) {
      try {
        const record = await deps.store.shareRecord(slot)
        // Of a past that was reorganised away, in which governance asked for something else under this number.
        if (!equal(committeeHash(chainId, bridge, record.committee), committeeHash(chainId, bridge, next)))
          throw new StoreError('it was prepared for another committee')
        this.hold({ ...record, shares: await deps.store.loadShares(slot) })
      } catch (error) {
        if (!(error instanceof StoreError)) throw error
        view.setAside = [...view.setAside, { attempt: slot.attempt, reason: error.message }]
        deps.log.error({ attempt: slot.attempt, error: error.message }, 'prepared share set aside')
      }
    }
  }

  /** Takes up a durable prepared result. It may sign its own activation once it is certified, and nothing else. */
  hold(prepared: Prepared): void {
    const { deps, terms } = this.#parts
    const { spec } = terms
    const { shares, ...rest } = prepared
    if (shares.length === 0 || this.#held.has(prepared.attempt)) return
    const activation = activationOf(spec, prepared)
    const digest = activationDigest(spec, activation)
    const signer = new ShareSigner({
      state: { kind: 'prepared', domain: spec, activation },
      epoch: prepared.epoch,
      attempt: prepared.attempt,
      transcript: prepared.transcript,
      shares,
      committee: hashedCommittee(spec, spec.next),
      operator: deps.signer,
      boot: deps.boot,
      rng: deps.rng,
      mailbox: this.#mailbox,
      pause: () => setImmediate(),
      // Durable before the share leaves: from then on a burn of this epoch no longer erases.
      authorize: async () => {
        await deps.store.noteActivationSeen(prepared.epoch, prepared.attempt)
        return digest
      },
      onFault: (fault) => this.#fault(fault),
      onRefused: (leader, code, reason) =>
        deps.log.debug({ from: leader, code, reason }, 'signing package refused'),
    })
    this.#held.set(prepared.attempt, { prepared: rest, activation, shares, signer, certificate: null })
  }

  /** Listens to certificates and activations until the function returned is called. */
  listen(): () => void {
    const { network } = this.#parts.deps
    const stop = [
      network.onTell('certificate', (from, body) => {
        if (this.#patience.spend(from) && this.#offered(from, body)) this.#patience.refund(from)
      }),
      network.onTell('activation', (from, body) => {
        if (this.#patience.spend(from)) void this.#heard(from, body)
      }),
    ]
    return () => {
      for (const each of stop) each()
      this.#done.abort(new DOMException('the ceremony is over', 'AbortError'))
      for (const { signer, shares } of this.#held.values()) {
        signer.close()
        wipeShares(shares)
      }
    }
  }

  /** The certificate that this node collected itself in an attempt. */
  certified(attempt: number, certificate: Certificate): void {
    const held = this.#held.get(attempt)
    if (held !== undefined) this.#certify(held, certificate, encodeCertificate(certificate))
  }

  /** Answers somebody who still looks for an attempt with what makes one unnecessary. */
  inform(peer: Address): void {
    const { network } = this.#parts.deps
    if (this.signed !== null) {
      network.tell(peer, 'activation', encodeActivation(this.signed))
      return
    }
    for (const { certificate } of this.#held.values())
      if (certificate !== null) network.tell(peer, 'certificate', certificate.bytes)
  }

  /** Whether it completes what this node prepared. */
  #offered(from: Address, bytes: Uint8Array): boolean {
    const { log } = this.#parts.deps
    let looked = false
    for (const held of this.#held.values()) {
      if (held.certificate !== null) continue
      const { spec } = this.#parts.terms
      const certificate = decodeAndVerifyCertificate(bytes, { spec, prepared: held.prepared })
      looked = true
      if (certificate === null) continue
      log.info({ from, attempt: held.prepared.attempt }, 'certificate received')
      this.#certify(held, certificate, bytes)
      return true
    }
    if (looked) log.debug({ from, code: 'E_CERT' }, 'certificate refused')
    return false
  }

  #certify(held: Held, certificate: Certificate, bytes: Uint8Array): void {
    if (held.certificate !== null) return
    const { view, terms, deps } = this.#parts
    held.certificate = { bytes, readiness: certificate.readiness }
    view.ready = terms.spec.next.members
    if (this.signed === null) view.stage = 'signing'
    const leading = held.signer.certify(certificate).then(() => this.#lead(held))
    leading.catch((error: unknown) => {
      if (!this.#signal().aborted) deps.log.error({ error: messageOf(error) }, 'lead activation')
    })
  }

  /** Leads in turn, by rank, with a delay in blocks, until an activation is signed. */
  async #lead(held: Held): Promise<void> {
    const { deps, terms } = this.#parts
    const { spec } = terms
    const { attempt } = held.prepared
    const signal = this.#signal()
    const ranked = rankMembers(contextOf(spec), attempt, spec.next.members)
    const rank = ranked.indexOf(deps.network.self)
    const delay = leadDelay(terms)
    const from = deps.blocks.head()
    for (let turn = 0; ; turn++) {
      await deps.blocks.reached(from + (rank + turn * ranked.length) * delay, signal)
      this.#gossip('certificate', held.certificate?.bytes ?? new Uint8Array())
      try {
        await this.#take(await this.#coordinate(held, signal), null)
        return
      } catch (error) {
        signal.throwIfAborted()
        deps.log.warn(
          { attempt, error: messageOf(error) },
          'activation not signed, waiting for the next turn',
        )
      }
    }
  }

  async #coordinate(held: Held, signal: AbortSignal): Promise<SignedActivation> {
    const { deps, terms } = this.#parts
    const key = held.prepared.keys[0]
    const book = held.signer.book(0)
    if (key?.keyId !== 0 || book === undefined) throw new Error('sign activation: no share of key 0')
    const { signature } = await coordinateSignature({
      payload: { type: 'activation' },
      digest: activationDigest(terms.spec, held.activation),
      key,
      committee: hashedCommittee(terms.spec, terms.spec.next),
      book,
      operator: deps.signer,
      mailbox: this.#mailbox,
      rng: deps.rng,
      patience: () => deps.blocks.reached(deps.blocks.head() + PATIENCE_BLOCKS, signal),
      signal,
      onFault: (fault) => this.#fault(fault),
    })
    return {
      activation: held.activation,
      readiness: (held.certificate?.readiness ?? []).map(to0x),
      groupSignature: to0x(signature),
    }
  }

  async #heard(from: Address, bytes: Uint8Array): Promise<void> {
    const { deps } = this.#parts
    try {
      await this.#take(decodeActivation(bytes), from)
      this.#patience.refund(from)
    } catch (error) {
      deps.log.debug({ from, reason: messageOf(error) }, 'activation refused')
    }
  }

  /** Verifies, notes durably and hands on a signed activation; our own, from nobody, is gossiped. */
  async #take(signed: SignedActivation, from: Address | null): Promise<void> {
    const { deps, terms, view, onSigned } = this.#parts
    const { epoch, attempt } = signed.activation
    if (epoch !== terms.spec.next.epoch || this.#signed.has(attempt)) return
    const fault = await activationFault(terms.spec, signed)
    if (fault !== null) throw new Error(`check activation: ${fault}`)
    // Key 0 signs an activation of this epoch's attempt only through its prepared shares; ours must be the same one.
    const held = this.#held.get(attempt)
    if (held !== undefined && !equal(fromHex(signed.activation.transcriptHash), held.prepared.transcript))
      deps.log.error({ attempt }, 'an activation of another transcript than ours is signed')
    await deps.store.noteActivationSeen(epoch, attempt)
    if (this.#signed.has(attempt)) return
    this.#signed.set(attempt, signed)
    deps.log.info({ from, epoch, attempt }, 'activation signed')
    view.stage = 'activating'
    view.waitingFor = null
    if (from === null) this.#gossip('activation', encodeActivation(signed))
    onSigned(signed)
    this.#done.abort(new DOMException('an activation is signed', 'AbortError'))
  }

  #fault({ code, culprits, evidence }: FaultError): void {
    const { deps, onEvidence } = this.#parts
    deps.log.warn({ code, culprits }, 'fault in signing')
    onEvidence(evidence)
  }

  #signal(): AbortSignal {
    return AbortSignal.any([this.#parts.signal, this.#done.signal])
  }

  #gossip(topic: 'certificate' | 'activation', bytes: Uint8Array): void {
    const { deps, terms } = this.#parts
    for (const member of participantsOf(terms.spec))
      if (member !== deps.network.self) deps.network.tell(member, topic, bytes)
  }
}
