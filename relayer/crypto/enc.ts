// The injective encoding `enc` of byte strings, the only one that hashes and wire bodies use (docs/protocols.md, Encodings).
import { concat, toUint, u32 } from '../lib/bytes.ts'

/** A body that is not the `enc` of anything, or not of the shape asked for. */
export class EncodingError extends Error {
  override name = 'EncodingError'
}

/** u32 count, then for each part its u32 length and its bytes. Injective. */
export function enc(...parts: readonly Uint8Array[]): Uint8Array {
  const out: Uint8Array[] = [u32(parts.length)]
  for (const part of parts) out.push(u32(part.length), part)
  return concat(...out)
}

/**
 * The parts of an `enc`; they are views into `bytes`.
 * @param lengths the exact length of each part, or -1 where any length up to `bytes.length` will do
 * @throws EncodingError unless `bytes` is exactly the `enc` of parts of these lengths
 */
export function dec(bytes: Uint8Array, lengths: readonly number[]): Uint8Array[] {
  const parts = decList(bytes, lengths.length)
  if (parts.length !== lengths.length)
    throw new EncodingError(`decode: ${parts.length} parts instead of ${lengths.length}`)
  parts.forEach((part, at) => {
    const want = lengths[at]
    if (want !== -1 && part.length !== want)
      throw new EncodingError(`decode: part ${at} has ${part.length} bytes instead of ${want}`)
  })
  return parts
}

/**
 * The parts of an `enc` of at most `most` parts; they are views into `bytes`.
 * @throws EncodingError if it is not one
 */
export function decList(bytes: Uint8Array, most: number): Uint8Array[] {
  if (bytes.length < 4) throw new EncodingError('decode: shorter than its count')
  const count = toUint(bytes.subarray(0, 4))
  if (count > most) throw new EncodingError(`decode: ${count} parts, at most ${most} allowed`)
  const parts: Uint8Array[] = []
  let at = 4
  for (let i = 0; i < count; i++) {
    if (bytes.length - at < 4) throw new EncodingError('decode: cut short in a length')
    const length = toUint(bytes.subarray(at, at + 4))
    at += 4
    if (bytes.length - at < length) throw new EncodingError('decode: cut short in a part')
    parts.push(bytes.subarray(at, at + length))
    at += length
  }
  if (at !== bytes.length) throw new EncodingError('decode: bytes left over')
  return parts
}
