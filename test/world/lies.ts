// What all endpoints of a node may say alike though it is not so: of a burn that never was, and of a change that nobody asked for.
import type { BlockRef, CommitteeState, EpochInfo } from '../../relayer/chain/chain.ts'
import { type Address, to0x } from '../../relayer/lib/bytes.ts'
import { committeeHash } from '../../relayer/protocol/party.ts'
import type { FakeChainView } from '../support/fake-chain-view.ts'

/** The pending epoch is activated; it is burned, or the running one is; or, where nothing is pending, there is a refresh. */
export const LIES = ['an invented activation', 'an invented burn', 'an invented change'] as const
export type Lie = (typeof LIES)[number]

/** An epoch shown as burned, and as settled for ever: every receipt is there. */
export function burnt(info: EpochInfo, state: CommitteeState): EpochInfo {
  const claimed = state.pending === null ? info.status === 'active' : info.status === 'pending'
  return claimed ? { ...info, status: 'burned', successor: state.epoch, receipts: info.members } : info
}

/** The state after such a burn. */
export function withoutPending(state: CommitteeState): CommitteeState {
  const phase = state.epoch === 0 ? 'idle' : state.outstandingEpoch === 0 ? 'complete' : 'active'
  return { ...state, phase, pending: null }
}

/** A refresh of the running committee that nobody asked for. */
export class InventedChange {
  readonly #true: FakeChainView
  /** Its number and the block in which it is said to have been asked for, as first told. */
  #told: { readonly epoch: number; readonly startBlock: number } | null = null

  constructor(view: FakeChainView) {
    this.#true = view
  }

  /** The state with it; null where another change is pending, or nothing runs. */
  async stateAt(at: BlockRef, state: CommitteeState, signal?: AbortSignal): Promise<CommitteeState | null> {
    if (state.epoch === 0 || state.pending !== null) return null
    const epoch = await this.#next(state.epoch, at, signal)
    if (this.#told?.epoch !== epoch) this.#told = { epoch, startBlock: at.number }
    // Before the block that was named nobody had asked.
    if (at.number < this.#told.startBlock) return null
    const pending = {
      kind: 'refresh' as const,
      epoch,
      predecessor: state.epoch,
      startBlock: this.#told.startBlock,
      windowBlocks: state.attemptWindowBlocks,
      addedScheme: null,
    }
    return { ...state, phase: 'resharing', pending }
  }

  /** Its epoch, if that is asked for; null for any other. */
  infoOf(
    epoch: number,
    state: CommitteeState,
    place: { chainId: number; bridge: Address },
  ): EpochInfo | null {
    if (state.pending?.epoch !== epoch || this.#told?.epoch !== epoch) return null
    const { members, threshold } = state
    const hash = committeeHash(place.chainId, place.bridge, { epoch, members, threshold })
    return {
      epoch,
      status: 'pending',
      members,
      threshold,
      committeeHash: to0x(hash),
      predecessor: state.epoch,
      successor: 0,
      attempt: 0,
      transcriptHash: `0x${'00'.repeat(32)}`,
      commitmentsHashes: [],
      receipts: [],
      receiptsNeeded: members.length - threshold + 1,
      waived: false,
      activatedBlock: 0,
    }
  }

  /** The first number that the contract has not given. */
  async #next(running: number, at: BlockRef, signal?: AbortSignal): Promise<number> {
    for (let epoch = running + 1; ; epoch++)
      if ((await this.#true.epochInfo(epoch, at, signal)).status === 'none') return epoch
  }
}
