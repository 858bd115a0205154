// A group key whose secret the test knows: plain single-party signatures that a Bridge cannot tell from threshold ones.
import { secp256k1 } from '@noble/curves/secp256k1.js'
import { concat, getBytes, hexlify, keccak256, SigningKey, toBeHex, toUtf8Bytes, zeroPadBytes } from 'ethers'
import type { Hex } from '../../relayer/lib/bytes.ts'

const { Point } = secp256k1
/** Order of secp256k1. */
export const Q = Point.Fn.ORDER
/** bytes32("TSS-EVM-SCHNORR-v1"). */
const CHALLENGE = zeroPadBytes(toUtf8Bytes('TSS-EVM-SCHNORR-v1'), 32)

/** A Schnorr signature for the verifier on chain. */
export interface SchnorrSignature {
  /** Response, below Q. */
  readonly z: bigint
  /** Address of the nonce point, 20 bytes. */
  readonly a: Hex
}

/** One secret of secp256k1 with what the chain knows of its point. */
export class GroupKey {
  readonly secret: bigint
  readonly x: bigint
  /** 27 for an even y-coordinate, 28 for an odd one. */
  readonly v: 27 | 28
  /** 64 bytes x || y. */
  readonly publicKey: Hex
  readonly address: Hex

  constructor(secret: bigint) {
    const point = Point.BASE.multiply(secret).toAffine()
    this.secret = secret
    this.x = point.x
    this.v = point.y % 2n === 0n ? 27 : 28
    this.publicKey = hex(point.x, 32, point.y)
    this.address = addressOf(this.publicKey)
  }

  /** z = k + e x with the nonce's point given, so that a caller can walk from nonce to nonce by additions. */
  schnorrWith(digest: Hex, nonce: bigint, noncePoint: { x: bigint; y: bigint }): SchnorrSignature {
    const a = addressOf(hex(noncePoint.x, 32, noncePoint.y))
    const e = challenge({ px: this.x, v: this.v, a, m: digest })
    return { z: (nonce + e * this.secret) % Q, a }
  }

  /** What a Bridge takes as group signature: 65 bytes for scheme 0, 52 for scheme 1. */
  sign(scheme: number, digest: Hex): Hex {
    if (scheme === 0)
      // CAST: ethers types hex strings as string
      return new SigningKey(toBeHex(this.secret, 32)).sign(digest).serialized as Hex
    const nonce = (BigInt(keccak256(concat([toBeHex(this.secret, 32), digest]))) % (Q - 1n)) + 1n
    const { z, a } = this.schnorrWith(digest, nonce, Point.BASE.multiply(nonce).toAffine())
    return hex(z, 32, a)
  }
}

/** e = keccak256(tag ‖ P.x ‖ v ‖ a ‖ m) mod Q, for a 32-byte digest m. */
export function challenge({ px, v, a, m }: { px: bigint; v: number; a: Hex; m: Hex }): bigint {
  return BigInt(keccak256(concat([CHALLENGE, toBeHex(px, 32), toBeHex(v, 1), a, m]))) % Q
}

/** Last 20 bytes of keccak256(x ‖ y). */
export function addressOf(publicKey: Hex): Hex {
  return hexlify(getBytes(keccak256(publicKey)).subarray(12)) as Hex // CAST: ethers types hex strings as string
}

/** Integers (of `width` bytes) and hex strings one after another. */
export function hex(first: bigint, width: number, second: bigint | Hex): Hex {
  const tail = typeof second === 'bigint' ? toBeHex(second, width) : second
  return concat([toBeHex(first, width), tail]) as Hex // CAST: ethers types hex strings as string
}
