// Tagged hashes H, Hs and XOF over `enc` (docs/protocols.md, Hashing), and the two plain hashes that standards ask for.
import { createHash } from 'node:crypto'
import { expand_message_xmd } from '@noble/curves/abstract/hash-to-curve.js'
import { sha256 } from '@noble/hashes/sha2.js'
import { keccak_256 } from '@noble/hashes/sha3.js'
import { concat, toBigint, utf8 } from '../lib/bytes.ts'
import { enc } from './enc.ts'
import type { Tag } from './tags.ts'

const PREFIX = 'tssb/v1/'
const prefixes = new Map<Tag, Uint8Array>()

/** SHA-256(τ ‖ τ ‖ enc(parts)) with τ = SHA-256("tssb/v1/" + tag); 32 bytes. */
export function H(tag: Tag, ...parts: readonly Uint8Array[]): Uint8Array {
  return digest('sha256', preimage(tag, ...parts))
}

/** What H hashes: τ ‖ τ ‖ enc(parts). For signatures that are verified together with their hash. */
export function preimage(tag: Tag, ...parts: readonly Uint8Array[]): Uint8Array {
  let prefix = prefixes.get(tag)
  if (prefix === undefined) {
    const tau = digest('sha256', utf8(PREFIX + tag))
    prefix = concat(tau, tau)
    prefixes.set(tag, prefix)
  }
  return concat(prefix, enc(...parts))
}

/** expand_message_xmd(SHA-256, enc(parts), "tssb/v1/" + tag, 48) mod `order` (RFC 9380, section 5.3.1). */
export function Hs(tag: Tag, order: bigint, ...parts: readonly Uint8Array[]): bigint {
  return toBigint(expand_message_xmd(enc(...parts), utf8(PREFIX + tag), 48, sha256)) % order
}

/** SHAKE256(H(tag, parts), length). */
export function XOF(tag: Tag, length: number, ...parts: readonly Uint8Array[]): Uint8Array {
  return new Uint8Array(
    createHash('shake256', { outputLength: length })
      .update(H(tag, ...parts))
      .digest(),
  )
}

/** Keccak-256, as the EVM computes it; 32 bytes. */
export function keccak256(...parts: readonly Uint8Array[]): Uint8Array {
  return keccak_256(concat(...parts))
}

function digest(algorithm: 'sha256', bytes: Uint8Array): Uint8Array {
  return new Uint8Array(createHash(algorithm).update(bytes).digest())
}
