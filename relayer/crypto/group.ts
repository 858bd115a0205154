// The two groups behind one interface: strict canonical codecs, constant-time products of secrets, fast sums of public data.
import {
  type CurvePoint,
  type CurvePointCons,
  mulAddUnsafe,
  normalizeZ,
} from '@noble/curves/abstract/curve.js'
import { ed25519 } from '@noble/curves/ed25519.js'
import { secp256k1 } from '@noble/curves/secp256k1.js'
import { fromBigint, toBigint } from '../lib/bytes.ts'
import type { Rng } from './rng.ts'

export type Curve = 'secp256k1' | 'ed25519'

/** A group element; only elements of one curve may meet. */
export interface Point {
  add(other: Point): Point
  subtract(other: Point): Point
  double(): Point
  negate(): Point
  equals(other: Point): boolean
  is0(): boolean
}

/** Bytes that are no canonical encoding of a usable group element. */
export class PointError extends Error {
  override name = 'PointError'
}

/** Bytes that are no canonical encoding of a usable scalar. */
export class ScalarError extends Error {
  override name = 'ScalarError'
}

/** A prime-order group with its encodings (docs/protocols.md, Encodings). */
export interface Group {
  readonly curve: Curve
  /** Prime order q. */
  readonly order: bigint
  readonly zero: Point
  /** Size of a point in keygen and reshare: 65 uncompressed (secp256k1), 32 (ed25519). */
  readonly pointBytes: number
  /** Size of a verification share: 33 compressed (secp256k1), 32 (ed25519). */
  readonly shortBytes: number
  /** Uniform in [1, q-1]. */
  randomScalar(rng: Rng): bigint
  /** 32 bytes: big-endian (secp256k1) or little-endian (ed25519). */
  encodeScalar(scalar: bigint): Uint8Array
  /** @throws ScalarError unless 32 bytes below q; with `nonZero`, also for 0 */
  decodeScalar(bytes: Uint8Array, nonZero?: boolean): bigint
  /** secret * G in constant time. @throws RangeError for 0 */
  multiplyBase(secret: bigint): Point
  /**
   * What a dealer publishes of secret * G: itself on secp256k1; (secret / 8) * G on ed25519, of which every receiver
   * takes the eightfold, so that no small-order part survives (docs/protocols.md, Encodings).
   */
  publish(secret: bigint): Point
  /** The point that the bytes of a published one stand for. @throws PointError as `decode`, and for small order */
  decodePublished(bytes: Uint8Array): Point
  /** Encodings of published points, `pointBytes` each. */
  encodePublished(points: readonly Point[]): Uint8Array[]
  /** Σ scalars[i] * points[i], variable time: public data only. */
  sumUnsafe(points: readonly Point[], scalars: readonly bigint[]): Point
  /** scalar * G, variable time: public data only. */
  baseUnsafe(scalar: bigint): Point
  /** Point encodings of `pointBytes`. @throws PointError for the identity */
  encode(points: readonly Point[]): Uint8Array[]
  /** @throws PointError unless the canonical encoding of a point other than the identity, on the curve */
  decode(bytes: Uint8Array): Point
  /** Encodings of `shortBytes`. @throws PointError for the identity */
  encodeShort(points: readonly Point[]): Uint8Array[]
  /** Of our own encodings or ones whose hash the contract stored: no test for a small-order part. @throws PointError as `decode` */
  decodeShort(bytes: Uint8Array): Point
  /** 64 bytes x ‖ y (secp256k1) or 32 (ed25519). @throws PointError for the identity */
  encodeGroupKey(point: Point): Uint8Array
}

interface Backend<P extends CurvePoint<bigint, P>> {
  readonly curve: Curve
  readonly cons: CurvePointCons<P>
  readonly littleEndian: boolean
  readonly pointBytes: number
  readonly shortBytes: number
  readonly cofactor: bigint
  long(point: P): Uint8Array
  parse(bytes: Uint8Array, long: boolean): P
}

