// Governance's side of the Bridge, for the command line: calldata, a trial run, sending, and who may.
import { z } from 'zod'
import type { Address, Hex } from '../lib/bytes.ts'
import { calldata } from './abi-values.ts'
import type { TxOutcome } from './chain.ts'
import { bytes } from './endpoint.ts'
import { readView } from './contracts.ts'
import type { Quorum } from './quorum.ts'
import { refusalOf } from './reverts.ts'
import type { Transactions } from './transactions.ts'

/** Functions of the holder of the admin role. */
export const ADMIN_METHODS = [
  'startKeygen',
  'refreshKey',
  'adminAddKey',
  'adminAddRelayer',
  'adminRemoveRelayer',
  'adminChangeRelayerThreshold',
  'adminSetCommittee',
  'adminCancelCeremony',
  'adminWaiveDeletions',
  'adminSetAttemptWindow',
  'adminSetRequireDeletionQuorum',
  'adminSetGroupKey',
  'adminPauseTransfers',
  'adminUnpauseTransfers',
] as const
export type AdminMethod = (typeof ADMIN_METHODS)[number]

/** A call of governance: the contract's function with its arguments in order. */
export interface AdminCall {
  readonly method: AdminMethod
  readonly args: readonly unknown[]
}

/** AccessControl's DEFAULT_ADMIN_ROLE. */
const ADMIN_ROLE: Hex = `0x${'00'.repeat(32)}`

/** Calldata of a governance call, for a Safe or any other sender. @throws if the arguments do not fit the ABI */
export function adminCalldata({ method, args }: AdminCall): Hex {
  return calldata(method, args)
}

/** Governance of one bridge. */
export class Governance {
  readonly #quorum: Quorum
  readonly #bridge: Address
  readonly #transactions: Transactions

  constructor(quorum: Quorum, bridge: Address, transactions: Transactions) {
    this.#quorum = quorum
    this.#bridge = bridge
    this.#transactions = transactions
  }

  /** Whether an account holds the admin role at the latest block. @throws ChainError */
  async isAdmin(account: Address, signal?: AbortSignal): Promise<boolean> {
    const view = { bridge: this.#bridge, name: 'hasRole', args: [ADMIN_ROLE, account], signal }
    return this.#quorum.first(
      'the admin role',
      async (endpoint) => z.boolean().parse(await readView(endpoint, { ...view, at: 'latest' })),
      signal,
    )
  }

  /** The account that holds the admin role: a Safe, a timelock, a key. @throws ChainError */
  async admin(signal?: AbortSignal): Promise<Address> {
    const view = { bridge: this.#bridge, name: 'defaultAdmin', args: [], signal }
    return this.#quorum.first(
      'the admin',
      async (endpoint) => {
        const admin = z.string().parse(await readView(endpoint, { ...view, at: 'latest' }))
        return admin as Address // CAST: an address of the ABI's decoder, lower case
      },
      signal,
    )
  }

  /** Tries a call as `from` without sending it. @throws RevertError with the bridge's reason, ChainError */
  async simulate(call: AdminCall, from: Address, signal?: AbortSignal): Promise<void> {
    const request = { from, to: this.#bridge, data: adminCalldata(call) }
    try {
      await this.#quorum.first(
        `the outcome of ${call.method}`,
        (endpoint) => endpoint.ask('eth_call', [request, 'latest'], { schema: bytes, signal }),
        signal,
      )
    } catch (error) {
      throw refusalOf(call.method, error)
    }
  }

  /** Sends a call from the chain's account and waits until it is mined. @throws RevertError, ChainError */
  async send(call: AdminCall, signal?: AbortSignal): Promise<Extract<TxOutcome, { kind: 'mined' }>> {
    const alreadyDone = () => Promise.resolve(false)
    const order = { name: call.method, to: this.#bridge, data: adminCalldata(call), alreadyDone }
    const outcome = await this.#transactions.send(order, signal)
    if (outcome.kind !== 'mined') throw new Error(`send ${call.method}: nothing was sent`)
    return outcome
  }
}
