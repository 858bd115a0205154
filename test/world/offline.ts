// A record of evidence in the hands of a stranger: it holds as it is, with no byte changed, and under no committee that its bearer made up.
import type { Address } from '../../relayer/lib/bytes.ts'
import { fromHex } from '../../relayer/lib/bytes.ts'
import { InputError } from '../../relayer/lib/errors.ts'
import type { TrustedState } from '../../relayer/protocol/evidence.ts'
import { type RegisteredKey, SCHEMES } from '../../relayer/protocol/keyshare.ts'
import { verifyRecord } from '../../relayer/protocol/record.ts'
import type { BridgeState } from '../support/fake-bridge-state.ts'
import { BRIDGE, CHAIN_ID } from './member.ts'

/** Bytes of a record that are changed, spread over it. */
const SAMPLES = 12

/** What anybody can read of the contract. */
export function trustedOf({ epochs, keys }: Pick<BridgeState, 'epochs' | 'keys'>): TrustedState {
  const committees = Object.values(epochs)
  const registered = committees.flatMap(({ commitmentsHashes }) =>
    commitmentsHashes.flatMap(({ keyId, hash }): RegisteredKey[] => {
      const key = keys.find((each) => each.keyId === keyId)
      const scheme = SCHEMES[key?.scheme ?? 0]
      if (key === undefined || scheme === undefined) return []
      return [{ keyId, scheme, groupKey: fromHex(key.groupKey), commitmentsHash: fromHex(hash) }]
    }),
  )
  return {
    chainId: CHAIN_ID,
    bridge: BRIDGE,
    committees: committees.map(({ epoch, members, threshold }) => ({ epoch, members, threshold })),
    keys: registered,
  }
}

/**
 * What is wrong with a record that convinces: a byte that may be changed, or a committee that may be made up. Null if
 * nothing is.
 */
export function weaknessOf(bytes: Uint8Array, trusted: TrustedState): string | null {
  const step = Math.max(1, Math.floor(bytes.length / SAMPLES))
  // Where it begins differs from record to record.
  for (let at = (bytes.at(-1) ?? 0) % step; at < bytes.length; at += step) {
    const changed = bytes.with(at, (bytes[at] ?? 0) ^ (1 << (at % 8)))
    if (convinces(changed, trusted)) return `byte ${at} of ${bytes.length} may be changed`
  }
  if (convinces(bytes, madeUp(trusted))) return 'a committee that was made up is convinced'
  return convinces(bytes, { ...trusted, committees: [] }) ? 'it convinces without a committee' : null
}

function convinces(bytes: Uint8Array, trusted: TrustedState): boolean {
  try {
    return verifyRecord(bytes, trusted).culprits.length > 0
  } catch (error) {
    if (error instanceof InputError) return false
    throw error
  }
}

/** Each committee with members whom nobody ever elected. */
export function madeUp(trusted: TrustedState): TrustedState {
  const stranger = (address: Address): Address => `0x${address.slice(2).split('').toReversed().join('')}`
  return {
    ...trusted,
    committees: trusted.committees.map(({ members, ...rest }) => ({
      ...rest,
      members: members.map(stranger).sort(),
    })),
  }
}
