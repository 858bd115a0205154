// Made-up operators that are known by a number, and a reshare from one committee of them to another.
import { type Address, toAddress } from '../../relayer/lib/bytes.ts'
import type { Committee } from '../../relayer/protocol/party.ts'
import type { CeremonySpec } from '../../relayer/protocol/spec.ts'

/** The address of that number. */
export function member(number: number): Address {
  return toAddress(`0x${number.toString(16).padStart(40, '0')}`)
}

/** Addresses of these numbers, in this order. */
export function members(...numbers: readonly number[]): Address[] {
  return numbers.map(member)
}

/** A reshare without a key, for what looks at the committees alone. */
export function reshareOf(old: Committee, next: Committee): CeremonySpec {
  return {
    op: 'reshare',
    chainId: 1,
    bridge: member(99),
    held: [],
    generated: [],
    old,
    next,
    triggerBlockHash: new Uint8Array(32),
  }
}
