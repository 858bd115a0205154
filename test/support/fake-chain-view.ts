// The Chain port of one node on the fake chain, with faults that only this node suffers from.
import type {
  Activation,
  ActivationEvent,
  BlockRef,
  BridgeEvent,
  Chain,
  CommitteeState,
  EpochInfo,
  Phase,
  SignedReceipt,
  TxOutcome,
} from '../../relayer/chain/chain.ts'
import type { Address, Hex } from '../../relayer/lib/bytes.ts'
import { ChainError } from '../../relayer/lib/errors.ts'
import { BridgeCall } from './fake-bridge.ts'
import { type BridgeState, needed, Revert } from './fake-bridge-state.ts'
import type { FakeBlock, FakeChain, Fault } from './fake-chain.ts'

/** One node's endpoint. */
export class FakeChainView implements Chain {
  readonly chainId: number
  readonly bridge: Address
  readonly account: Address
  /** Of this view alone. `disagree`: reads that need agreement reject, `head` and `funds` still answer. */
  fault: Fault = null
  /** Blocks by which this view is behind the chain. */
  lag = 0
  balance = 10n ** 18n
  activationCost = 10n ** 15n
  /** Transactions that this view sent. */
  sent = 0
  readonly #chain: FakeChain

  constructor(chain: FakeChain, account: Address) {
    this.#chain = chain
    this.chainId = chain.chainId
    this.bridge = chain.bridge
    this.account = account
  }

  async head(signal?: AbortSignal): Promise<BlockRef> {
    await this.#reach(signal, false)
    return this.#visible().ref
  }

  async finalised(signal?: AbortSignal): Promise<BlockRef> {
    return this.#below(this.#chain.finalityDepth, signal)
  }

  async deeplyFinalised(signal?: AbortSignal): Promise<BlockRef> {
    return this.#below(2 * this.#chain.finalityDepth, signal)
  }

  async block(number: number, signal?: AbortSignal): Promise<BlockRef | null> {
    await this.#reach(signal)
    return number > this.#visible().ref.number ? null : (this.#chain.at(number)?.ref ?? null)
  }

  async committeeState(at: BlockRef, signal?: AbortSignal): Promise<CommitteeState> {
    await this.#reach(signal)
    const state = this.#stateAt(at)
    const { members, threshold } = state.epochs[state.running] ?? state.first
    return structuredClone({
      at,
      phase: phaseOf(state),
      epoch: state.running,
      members,
      threshold,
      pending: state.pending,
      keys: state.keys,
      attemptWindowBlocks: state.attemptWindowBlocks,
      requireDeletionQuorum: state.requireDeletionQuorum,
      outstandingEpoch: state.outstandingEpoch,
    })
  }

