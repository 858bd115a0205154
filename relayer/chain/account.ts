// The account that pays: its address, its raw signed transactions, and nothing else of its key.
import { computeAddress, SigningKey, Transaction } from 'ethers'
import { type Address, type Hex, to0x, toAddress } from '../lib/bytes.ts'
import type { Secret } from '../lib/secret.ts'
import type { Fees } from './fees.ts'

/** A transaction to sign. */
export interface Unsigned {
  readonly chainId: number
  readonly to: Address
  readonly data: Hex
  readonly nonce: number
  readonly gasLimit: bigint
  readonly fees: Fees
}

/** Signs transactions. */
export interface Account {
  readonly address: Address
  sign(transaction: Unsigned): { raw: Hex; hash: Hex }
}

/** The account of a 32-byte private key. */
export function accountOf(privateKey: Secret): Account {
  const key = () => new SigningKey(to0x(privateKey.expose()))
  return {
    address: toAddress(computeAddress(key().publicKey)),
    sign({ fees, ...rest }) {
      const prices = fees.legacy
        ? { type: 0, gasPrice: fees.maxFeePerGas }
        : {
            type: 2,
            maxFeePerGas: fees.maxFeePerGas,
            maxPriorityFeePerGas: fees.maxPriorityFeePerGas,
          }
      const transaction = Transaction.from({ ...rest, ...prices })
      transaction.signature = key().sign(transaction.unsignedHash)
      // CAST: ethers' hex strings begin with 0x
      return { raw: transaction.serialized as Hex, hash: transaction.hash as Hex }
    },
  }
}
