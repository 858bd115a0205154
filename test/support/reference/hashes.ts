// Reference model, part 3: hashes to scalars over node:crypto, and Keccak-256 written from FIPS 202 with the EVM's padding.
import { createHash } from 'node:crypto'
import { bytesBE, mod, numberBE } from './curves.ts'

const bytes = (buffer: Buffer) => new Uint8Array(buffer)

/** The strings one after another; text as ASCII. */
export function join(...parts: readonly (Uint8Array | string)[]): Uint8Array {
  return bytes(
    Buffer.concat(parts.map((part) => (typeof part === 'string' ? Buffer.from(part, 'latin1') : part))),
  )
}

/** SHA-256 of the parts. */
export function sha256(...parts: readonly (Uint8Array | string)[]): Uint8Array {
  return bytes(
    createHash('sha256')
      .update(join(...parts))
      .digest(),
  )
}

/** SHA-512 of the parts. */
export function sha512(...parts: readonly (Uint8Array | string)[]): Uint8Array {
  return bytes(
    createHash('sha512')
      .update(join(...parts))
      .digest(),
  )
}

/** expand_message_xmd with SHA-256 (RFC 9380, section 5.3.1). */
export function expandMessage(message: Uint8Array, tag: string, length: number): Uint8Array {
  const suffix = join(tag, Uint8Array.of(tag.length))
  const zero = sha256(new Uint8Array(64), message, bytesBE(BigInt(length), 2), Uint8Array.of(0), suffix)
  let block = sha256(zero, Uint8Array.of(1), suffix)
  let out = block
  for (let i = 2; out.length < length; i++) {
    const mixed = block.map((byte, at) => byte ^ (zero[at] ?? 0))
    block = sha256(mixed, Uint8Array.of(i), suffix)
    out = join(out, block)
  }
  return out.subarray(0, length)
}

/** hash_to_field into the scalars of secp256k1, 48 bytes wide. */
export function hashToScalar(message: Uint8Array, tag: string, q: bigint): bigint {
  return mod(numberBE(expandMessage(message, tag, 48)), q)
}

const LANE = 2n ** 64n - 1n
const rotate = (lane: bigint, by: number) => ((lane << BigInt(by)) | (lane >> BigInt(64 - by))) & LANE

/** The round constants, from the LFSR of FIPS 202, algorithm 5. */
const ROUND_CONSTANTS = (() => {
  let lfsr = 1
  const bit = () => {
    const out = lfsr & 1
    lfsr = (lfsr << 1) ^ (lfsr & 0x80 ? 0x171 : 0)
    return out
  }
  return Array.from({ length: 24 }, () =>
    [0, 1, 2, 3, 4, 5, 6].reduce((sum, j) => (bit() ? sum | (1n << BigInt(2 ** j - 1)) : sum), 0n),
  )
})()

function permute(state: bigint[]): void {
  const at = (x: number, y: number) => state[(x % 5) + 5 * (y % 5)] ?? 0n
  for (const constant of ROUND_CONSTANTS) {
    const columns = [0, 1, 2, 3, 4].map((x) => at(x, 0) ^ at(x, 1) ^ at(x, 2) ^ at(x, 3) ^ at(x, 4))
    for (let lane = 0; lane < 25; lane++) {
      const x = lane % 5
      state[lane] = (state[lane] ?? 0n) ^ (columns[(x + 4) % 5] ?? 0n) ^ rotate(columns[(x + 1) % 5] ?? 0n, 1)
    }
    const moved = [...state]
    let [x, y] = [1, 0]
    for (let t = 0; t < 24; t++) {
      moved[y + 5 * ((2 * x + 3 * y) % 5)] = rotate(at(x, y), (((t + 1) * (t + 2)) / 2) % 64)
      ;[x, y] = [y, (2 * x + 3 * y) % 5]
    }
    for (let lane = 0; lane < 25; lane++) {
      const [column, row] = [lane % 5, lane - (lane % 5)]
      const next = moved[row + ((column + 1) % 5)] ?? 0n
      state[lane] = (moved[lane] ?? 0n) ^ (~next & LANE & (moved[row + ((column + 2) % 5)] ?? 0n))
    }
    state[0] = (state[0] ?? 0n) ^ constant
  }
}

/** Keccak-256 with the padding of Ethereum (0x01). */
export function keccak256(...parts: readonly (Uint8Array | string)[]): Uint8Array {
  const message = join(...parts)
  const rate = 136
  const padded = new Uint8Array((Math.floor(message.length / rate) + 1) * rate)
  padded.set(message)
  padded[message.length] = 1
  padded[padded.length - 1] = (padded[padded.length - 1] ?? 0) | 0x80
  const state = Array.from({ length: 25 }, () => 0n)
  for (let offset = 0; offset < padded.length; offset += rate) {
    for (let lane = 0; lane < rate / 8; lane++) {
      const start = offset + 8 * lane
      state[lane] = (state[lane] ?? 0n) ^ numberBE(padded.slice(start, start + 8).reverse())
    }
    permute(state)
  }
  return join(...state.slice(0, 4).map((lane) => bytesBE(lane, 8).reverse()))
}
