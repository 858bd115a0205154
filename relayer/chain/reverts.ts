// Calls that the Bridge refuses: its custom errors as one line, and the error that carries it.
import { ChainError } from '../lib/errors.ts'
import { BRIDGE, plainFields } from './abi-values.ts'
import { RpcRefusal } from './endpoint.ts'

/** What to do about a refusal of governance's own call, by how its reason begins. */
const HINTS: readonly (readonly [string, string])[] = [
  ['AccessControl', 'only the holder of the admin role may do this: use its key, or --calldata for a Safe'],
  ['NothingChanges(', 'the committee is so already: see `truss admin committee`'],
  ['NoCeremony(', 'nothing is pending that could be cancelled: see `truss admin committee`'],
  ['NothingToWaive(', 'that epoch owes no receipts: `truss admin committee` shows the one that does, if any'],
  ['ZeroRelayer(', "give the relayer's address: `truss init` printed it"],
  ['WindowOutOfBounds(', 'choose a number of blocks within the bounds'],
]

/** A bridge that refuses a call. */
export class RevertError extends ChainError {
  /** `Name(field value, …)` of the custom error, or the node's own words. */
  readonly reason: string

  constructor(name: string, reason: string) {
    const hint = HINTS.find(([begins]) => reason.startsWith(begins))?.[1]
    super(`send ${name}: the bridge refuses with ${reason}`, hint === undefined ? {} : { hint })
    this.reason = reason
  }
}

/** `DeletionsOutstanding(have 0, need 2)` for revert data of the Bridge; null if it is none of its errors. */
export function describeRevert(data: string | null): string | null {
  if (data === null || data === '0x') return null
  try {
    const error = BRIDGE.parseError(data)
    if (error === null) return null
    const fields = plainFields(error.args, error.fragment.inputs)
    if (error.name === 'Error') return `"${String(error.args.at(0))}"`
    return `${error.name}(${Object.entries(fields)
      .map(([name, value]) => `${name} ${String(value)}`)
      .join(', ')})`
  } catch {
    return null
  }
}

/** The bridge's own refusal out of an endpoint's, or the error as it is. */
export function refusalOf(name: string, error: unknown): unknown {
  if (!(error instanceof RpcRefusal)) return error
  const reason = describeRevert(error.data)
  if (reason !== null) return new RevertError(name, reason)
  return /revert/i.test(error.message) ? new RevertError(name, error.message) : error
}
