// The relayer: looks at the chain again and again, and each time does what its state asks of this node, in one fixed order.
import { BlockFeed } from '../ceremony/blocks.ts'
import { SigningService } from '../ceremony/signing.ts'
import type { Address, Hex } from '../lib/bytes.ts'
import { to0x } from '../lib/bytes.ts'
import { ChainError, InputError, messageOf, StoreError, TrussError } from '../lib/errors.ts'
import type { OperatorVerdict } from '../store/decisions.ts'
import { follow } from './activation.ts'
import { Ceremonies } from './ceremonies.ts'
import { checkCeremony, checkReach, DeletionsCheck, FundsCheck, hasGoneBack } from './checks.ts'
import { schemeOf } from './committee.ts'
import { type Choice, Consent, type Decided } from './consent.ts'
import { eraseDue } from './erasure.ts'
import { Follower, type Sight } from './follower.ts'
import { Holding } from './holding.ts'
import { admissionOf } from './membership.ts'
import { showObstacles, showSight } from './measures.ts'
import { groupKeyOf, OtherBridgeWatch } from './others.ts'
import type { Desk, RelayerOptions } from './parts.ts'
import { Problems } from './problems.ts'
import { ReceiptDesk } from './receipts.ts'
import { LostActivation } from './resending.ts'
import { type KeyStatus, type Status, statusOf } from './status.ts'

/** A probe that was signed. */
export interface SignedProbe {
  readonly keyId: number
  readonly scheme: string
  readonly epoch: number
  readonly text: string
  /** The 32-byte EIP-712 digest that the signature is over. */
  readonly digest: Hex
  readonly groupKey: Hex
  readonly signature: Hex
  /** The members whose shares made the signature. */
  readonly signers: readonly Address[]
}

/** Attempts of a probe before its operator hears why nobody signs. */
const PROBE_ATTEMPTS = 5

/** One member's daemon, as far as the governance chain is concerned. */
export class Relayer {
  readonly #desk: Desk
  readonly #stop = new AbortController()
  readonly #tasks = new Set<Promise<void>>()
  readonly #follower: Follower
  readonly #consent: Consent
  readonly #ceremonies: Ceremonies
  readonly #receipts: ReceiptDesk
  readonly #signing: SigningService
  readonly #holding: Holding
  readonly #lost: LostActivation
  readonly #funds: FundsCheck
  readonly #deletions: DeletionsCheck
  #unlisten: () => void = () => {}
  #turn: Promise<unknown> = Promise.resolve()