  async epochInfo(epoch: number, at: BlockRef, signal?: AbortSignal): Promise<EpochInfo> {
    await this.#reach(signal)
    const info = this.#stateAt(at).epochs[epoch]
    if (info === undefined) return { ...NO_EPOCH, epoch }
    const context = { chainId: this.chainId, bridge: this.bridge, verifier: null }
    const call = new BridgeCall(this.#chain.head.state, { context, block: 0, emit: () => undefined })
    return structuredClone({
      epoch,
      status: info.status,
      members: info.members,
      threshold: info.threshold,
      committeeHash: call.hashOf(info),
      predecessor: info.predecessor,
      successor: info.successor,
      attempt: info.attempt,
      transcriptHash: info.transcriptHash,
      commitmentsHashes: info.commitmentsHashes,
      receipts: info.members.filter((member) =>
        info.receipts.some(
          ({ relayer, outstandingBackups }) => relayer === member && outstandingBackups === 0,
        ),
      ),
      receiptsNeeded: needed(info),
      waived: info.waived,
      activatedBlock: info.activatedBlock,
    })
  }

  async events(from: number, to: number, signal?: AbortSignal): Promise<readonly BridgeEvent[]> {
    await this.#reach(signal)
    if (to > this.#visible().ref.number)
      throw new ChainError(`read events: block ${to} is above the head ${this.#visible().ref.number}`)
    const found: BridgeEvent[] = []
    for (let number = from; number <= to; number++) found.push(...(this.#chain.at(number)?.events ?? []))
    return structuredClone(found)
  }

  async activation(epoch: number, at: BlockRef, signal?: AbortSignal): Promise<ActivationEvent | null> {
    await this.#reach(signal)
    this.#stateAt(at)
    for (let number = at.number; number >= 0; number--) {
      for (const { name, args, block } of this.#chain.at(number)?.events ?? []) {
        if (name !== 'EpochActivated') continue
        // CAST: the model emits these two arguments with this event
        const { a: activation, groupSignature } = args as { a: Activation; groupSignature: Hex }
        if (activation.epoch === epoch) return structuredClone({ activation, groupSignature, block })
      }
    }
    return null
  }

  async activate(
    args: { activation: Activation; readiness: readonly Hex[]; groupSignature: Hex },
    signal?: AbortSignal,
  ): Promise<TxOutcome> {
    await this.#reach(signal)
    const { activation, readiness, groupSignature } = structuredClone(args)
    const status = this.#chain.pendingState.epochs[activation.epoch]?.status ?? 'none'
    if (status !== 'pending' && status !== 'none') return { kind: 'already-done' }
    return this.#send('activate', (bridge) => bridge.activate(activation, readiness, groupSignature), signal)
  }

  async recordDeletions(receipts: readonly SignedReceipt[], signal?: AbortSignal): Promise<TxOutcome> {
    await this.#reach(signal)
    const { epochs } = this.#chain.pendingState
    const news = receipts.filter(({ epoch, relayer, outstandingBackups }) => {
      const known = epochs[epoch]?.receipts.find((receipt) => receipt.relayer === relayer)
      return known === undefined || known.outstandingBackups > outstandingBackups
    })
    if (news.length === 0) return { kind: 'already-done' }
    return this.#send('recordDeletions', (bridge) => bridge.recordDeletions(structuredClone(news)), signal)
  }

  async funds(signal?: AbortSignal): Promise<{ balance: bigint; activationCost: bigint }> {
    await this.#reach(signal, false)
    return { balance: this.balance, activationCost: this.activationCost }
  }

  /** Sends a call and waits until it is mined. */
  async #send(
    name: string,
    call: (bridge: BridgeCall) => void,
    signal: AbortSignal | undefined,
  ): Promise<TxOutcome> {
    const missing = this.activationCost - this.balance
    if (missing > 0n) throw new ChainError(`send ${name}: account ${this.account} is short of ${missing} wei`)
    const block = Promise.withResolvers<BlockRef>()
    try {
      this.#chain.submit(call, block.resolve)
    } catch (error) {
      if (!(error instanceof Revert)) throw error
      throw new ChainError(`send ${name}: ${error.message}`, { cause: error })
    }
    this.sent++
    const onAbort = () => block.reject(signal?.reason)
    signal?.addEventListener('abort', onAbort, { once: true })
    const mined = await block.promise.finally(() => signal?.removeEventListener('abort', onAbort))
    return { kind: 'mined', hash: mined.hash, block: mined }
  }

  /** One turn of the event loop, and the faults. */
  async #reach(signal: AbortSignal | undefined, needsAgreement = true): Promise<void> {
    await Promise.resolve()
    signal?.throwIfAborted()
    const faults = [this.fault, this.#chain.fault]
    if (faults.includes('down')) throw new ChainError('ask the chain: endpoint fake is down')
    if (needsAgreement && faults.includes('disagree'))
      throw new ChainError('ask the chain: endpoints fake-1 and fake-2 disagree')
  }

  #visible(): FakeBlock {
    const head = this.#chain.head
    return this.#chain.at(Math.max(0, head.ref.number - this.lag)) ?? head
  }

  async #below(depth: number, signal: AbortSignal | undefined): Promise<BlockRef> {
    await this.#reach(signal)
    const { ref } = this.#visible()
    return this.#chain.at(Math.max(0, ref.number - depth))?.ref ?? ref
  }

  #stateAt(at: BlockRef): BridgeState {
    const block = this.#chain.at(at.number)
    if (block?.ref.hash !== at.hash)
      throw new ChainError(`read state: block ${at.number} ${at.hash} is not on the chain`)
    return block.state
  }
}

const NO_EPOCH: EpochInfo = {
  epoch: 0,
  status: 'none',
  members: [],
  threshold: 0,
  committeeHash: `0x${'00'.repeat(32)}`,
  predecessor: 0,
  successor: 0,
  attempt: 0,
  transcriptHash: `0x${'00'.repeat(32)}`,
  commitmentsHashes: [],
  receipts: [],
  receiptsNeeded: 0,
  waived: false,
  activatedBlock: 0,
}

function phaseOf(state: BridgeState): Phase {
  if (state.pending !== null) return state.running === 0 ? 'keygen' : 'resharing'
  if (state.running === 0) return 'idle'
  return state.outstandingEpoch === 0 ? 'complete' : 'active'
}
