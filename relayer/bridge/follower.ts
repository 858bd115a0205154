// Follows the governance chain: heads for deadlines, final blocks for the truth, and the cursor that keeps both honest.
import type { BlockRef, Chain, CommitteeState, EpochInfo, PendingCeremony } from '../chain/chain.ts'
import { ChainError, StoreError } from '../lib/errors.ts'
import type { CeremonyRecord } from '../store/ceremonies.ts'
import type { Facts } from './committee.ts'
import type { Desk } from './parts.ts'

/** The contract as seen at one final block, and what lies twice as deep. */
export interface Sight extends Facts {
  readonly head: BlockRef
  readonly finalised: BlockRef
  /** At twice the finality depth: burns and erasure count from here. */
  readonly deep: BlockRef
  /** Running epoch at `deep`. */
  readonly deepEpoch: number
  readonly state: CommitteeState
  /** The last superseded and burned epochs at the final block, ascending. */
  readonly closed: readonly EpochInfo[]
  /** The same epochs at `deep`, where some may still be running or pending. */
  readonly closedDeep: readonly EpochInfo[]
  /** `epochInfo` at the final block. */
  info(epoch: number): Promise<EpochInfo>
}

/** How many epochs back superseded and burned ones are looked at; further if the completion of a reshare waits for them. */
const MEMORY = 32
/** The contract is read anew after this many blocks even if no event called for it. */
const REREAD_BLOCKS = 128

/** Polls by being asked; keeps the last sight for as long as no block is final beyond it. */
export class Follower {
  readonly #desk: Desk
  #last: Sight | null = null
  /** Blocks with events that are final and not yet at twice the depth. */
  #eventful: number[] = []
  #readAt = 0
  #reorganisedAt = -Infinity
  #settled = new Map<number, { readonly info: EpochInfo; readonly since: number }>()
  #seen = 0

  constructor(desk: Desk) {
    this.#desk = desk
  }

  /** The last sight, or null before the first. */
  get last(): Sight | null {
    return this.#last
  }

  /** The running epoch as the contract last showed it at a final block, whether that look could be finished or not. */
  get seen(): number {
    return this.#seen
  }

  /**
   * Looks at the chain. Cursor and ceremony records are durable when it resolves.
   * @throws ChainError if endpoints fail or disagree, or are behind what was final before
   */
  async look(signal: AbortSignal): Promise<Sight> {
    const { chain, blocks, metrics } = this.#desk
    const head = await chain.head(signal)
    blocks.advance(head.number)
    metrics?.headBlock.set(head.number)
    const finalised = await chain.finalised(signal)
    if (this.#last !== null && finalised.number <= this.#last.finalised.number) {
      this.#last = { ...this.#last, head }
      return this.#last
    }
    await this.#checkCursor(finalised, signal)
    const blocksNow = { head, finalised, deep: await chain.deeplyFinalised(signal) }
    const woken = await this.#wakeUps(blocksNow, signal)
    const sight =
      this.#last === null || woken.rereads
        ? await this.#see(blocksNow, signal)
        : { ...this.#last, ...blocksNow }
    await this.#desk.store.advance(finalised, ceremonyOf(sight))
    // Only now: what failed is looked at again as if it had not been tried.
    this.#eventful = woken.eventful
    if (woken.rereads) this.#readAt = finalised.number
    metrics?.finalisedBlock.set(finalised.number)
    metrics?.cursorBlock.set(finalised.number)
    this.#last = sight
    return sight
  }

  /** A final block that was replaced is an alarm; the node goes on from the new state, under all of its own guards. */
  async #checkCursor(finalised: BlockRef, signal: AbortSignal): Promise<void> {
    const cursor = await this.#cursor()
    if (cursor === null) return
    const known =
      cursor.number > finalised.number ? null : await this.#desk.chain.block(cursor.number, signal)
    if (known === null)
      throw new ChainError(
        `follow chain: it ends final at ${finalised.number}, below block ${cursor.number}`,
        {
          hint: 'the endpoint is behind or serves another chain: check rpcUrls',
        },
      )
    const { problems } = this.#desk
    if (known.hash !== cursor.hash) {
      this.#reorganisedAt = finalised.number
      this.#readAt = -Infinity
      this.#settled.clear()
      problems.set('reorganised', {
        severity: 'critical',
        message: `final block ${cursor.number} was replaced by another`,
        remedy:
          'the chain was reorganised below its finality, or the endpoints lie: check them, then raise confirmations',
      })
    } else if (finalised.number > this.#reorganisedAt + REREAD_BLOCKS) problems.set('reorganised', null)
  }

  /** A damaged one is begun anew from the chain: the record of the running epoch keeps this node from going back. */
  async #cursor(): Promise<BlockRef | null> {
    const { store, log } = this.#desk
    try {
      return await store.cursor()
    } catch (error) {
      if (!(error instanceof StoreError)) throw error
      log.error({ error: error.message }, 'the cursor is taken from the chain anew')
      return null
    }
  }