  constructor(options: RelayerOptions) {
    const problems = new Problems(options.log, options.metrics)
    this.#desk = {
      ...options,
      self: options.signer.address,
      blocks: new BlockFeed(),
      problems,
      background: (name, work) => this.#background(name, work),
    }
    const domain = { chainId: options.chain.chainId, bridge: options.chain.bridge }
    const onEvidence = (evidence: Uint8Array) =>
      this.#background('keep evidence', async () => void (await options.store.addEvidence(evidence)))
    this.#signing = new SigningService({ ...options, domain, onEvidence })
    this.#follower = new Follower(this.#desk)
    this.#consent = new Consent(this.#desk)
    this.#ceremonies = new Ceremonies(this.#desk, this.#consent)
    this.#receipts = new ReceiptDesk(this.#desk)
    this.#holding = new Holding(this.#desk, this.#signing)
    this.#lost = new LostActivation(this.#desk)
    this.#funds = new FundsCheck(this.#desk)
    this.#deletions = new DeletionsCheck(this.#desk)
  }

  /** Latest head and running epoch as this node sees them, for its hello. */
  get position(): { head: number; epoch: number } {
    return { head: this.#desk.blocks.head(), epoch: this.#follower.last?.state.epoch ?? 0 }
  }

  /** Begins to look at the chain. */
  start(): void {
    this.#unlisten = this.#receipts.listen()
    this.#background('follow the chain', (signal) => this.#run(signal))
    const groupKey = () => (this.#follower.last === null ? null : groupKeyOf(this.#follower.last.state))
    for (const other of this.#desk.others ?? []) {
      const watch = new OtherBridgeWatch({ ...this.#desk, groupKey }, other)
      this.#background('watch another bridge', (signal) => watch.run(signal))
    }
  }

  /** Stops everything and waits for what is under way; prepared shares stay where they are. Idempotent. */
  async stop(): Promise<void> {
    this.#unlisten()
    this.#stop.abort(new DOMException('the node stops', 'AbortError'))
    await this.#ceremonies.leave()
    while (this.#tasks.size > 0) await Promise.all(this.#tasks)
    this.#signing.close()
  }

  /** Everything that `truss status` shows. */
  status(): Promise<Status> {
    return statusOf({
      desk: this.#desk,
      sight: this.#follower.last,
      ceremonies: this.#ceremonies,
      change: this.#consent.change,
      receipts: this.#receipts,
      signsWith: this.#signing.epoch,
    })
  }

  /** The registered keys. */
  keys(): KeyStatus[] {
    const state = this.#follower.last?.state
    if (state === undefined) return []
    return state.keys
      .filter(({ groupKey }) => groupKey !== '0x')
      .map(({ keyId, scheme, groupKey }) => ({
        keyId,
        scheme: schemeOf(scheme),
        groupKey,
        epoch: state.epoch,
        holdsShare: this.#signing.epoch === state.epoch,
      }))
  }

  /**
   * Has a text signed by a quorum of the running committee; each signer builds the message itself.
   * @throws InputError if this node holds no share or the request is bad; the signal's reason
   */
  async signProbe(
    { keyId, text, include }: { keyId: number; text: string; include?: Address },
    signal: AbortSignal,
  ): Promise<SignedProbe> {
    const key = this.keys().find((each) => each.keyId === keyId)
    if (key === undefined)
      throw new InputError(`sign probe: there is no key ${keyId}`, { hint: 'see `truss keys`' })
    const order = {
      keyId,
      payload: (epoch: number) => ({ type: 'probe', probe: { keyId, epoch, text } }) as const,
      ...(include === undefined ? {} : { include: [include] }),
      attempts: PROBE_ATTEMPTS,
    }
    const { metrics } = this.#desk
    try {
      const either = AbortSignal.any([signal, this.#stop.signal])
      const { signature, digest, epoch, quorum } = await this.#signing.sign(order, either)
      metrics?.signatures.inc({ outcome: 'signed' })
      const { scheme, groupKey } = key
      const signed = { digest: to0x(digest), signature: to0x(signature), signers: quorum }
      return { keyId, scheme, epoch, text, groupKey, ...signed }
    } catch (error) {
      metrics?.signatures.inc({ outcome: 'failed' })
      throw error
    }
  }

  /**
   * The operator gives the share of the running epoch up; the node receives a new one in the next reshare.
   * @param epoch the one that the operator means: what has become active meanwhile is not given up
   * @throws InputError unless exactly that epoch runs
   */
  declareLost(epoch: number): Promise<{ epoch: number }> {
    return this.#inTurn(async () => {
      const running = this.#follower.last?.state.epoch ?? 0
      if (running === 0)
        throw new InputError('declare share lost: no epoch is running, or the chain is not in sight', {
          hint: 'see `truss status`; this takes an epoch and an answer of the RPC endpoints',
        })
      if (running !== epoch)
        throw new InputError(`declare share lost: epoch ${epoch} was meant, and ${running} runs now`, {
          hint: 'look at `truss status`: the share of the epoch that runs now may well be sound',
        })
      await this.#ceremonies.leave()
      this.#holding.release()
      await this.#desk.store.declareLost(epoch)
      return { epoch }
    })
  }

  /** The operator approves or vetoes the pending change. A veto also ends an attempt that is under way. @throws InputError */
  async decide(verdict: OperatorVerdict, choice: Choice): Promise<Decided> {
    // Not in turn: a look waits for endpoints, and the word counts at once.
    const word = this.#consent.decide(verdict, choice)
    // Aborts before the disk has answered, unless the word was refused.
    if (verdict === 'vetoed' && this.#consent.change?.decision === verdict) this.#ceremonies.interrupt()
    const change = await word
    return this.#inTurn(async () => {
      // Taken up again at the next look, where it joins nothing.
      if (verdict === 'vetoed') await this.#ceremonies.leave()
      return { change, late: (await this.#desk.store.lastJoined(choice.epoch)) !== null }
    })
  }

  /** A look at the chain and the operator's word do not cut in on each other. */
  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const turn = this.#turn.then(work)
    this.#turn = turn.catch(() => {})
    return turn
  }

  async #run(signal: AbortSignal): Promise<void> {
    const { clock, pollMs } = this.#desk
    while (!signal.aborted) {
      await this.#inTurn(() => this.#look(signal))
      await clock.sleep(pollMs, signal).catch(() => {})
    }
  }

  /** One look at the chain. What fails is a problem to show, and is tried again at the next look. */
  async #look(signal: AbortSignal): Promise<void> {
    const { problems, metrics } = this.#desk
    try {
      await this.#settle(await this.#follower.look(signal), signal)
      problems.set('rpc', null)
      problems.set('store', null)
    } catch (error) {
      if (signal.aborted) return
      const check = error instanceof StoreError ? 'store' : error instanceof ChainError ? 'rpc' : 'internal'
      if (check === 'rpc') metrics?.rpcErrors.inc({ reason: 'read' })
      // What keeps this node from following must not keep it signing with a share that the chain has superseded.
      this.#holding.releaseBelow(this.#follower.seen)
      const hint = error instanceof TrussError ? error.hint : ''
      problems.set(check, {
        severity: 'critical',
        message: messageOf(error),
        remedy: hint || 'check the RPC endpoints; the node goes on by itself when they answer again',
      })
    }
  }

  /** What the contract's state asks of this node, in this order. */
  async #settle(sight: Sight, signal: AbortSignal): Promise<void> {
    const { network } = this.#desk
    network.admit(admissionOf(sight))
    showSight(this.#desk, sight, this.#ceremonies.current?.view ?? null)
    if (await hasGoneBack(this.#desk, sight)) {
      // It signs nothing, and helps the chain to find back.
      this.#holding.release()
      await this.#ceremonies.leave()
      await this.#lost.sendAgain(sight)
      return this.#check(sight, signal)
    }
    this.#lost.forget()
    await follow(this.#desk, sight, this.#ceremonies.signed, signal)
    const readable = await this.#holding.settle(sight)
    await this.#consent.settle(sight)
    if (readable) await this.#ceremonies.attend(sight)
    else await this.#ceremonies.leave()
    const fresh = await eraseDue(this.#desk, sight)
    await this.#receipts.settle(sight, fresh)
    await this.#check(sight, signal)
  }

  async #check(sight: Sight, signal: AbortSignal): Promise<void> {
    checkReach(this.#desk, sight)
    showObstacles(this.#desk, this.#ceremonies)
    checkCeremony(this.#desk, this.#ceremonies.current?.view ?? null)
    this.#deletions.run(sight, await this.#receipts.owed(sight))
    await this.#funds.run(signal)
  }

  #background(name: string, work: (signal: AbortSignal) => Promise<void>): void {
    const { signal } = this.#stop
    const task = work(signal)
      .catch((error: unknown) => {
        if (!signal.aborted && !isAbort(error)) this.#desk.log.error({ error: messageOf(error) }, name)
      })
      .finally(() => this.#tasks.delete(task))
    this.#tasks.add(task)
  }
}

function isAbort(error: unknown): boolean {
  return error instanceof DOMException && error.name === 'AbortError'
}
