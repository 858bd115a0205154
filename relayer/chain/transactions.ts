// The account's one nonce lane: transactions one after another, each estimated, paid for, raised while it is stuck, and followed to its block.
import { z } from 'zod'
import type { Address, Hex } from '../lib/bytes.ts'
import type { Clock } from '../lib/clock.ts'
import { ChainError, messageOf } from '../lib/errors.ts'
import type { Log } from '../lib/log.ts'
import { unlessAborted } from './abort.ts'
import type { Account } from './account.ts'
import type { TxOutcome } from './chain.ts'
import { bytes, type Endpoint, hash32, quantity, RpcRefusal, wei } from './endpoint.ts'
import { type Fees, formatWei, raiseFees, suggestFees } from './fees.ts'
import { latest } from './finality.ts'
import type { Quorum } from './quorum.ts'
import { RevertError, refusalOf } from './reverts.ts'

/** What is to be sent, and how to see that it is needed no longer. */
export interface Order {
  /** For messages: "activate", "adminAddRelayer". */
  readonly name: string
  readonly to: Address
  readonly data: Hex
  /** Whether the latest state shows that somebody else was first. */
  readonly alreadyDone: (signal?: AbortSignal) => Promise<boolean>
}

/** Settings of the lane. */
export interface LaneOptions {
  readonly chainId: number
  readonly clock: Clock
  readonly log: Log
  /** Milliseconds between two looks for a receipt. */
  readonly pollMs: number
  /** Blocks after which a transaction that is not mined is sent again with raised fees. */
  readonly raiseAfterBlocks: number
}

const receiptSchema = z
  .object({ transactionHash: hash32, blockNumber: quantity, blockHash: hash32, status: quantity })
  .nullable()
type Receipt = NonNullable<z.output<typeof receiptSchema>>

/** What was sent under one nonce. */
interface Flight {
  readonly nonce: number
  readonly gasLimit: bigint
  fees: Fees
  readonly hashes: Hex[]
  /** Head when it was last sent. */
  sentAt: number
}

/** Sends the account's transactions. */
export class Transactions {
  readonly #quorum: Quorum
  readonly #account: Account
  readonly #options: LaneOptions
  #lane: Promise<unknown> = Promise.resolve()
  /** The transaction that an aborted or superseded order left unmined: the next one replaces it. */
  #left: Flight | null = null

  constructor(quorum: Quorum, account: Account, options: LaneOptions) {
    this.#quorum = quorum
    this.#account = account
    this.#options = options
  }

  /**
   * Sends one transaction after those before it, and waits until it is mined.
   * @throws RevertError, ChainError (also when the account runs short: the message says by how much), the signal's reason
   */
  async send(order: Order, signal?: AbortSignal): Promise<TxOutcome> {
    const before = this.#lane
    const turn = Promise.withResolvers<void>()
    this.#lane = before.then(() => turn.promise)
    try {
      await unlessAborted(before, signal)
      return await this.#run(order, signal)
    } finally {
      turn.resolve()
    }
  }

  /** The account's balance at the latest block, in wei. @throws ChainError */
  async balance(signal?: AbortSignal): Promise<bigint> {
    const params = [this.#account.address, 'latest']
    return this.#quorum.first('the balance', (endpoint) =>
      endpoint.ask('eth_getBalance', params, { schema: wei, signal }),
    )
  }

  /** Fees for a transaction sent now. @throws ChainError */
  async fees(signal?: AbortSignal): Promise<Fees> {
    const by = ({ maxFeePerGas }: Fees): bigint => maxFeePerGas
    return this.#quorum.moderate('the fees', (endpoint) => suggestFees(endpoint, signal), { by, signal })
  }

  async #run(order: Order, signal: AbortSignal | undefined): Promise<TxOutcome> {
    for (;;) {
      if (await order.alreadyDone(signal)) return { kind: 'already-done' }
      let flight: Flight
      try {
        flight = await this.#prepare(order, signal)
      } catch (error) {
        if (error instanceof RevertError && (await order.alreadyDone(signal))) return { kind: 'already-done' }
        throw error
      }
      await this.#broadcast(order, flight, signal)
      const receipt = await this.#follow(order, flight, signal)
      if (receipt === 'done') return { kind: 'already-done' }
      // Another transaction of this account took the nonce: look again, with the next one.
      if (receipt === 'nonce taken') continue
      const block = { number: receipt.blockNumber, hash: receipt.blockHash }
      if (receipt.status === 1) return { kind: 'mined', hash: receipt.transactionHash, block }
      if (await order.alreadyDone(signal)) return { kind: 'already-done' }
      throw new RevertError(order.name, await this.#whyReverted(order, signal))
    }
  }

