// Reproducible randomness for tests: an Rng and a chooser that are functions of a seed.
import { createHash } from 'node:crypto'
import type { Rng } from '../../relayer/crypto/rng.ts'

/** Bytes of SHAKE256(seed ‖ counter); two generators of one seed give the same bytes. */
export function seededRng(seed: string | number): Rng {
  let counter = 0
  return (length) => {
    counter += 1
    const hash = createHash('shake256', { outputLength: Math.max(length, 1) }).update(`${seed}/${counter}`)
    return new Uint8Array(hash.digest().subarray(0, length))
  }
}

/** Integers from 0 to below `bound`, in the sequence that the seed fixes. */
export function seededChooser(seed: string | number): (bound: number) => number {
  let state = createHash('sha256').update(`chooser/${seed}`).digest().readUInt32BE(0)
  return (bound) => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) % bound
  }
}
