// The fuzzer's dice: a fast generator that a seed fixes, random bytes, and changes to bytes that were valid.
import { concat, u16, u32, u64 } from '../../relayer/lib/bytes.ts'

/** Numbers that sit at the edges of lengths, counts and integers. */
const EDGES = [0, 1, 2, 3, 4, 5, 31, 32, 33, 64, 65, 100, 127, 128, 255, 256, 0xffff, 0x10000, 0xffffffff]
/** Bytes that mean something to text formats. */
const SIGNIFICANT = [0, 1, 2, 0x0a, 0x20, 0x22, 0x2c, 0x3a, 0x7b, 0x7f, 0x80, 0xc0, 0xef, 0xfe, 0xff]

/** mulberry32: 32 bits a throw, the same sequence for the same seed. */
export class Dice {
  #state: number

  constructor(seed: number) {
    this.#state = seed >>> 0
  }

  /** 32 random bits as a non-negative integer. */
  word(): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(this.#state ^ (this.#state >>> 15), this.#state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return (mixed ^ (mixed >>> 14)) >>> 0
  }

  /** An integer from 0 to below `bound`. */
  below(bound: number): number {
    return this.word() % bound
  }

  /** True once in `n` throws. */
  oneIn(n: number): boolean {
    return this.below(n) === 0
  }

  /** One of a list that is not empty. */
  pick<T>(list: readonly T[]): T {
    const found = list[this.below(list.length)]
    if (found === undefined) throw new RangeError('pick: nothing there')
    return found
  }

  bytes(length: number): Uint8Array {
    const out = new Uint8Array(length)
    for (let at = 0; at < length; at += 4) {
      const word = this.word()
      out[at] = word
      out[at + 1] = word >>> 8
      out[at + 2] = word >>> 16
      out[at + 3] = word >>> 24
    }
    return out
  }

  /** A number at an edge, or any of 32 bits. */
  edge(): number {
    return this.oneIn(4) ? this.word() : this.pick(EDGES)
  }
}

/** Bytes of no form at all; short ones more often, and some that begin like a count or a text. */
export function randomInput(dice: Dice): Uint8Array {
  const length = dice.oneIn(16) ? dice.below(2048) : dice.below(160)
  const body = dice.bytes(length)
  if (dice.oneIn(3)) return body
  return concat(u32(dice.below(9)), body)
}

/** A valid input with up to six changes to its bytes; without any once in a while. */
export function mutated(dice: Dice, samples: readonly Uint8Array[]): Uint8Array {
  let bytes: Uint8Array = dice.pick(samples).slice()
  for (let left = dice.below(7); left > 0; left--) bytes = changed(dice, bytes, samples)
  return bytes
}

function changed(dice: Dice, bytes: Uint8Array, samples: readonly Uint8Array[]): Uint8Array {
  if (bytes.length === 0) return dice.bytes(1 + dice.below(8))
  const at = dice.below(bytes.length)
  const end = Math.min(bytes.length, at + 1 + dice.below(dice.oneIn(4) ? 64 : 8))
  switch (dice.below(9)) {
    case 0:
    case 1:
      bytes[at] = (bytes[at] ?? 0) ^ (1 << dice.below(8))
      return bytes
    case 2:
      bytes[at] = dice.pick(SIGNIFICANT)
      return bytes
    case 3:
      return concat(bytes.subarray(0, at), bytes.subarray(end))
    case 4:
      return concat(bytes.subarray(0, at), dice.bytes(1 + dice.below(8)), bytes.subarray(at))
    case 5:
      return concat(bytes.subarray(0, end), bytes.subarray(at))
    case 6:
      return bytes.slice(0, at)
    case 7: {
      const number = dice.pick([u16(dice.edge() & 0xffff), u32(dice.edge()), u64(dice.edge())])
      bytes.set(number.subarray(0, bytes.length - at), at)
      return bytes
    }
    default: {
      const other = dice.pick(samples)
      return concat(bytes.subarray(0, at), other.subarray(Math.min(at, other.length)))
    }
  }
}
