// Deletion receipts on their way: signed ones gossiped and gathered, and put on chain by rank with a delay in blocks.
import type { EpochInfo } from '../chain/chain.ts'
import { recover } from '../crypto/identity.ts'
import { type Address, fromHex, u64 } from '../lib/bytes.ts'
import { messageOf } from '../lib/errors.ts'
import { H } from '../crypto/hash.ts'
import { TAG } from '../crypto/tags.ts'
import { rankMembers } from '../protocol/party.ts'
import { receiptDigest } from '../protocol/typed.ts'
import { decodeReceipt, encodeReceipt, type SignedReceipt } from '../store/receipts.ts'
import { turnOf } from './activation.ts'
import type { Sight } from './follower.ts'
import { type Owed, owedBy } from './owed.ts'
import type { Desk } from './parts.ts'

/** Blocks between the turns of two members, and how often an unrecorded receipt is gossiped again. */
const TURN_BLOCKS = 2
const GOSSIP_BLOCKS = 8
/** Most receipts of one transaction: each costs about 27,000 gas, and none may take more than 16.7 million (EIP-7825). */
const RECORDED = 128
/** Most receipts that wait for a sight of the chain against which they can be checked. */
const WAITING = 256

/** Gathers and passes on receipts; one for the life of the relayer. */
export class ReceiptDesk {
  readonly #desk: Desk
  #sight: Sight | null = null
  /** Block in which something unrecorded was first seen, or null; recording is due a turn after it. */
  #since: number | null = null
  #gossipedAt = -GOSSIP_BLOCKS
  #recording = false
  #waiting: { readonly from: Address; readonly receipt: SignedReceipt }[] = []

  constructor(desk: Desk) {
    this.#desk = desk
  }

  /** Takes receipts from the network until the function returned is called. */
  listen(): () => void {
    return this.#desk.network.onTell('receipt', (from, body) => {
      let receipt: SignedReceipt
      try {
        receipt = decodeReceipt(body)
      } catch (error) {
        this.#desk.log.debug({ from, reason: messageOf(error) }, 'receipt refused')
        return
      }
      if (this.#waiting.length < WAITING) this.#waiting.push({ from, receipt })
      this.#desk.background('take receipt', () => this.#takeWaiting())
    })
  }

  /** What the completion waits for; valid receipts without outstanding backups count, on chain or not. @throws StoreError */
  async owed({ state, closed }: Pick<Sight, 'state' | 'closed'>): Promise<Owed[]> {
    const known = new Map<number, ReadonlySet<Address>>()
    for (const { epoch } of owedBy(state, closed)) {
      const info = closed.find((each) => each.epoch === epoch)
      if (info !== undefined)
        known.set(epoch, new Set((await this.#whole(info)).map(({ relayer }) => relayer)))
    }
    return owedBy(state, closed, known)
  }

  /** Passes on what is not on chain, and records it when it is this node's turn. */
  async settle(sight: Sight, fresh: readonly SignedReceipt[]): Promise<void> {
    this.#sight = sight
    await this.#takeWaiting()
    const missing = await this.#unrecorded(sight)
    const head = sight.head.number
    const again = missing.length > 0 && head >= this.#gossipedAt + GOSSIP_BLOCKS
    if (again) this.#gossipedAt = head
    for (const receipt of again ? missing : fresh) this.#gossip(receipt, sight)
    if (missing.length === 0) {
      this.#since = null
      return
    }
    this.#since ??= head
    if (this.#recording || head < this.#since + (1 + this.#turn(sight)) * TURN_BLOCKS) return
    this.#recording = true
    this.#desk.background('record receipts', (signal) => this.#record(missing.slice(0, RECORDED), signal))
  }

  async #record(receipts: readonly SignedReceipt[], signal: AbortSignal): Promise<void> {
    const { chain, metrics, problems, log } = this.#desk
    try {
      const outcome = await chain.recordDeletions(receipts, signal)
      metrics?.transactions.inc({ method: 'recordDeletions', outcome: outcome.kind })
      if (outcome.kind === 'mined')
        log.info({ receipts: receipts.length, tx: outcome.hash }, 'receipts recorded')
      problems.set('receipts', null)
    } catch (error) {
      signal.throwIfAborted()
      metrics?.transactions.inc({ method: 'recordDeletions', outcome: 'failed' })
      problems.set('receipts', {
        severity: 'warning',
        message: messageOf(error),
        remedy: 'check the account of this node and its RPC endpoints; other members send receipts too',
      })
    } finally {
      this.#recording = false
      this.#since = null
    }
  }

  async #takeWaiting(): Promise<void> {
    const sight = this.#sight
    if (sight === null) return
    const { store, chain, log } = this.#desk
    for (const { from, receipt } of this.#waiting.splice(0)) {
      const info = sight.closed.find(({ epoch }) => epoch === receipt.epoch)
      if (info === undefined || !info.members.includes(receipt.relayer)) continue
      if (info.successor !== receipt.successorEpoch || info.receipts.includes(receipt.relayer)) continue
      if (recover(receiptDigest(chain, receipt), fromHex(receipt.signature)) !== receipt.relayer) {
        log.debug({ from, code: 'E_SIG', reason: `not signed by ${receipt.relayer}` }, 'receipt refused')
        continue
      }
      await store.putReceipt(receipt)
      log.debug({ from, epoch: receipt.epoch, relayer: receipt.relayer }, 'receipt received')
    }
  }

  /** Stored receipts that the final state does not show yet. */
  async #unrecorded({ closed }: Sight): Promise<SignedReceipt[]> {
    const missing: SignedReceipt[] = []
    for (const info of closed) {
      if (info.receipts.length === info.members.length) continue
      for (const receipt of await this.#whole(info))
        if (!info.receipts.includes(receipt.relayer)) missing.push(receipt)
    }
    return missing
  }

  /** Stored receipts that the bridge would count. One of a past that was reorganised away would have it refuse all others. */
  async #whole({ epoch, successor }: EpochInfo): Promise<SignedReceipt[]> {
    const stored = await this.#desk.store.receipts(epoch)
    return stored.filter((each) => each.outstandingBackups === 0 && each.successorEpoch === successor)
  }

  /** Members of the running committee take turns, in an order that changes with the epoch; everybody else comes after. */
  #turn({ state }: Sight): number {
    return turnOf(this.#desk.self, rankMembers(H(TAG.receiptTurn, u64(state.epoch)), 0, state.members))
  }

  #gossip(receipt: SignedReceipt, { state, closed }: Sight): void {
    const { network, self } = this.#desk
    const epoch = closed.find((info) => info.epoch === receipt.epoch)
    const bytes = encodeReceipt(receipt)
    for (const member of new Set([...state.members, ...(epoch?.members ?? [])]))
      if (member !== self) network.tell(member, 'receipt', bytes)
  }
}
