// What the Schnorr verifier on chain must answer: once through the secret's discrete logarithm, once through ecrecover.
import { secp256k1 } from '@noble/curves/secp256k1.js'
import { toBeHex } from 'ethers'
import type { Hex } from '../../relayer/lib/bytes.ts'
import { addressOf, challenge, type GroupKey, hex, Q } from './group-key.ts'

const { Point, Signature } = secp256k1

/** One call of the verifier. */
export interface Case {
  readonly px: bigint
  readonly v: number
  readonly m: Hex
  readonly z: bigint
  readonly a: Hex
}

const inRange = ({ px, z, a }: Case) => px > 0n && px < Q && z > 0n && z < Q && BigInt(a) !== 0n

/** The definition: R = zG - eP, where P is the key's point or, with the other parity, its negative. */
export function byDefinition(key: GroupKey, item: Case): boolean {
  if (!inRange(item) || (item.v !== 27 && item.v !== 28)) return false
  const e = challenge(item)
  const secret = item.v === key.v ? key.secret : Q - key.secret
  const r = (((item.z - e * secret) % Q) + Q) % Q
  if (e === 0n || r === 0n) return false
  const { x, y } = Point.BASE.multiplyUnsafe(r).toAffine()
  return addressOf(hex(x, 32, y)) === item.a
}

/** The verifier's own equation, with noble's recovery in place of the precompile. */
export function byRecovery(item: Case): boolean {
  if (!inRange(item) || (item.v !== 27 && item.v !== 28)) return false
  const e = challenge(item)
  const sp = Q - ((item.z * item.px) % Q)
  const ep = Q - ((e * item.px) % Q)
  try {
    const point = new Signature(item.px, ep, item.v - 27).recoverPublicKey(
      Uint8Array.from(Buffer.from(toBeHex(sp, 32).slice(2), 'hex')),
    )
    const { x, y } = point.toAffine()
    return addressOf(hex(x, 32, y)) === item.a
  } catch {
    return false
  }
}
