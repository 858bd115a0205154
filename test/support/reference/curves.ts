// Reference model, part 1: secp256k1 and edwards25519 in plain BigInt, written from SEC 2 and RFC 8032 alone.
import assert from 'node:assert/strict'

/** A point in affine coordinates, or null for the neutral element (secp256k1 only). */
export type Affine = { readonly x: bigint; readonly y: bigint } | null

/** A group of prime order with the encodings of its standard. */
export interface Curve {
  readonly name: 'secp256k1' | 'ed25519'
  readonly q: bigint
  readonly base: Affine
  readonly neutral: Affine
  add(a: Affine, b: Affine): Affine
  /** 33 bytes (SEC 1 compressed) or 32 (RFC 8032). */
  encode(point: Affine): Uint8Array
  decode(bytes: Uint8Array): Affine
  scalarToBytes(scalar: bigint): Uint8Array
  scalarFromBytes(bytes: Uint8Array): bigint
}

/** The residue in [0, m). */
export function mod(value: bigint, m: bigint): bigint {
  const rest = value % m
  return rest < 0n ? rest + m : rest
}

/** base^exponent mod m, square and multiply. */
export function power(base: bigint, exponent: bigint, m: bigint): bigint {
  let result = 1n
  for (let square = mod(base, m), left = exponent; left > 0n; left >>= 1n, square = (square * square) % m)
    if ((left & 1n) === 1n) result = (result * square) % m
  return result
}

/** 1/value modulo a prime, by Euclid. */
export function inverse(value: bigint, prime: bigint): bigint {
  let [r0, r1] = [prime, mod(value, prime)]
  let [t0, t1] = [0n, 1n]
  while (r1 !== 0n) {
    const quotient = r0 / r1
    ;[r0, r1] = [r1, r0 - quotient * r1]
    ;[t0, t1] = [t1, t0 - quotient * t1]
  }
  assert.equal(r0, 1n)
  return mod(t0, prime)
}

/** Big-endian bytes of a given length. */
export function bytesBE(value: bigint, length: number): Uint8Array {
  return Uint8Array.from({ length }, (_, at) => Number((value >> BigInt(8 * (length - 1 - at))) & 255n))
}

/** The number of big-endian bytes. */
export function numberBE(bytes: Uint8Array): bigint {
  return bytes.reduce((sum, byte) => (sum << 8n) | BigInt(byte), 0n)
}

const reversed = (bytes: Uint8Array) => Uint8Array.from(bytes).reverse()

/** scalar * point, double and add. */
export function multiply(curve: Curve, point: Affine, scalar: bigint): Affine {
  let sum = curve.neutral
  let power2 = point
  for (let left = scalar; left > 0n; left >>= 1n) {
    if ((left & 1n) === 1n) sum = curve.add(sum, power2)
    power2 = curve.add(power2, power2)
  }
  return sum
}

/** Whether two points are the same. */
export function same(a: Affine, b: Affine): boolean {
  return a === null || b === null ? a === b : a.x === b.x && a.y === b.y
}

/** -point. */
export function negate(curve: Curve, point: Affine): Affine {
  if (point === null) return null
  return curve.name === 'secp256k1'
    ? { x: point.x, y: mod(-point.y, P) }
    : { x: mod(-point.x, P25519), y: point.y }
}

const P = 2n ** 256n - 2n ** 32n - 977n

/** secp256k1: y² = x³ + 7 (SEC 2, section 2.4.1). */
export const secp256k1: Curve = {
  name: 'secp256k1',
  q: 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141n,
  base: {
    x: 0x79be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798n,
    y: 0x483ada7726a3c4655da4fbfc0e1108a8fd17b448a68554199c47d08ffb10d4b8n,
  },
  neutral: null,
  add(a, b) {
    if (a === null) return b
    if (b === null) return a
    if (a.x === b.x && mod(a.y + b.y, P) === 0n) return null
    const slope =
      a.x === b.x ? 3n * a.x * a.x * inverse(2n * a.y, P) : (b.y - a.y) * inverse(mod(b.x - a.x, P), P)
    const x = mod(slope * slope - a.x - b.x, P)
    return { x, y: mod(slope * (a.x - x) - a.y, P) }
  },
  encode(point) {
    assert.ok(point)
    return Uint8Array.of(point.y & 1n ? 3 : 2, ...bytesBE(point.x, 32))
  },
  decode(bytes) {
    const [prefix] = bytes
    assert.ok(bytes.length === 33 && (prefix === 2 || prefix === 3))
    return liftX(numberBE(bytes.subarray(1)), prefix === 3)
  },
  scalarToBytes: (scalar) => bytesBE(scalar, 32),
  scalarFromBytes: numberBE,
}

/** The point of secp256k1 with that x and parity of y. */
export function liftX(x: bigint, odd: boolean): Affine {
  assert.ok(x < P)
  const square = mod(x * x * x + 7n, P)
  const root = power(square, (P + 1n) / 4n, P)
  assert.equal((root * root) % P, square, 'off the curve')
  return { x, y: (root & 1n) === (odd ? 1n : 0n) ? root : P - root }
}

const P25519 = 2n ** 255n - 19n
const D = mod(-121665n * inverse(121666n, P25519), P25519)
const SQRT_MINUS_1 = power(2n, (P25519 - 1n) / 4n, P25519)

/** edwards25519: -x² + y² = 1 + d·x²·y² (RFC 8032, section 5.1). */
export const ed25519: Curve = {
  name: 'ed25519',
  q: 2n ** 252n + 27742317777372353535851937790883648493n,
  base: {
    x: 15112221349535400772501151409588531511454012693041857206046113283949847762202n,
    y: 46316835694926478169428394003475163141307993866256225615783033603165251855960n,
  },
  neutral: { x: 0n, y: 1n },
  add(a, b) {
    assert.ok(a && b)
    const product = mod(D * a.x * b.x * a.y * b.y, P25519)
    return {
      x: mod((a.x * b.y + b.x * a.y) * inverse(1n + product, P25519), P25519),
      y: mod((a.y * b.y + a.x * b.x) * inverse(mod(1n - product, P25519), P25519), P25519),
    }
  },
  encode(point) {
    assert.ok(point)
    return reversed(bytesBE(point.y | ((point.x & 1n) << 255n), 32))
  },
  decode(bytes) {
    assert.equal(bytes.length, 32)
    const number = numberBE(reversed(bytes))
    const y = number & (2n ** 255n - 1n)
    assert.ok(y < P25519)
    const square = mod((y * y - 1n) * inverse(mod(D * y * y + 1n, P25519), P25519), P25519)
    let x = power(square, (P25519 + 3n) / 8n, P25519)
    if ((x * x) % P25519 !== square) x = (x * SQRT_MINUS_1) % P25519
    assert.equal((x * x) % P25519, square, 'off the curve')
    const odd = number >> 255n
    assert.ok(x !== 0n || odd === 0n)
    return { x: (x & 1n) === odd ? x : mod(-x, P25519), y }
  },
  scalarToBytes: (scalar) => reversed(bytesBE(scalar, 32)),
  scalarFromBytes: (bytes) => numberBE(reversed(bytes)),
}

/** 04 ‖ x ‖ y for secp256k1, the 32 bytes for ed25519. */
export function encodeLong(curve: Curve, point: Affine): Uint8Array {
  if (curve.name === 'ed25519') return curve.encode(point)
  assert.ok(point)
  return Uint8Array.of(4, ...bytesBE(point.x, 32), ...bytesBE(point.y, 32))
}
