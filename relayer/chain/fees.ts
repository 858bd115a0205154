// What a transaction costs: EIP-1559 fees with a tip, or a gas price on chains without a base fee, and how they are raised.
import { formatEther } from 'ethers'
import { type Endpoint, wei } from './endpoint.ts'
import { latest } from './finality.ts'

/** Prices of one gas, in wei. On a chain without a base fee both are its gas price. */
export interface Fees {
  readonly maxFeePerGas: bigint
  readonly maxPriorityFeePerGas: bigint
  /** Whether the chain has no base fee, so that a legacy transaction is sent. */
  readonly legacy: boolean
}

/** Where an endpoint suggests no tip. */
const DEFAULT_TIP = 1_000_000_000n

/** Nodes take a replacement from 10 % above on; 25 % leaves the lane in few steps. */
const RAISE_PERCENT = 125n

/** Fees that let a transaction in within a few blocks: twice the base fee, and the suggested tip. @throws ChainError */
export async function suggestFees(endpoint: Endpoint, signal?: AbortSignal): Promise<Fees> {
  const { baseFeePerGas } = await latest(endpoint, signal)
  if (baseFeePerGas === undefined) {
    const price = await endpoint.ask('eth_gasPrice', [], { schema: wei, signal })
    return { maxFeePerGas: price, maxPriorityFeePerGas: price, legacy: true }
  }
  const tip = await endpoint
    .ask('eth_maxPriorityFeePerGas', [], { schema: wei, signal })
    .catch((): bigint => DEFAULT_TIP)
  return { maxFeePerGas: 2n * baseFeePerGas + tip, maxPriorityFeePerGas: tip, legacy: false }
}

/** Fees of a replacement: those suggested now, but at least a quarter above the former ones. */
export function raiseFees(former: Fees, suggested: Fees): Fees {
  const above = (fee: bigint) => (fee * RAISE_PERCENT) / 100n + 1n
  return {
    maxFeePerGas: max(above(former.maxFeePerGas), suggested.maxFeePerGas),
    maxPriorityFeePerGas: max(above(former.maxPriorityFeePerGas), suggested.maxPriorityFeePerGas),
    legacy: former.legacy,
  }
}

/** "0.0012 ether (1200000000000000 wei)". */
export function formatWei(amount: bigint): string {
  return `${formatEther(amount)} ether (${amount} wei)`
}

function max(a: bigint, b: bigint): bigint {
  return a > b ? a : b
}
