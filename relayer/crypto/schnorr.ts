// Plain verifiers of the signatures that threshold keys make, each from its own standard and none through FROST code.
import { createPublicKey, verify } from 'node:crypto'
import { schnorr, secp256k1 } from '@noble/curves/secp256k1.js'
import { concat, equal, fromBigint, fromHex, toBigint, utf8 } from '../lib/bytes.ts'
import { keccak256 } from './hash.ts'
import { addressOf, recover } from './identity.ts'

/** Schemes that FROST signs for. */
export type SchnorrScheme = 'frost-secp256k1-evm' | 'frost-secp256k1-bip340' | 'frost-ed25519'

const { Point } = secp256k1
const Q = Point.Fn.ORDER
const EVM_DOMAIN = concat(utf8('TSS-EVM-SCHNORR-v1'), new Uint8Array(14))
/** SubjectPublicKeyInfo of an ed25519 key up to the key itself (RFC 8410, section 4). */
const ED25519_SPKI = fromHex('302a300506032b6570032100')

/**
 * Whether a signature of a group key over a message is valid; false for anything malformed, never throws for it.
 * @param groupKey 64 bytes x ‖ y for secp256k1, 32 bytes for ed25519
 * @param message the 32-byte digest (BIP340 and ed25519 take any length)
 * @param signature 52 bytes z ‖ a (EVM), 64 (BIP340, ed25519), 65 r ‖ s ‖ v (ECDSA)
 */
export function verifySignature(
  key: { readonly scheme: SchnorrScheme | 'ecdsa-secp256k1'; readonly groupKey: Uint8Array },
  message: Uint8Array,
  signature: Uint8Array,
): boolean {
  switch (key.scheme) {
    case 'frost-secp256k1-evm':
      return verifyEvm(key.groupKey, message, signature)
    case 'frost-secp256k1-bip340':
      return key.groupKey.length === 64 && verifyBip340(key.groupKey.subarray(0, 32), message, signature)
    case 'frost-ed25519':
      return verifyEd25519(key.groupKey, message, signature)
    case 'ecdsa-secp256k1':
      return recover(message, signature) === addressOf(concat(Uint8Array.of(4), key.groupKey))
  }
}

/**
 * EVM-Schnorr as the contract verifies it: ecrecover(−z·P.x, v, P.x, −e·P.x) must be the nonce's address a.
 * @param groupKey 64 bytes x ‖ y
 * @param digest 32 bytes
 * @param signature z ‖ a, 52 bytes
 */
export function verifyEvm(groupKey: Uint8Array, digest: Uint8Array, signature: Uint8Array): boolean {
  if (groupKey.length !== 64 || digest.length !== 32 || signature.length !== 52) return false
  if (!onCurve(groupKey)) return false
  const px = toBigint(groupKey.subarray(0, 32))
  const z = toBigint(signature.subarray(0, 32))
  const nonceAddress = signature.subarray(32)
  if (px === 0n || px >= Q || z === 0n || z >= Q || nonceAddress.every((byte) => byte === 0)) return false
  const e = evmChallenge(groupKey, nonceAddress, digest)
  if (e === 0n) return false
  const sp = Q - ((z * px) % Q)
  const ep = Q - ((e * px) % Q)
  const recovered = ecrecover(fromBigint(sp, 32), 27 + parityOf(groupKey), { r: px, s: ep })
  return recovered !== null && equal(recovered, nonceAddress)
}

/**
 * e = keccak256("TSS-EVM-SCHNORR-v1" padded to 32 ‖ P.x ‖ v ‖ a ‖ m) mod q.
 * @param groupKey 64 bytes x ‖ y
 * @param nonceAddress a, the last 20 bytes of keccak256(R.x ‖ R.y)
 */
export function evmChallenge(groupKey: Uint8Array, nonceAddress: Uint8Array, digest: Uint8Array): bigint {
  const v = Uint8Array.of(27 + parityOf(groupKey))
  return toBigint(keccak256(EVM_DOMAIN, groupKey.subarray(0, 32), v, nonceAddress, digest)) % Q
}

/**
 * The EVM's precompile at address 1: the 20-byte address of r⁻¹(s·R' − h·G), where R' has x = r and the parity of v;
 * null where the precompile returns nothing (Yellow Paper, appendix E.1).
 */
export function ecrecover(
  hash: Uint8Array,
  v: number,
  { r, s }: { readonly r: bigint; readonly s: bigint },
): Uint8Array | null {
  if ((v !== 27 && v !== 28) || r <= 0n || r >= Q || s <= 0n || s >= Q) return null
  let lifted: InstanceType<typeof Point>
  try {
    lifted = Point.fromBytes(concat(Uint8Array.of(v - 25), fromBigint(r, 32)))
  } catch {
    return null
  }
  const { Fn } = Point
  const inverse = Fn.inv(r)
  const u1 = Fn.mul(Fn.neg(Fn.create(toBigint(hash))), inverse)
  const u2 = Fn.mul(s, inverse)
  // Public inputs only, so variable time will do.
  const sum = Point.BASE.multiplyUnsafe(u1).add(lifted.multiplyUnsafe(u2))
  return sum.is0() ? null : keccak256(sum.toBytes(false).subarray(1)).subarray(12)
}

/** BIP340 over the x-only key; message of any length, 64-byte signature. */
export function verifyBip340(publicKey: Uint8Array, message: Uint8Array, signature: Uint8Array): boolean {
  if (publicKey.length !== 32 || signature.length !== 64) return false
  try {
    return schnorr.verify(signature, message, publicKey)
  } catch {
    return false
  }
}

/** Ed25519 without prehash (RFC 8032, section 5.1.7), by OpenSSL, which checks without the cofactor. */
export function verifyEd25519(publicKey: Uint8Array, message: Uint8Array, signature: Uint8Array): boolean {
  if (publicKey.length !== 32 || signature.length !== 64) return false
  try {
    const der = Buffer.from(concat(ED25519_SPKI, publicKey))
    return verify(null, message, createPublicKey({ key: der, format: 'der', type: 'spki' }), signature)
  } catch {
    return false
  }
}

function parityOf(groupKey: Uint8Array): 0 | 1 {
  return ((groupKey[63] ?? 0) & 1) === 1 ? 1 : 0
}

function onCurve(groupKey: Uint8Array): boolean {
  try {
    Point.fromBytes(concat(Uint8Array.of(4), groupKey)).assertValidity()
    return true
  } catch {
    return false
  }
}
