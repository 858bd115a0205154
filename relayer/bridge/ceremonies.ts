// The one ceremony that the contract has pending: taken up, run, its activations sent in turn, and left when the chain decides.
import { runCeremony } from '../ceremony/ceremony.ts'
import type { CeremonyTerms } from '../ceremony/terms.ts'
import { type CeremonyView, newView } from '../ceremony/view.ts'
import { equal } from '../lib/bytes.ts'
import { messageOf, StoreError } from '../lib/errors.ts'
import type { KeyShare } from '../protocol/keyshare.ts'
import { type CeremonySpec, contextOf } from '../protocol/spec.ts'
import type { ActivationArgs } from '../store/codec.ts'
import { wipeShares } from '../store/shares.ts'
import { submitInTurn } from './activation.ts'
import { specOf } from './committee.ts'
import type { Consent } from './consent.ts'
import { recheckTrigger, type Sight } from './follower.ts'
import type { Desk } from './parts.ts'

interface Current {
  readonly spec: CeremonySpec
  readonly windowBlocks: number
  readonly startBlock: number
  readonly view: CeremonyView
  readonly signed: ActivationArgs[]
  readonly since: number
  readonly over: AbortController
  readonly done: Promise<void>
}

/** Takes ceremonies up and leaves them; at most one at a time. */
export class Ceremonies {
  readonly #desk: Desk
  readonly #consent: Consent
  #current: Current | null = null

  constructor(desk: Desk, consent: Consent) {
    this.#desk = desk
    this.#consent = consent
  }

  /** The ceremony that this node takes part in now, or null. */
  get current(): Pick<Current, 'spec' | 'view' | 'startBlock' | 'windowBlocks' | 'since'> | null {
    return this.#current
  }

  /** Activations of the current ceremony that this node made or heard, verified. */
  get signed(): readonly ActivationArgs[] {
    return this.#current?.signed ?? []
  }

  /**
   * Takes part in the pending ceremony if this node has a seat in it, and leaves one that is no longer pending.
   * @throws ChainError if the contract's statements do not fit each other; StoreError if its share cannot be read
   */
  async attend(sight: Sight): Promise<void> {
    const spec = specOf(this.#desk.chain, sight)
    const before = this.#current
    const ended = before?.over.signal.aborted === true
    if (before !== null && (ended || spec === null || !sameCeremony(before.spec, spec))) await this.leave()
    const { pending } = sight.state
    if (spec === null || pending === null || this.#current !== null) return
    const { self, store } = this.#desk
    if (![...(spec.old?.members ?? []), ...spec.next.members].includes(self)) return
    const share = await store.activeShare()
    const held = share !== null && share.epoch === spec.old?.epoch ? await store.loadShares(share) : []
    this.#take(spec, { held, windowBlocks: pending.windowBlocks, startBlock: pending.startBlock })
  }

  /** Ends what is under way at once; `leave`, or the next `attend`, waits for it. */
  interrupt(): void {
    this.#current?.over.abort(new DOMException('the operator vetoed', 'AbortError'))
  }

  /** Leaves the ceremony, if there is one, and waits until it has come to rest. */
  async leave(): Promise<void> {
    const current = this.#current
    this.#current = null
    if (current === null) return
    current.over.abort(new DOMException('the chain has decided', 'AbortError'))
    await current.done
    this.#desk.problems.set('ceremony', null)
    this.#desk.problems.set('activate', null)
  }

  #take(
    spec: CeremonySpec,
    { held, windowBlocks, startBlock }: { held: KeyShare[]; windowBlocks: number; startBlock: number },
  ): void {
    const { chain, clock, log, background, blocks } = this.#desk
    const trigger = {
      number: startBlock,
      hash: `0x${Buffer.from(spec.triggerBlockHash).toString('hex')}`,
    } as const
    const over = new AbortController()
    const done = Promise.withResolvers<void>()
    const view = newView(spec)
    const signed: ActivationArgs[] = []
    this.#current = {
      spec,
      windowBlocks,
      startBlock,
      view,
      signed,
      since: clock.now(),
      over,
      done: done.promise,
    }
    log.info({ op: spec.op, epoch: spec.next.epoch, members: spec.next.members.length }, 'ceremony taken up')
    const terms: CeremonyTerms = {
      spec,
      startBlock,
      windowBlocks,
      held,
      upSince: blocks.first(),
      view,
      recheck: (signal) => recheckTrigger(chain, trigger, signal),
      mayDeal: (each) => this.#consent.mayDeal(each),
      veto: (each) => this.#consent.veto(each),
    }
    background(`ceremony for epoch ${spec.next.epoch}`, async (stopped) => {
      const signal = AbortSignal.any([stopped, over.signal])
      try {
        for await (const args of runCeremony(this.#desk, terms, signal)) {
          signed.push(args)
          background('send activation', (stop) =>
            submitInTurn(this.#desk, { spec, args, windowBlocks }, AbortSignal.any([stop, over.signal])),
          )
        }
      } catch (error) {
        if (!signal.aborted) this.#broken(spec, error)
        // A disk that failed for a moment must not keep this node from the rest: the next look takes it up again.
        if (error instanceof StoreError) over.abort(error)
      } finally {
        wipeShares(held)
        done.resolve()
      }
    })
  }

  #broken(spec: CeremonySpec, error: unknown): void {
    this.#desk.problems.set('ceremony', {
      severity: 'critical',
      message: `ceremony for epoch ${spec.next.epoch}: ${messageOf(error)}`,
      remedy:
        error instanceof StoreError && error.hint !== ''
          ? error.hint
          : 'restart the daemon; if it happens again, report it with the log',
    })
  }
}

function sameCeremony(a: CeremonySpec, b: CeremonySpec): boolean {
  return equal(contextOf(a), contextOf(b))
}
