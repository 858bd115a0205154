// The Chain port over ethers and one or more RPC endpoints.
import type { Address, Hex } from '../lib/bytes.ts'
import type { Clock } from '../lib/clock.ts'
import { ChainError } from '../lib/errors.ts'
import type { Log } from '../lib/log.ts'
import type { Secret } from '../lib/secret.ts'
import { calldata } from './abi-values.ts'
import { type Account, accountOf } from './account.ts'
import { Governance } from './admin.ts'
import type {
  Activation,
  ActivationEvent,
  BlockRef,
  BridgeEvent,
  Chain,
  CommitteeState,
  EpochInfo,
  SignedReceipt,
  TxOutcome,
} from './chain.ts'
import { type At, readCommitteeState, readEpochInfo } from './contracts.ts'
import { createEndpoints, type Endpoint } from './endpoint.ts'
import { EventReader } from './events.ts'
import type { Exchange } from './exchange.ts'
import { agreedBlock, agreedFinal, type Confirmations, latest } from './finality.ts'
import { Quorum } from './quorum.ts'
import { Transactions } from './transactions.ts'

/** What a client needs. */
export interface ChainOptions {
  /** May carry credentials: messages name hosts only. */
  readonly rpcUrls: readonly string[]
  /** How many endpoints must agree; at most as many as there are. */
  readonly rpcQuorum: number
  readonly rpcTimeoutMs: number
  readonly chainId: number
  readonly bridge: Address
  readonly confirmations: Confirmations
  /** The account that pays; null for a tool that only reads. Taken over: the caller does not wipe it before `close`. */
  readonly privateKey: Secret | null
  readonly clock: Clock
  readonly log: Log
  /** Milliseconds between two looks for a receipt. */
  readonly pollMs: number
  /** Blocks after which a stuck transaction is sent again for a higher price; 3 by default. */
  readonly raiseAfterBlocks?: number
  /** Instead of HTTP. */
  readonly exchange?: Exchange
}

/** Gas limit of an activation: measured 232,000 and 6,900 a member with one key, and the quarter that a sender adds. */
const ACTIVATION_GAS = { base: 300_000n, member: 9_000n, key: 70_000n } as const

/** How far the head moves beyond what rpcQuorum endpoints have said, while fewer of them answer. */
const LEAD_BLOCKS = 64

const NO_HASH: Hex = `0x${'00'.repeat(32)}`

const NOBODY: Account = {
  address: `0x${'00'.repeat(20)}`,
  sign() {
    throw new ChainError('sign a transaction: this client has no account')
  },
}

/** The governance chain through ethers. Nothing runs between calls; `close` ends requests in flight. */
export class EthersChain implements Chain {
  readonly chainId: number
  readonly bridge: Address
  readonly account: Address
  readonly governance: Governance
  readonly #confirmations: Confirmations
  readonly #quorum: Quorum
  readonly #events: EventReader
  readonly #transactions: Transactions
  /** The last head that rpcQuorum endpoints had reached, or null. */
  #agreedHead: number | null = null

