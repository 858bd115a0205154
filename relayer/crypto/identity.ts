// The operator's secp256k1 key as signer: Ethereum addresses, and 65-byte recoverable ECDSA signatures over 32-byte digests.
import { createPublicKey, type KeyObject, verify } from 'node:crypto'
import { secp256k1 } from '@noble/curves/secp256k1.js'
import { sha256 } from '@noble/hashes/sha2.js'
import { type Address, concat, toAddress, toBigint, toHex } from '../lib/bytes.ts'
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
  return addressOfPoint(secp256k1.Point.fromBytes(publicKey).toBytes(false))
}

const KEPT = 1024
/** Receipts and readiness come by many ways: what was recovered once is not recovered again. */
const recovered = new Map<string, Address | null>()

/** The address that signed a digest, or null for a signature that is malformed, malleable (high s) or recovers nothing. */
export function recover(digest: Uint8Array, signature: Uint8Array): Address | null {
  const v = signature[64]
  if (signature.length !== 65 || digest.length !== 32 || (v !== 27 && v !== 28)) return null
  const name = toHex(digest) + toHex(signature)
  const before = recovered.get(name)
  if (before !== undefined) return before
  const publicKey = recoverKey(digest, signature.subarray(0, 64), v)
  const address = publicKey === null ? null : addressOfPoint(publicKey)
  if (recovered.size >= KEPT) recovered.clear()
  recovered.set(name, address)
  return address
}

const KNOWN_KEYS = 1024
const known = new Map<Address, KeyObject>()

/**
 * Whether an address signed H(tag, parts). The first time its key is recovered, later it is known and OpenSSL verifies,
 * four times as fast; v is not looked at, so that both ways accept the same signatures.
 * @param preimage what `preimage` of crypto/hash.ts gives: its SHA-256 is H(tag, parts)
 */
export function signedBy(address: Address, preimage: Uint8Array, signature: Uint8Array): boolean {
  if (signature.length !== 65) return false
  const compact = signature.subarray(0, 64)
  const key = known.get(address)
  if (key !== undefined)
    return lowS(compact) && verify('sha256', preimage, { key, dsaEncoding: 'ieee-p1363' }, compact)
  const digest = sha256(preimage)
  for (const v of [27, 28]) {
    const publicKey = recoverKey(digest, compact, v)
    if (publicKey === null || addressOfPoint(publicKey) !== address) continue
    remember(address, publicKey)
    return true
  }
  return false
}

/** The address of a 65-byte point on the curve. */
function addressOfPoint(uncompressed: Uint8Array): Address {
  return toAddress(keccak256(uncompressed.subarray(1)).subarray(12))
}

/** A 65-byte point, or null. */
function recoverKey(digest: Uint8Array, compact: Uint8Array, v: number): Uint8Array | null {
  try {
    const parsed = secp256k1.Signature.fromBytes(compact).addRecoveryBit(v - 27)
    return parsed.hasHighS() ? null : parsed.recoverPublicKey(digest).toBytes(false)
  } catch {
    return null
  }
}

function lowS(compact: Uint8Array): boolean {
  return toBigint(compact.subarray(32)) <= secp256k1.Point.Fn.ORDER / 2n
}

function remember(address: Address, uncompressed: Uint8Array): void {
  const [x, y] = [uncompressed.subarray(1, 33), uncompressed.subarray(33)].map((part) =>
    Buffer.from(part).toString('base64url'),
  )
  if (x === undefined || y === undefined) return
  const oldest = known.keys().next()
  if (known.size >= KNOWN_KEYS && !oldest.done) known.delete(oldest.value)
  known.set(address, createPublicKey({ key: { kty: 'EC', crv: 'secp256k1', x, y }, format: 'jwk' }))
}
