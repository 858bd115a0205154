// What a member holds of a key: scheme tags, public part and secret share, all as bytes in their wire encodings.
import { keccak256 } from '../crypto/hash.ts'
import type { Secret } from '../lib/secret.ts'

/** Signature schemes; the position is the scheme's tag in the contract. */
export const SCHEMES = [
  'ecdsa-secp256k1',
  'frost-secp256k1-evm',
  'frost-secp256k1-bip340',
  'frost-ed25519',
] as const
export type Scheme = (typeof SCHEMES)[number]

/** The curve under a scheme. */
export function curveOf(scheme: Scheme): 'secp256k1' | 'ed25519' {
  return scheme === 'frost-ed25519' ? 'ed25519' : 'secp256k1'
}

/** A key as the contract names it. */
export interface KeySpec {
  readonly keyId: number
  readonly scheme: Scheme
}

/** A key that exists, as the contract states it for an epoch. */
export interface RegisteredKey extends KeySpec {
  /** 64 bytes x ‖ y for secp256k1, 32 bytes for ed25519. */
  readonly groupKey: Uint8Array
  /** keccak256(C_0 ‖ … ‖ C_(t-1)) that the contract stored when the epoch was activated; 32 bytes. */
  readonly commitmentsHash: Uint8Array
}

/** The public part of a key in one epoch and attempt. */
export interface KeyPublic extends KeySpec {
  /** 64 bytes x ‖ y for secp256k1, 32 bytes for ed25519. */
  readonly groupKey: Uint8Array
  /** C_0 … C_(t-1), exactly t points; 65 bytes uncompressed (secp256k1) or 32 (ed25519, the points C themselves). */
  readonly commitments: readonly Uint8Array[]
  /** V_1 … V_n in member order; 33 bytes compressed (secp256k1) or 32 (ed25519). */
  readonly verificationShares: readonly Uint8Array[]
}

/** One member's share of a key in one epoch and attempt. */
export interface KeyShare extends KeyPublic {
  /** s_i as 32 bytes in the curve's scalar encoding (secp256k1 big-endian, ed25519 little-endian). */
  readonly share: Secret
}

/** keccak256(C_0 ‖ … ‖ C_(t-1)), against which newcomers check what dealers send; 32 bytes. */
export function commitmentsHash(key: Pick<KeyPublic, 'commitments'>): Uint8Array {
  return keccak256(...key.commitments)
}