function createGroup<P extends CurvePoint<bigint, P>>(backend: Backend<P>): Group {
  const { cons, pointBytes, shortBytes } = backend
  const order = cons.Fn.ORDER
  const shrink = backend.cofactor === 1n ? 1n : cons.Fn.inv(backend.cofactor)
  // CAST: every Point of this group was made below by this backend, and noble refuses foreign ones at run time
  const own = (points: readonly Point[]) => points as readonly unknown[] as P[]
  const affine = (points: readonly Point[]): P[] => {
    if (points.some((point) => point.is0())) throw new PointError('encode point: identity')
    return normalizeZ(cons, own(points))
  }
  const parse = (bytes: Uint8Array, long: boolean): P => {
    if (bytes.length !== (long ? pointBytes : shortBytes))
      throw new PointError(`decode point: ${bytes.length} bytes`)
    let point: P
    try {
      point = backend.parse(bytes, long)
    } catch {
      throw new PointError('decode point: not canonical or not on the curve')
    }
    if (point.is0()) throw new PointError('decode point: identity')
    return point
  }
  return {
    curve: backend.curve,
    order,
    zero: cons.ZERO,
    pointBytes,
    shortBytes,
    randomScalar: (rng) => (toBigint(rng(48)) % (order - 1n)) + 1n,
    encodeScalar: (scalar) => {
      const bytes = fromBigint(scalar, 32)
      return backend.littleEndian ? bytes.reverse() : bytes
    },
    decodeScalar: (bytes, nonZero = false) => {
      if (bytes.length !== 32) throw new ScalarError(`decode scalar: ${bytes.length} bytes`)
      const scalar = toBigint(backend.littleEndian ? bytes.slice().reverse() : bytes)
      if (scalar >= order) throw new ScalarError('decode scalar: not below the group order')
      if (nonZero && scalar === 0n) throw new ScalarError('decode scalar: zero')
      return scalar
    },
    multiplyBase: (secret) => cons.BASE.multiply(secret),
    publish: (secret) => cons.BASE.multiply((secret * shrink) % order),
    decodePublished: (bytes) => {
      const point = parse(bytes, true).clearCofactor()
      if (point.is0()) throw new PointError('decode point: small order')
      return point
    },
    encodePublished: (points) => affine(points).map((point) => backend.long(point)),
    sumUnsafe: (points, scalars) => mulAddUnsafe(cons, own(points), [...scalars]),
    baseUnsafe: (scalar) => cons.BASE.multiplyUnsafe(scalar),
    encode: (points) => affine(points).map((point) => backend.long(point)),
    decode: (bytes) => parse(bytes, true),
    encodeShort: (points) => affine(points).map((point) => point.toBytes()),
    decodeShort: (bytes) => parse(bytes, false),
    encodeGroupKey: (point) => {
      const [bytes] = affine([point]).map((each) => backend.long(each))
      return (bytes ?? new Uint8Array()).subarray(pointBytes === 65 ? 1 : 0)
    },
  }
}

/** secp256k1 (SEC 2), cofactor 1. */
export const secp256k1Group: Group = createGroup({
  curve: 'secp256k1',
  cons: secp256k1.Point,
  littleEndian: false,
  pointBytes: 65,
  shortBytes: 33,
  cofactor: 1n,
  long: (point) => point.toBytes(false),
  parse: (bytes, long) => {
    const prefix = bytes[0]
    if (long ? prefix !== 4 : prefix !== 2 && prefix !== 3) throw new PointError('decode point: prefix')
    return secp256k1.Point.fromBytes(bytes)
  },
})

/** The prime-order group of edwards25519 (RFC 8032), cofactor 8. */
export const ed25519Group: Group = createGroup({
  curve: 'ed25519',
  cons: ed25519.Point,
  littleEndian: true,
  pointBytes: 32,
  shortBytes: 32,
  cofactor: 8n,
  long: (point) => point.toBytes(),
  parse: (bytes) => ed25519.Point.fromBytes(bytes, false),
})

/** The group of a curve. */
export function groupOf(curve: Curve): Group {
  return curve === 'ed25519' ? ed25519Group : secp256k1Group
}

const nafs = new Map<number, readonly number[]>()

/** Signed digits -1, 0, 1 of a positive integer after its leading 1, most significant first. */
function nafOf(value: number): readonly number[] {
  const known = nafs.get(value)
  if (known !== undefined) return known
  const digits: number[] = []
  for (let rest = value; rest > 0; rest >>= 1) {
    const digit = rest % 2 === 0 ? 0 : 2 - (rest % 4)
    digits.push(digit)
    rest -= digit
  }
  const naf = digits.reverse().slice(1)
  nafs.set(value, naf)
  return naf
}

/** factor * point for a small positive public integer such as a party's index, about 6 doublings and 2 additions. */
export function multiplySmall(point: Point, factor: number): Point {
  if (!Number.isInteger(factor) || factor < 1 || factor > 0xffff)
    throw new RangeError(`multiply by index: ${factor}`)
  const minus = point.negate()
  let result = point
  for (const digit of nafOf(factor)) {
    result = result.double()
    if (digit !== 0) result = result.add(digit > 0 ? point : minus)
  }
  return result
}
