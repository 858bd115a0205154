// The public point of a secret scalar, in constant time, for checks that a share is what its verification share says.
import { ed25519 } from '@noble/curves/ed25519.js'
import { secp256k1 } from '@noble/curves/secp256k1.js'
import type { Secret } from '../lib/secret.ts'

/**
 * scalar * G: 33-byte compressed point (secp256k1) or 32 bytes (ed25519); null for bytes that are no scalar from 1 to q - 1.
 * @param scalar 32 bytes, big-endian (secp256k1) or little-endian (ed25519)
 */
export function basePointTimes(curve: 'secp256k1' | 'ed25519', scalar: Secret): Uint8Array | null {
  const { Point } = curve === 'secp256k1' ? secp256k1 : ed25519
  try {
    return Point.BASE.multiply(Point.Fn.fromBytes(scalar.expose())).toBytes(true)
  } catch {
    return null
  }
}
