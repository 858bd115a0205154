// An in-memory governance chain: blocks mined by hand, finality depth, reorganisations, faults, and the governance of one bridge.
import { createHash } from 'node:crypto'
import type { BlockRef, BridgeEvent } from '../../relayer/chain/chain.ts'
import type { Address, Hex } from '../../relayer/lib/bytes.ts'
import type { Clock } from '../../relayer/lib/clock.ts'
import { BridgeCall } from './fake-bridge.ts'
import { type BridgeState, deployedState, Revert, type Verifier } from './fake-bridge-state.ts'
import { FakeChainView } from './fake-chain-view.ts'

/** What the chain starts from; everything but the members has a default. */
export interface FakeChainOptions {
  /** The first committee, in any order. */
  readonly members: readonly Address[]
  readonly threshold?: number
  /** Position in SCHEMES; 1 (frost-secp256k1-evm) unless told. */
  readonly scheme?: number
  readonly chainId?: number
  readonly bridge?: Address
  readonly attemptWindowBlocks?: number
  readonly requireDeletionQuorum?: boolean
  /** Blocks below the head that are not final yet; 2 unless told. */
  readonly finalityDepth?: number
  /** Checks signatures as the bridge would; null accepts all of them. */
  readonly verifier?: Verifier | null
}

/** A mined block with the bridge's state after it. */
export interface FakeBlock {
  readonly ref: BlockRef
  readonly state: BridgeState
  readonly events: readonly BridgeEvent[]
  readonly transactions: readonly Transaction[]
}

/** A call in a block. */
export interface Transaction {
  readonly call: (bridge: BridgeCall) => void
  readonly mined: (block: BlockRef) => void
}

type Emitted = Pick<BridgeEvent, 'name' | 'args'>

/** What all views of the chain suffer from. */
export type Fault = 'down' | 'disagree' | null

/** The chain that all nodes of a test share. Governance methods enter the block being built; `mine` seals it. */
export class FakeChain {
  readonly chainId: number
  readonly bridge: Address
  readonly finalityDepth: number
  /** Of every view; a view has a fault of its own beside it. */
  fault: Fault = null
  readonly #verifier: Verifier | null
  readonly #blocks: FakeBlock[] = []
  readonly #views = new Map<Address, FakeChainView>()
  #fork = 0
  #pending: BridgeState
  #waiting: Transaction[] = []
  #events: Emitted[] = []