  constructor(options: ChainOptions) {
    const { chainId, bridge, clock, log, pollMs, raiseAfterBlocks = 3, rpcTimeoutMs: timeoutMs } = options
    this.chainId = chainId
    this.bridge = bridge
    this.#confirmations = options.confirmations
    const endpoints = createEndpoints(options.rpcUrls, {
      chainId,
      bridge,
      timeoutMs,
      clock,
      exchange: options.exchange,
    })
    this.#quorum = new Quorum(endpoints, options.rpcQuorum, log)
    this.#events = new EventReader(bridge)
    const account = options.privateKey === null ? NOBODY : accountOf(options.privateKey)
    this.account = account.address
    const lane = { chainId, clock, log, pollMs, raiseAfterBlocks }
    this.#transactions = new Transactions(this.#quorum, account, lane)
    this.governance = new Governance(this.#quorum, bridge, this.#transactions)
  }

  /**
   * Sees that the endpoints serve this chain and that the bridge is there.
   * @throws ConfigError if one that answers serves another chain, has no code at the bridge's address, or counts other
   * blocks than contracts see; ChainError if fewer than rpcQuorum answer
   */
  async check(signal?: AbortSignal): Promise<void> {
    await this.#quorum.verify(signal)
  }

  /** Ends requests in flight; later ones reject. */
  close(): void {
    for (const endpoint of this.#quorum.endpoints) endpoint.close()
  }

  async head(signal?: AbortSignal): Promise<BlockRef> {
    const hashes = new Map<number, Hex>()
    const ask = async (endpoint: Endpoint): Promise<number> => {
      const { number, hash } = await latest(endpoint, signal)
      hashes.set(number, hash)
      return number
    }
    // A ceremony's clock does not go back: what one endpoint says of it while the others are down must not end it for good.
    const number = await this.#clock(ask, signal)
    return { number, hash: hashes.get(number) ?? NO_HASH }
  }

  /** The first head is agreed on; while too few endpoints answer later, it does not run far ahead of the last one that was. */
  async #clock(
    ask: (endpoint: Endpoint) => Promise<number>,
    signal: AbortSignal | undefined,
  ): Promise<number> {
    if (this.#agreedHead === null) {
      this.#agreedHead = await this.#quorum.reached('the head', ask, signal)
      return this.#agreedHead
    }
    const { number: said, agreed } = await this.#quorum.abreast('the head', ask, signal)
    if (agreed) this.#agreedHead = said
    return Math.min(said, this.#agreedHead + LEAD_BLOCKS)
  }

  async finalised(signal?: AbortSignal): Promise<BlockRef> {
    return agreedFinal(this.#quorum, this.#confirmations, { times: 1, signal })
  }

  async deeplyFinalised(signal?: AbortSignal): Promise<BlockRef> {
    return agreedFinal(this.#quorum, this.#confirmations, { times: 2, signal })
  }

  async block(number: number, signal?: AbortSignal): Promise<BlockRef | null> {
    return agreedBlock(this.#quorum, number, signal)
  }

  async committeeState(at: BlockRef, signal?: AbortSignal): Promise<CommitteeState> {
    const { bridge } = this
    return this.#quorum.agree(
      `the committee at block ${at.number}`,
      (endpoint) => readCommitteeState(endpoint, { bridge, at, signal }),
      signal,
    )
  }

  async epochInfo(epoch: number, at: BlockRef, signal?: AbortSignal): Promise<EpochInfo> {
    const { bridge } = this
    return this.#quorum.agree(
      `epoch ${epoch} at block ${at.number}`,
      (endpoint) => readEpochInfo(endpoint, { bridge, epoch, at, signal }),
      signal,
    )
  }

  async events(from: number, to: number, signal?: AbortSignal): Promise<readonly BridgeEvent[]> {
    const { events } = await this.#quorum.agree(
      `events of blocks ${from} to ${to}`,
      (endpoint) => this.#events.range(endpoint, from, { number: to, signal }),
      signal,
    )
    return events
  }

  async activation(epoch: number, at: BlockRef, signal?: AbortSignal): Promise<ActivationEvent | null> {
    const { activatedBlock } = await this.epochInfo(epoch, at, signal)
    if (activatedBlock === 0) return null
    const block = await this.block(activatedBlock, signal)
    if (block === null) throw new ChainError(`read the activation of epoch ${epoch}: its block is not there`)
    const event = await this.#quorum.agree(
      `the activation of epoch ${epoch}`,
      (endpoint) => this.#events.activationIn(endpoint, epoch, { block, signal }),
      signal,
    )
    if (event === null)
      throw new ChainError(`read the activation of epoch ${epoch}: block ${activatedBlock} has no such event`)
    return event
  }

  async activate(
    args: { activation: Activation; readiness: readonly Hex[]; groupSignature: Hex },
    signal?: AbortSignal,
  ): Promise<TxOutcome> {
    const { activation, readiness, groupSignature } = args
    const data = calldata('activate', [activation, readiness, groupSignature])
    const alreadyDone = async (inner?: AbortSignal): Promise<boolean> => {
      const { status } = await this.#latestEpoch(activation.epoch, inner)
      return status !== 'pending' && status !== 'none'
    }
    return this.#transactions.send({ name: 'activate', to: this.bridge, data, alreadyDone }, signal)
  }

  async recordDeletions(receipts: readonly SignedReceipt[], signal?: AbortSignal): Promise<TxOutcome> {
    const signatures = receipts.map(({ signature }) => signature)
    const data = calldata('recordDeletions', [receipts, signatures])
    // One that names outstanding backups is not listed in the view: it is sent, and the bridge skips what it knows.
    const alreadyDone = async (inner?: AbortSignal): Promise<boolean> => {
      const epochs = [...new Set(receipts.map(({ epoch }) => epoch))]
      const infos = await Promise.all(epochs.map((epoch) => this.#latestEpoch(epoch, inner)))
      return receipts.every(({ epoch, relayer }) =>
        infos.some((info) => info.epoch === epoch && info.receipts.includes(relayer)),
      )
    }
    return this.#transactions.send({ name: 'recordDeletions', to: this.bridge, data, alreadyDone }, signal)
  }

  async funds(signal?: AbortSignal): Promise<{ balance: bigint; activationCost: bigint }> {
    const [balance, { maxFeePerGas }, head] = await Promise.all([
      this.#transactions.balance(signal),
      this.#transactions.fees(signal),
      this.head(signal),
    ])
    const { bridge } = this
    const { members, keys } = await this.#quorum.first(
      'the committee',
      async (endpoint) => {
        const state = await readCommitteeState(endpoint, { bridge, at: head, signal })
        const epoch = state.pending?.epoch ?? 0
        const next = epoch === 0 ? state : await readEpochInfo(endpoint, { bridge, epoch, at: head, signal })
        return { members: BigInt(next.members.length), keys: BigInt(state.keys.length) }
      },
      signal,
    )
    const gas = ACTIVATION_GAS.base + ACTIVATION_GAS.member * members + ACTIVATION_GAS.key * keys
    return { balance, activationCost: gas * maxFeePerGas }
  }

  async #latestEpoch(epoch: number, signal: AbortSignal | undefined): Promise<EpochInfo> {
    const at: At = 'latest'
    const { bridge } = this
    return this.#quorum.first(
      `epoch ${epoch}`,
      (endpoint) => readEpochInfo(endpoint, { bridge, epoch, at, signal }),
      signal,
    )
  }
}

/** A client; it asks for nothing before it is used. `check` it first. */
export function createChain(options: ChainOptions): EthersChain {
  return new EthersChain(options)
}
