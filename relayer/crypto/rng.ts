// The Rng port: uniformly random bytes, from the operating system everywhere but in tests.
import { randomBytes } from 'node:crypto'

/** Gives `length` uniformly random bytes. */
export type Rng = (length: number) => Uint8Array

/** The operating system's generator. */
export const systemRng: Rng = (length) => new Uint8Array(randomBytes(length))
