// A node's view of the chain while all of its endpoints lie alike: of an activation, of a burn, or of a change.
import type {
  ActivationEvent,
  BlockRef,
  BridgeEvent,
  Chain,
  CommitteeState,
  EpochInfo,
  SignedReceipt,
  TxOutcome,
} from '../../relayer/chain/chain.ts'
import type { Address, Hex } from '../../relayer/lib/bytes.ts'
import type { FakeChainView } from '../support/fake-chain-view.ts'
import { burnt, InventedChange, type Lie, withoutPending } from './lies.ts'

const GARBAGE: Hex = `0x${'5a'.repeat(52)}`
const WAKE_UPS: Readonly<Record<Lie, string>> = {
  'an invented activation': 'EpochActivated',
  'an invented burn': 'EpochBurned',
  'an invented change': 'CeremonyStarted',
}
const INVENTED: Hex = `0x${'77'.repeat(32)}`

/** The true view, or the lie. */
export class LyingChain implements Chain {
  readonly chainId: number
  readonly bridge: Address
  readonly account: Address
  /** What they say now, if they lie. */
  lie: Lie | null = null
  /** How often a lie was told. */
  told = 0
  readonly #true: FakeChainView
  readonly #change: InventedChange

  constructor(view: FakeChainView) {
    this.#true = view
    this.#change = new InventedChange(view)
    this.chainId = view.chainId
    this.bridge = view.bridge
    this.account = view.account
  }

  head(signal?: AbortSignal): Promise<BlockRef> {
    return this.#true.head(signal)
  }

  finalised(signal?: AbortSignal): Promise<BlockRef> {
    return this.#true.finalised(signal)
  }

  deeplyFinalised(signal?: AbortSignal): Promise<BlockRef> {
    return this.#true.deeplyFinalised(signal)
  }

  block(number: number, signal?: AbortSignal): Promise<BlockRef | null> {
    return this.#true.block(number, signal)
  }

  async committeeState(at: BlockRef, signal?: AbortSignal): Promise<CommitteeState> {
    const state = await this.#true.committeeState(at, signal)
    if (this.lie !== 'an invented activation') return await this.#other(at, state, signal)
    if (state.pending === null) return state
    this.told += 1
    const { epoch } = state.pending
    const { members, threshold } = await this.#true.epochInfo(epoch, at, signal)
    const keys = state.keys.map((key) =>
      key.groupKey === '0x' ? { ...key, groupKey: `${INVENTED}${'11'.repeat(32)}` as const } : key,
    )
    return {
      ...state,
      phase: 'active',
      epoch,
      members,
      threshold,
      keys,
      pending: null,
      outstandingEpoch: state.epoch,
    }
  }

  async epochInfo(epoch: number, at: BlockRef, signal?: AbortSignal): Promise<EpochInfo> {
    const info = await this.#true.epochInfo(epoch, at, signal)
    if (this.lie !== 'an invented activation') return await this.#otherInfo(info, at, signal)
    if (info.status === 'pending') return { ...info, status: 'active', attempt: 0, transcriptHash: INVENTED }
    const { pending } = await this.#true.committeeState(at, signal)
    return info.status === 'active' && pending !== null
      ? { ...info, status: 'superseded', successor: pending.epoch }
      : info
  }

  events(from: number, to: number, signal?: AbortSignal): Promise<readonly BridgeEvent[]> {
    const { lie } = this
    if (lie === null) return this.#true.events(from, to, signal)
    // A wake-up, so that the state is read again.
    return this.#true.events(from, to, signal).then(async (events) => {
      const block = await this.#true.block(to, signal)
      return block === null ? events : [...events, { name: WAKE_UPS[lie], block, logIndex: 99, args: {} }]
    })
  }

  async activation(epoch: number, at: BlockRef, signal?: AbortSignal): Promise<ActivationEvent | null> {
    const event = await this.#true.activation(epoch, at, signal)
    if (this.lie !== 'an invented activation' || event !== null) return event
    const info = await this.#true.epochInfo(epoch, at, signal)
    if (info.status !== 'pending') return null
    const { keys } = await this.committeeState(at, signal)
    const records = keys.map(({ keyId, groupKey }) => ({ keyId, groupKey, commitmentsHash: INVENTED }))
    const activation = {
      epoch,
      attempt: 0,
      committeeHash: info.committeeHash,
      keys: records,
      transcriptHash: INVENTED,
    }
    return { activation, groupSignature: GARBAGE, block: at }
  }

  /** The state, but for a lie about an activation. */
  async #other(at: BlockRef, state: CommitteeState, signal?: AbortSignal): Promise<CommitteeState> {
    if (!(await this.#lied(at, signal))) return state
    const found =
      this.lie === 'an invented change'
        ? await this.#change.stateAt(at, state, signal)
        : withoutPending(state)
    if (found !== null) this.told += 1
    return found ?? state
  }

  async #otherInfo(info: EpochInfo, at: BlockRef, signal?: AbortSignal): Promise<EpochInfo> {
    if (!(await this.#lied(at, signal))) return info
    const state = await this.#true.committeeState(at, signal)
    if (this.lie !== 'an invented change') return burnt(info, state)
    const told = await this.#change.stateAt(at, state, signal)
    return (told && this.#change.infoOf(info.epoch, told, this)) ?? info
  }

  /** Whether a block is one of which they lie: not what lies twice as deep as finality. */
  async #lied(at: BlockRef, signal?: AbortSignal): Promise<boolean> {
    return this.lie !== null && at.number > (await this.#true.deeplyFinalised(signal)).number
  }

  activate(args: Parameters<Chain['activate']>[0], signal?: AbortSignal): Promise<TxOutcome> {
    return this.#true.activate(args, signal)
  }

  recordDeletions(receipts: readonly SignedReceipt[], signal?: AbortSignal): Promise<TxOutcome> {
    return this.#true.recordDeletions(receipts, signal)
  }

  funds(signal?: AbortSignal): Promise<{ balance: bigint; activationCost: bigint }> {
    return this.#true.funds(signal)
  }
}
