// The operator's secp256k1 key as signer: Ethereum addresses, and 65-byte recoverable ECDSA signatures over 32-byte digests.
import { secp256k1 } from '@noble/curves/secp256k1.js'
import { type Address, concat, toAddress } from '../lib/bytes.ts'
import type { Secret } from '../lib/secret.ts'
import { keccak256 } from './hash.ts'

/** Signs digests with the operator's key; the key itself stays inside. */
export interface Signer {
  readonly address: Address
  /** 33-byte compressed point. */
  readonly publicKey: Uint8Array
  /** r ‖ s ‖ v, 65 bytes, s in the lower half, v 27 or 28, over a 32-byte digest. */
  sign(digest: Uint8Array): Uint8Array
}

/** The signer of a 32-byte private key. @throws if it is no valid key */
export function signerOf(privateKey: Secret): Signer {
  const publicKey = secp256k1.getPublicKey(privateKey.expose(), true)
  return {
    address: addressOf(publicKey),
    publicKey,
    sign(digest) {
      const signature = secp256k1.sign(digest, privateKey.expose(), { prehash: false, format: 'recovered' })
      return concat(signature.subarray(1), Uint8Array.of(27 + (signature[0] ?? 0)))
    },
  }
}

/** The address of a public key, 33 or 65 bytes: the last 20 bytes of the Keccak-256 of x ‖ y. @throws if off the curve */
export function addressOf(publicKey: Uint8Array): Address {
  return toAddress(keccak256(secp256k1.Point.fromBytes(publicKey).toBytes(false).subarray(1)).subarray(12))
}

/** The address that signed a digest, or null for a signature that is malformed, malleable (high s) or recovers nothing. */
export function recover(digest: Uint8Array, signature: Uint8Array): Address | null {
  const v = signature[64]
  if (signature.length !== 65 || digest.length !== 32 || (v !== 27 && v !== 28)) return null
  try {
    const parsed = secp256k1.Signature.fromBytes(signature.subarray(0, 64)).addRecoveryBit(v - 27)
    if (parsed.hasHighS()) return null
    return addressOf(parsed.recoverPublicKey(digest).toBytes(true))
  } catch {
    return null
  }
}
