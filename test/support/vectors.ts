// Reads the test vectors of test/vectors into the shapes that tests use.
import { readFileSync } from 'node:fs'

/** One FROST signing with all intermediate values; all fields hex in the encodings of the suite. */
export interface FrostCase {
  readonly source: string
  readonly members: number
  readonly threshold: number
  readonly groupSecret: string
  readonly groupKey: string
  readonly message: string
  /** a_1 … a_(t-1). */
  readonly coefficients: readonly string[]
  readonly signers: readonly {
    readonly index: number
    readonly share: string
    readonly hidingRandomness: string
    readonly bindingRandomness: string
    readonly hidingNonce: string
    readonly bindingNonce: string
    readonly hidingCommitment: string
    readonly bindingCommitment: string
    readonly bindingFactorInput: string
    readonly bindingFactor: string
    readonly signatureShare: string
  }[]
  readonly signature: string
}

/** One signature by one key. */
export interface SignatureCase {
  readonly publicKey: string
  readonly message: string
  readonly signature: string
  readonly valid: boolean
  readonly note: string
}

function read<T>(name: string): readonly T[] {
  // CAST: the files stand in this repository, in this shape
  return (
    JSON.parse(readFileSync(new URL(`../vectors/${name}.json`, import.meta.url), 'utf8')) as { cases: T[] }
  ).cases
}

/** FROST signings of a suite. */
export function readVectors(
  name: 'frost-secp256k1' | 'frost-secp256k1-tr' | 'frost-ed25519',
): readonly FrostCase[] {
  return read(name)
}

/** Signatures, valid and invalid. */
export function readSignatures(name: 'bip340' | 'ed25519'): readonly SignatureCase[] {
  return read(name)
}