  /**
   * Whether the contract has to be read again, and the blocks with events that are not yet twice as deep: events are
   * wake-ups, state is the truth.
   */
  async #wakeUps(now: BlocksNow, signal: AbortSignal): Promise<{ rereads: boolean; eventful: number[] }> {
    const last = this.#last
    const rest = this.#eventful.filter((block) => block > now.deep.number)
    // What lies below it was not asked for event by event: read again once all of that is twice as deep.
    if (last === null || now.finalised.number > this.#readAt + REREAD_BLOCKS)
      return { rereads: true, eventful: [...rest, now.finalised.number] }
    const events = await this.#desk.chain.events(last.finalised.number + 1, now.finalised.number, signal)
    const found = events.map(({ block }) => block.number)
    const deeper = [...this.#eventful, ...found].some(
      (block) => block > last.deep.number && block <= now.deep.number,
    )
    return {
      rereads: found.length > 0 || deeper,
      eventful: [...rest, ...found.filter((block) => block > now.deep.number)],
    }
  }

  /** What a closed epoch with every receipt says at `deep` it says for ever; a word of any later block is not kept. */
  async #infoAt(
    epoch: number,
    { at, deep }: { readonly at: BlockRef; readonly deep: BlockRef },
    signal: AbortSignal,
  ): Promise<EpochInfo> {
    const settled = this.#settled.get(epoch)
    if (settled !== undefined && settled.since <= at.number) return settled.info
    const info = await this.#desk.chain.epochInfo(epoch, at, signal)
    if (at.number <= deep.number && isClosed(info) && info.receipts.length === info.members.length)
      this.#settled.set(epoch, { info, since: at.number })
    return info
  }

  async #see(now: BlocksNow, signal: AbortSignal): Promise<Sight> {
    const { chain, store } = this.#desk
    const state = await chain.committeeState(now.finalised, signal)
    this.#seen = state.epoch
    const { finalised, deep } = now
    const info = cached((epoch) => this.#infoAt(epoch, { at: finalised, deep }, signal))
    const { pending } = state
    const highest = Math.max(state.epoch, pending?.epoch ?? 0)
    const owing = state.outstandingEpoch === 0 ? highest : state.outstandingEpoch
    const first = Math.max(1, Math.min(highest - MEMORY, owing))
    const closed = await closedEpochs(info, first, await store.epochsHeld())
    return {
      ...now,
      state,
      info,
      pending: pending === null ? null : await info(pending.epoch),
      running: state.epoch === 0 ? null : await info(state.epoch),
      trigger: pending === null ? null : await triggerOf(chain, pending, signal),
      deepEpoch: (await chain.committeeState(now.deep, signal)).epoch,
      closed,
      closedDeep: await Promise.all(
        closed.map(({ epoch }) => this.#infoAt(epoch, { at: deep, deep }, signal)),
      ),
    }
  }
}

type BlocksNow = Pick<Sight, 'head' | 'finalised' | 'deep'>

/**
 * Superseded and burned epochs: those from `first` as far as the contract has numbered, which it does without a gap, and
 * those before it of which this node still holds something.
 */
async function closedEpochs(
  info: (epoch: number) => Promise<EpochInfo>,
  first: number,
  held: readonly number[],
): Promise<EpochInfo[]> {
  const found = await Promise.all(held.filter((epoch) => epoch < first).map(info))
  for (let epoch = first; ; epoch++) {
    const each = await info(epoch)
    if (each.status === 'none') return found.filter(isClosed)
    found.push(each)
  }
}

function isClosed({ status }: EpochInfo): boolean {
  return status === 'superseded' || status === 'burned'
}

/** The block in which governance asked. @throws ChainError if not enough endpoints have it at this moment */
async function triggerOf(
  chain: Chain,
  { epoch, startBlock }: PendingCeremony,
  signal: AbortSignal,
): Promise<BlockRef> {
  const trigger = await chain.block(startBlock, signal)
  if (trigger !== null) return trigger
  throw new ChainError(
    `follow chain: epoch ${epoch} is pending, and not enough RPC endpoints have block ${startBlock}`,
    { hint: 'an endpoint is behind or says so: check rpcUrls; the next look asks again' },
  )
}

/** Reads the trigger block again. @throws ChainError if it is another one than the ceremony is bound to */
export async function recheckTrigger(chain: Chain, trigger: BlockRef, signal: AbortSignal): Promise<void> {
  const now = await chain.block(trigger.number, signal)
  if (now === null)
    throw new ChainError(`check trigger: not enough RPC endpoints have block ${trigger.number} now`, {
      hint: 'an endpoint is behind or says so: check rpcUrls; the next attempt asks again',
    })
  if (now.hash !== trigger.hash)
    throw new ChainError(`check trigger: block ${trigger.number} was replaced since the ceremony began`)
}

/** The record of a pending ceremony, for the cursor's batch. */
function ceremonyOf({ state, trigger }: Sight): CeremonyRecord[] {
  if (state.pending === null || trigger === null) return []
  const { epoch, kind, predecessor, startBlock, windowBlocks } = state.pending
  return [{ epoch, kind, predecessor, startBlock, startBlockHash: trigger.hash, windowBlocks }]
}

function cached(read: (epoch: number) => Promise<EpochInfo>): (epoch: number) => Promise<EpochInfo> {
  const known = new Map<number, Promise<EpochInfo>>()
  return (epoch) => {
    let info = known.get(epoch)
    if (info === undefined) {
      info = read(epoch)
      info.catch(() => known.delete(epoch))
      known.set(epoch, info)
    }
    return info
  }
}
