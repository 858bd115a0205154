// Between ABI words and plain values: decoding by the Bridge's ABI into objects of ours, and arguments into calldata.
import { Interface, type ParamType, Result } from 'ethers'
import { type Hex, toAddress } from '../lib/bytes.ts'
import { bridgeAbi } from './abi.ts'

/** The Bridge's interface. */
export const BRIDGE = new Interface(bridgeAbi)

/**
 * A decoded value as plain data: tuples as objects by field name, addresses in lower case, integers as number where they
 * are safe and as bigint otherwise.
 */
export function plainValue(value: unknown, type: ParamType): unknown {
  if (type.baseType === 'array') {
    const inner = type.arrayChildren
    return value instanceof Result && inner !== null
      ? value.toArray().map((one) => plainValue(one, inner))
      : []
  }
  if (type.baseType === 'tuple') return plainFields(value, type.components ?? [])
  if (typeof value === 'bigint') return Number.isSafeInteger(Number(value)) ? Number(value) : value
  if (type.baseType === 'address' && typeof value === 'string') return toAddress(value)
  return value
}

/** Decoded values by the names of their types. */
export function plainFields(values: unknown, types: readonly ParamType[]): Record<string, unknown> {
  if (!(values instanceof Result)) return {}
  return Object.fromEntries(
    types.map((type, at) => [type.name || String(at), plainValue(values.at(at), type)]),
  )
}

/** Calldata of a function of the Bridge. */
export function calldata(name: string, args: readonly unknown[]): Hex {
  return BRIDGE.encodeFunctionData(name, args) as Hex // CAST: ethers' hex strings begin with 0x
}