  /** Nonce, gas and fees. */
  async #prepare(order: Order, signal: AbortSignal | undefined): Promise<Flight> {
    const nonce = await this.#nonce(signal)
    const gasLimit = await this.#estimate(order, signal)
    const suggested = await this.fees(signal)
    const stuck = this.#left?.nonce === nonce ? this.#left : null
    const fees = stuck === null ? suggested : raiseFees(stuck.fees, suggested)
    const need = gasLimit * fees.maxFeePerGas
    const balance = await this.balance(signal)
    if (balance < need) throw this.#short(order.name, need, balance)
    return { nonce, gasLimit, fees, hashes: [], sentAt: 0 }
  }

  /** Signs and hands the transaction to every endpoint. @throws ChainError if none takes it */
  async #broadcast(order: Order, flight: Flight, signal: AbortSignal | undefined): Promise<void> {
    const { nonce, gasLimit, fees } = flight
    const { chainId, log } = this.#options
    const { to, data, name } = order
    const { raw, hash } = this.#account.sign({ chainId, to, data, nonce, gasLimit, fees })
    const { number } = await this.#quorum.first('the head', (endpoint) => latest(endpoint, signal))
    flight.sentAt = number
    this.#left = flight
    const results = await Promise.allSettled(
      this.#quorum.endpoints.map(async (endpoint) => {
        try {
          await endpoint.ask('eth_sendRawTransaction', [raw], { schema: bytes, signal })
        } catch (error) {
          // Several endpoints may share one pool.
          if (
            !(
              error instanceof RpcRefusal &&
              /already known|known transaction|already imported/i.test(error.message)
            )
          )
            throw error
        }
      }),
    )
    signal?.throwIfAborted()
    const refusals = results.flatMap((result) =>
      result.status === 'rejected' ? [messageOf(result.reason)] : [],
    )
    if (refusals.length < results.length) {
      flight.hashes.push(hash)
      log.info({ transaction: hash, nonce, maxFeePerGas: String(fees.maxFeePerGas) }, `sent ${name}`)
      return
    }
    const said = refusals.join('; ')
    // A stuck transaction that we do not know, of an earlier run; or one that was mined this moment.
    if (/underpriced|replacement|nonce too low|already been used|nonce.*expected|in the mempool/i.test(said))
      return
    if (/insufficient funds|enough funds|balance/i.test(said))
      throw this.#short(name, gasLimit * fees.maxFeePerGas, await this.balance(signal))
    throw new ChainError(`send ${name}: no RPC endpoint takes the transaction: ${said}`)
  }

  /** Waits for the receipt, raising the fees of what is stuck. */
  async #follow(
    order: Order,
    flight: Flight,
    signal: AbortSignal | undefined,
  ): Promise<Receipt | 'done' | 'nonce taken'> {
    const { clock, log, pollMs, raiseAfterBlocks } = this.#options
    let lastLook = -1
    for (;;) {
      try {
        // The nonce first: if it is used and no receipt of ours is there afterwards, another transaction has it.
        const nonce = await this.#nonce(signal)
        const receipt = await this.#receipt(flight, signal)
        if (receipt !== null) return receipt
        if (nonce > flight.nonce) return 'nonce taken'
        const { number } = await this.#quorum.first('the head', (endpoint) => latest(endpoint, signal))
        // It may be our own that was mined since the look above.
        if (number !== lastLook && (await order.alreadyDone(signal)))
          return (await this.#receipt(flight, signal)) ?? 'done'
        lastLook = number
        if (number - flight.sentAt >= raiseAfterBlocks) await this.#raise(order, flight, signal)
      } catch (error) {
        signal?.throwIfAborted()
        log.warn({ reason: messageOf(error) }, `follow ${order.name}: look again`)
      }
      await clock.sleep(pollMs, signal)
    }
  }

  /** Sends the same again with the same nonce for a higher price, if the account can pay for it. */
  async #raise(order: Order, flight: Flight, signal: AbortSignal | undefined): Promise<void> {
    const fees = raiseFees(flight.fees, await this.fees(signal))
    const need = flight.gasLimit * fees.maxFeePerGas
    const balance = await this.balance(signal)
    if (balance < need) throw this.#short(order.name, need, balance)
    flight.fees = fees
    await this.#broadcast(order, flight, signal)
  }

  async #receipt(flight: Flight, signal: AbortSignal | undefined): Promise<Receipt | null> {
    for (const hash of flight.hashes) {
      const receipts = await Promise.allSettled(
        this.#quorum.endpoints.map((endpoint) =>
          endpoint.ask('eth_getTransactionReceipt', [hash], { schema: receiptSchema, signal }),
        ),
      )
      for (const result of receipts)
        if (result.status === 'fulfilled' && result.value !== null) {
          this.#left = null
          return result.value
        }
    }
    return null
  }

  /** The account's next nonce. One that only a lagging endpoint still names is refused by the others, and asked for again. */
  async #nonce(signal: AbortSignal | undefined): Promise<number> {
    const params = [this.#account.address, 'latest']
    const ask = (endpoint: Endpoint) =>
      endpoint.ask('eth_getTransactionCount', params, { schema: quantity, signal })
    return this.#quorum.moderate("the account's nonce", ask, { by: (nonce) => nonce, signal })
  }

  /** A quarter above the estimate: state may move a little before the transaction is mined. */
  async #estimate(order: Order, signal: AbortSignal | undefined): Promise<bigint> {
    const call = { from: this.#account.address, to: order.to, data: order.data }
    try {
      const gas = await this.#quorum.first('the gas', (endpoint) =>
        endpoint.ask('eth_estimateGas', [call], { schema: wei, signal }),
      )
      return (gas * 125n) / 100n + 10_000n
    } catch (error) {
      throw refusalOf(order.name, error)
    }
  }

  async #whyReverted({ to, data, name }: Order, signal: AbortSignal | undefined): Promise<string> {
    const call = { from: this.#account.address, to, data }
    try {
      await this.#quorum.first('the reason', (endpoint) =>
        endpoint.ask('eth_call', [call, 'latest'], { schema: bytes, signal }),
      )
      return 'a revert when it was mined; the same call passes now'
    } catch (error) {
      const refusal = refusalOf(name, error)
      return refusal instanceof RevertError ? refusal.reason : messageOf(refusal)
    }
  }

  #short(name: string, need: bigint, balance: bigint): ChainError {
    const { address } = this.#account
    return new ChainError(
      `send ${name}: account ${address} is short of ${formatWei(need - balance)}: it has ${formatWei(balance)} and needs up to ${formatWei(need)}`,
      { hint: `send at least ${formatWei(need - balance)} to ${address}` },
    )
  }
}
