// The relayers of the contract tests: people by number, their addresses and their signatures.
import assert from 'node:assert/strict'
import { keccak256, SigningKey, toBeHex } from 'ethers'
import { type Address, type Hex, toAddress } from '../../relayer/lib/bytes.ts'

/** The i-th person of every test, as a key; addresses are in no order. */
export function person(i: number): SigningKey {
  return new SigningKey(toBeHex(0xbeef0000 + i, 32))
}
export function addressOfPerson(i: number): Address {
  return toAddress(`0x${keccak256(`0x${person(i).publicKey.slice(4)}`).slice(26)}`)
}
const keyOf = new Map<Address, SigningKey>(
  Array.from({ length: 130 }, (_, i) => [addressOfPerson(i), person(i)]),
)
/** Addresses of people `from` to `to - 1`. */
export function people(from: number, to: number): Address[] {
  return Array.from({ length: to - from }, (_, i) => addressOfPerson(from + i))
}
/** Some 32 bytes that differ by seed. */
export function word(seed: number): Hex {
  return keccak256(toBeHex(seed, 32)) as Hex // CAST: ethers types hex strings as string
}

/** A relayer's 65-byte signature. */
export function sign(relayer: Address, digest: Hex): Hex {
  const key = keyOf.get(relayer)
  assert.ok(key, `no key of ${relayer}`)
  return key.sign(digest).serialized as Hex // CAST: ethers types hex strings as string
}
