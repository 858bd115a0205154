// Signing with the active shares: answers the other members, and has payloads signed for this node's own operator.
import type { Signer } from '../crypto/identity.ts'
import type { Rng } from '../crypto/rng.ts'
import { type Address, to0x } from '../lib/bytes.ts'
import type { Clock } from '../lib/clock.ts'
import { InputError, messageOf } from '../lib/errors.ts'
import type { Log } from '../lib/log.ts'
import type { Network } from '../protocol/channel.ts'
import type { FaultError } from '../protocol/faults.ts'
import { type KeyShare, SCHEMES } from '../protocol/keyshare.ts'
import type { Mailbox } from '../protocol/mailbox.ts'
import type { Boot } from '../protocol/nonces.ts'
import { hashedCommittee, indexOf, type Party } from '../protocol/party.ts'
import type { Payload } from '../protocol/payload.ts'
import { coordinateSignature } from '../protocol/roast.ts'
import { ShareSigner } from '../protocol/sign.ts'
import type { SignRequest } from '../protocol/signwire.ts'
import { type Domain, probeDigest, setGroupKeyDigest } from '../protocol/typed.ts'
import type { ShareRecord } from '../store/codec.ts'
import { wipeShares } from '../store/shares.ts'
import { MOST_RECORDS } from './evidence.ts'
import { signingMailbox } from './mailbox.ts'

/** How long a leader waits for signers before it tries others, in ms. */
const PATIENCE_MS = 2_000
/** Waits between the attempts of one request: doubling from the first to the last, in ms. */
const FIRST_BACKOFF_MS = 500
const LAST_BACKOFF_MS = 30_000
/** Probes that this node signs for one leader in a burst, and how fast the allowance comes back, in ms for one. */
const PROBE_BURST = 64
const PROBE_REFILL_MS = 1_000

/** What the service works with. */
export interface SigningDeps {
  readonly network: Network
  readonly signer: Signer
  readonly rng: Rng
  readonly boot: Boot
  readonly clock: Clock
  readonly log: Log
  /** The governance chain's bridge. */
  readonly domain: Domain
  /** Keeps what proves somebody's misbehaviour; default: it is logged only. */
  readonly onEvidence?: (evidence: Uint8Array) => void
}

/** A set of shares that the chain has activated. */
export interface ActiveShares {
  readonly record: ShareRecord
  /** Taken over by the service, which wipes them at the next promotion. */
  readonly shares: readonly KeyShare[]
}

/** What to sign with which key. The payload is asked for again with each attempt, since the epoch may have changed. */
export interface SigningOrder {
  readonly keyId: number
  readonly payload: (epoch: number) => Payload
  /** Members that must be among the signers. */
  readonly include?: readonly Address[]
  /** After so many failed attempts the last failure is thrown; without it, only the signal ends the trying. */
  readonly attempts?: number
}

/** A signature of the group key. */
export interface Signed {
  /** 52 bytes z ‖ a (EVM), 64 (BIP340, ed25519). */
  readonly signature: Uint8Array
  /** What was signed, 32 bytes. */
  readonly digest: Uint8Array
  readonly payload: Payload
  /** The epoch whose shares signed. */
  readonly epoch: number
  /** Who signed, ascending. */
  readonly quorum: readonly Address[]
  /** Attempts that it took, from 1. */
  readonly attempts: number
}

interface Active extends ActiveShares {
  readonly signer: ShareSigner
  /** Aborts at the next promotion. */
  readonly over: AbortController
}

/** Answers signing requests of members with the active shares, and leads those of its own operator. */
export class SigningService {
  readonly #deps: SigningDeps
  readonly #mailbox: Mailbox
  #active: Active | null = null
  #changed = Promise.withResolvers<void>()
  /** Of each leader that asked: one that asks too much takes nothing from the others. */
  readonly #allowances = new Map<Address, { readonly left: number; readonly counted: number }>()
  /** Records kept against each member. */
  readonly #faults = new Map<Address, number>()

