// Byte strings: hex, concatenation, comparison, fixed-width big-endian integers, and the Address type.

/** A 20-byte account address, always `0x` and 40 lower-case hex digits inside Truss; checksummed only when shown. */
export type Address = `0x${string}`

/** `0x` and an even number of lower-case hex digits. */
export type Hex = `0x${string}`

/** Lower-case hex without prefix. */
export function toHex(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('hex')
}

/** Lower-case hex with `0x`. */
export function to0x(bytes: Uint8Array): Hex {
  return `0x${toHex(bytes)}`
}

/**
 * Bytes of a hex string, with or without `0x`.
 * @throws RangeError if the string is not an even number of hex digits.
 */
export function fromHex(hex: string): Uint8Array {
  const digits = hex.startsWith('0x') ? hex.slice(2) : hex
  if (digits.length % 2 !== 0 || !/^[0-9a-fA-F]*$/.test(digits))
    throw new RangeError('parse hex: not an even number of hex digits')
  return new Uint8Array(Buffer.from(digits, 'hex'))
}

/** The strings' bytes one after another. */
export function concat(...parts: readonly Uint8Array[]): Uint8Array {
  const out = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0))
  let at = 0
  for (const part of parts) {
    out.set(part, at)
    at += part.length
  }
  return out
}

/** Equality of public byte strings; for secrets use node:crypto's timingSafeEqual. */
export function equal(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && Buffer.compare(a, b) === 0
}

/** UTF-8 bytes. */
export function utf8(text: string): Uint8Array {
  return new TextEncoder().encode(text)
}

/** One byte. @throws RangeError outside 0..255. */
export function u8(value: number): Uint8Array {
  return unsigned(value, 1)
}

/** Two bytes, big-endian. @throws RangeError outside 0..2^16-1. */
export function u16(value: number): Uint8Array {
  return unsigned(value, 2)
}

/** Four bytes, big-endian. @throws RangeError outside 0..2^32-1. */
export function u32(value: number): Uint8Array {
  return unsigned(value, 4)
}

/** Eight bytes, big-endian. @throws RangeError outside 0..2^64-1 or for a number that is not a safe integer. */
export function u64(value: number | bigint): Uint8Array {
  if (typeof value === 'number' && !Number.isSafeInteger(value))
    throw new RangeError(`encode u64: ${value} is not a safe integer`)
  const big = BigInt(value)
  if (big < 0n || big >= 1n << 64n) throw new RangeError(`encode u64: ${value} is out of range`)
  const out = new Uint8Array(8)
  new DataView(out.buffer).setBigUint64(0, big)
  return out
}

/** The unsigned integer of 1 to 6 big-endian bytes. @throws RangeError for another length. */
export function toUint(bytes: Uint8Array): number {
  if (bytes.length < 1 || bytes.length > 6) throw new RangeError(`decode integer: ${bytes.length} bytes`)
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).readUIntBE(0, bytes.length)
}

/** The unsigned integer of 8 big-endian bytes; null above 2^53 - 1. @throws RangeError for another length. */
export function fromU64(bytes: Uint8Array): number | null {
  if (bytes.length !== 8) throw new RangeError(`decode integer: ${bytes.length} bytes`)
  const value = toUint(bytes.subarray(0, 4)) * 2 ** 32 + toUint(bytes.subarray(4))
  return Number.isSafeInteger(value) ? value : null
}

/** The unsigned integer of big-endian bytes, any length. */
export function toBigint(bytes: Uint8Array): bigint {
  return bytes.length === 0 ? 0n : BigInt(`0x${toHex(bytes)}`)
}

/** `length` big-endian bytes. @throws RangeError if the value does not fit. */
export function fromBigint(value: bigint, length: number): Uint8Array {
  if (value < 0n || value >= 1n << BigInt(8 * length))
    throw new RangeError(`encode integer: does not fit ${length} bytes`)
  return fromHex(value.toString(16).padStart(2 * length, '0'))
}

/**
 * The address of a string of 40 hex digits in any case, or of 20 bytes.
 * @throws RangeError if it is not one.
 */
export function toAddress(value: string | Uint8Array): Address {
  const text = typeof value === 'string' ? value.toLowerCase() : to0x(value)
  if (!/^0x[0-9a-f]{40}$/.test(text)) throw new RangeError('parse address: not 0x and 40 hex digits')
  return text as Address // CAST: checked by the expression above
}

function unsigned(value: number, width: number): Uint8Array {
  if (!Number.isInteger(value) || value < 0 || value >= 2 ** (8 * width))
    throw new RangeError(`encode integer: ${value} does not fit ${width} bytes`)
  const out = new Uint8Array(width)
  Buffer.from(out.buffer).writeUIntBE(value, 0, width)
  return out
}
