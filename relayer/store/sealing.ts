// Shares at rest: XChaCha20-Poly1305 under a data key of the share set, itself wrapped under a key derived from the operator's.
import { xchacha20poly1305 } from '@noble/ciphers/chacha.js'
import { deriveKey } from '../crypto/derive.ts'
import { enc } from '../crypto/enc.ts'
import type { Rng } from '../crypto/rng.ts'
import { type Tag, TAG } from '../crypto/tags.ts'
import { type Address, concat, fromHex, u32, u64, utf8 } from '../lib/bytes.ts'
import { Secret } from '../lib/secret.ts'
import type { KeySpec } from '../protocol/keyshare.ts'

const NONCE = 24
const DATA_KEY = 32

/** Whose database this is; part of every seal. */
export interface Identity {
  readonly chainId: number
  readonly bridge: Address
  readonly operator: Address
}

/** Which share set a seal belongs to. */
export interface Slot {
  readonly epoch: number
  readonly attempt: number
}

/** Seals and opens; holds the wrapping key. Every `open…` returns null for bytes that were not sealed for this very place. */
export class Sealer {
  readonly #identity: Identity
  readonly #wrappingKey: Secret
  readonly #rng: Rng

  constructor(identity: Identity, operatorKey: Secret, rng: Rng) {
    this.#identity = identity
    this.#wrappingKey = deriveKey(operatorKey, TAG.wrapKey)
    this.#rng = rng
  }

  /** A fresh data key for one share set, 32 bytes. */
  newDataKey(): Secret {
    return new Secret(this.#rng(DATA_KEY))
  }

  /** The data key as its key file holds it: 24-byte nonce, then ciphertext and tag. */
  wrap(dataKey: Secret, slot: Slot): Uint8Array {
    return this.#seal(this.#wrappingKey, dataKey, this.#place(TAG.wrappedKey, slot))
  }

  /** The data key of a key file, or null. */
  unwrap(bytes: Uint8Array, slot: Slot): Secret | null {
    const key = open(this.#wrappingKey, bytes, this.#place(TAG.wrappedKey, slot))
    return key?.expose().length === DATA_KEY ? key : null
  }

  /** One key's share, sealed under the data key of its set and bound to key, scheme and slot. */
  sealShare(dataKey: Secret, share: Secret, at: { key: KeySpec; slot: Slot }): Uint8Array {
    return this.#seal(dataKey, share, this.#place(TAG.sealedShare, at.slot, at.key))
  }

  /** The share, or null. */
  openShare(dataKey: Secret, bytes: Uint8Array, at: { key: KeySpec; slot: Slot }): Secret | null {
    return open(dataKey, bytes, this.#place(TAG.sealedShare, at.slot, at.key))
  }

  #seal(key: Secret, plain: Secret, place: Uint8Array): Uint8Array {
    const nonce = this.#rng(NONCE)
    return concat(nonce, xchacha20poly1305(key.expose(), nonce, place).encrypt(plain.expose()))
  }

  /** The associated data: chain, bridge, operator, epoch, attempt and, for a share, key and scheme. */
  #place(tag: Tag, slot: Slot, key?: KeySpec): Uint8Array {
    const { chainId, bridge, operator } = this.#identity
    const about = key === undefined ? [] : [u32(key.keyId), utf8(key.scheme)]
    return enc(
      utf8(tag),
      u64(chainId),
      fromHex(bridge),
      fromHex(operator),
      u64(slot.epoch),
      u32(slot.attempt),
      ...about,
    )
  }
}

function open(key: Secret, bytes: Uint8Array, place: Uint8Array): Secret | null {
  if (bytes.length <= NONCE) return null
  try {
    return new Secret(
      xchacha20poly1305(key.expose(), bytes.subarray(0, NONCE), place).decrypt(bytes.subarray(NONCE)),
    )
  } catch {
    return null
  }
}