  constructor(deps: SigningDeps) {
    this.#deps = deps
    this.#mailbox = signingMailbox(deps.network)
  }

  /**
   * From now on signs with these shares, or with none. Running sessions of the former ones are aborted, their nonces and
   * shares wiped, and their requests signed again with the new ones.
   */
  use(next: ActiveShares | null): void {
    const { signer, boot, rng, domain } = this.#deps
    this.#retire('the epoch has changed')
    if (next !== null) {
      const { record, shares } = next
      this.#active = {
        ...next,
        over: new AbortController(),
        signer: new ShareSigner({
          state: { kind: 'active' },
          epoch: record.epoch,
          attempt: record.attempt,
          transcript: record.transcript,
          shares,
          committee: hashedCommittee(domain, record.committee),
          operator: signer,
          boot,
          rng,
          mailbox: this.#mailbox,
          authorize: (request, from) => this.#authorize(request, { record, from }),
          onFault: (fault) => this.#fault(fault),
          onRefused: (leader, code, reason) =>
            this.#deps.log.debug({ from: leader, code, reason }, 'signing package refused'),
        }),
      }
    }
    this.#changed.resolve()
    this.#changed = Promise.withResolvers()
  }

  /** The epoch of the shares in use, or null. */
  get epoch(): number | null {
    return this.#active?.record.epoch ?? null
  }

  /**
   * Has a payload signed by t members, trying again with growing pauses until it succeeds or the signal aborts.
   * @throws InputError if this node holds no share of the key, or a member to include is none; DisputeError, SilenceError
   *   or FaultError of the last attempt that `order.attempts` allows; an Error with the last failure as its cause when the
   *   signal aborts
   */
  async sign(order: SigningOrder, signal: AbortSignal): Promise<Signed> {
    let last: unknown = null
    for (let attempt = 1; ; attempt++) {
      const active = this.#holding(order)
      const changed = this.#changed.promise
      try {
        return { ...(await this.#attempt(active, order, signal)), attempts: attempt }
      } catch (error) {
        if (signal.aborted) throw givenUp(attempt, last ?? error, signal)
        if (error instanceof InputError) throw error
        if (active.over.signal.aborted) continue
        last = error
        if (attempt >= (order.attempts ?? Number.POSITIVE_INFINITY)) throw error
        this.#deps.log.info({ attempt, error: messageOf(error) }, 'signing attempt failed')
      }
      const pause = Math.min(FIRST_BACKOFF_MS * 2 ** (attempt - 1), LAST_BACKOFF_MS)
      const woken = new AbortController()
      try {
        const either = AbortSignal.any([signal, woken.signal])
        await Promise.race([changed, this.#deps.clock.sleep(pause, either)])
      } catch {
        throw givenUp(attempt, last, signal)
      } finally {
        woken.abort()
      }
    }
  }

  /** Stops answering, aborts what runs, wipes shares and nonces. */
  close(): void {
    this.#retire('the node stops')
    this.#changed.resolve()
  }

  async #attempt(
    active: Active,
    order: SigningOrder,
    signal: AbortSignal,
  ): Promise<Omit<Signed, 'attempts'>> {
    const { record, signer, over } = active
    const key = record.keys.find(({ keyId }) => keyId === order.keyId)
    const book = signer.book(order.keyId)
    if (key === undefined || book === undefined)
      throw new InputError(`sign: key ${order.keyId} is none that this node signs with`)
    const include = (order.include ?? []).map((member) => {
      const index = indexOf(record.committee, member)
      if (index === null)
        throw new InputError(`sign: ${member} is no member of epoch ${record.epoch}`, {
          hint: 'see the members with `truss status`',
        })
      return index
    })
    const payload = order.payload(record.epoch)
    const digest = this.#digestOf(payload, order.keyId, record)
    const either = AbortSignal.any([signal, over.signal])
    const { signature, quorum } = await coordinateSignature({
      payload,
      digest,
      key,
      committee: hashedCommittee(this.#deps.domain, record.committee),
      book,
      operator: this.#deps.signer,
      mailbox: this.#mailbox,
      rng: this.#deps.rng,
      patience: () => this.#deps.clock.sleep(PATIENCE_MS, either),
      include,
      signal: either,
      onFault: (fault) => this.#fault(fault),
    })
    const members = quorum.flatMap((index) => record.committee.members[index - 1] ?? [])
    return { signature, digest, payload, epoch: record.epoch, quorum: members }
  }

  /** A culprit can sign as many deeds as it likes: of each some are kept in an epoch. */
  #fault({ code, culprits, evidence }: FaultError): void {
    const counted = (culprit: Party) => this.#faults.get(culprit.address) ?? 0
    if (culprits.every((culprit) => counted(culprit) >= MOST_RECORDS)) return
    for (const culprit of culprits) this.#faults.set(culprit.address, counted(culprit) + 1)
    this.#deps.log.warn({ code, culprits }, 'fault in signing')
    this.#deps.onEvidence?.(evidence)
  }

  #holding(order: SigningOrder): Active {
    if (this.#active === null)
      throw new InputError(`sign with key ${order.keyId}: this node holds no active share`, {
        hint: 'only a member of the running epoch can ask; see `truss status`',
      })
    return this.#active
  }

  /** The owner's word on a request: its own digest of what it is willing to sign. @throws InputError otherwise */
  #authorize(request: SignRequest, { record, from }: { record: ShareRecord; from: Address }): Uint8Array {
    const digest = this.#digestOf(request.payload, request.ref.keyId, record)
    if (request.payload.type === 'probe' && !this.#allow(from))
      throw new InputError('too many probes, ask later')
    return digest
  }

  #digestOf(payload: Payload, keyId: number, record: ShareRecord): Uint8Array {
    switch (payload.type) {
      case 'probe': {
        const { probe } = payload
        if (probe.keyId !== keyId || probe.epoch !== record.epoch)
          throw new InputError(`the probe names key ${probe.keyId} of epoch ${probe.epoch}`)
        return probeDigest(this.#deps.domain, probe)
      }
      case 'set-group-key': {
        const { message } = payload
        const key = record.keys.find((each) => each.keyId === 0)
        if (keyId !== 0 || key === undefined) throw new InputError('only key 0 signs for another bridge')
        if (message.scheme !== SCHEMES.indexOf(key.scheme) || message.groupKey !== to0x(key.groupKey))
          throw new InputError('the message names another group key')
        const { destinationChainId: chainId, destinationBridge: bridge } = message
        return setGroupKeyDigest({ chainId, bridge }, message)
      }
      case 'activation':
        // An active share never signs an activation: the new shares must prove themselves.
        throw new InputError('active shares do not sign an activation')
    }
  }

  #allow(leader: Address): boolean {
    const now = this.#deps.clock.now()
    const { left, counted } = this.#allowances.get(leader) ?? { left: PROBE_BURST, counted: now }
    const back = Math.max(0, Math.floor((now - counted) / PROBE_REFILL_MS))
    const allowance = Math.min(PROBE_BURST, left + back)
    if (allowance === 0) return false
    this.#allowances.set(leader, { left: allowance - 1, counted: back > 0 ? now : counted })
    return true
  }

  #retire(why: string): void {
    const active = this.#active
    this.#active = null
    this.#allowances.clear()
    this.#faults.clear()
    if (active === null) return
    active.over.abort(new DOMException(why, 'AbortError'))
    active.signer.close()
    wipeShares(active.shares)
  }
}

function givenUp(attempts: number, last: unknown, signal: AbortSignal): Error {
  const why = last === null || last === undefined ? '' : `, last: ${messageOf(last)}`
  const reason = messageOf(signal.reason)
  return new Error(`sign: given up in attempt ${attempts} (${reason})${why}`, { cause: last })
}