  constructor(options: FakeChainOptions) {
    this.chainId = options.chainId ?? 31337
    this.bridge = options.bridge ?? `0x${'b0'.repeat(20)}`
    this.finalityDepth = options.finalityDepth ?? 2
    this.#verifier = options.verifier ?? null
    this.#pending = deployedState({
      members: options.members,
      threshold: options.threshold ?? 2,
      scheme: options.scheme ?? 1,
      attemptWindowBlocks: options.attemptWindowBlocks ?? 20,
      requireDeletionQuorum: options.requireDeletionQuorum ?? true,
    })
    this.#seal()
  }

  /** The Chain port of one node. */
  view(account: Address): FakeChainView {
    let view = this.#views.get(account)
    if (view === undefined) {
      view = new FakeChainView(this, account)
      this.#views.set(account, view)
    }
    return view
  }

  get head(): FakeBlock {
    const block = this.#blocks.at(-1)
    if (block === undefined) throw new Error('fake chain: no genesis')
    return block
  }

  /** State in the block being built: what a transaction sent now meets. */
  get pendingState(): BridgeState {
    return this.#pending
  }

  at(number: number): FakeBlock | undefined {
    return this.#blocks[number]
  }

  /** Mines blocks; the first takes the transactions that wait. */
  mine(blocks = 1): BlockRef {
    for (let i = 0; i < blocks; i++) this.#seal()
    return this.head.ref
  }

  /** Mines until everything mined so far is final at twice the depth. */
  finalise(): BlockRef {
    return this.mine(2 * this.finalityDepth + 1)
  }

  /** Mines a block every `blockMs` of the clock until the signal aborts. */
  async mineEvery(clock: Clock, blockMs: number, signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      await clock.sleep(blockMs, signal).catch(() => undefined)
      if (!signal.aborted) this.mine()
    }
  }

  /**
   * Replaces the top `depth` blocks by as many others and one more, with other hashes.
   * @param depth at most the finality depth, for final blocks stay; unless `final` says that they do not
   * @param keep whether their transactions (those that still pass) are mined again; otherwise they are lost
   */
  reorganise(
    depth: number,
    { keep = false, final = false }: { keep?: boolean; final?: boolean } = {},
  ): BlockRef {
    if (depth < 1 || (depth > this.finalityDepth && !final) || depth >= this.#blocks.length)
      throw new RangeError(`reorganise: ${depth} blocks are not all above the final one`)
    const dropped = this.#blocks.splice(this.#blocks.length - depth)
    const back = [...(keep ? dropped.flatMap(({ transactions }) => transactions) : []), ...this.#waiting]
    this.#fork++
    this.#pending = this.head.state
    this.#waiting = []
    this.#events = []
    for (const transaction of back) this.#resubmit(transaction)
    return this.mine(depth + 1)
  }

  /**
   * Puts a call into the block being built.
   * @param mined called with the block once it is sealed, again after a reorganisation that keeps it
   * @throws Revert if the bridge refuses it
   */
  submit(call: Transaction['call'], mined: Transaction['mined'] = () => undefined): void {
    const state = structuredClone(this.#pending)
    const events: Emitted[] = []
    call(
      new BridgeCall(state, {
        context: { chainId: this.chainId, bridge: this.bridge, verifier: this.#verifier },
        block: this.#blocks.length,
        emit: (name, args) => events.push({ name, args }),
      }),
    )
    this.#pending = state
    this.#events.push(...events)
    this.#waiting.push({ call, mined })
  }

  startKeygen(): void {
    this.submit((bridge) => bridge.startKeygen())
  }

  adminAddRelayer(relayer: Address): void {
    this.submit((bridge) => bridge.member(relayer, 'add'))
  }

  adminRemoveRelayer(relayer: Address): void {
    this.submit((bridge) => bridge.member(relayer, 'remove'))
  }

  adminChangeRelayerThreshold(threshold: number): void {
    this.submit((bridge) => bridge.changeThreshold(threshold))
  }

  adminSetCommittee(add: readonly Address[], remove: readonly Address[], threshold: number): void {
    this.submit((bridge) => bridge.setCommittee(add, remove, threshold))
  }

  refreshKey(reason = 'refresh'): void {
    this.submit((bridge) => bridge.refreshKey(reason))
  }

  adminAddKey(scheme: number): void {
    this.submit((bridge) => bridge.addKey(scheme))
  }

  adminCancelCeremony(): void {
    this.submit((bridge) => bridge.cancel())
  }

  adminWaiveDeletions(epoch: number): void {
    this.submit((bridge) => bridge.waive(epoch))
  }

  adminSetAttemptWindow(blocks: number): void {
    this.submit((bridge) => bridge.setWindow(blocks))
  }

  adminSetRequireDeletionQuorum(required: boolean): void {
    this.submit((bridge) => bridge.setRequireDeletionQuorum(required))
  }

  #resubmit({ call, mined }: Transaction): void {
    try {
      this.submit(call, mined)
    } catch (error) {
      if (!(error instanceof Revert)) throw error
      // As on a real chain: mined again, it reverts, and leaves no trace in the bridge.
    }
  }

  #seal(): void {
    const number = this.#blocks.length
    const parent = this.#blocks.at(-1)?.ref.hash ?? ''
    const hash: Hex = `0x${createHash('sha256').update(`${this.chainId}/${this.#fork}/${number}/${parent}`).digest('hex')}`
    const ref = { number, hash }
    const events = this.#events.map((event, logIndex) => ({ ...event, block: ref, logIndex }))
    const transactions = this.#waiting
    this.#blocks.push({ ref, state: this.#pending, events, transactions })
    this.#events = []
    this.#waiting = []
    for (const { mined } of transactions) mined(ref)
  }
}
