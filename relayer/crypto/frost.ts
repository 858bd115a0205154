// FROST (RFC 9591) for the three Schnorr schemes: the one file that calls noble's createFROST, on bytes and indices.
import {
  createFROST,
  type FROST,
  type FrostPublic,
  type NonceCommitments,
} from '@noble/curves/abstract/frost.js'
import { ed25519 } from '@noble/curves/ed25519.js'
import { schnorr_FROST, secp256k1, secp256k1_hasher } from '@noble/curves/secp256k1.js'
import { sha256, sha512 } from '@noble/hashes/sha2.js'
import { concat } from '../lib/bytes.ts'
import { InputError } from '../lib/errors.ts'
import { Secret } from '../lib/secret.ts'
import { keccak256 } from './hash.ts'
import type { Rng } from './rng.ts'
import { evmChallenge, type SchnorrScheme, verifySignature } from './schnorr.ts'

/** The public part of a key, as protocol/keyshare.ts describes it. */
export interface FrostPublicKey {
  readonly scheme: SchnorrScheme
  /** 64 bytes x ‖ y for secp256k1, 32 bytes for ed25519. */
  readonly groupKey: Uint8Array
  /** C_0 … C_(t-1); 65 bytes (secp256k1) or 32 (ed25519). */
  readonly commitments: readonly Uint8Array[]
  /** V_1 … V_n; 33 bytes (secp256k1) or 32 (ed25519). */
  readonly verificationShares: readonly Uint8Array[]
}

/** One signer's public nonces in a signing package. */
export interface NonceCommitment {
  /** 1-based index of the signer. */
  readonly index: number
  /** D, 33 bytes (secp256k1) or 32 (ed25519). */
  readonly hiding: Uint8Array
  /** E, as D. */
  readonly binding: Uint8Array
}

/** A signer's secret nonces, good for one signature share; scalars of 32 bytes each. */
export interface NonceSecrets {
  readonly hiding: Secret
  readonly binding: Secret
}

/** What aggregation came to: a verified signature, or the signers whose shares are invalid (none if the nonces cancelled out). */
export type Aggregate =
  | { readonly signature: Uint8Array; readonly culprits?: undefined }
  | { readonly signature?: undefined; readonly culprits: readonly number[] }

const { Point } = secp256k1

const SUITES: Record<SchnorrScheme, FROST> = {
  'frost-secp256k1-evm': createFROST({
    name: 'FROST-secp256k1-EVM-v1',
    Point,
    hash: sha256,
    hashToScalar: (bytes, options) => secp256k1_hasher.hashToScalar(bytes, options),
    challenge: (R, PK, digest) => evmChallenge(affine(PK), nonceAddress(R), digest),
    // Signatures leave as z ‖ address(R), 52 bytes; nothing reads them back through the suite.
    adjustTx: {
      encode: (tx) => owned(concat(tx.subarray(33), nonceAddress(Point.fromBytes(tx.subarray(0, 33))))),
      decode: () => {
        throw new Error('decode signature: verify it with crypto/schnorr.ts')
      },
    },
  }),
  'frost-secp256k1-bip340': schnorr_FROST,
  // noble's own ed25519 suite, without its second torsion test of every point.
  'frost-ed25519': createFROST({
    name: 'FROST-ED25519-SHA512-v1',
    Point: ed25519.Point,
    hash: sha512,
    H2: '',
  }),
}

/**
 * Checks a signer set: exactly `threshold` integers from 1 to `members`, strictly increasing.
 * @throws InputError otherwise
 */
export function assertSigners(indices: readonly number[], threshold: number, members: number): void {
  const sorted = indices.every(
    (index, at) =>
      Number.isInteger(index) && index >= 1 && index <= members && index > (indices[at - 1] ?? 0),
  )
  if (!sorted || indices.length !== threshold)
    throw new InputError(
      `check signers: [${indices.join(', ')}] is no sorted set of ${threshold} from 1 to ${members}`,
    )
}

/**
 * Checks a public nonce: canonical encoding, not the identity, in the subgroup of prime order (RFC 9591, section 3.1).
 * @returns whether it is one
 */
export function isNoncePoint(scheme: SchnorrScheme, bytes: Uint8Array): boolean {
  const ed = scheme === 'frost-ed25519'
  if (bytes.length !== (ed ? 32 : 33)) return false
  try {
    const point = ed ? ed25519.Point.fromBytes(bytes) : Point.fromBytes(bytes)
    point.assertValidity()
    return !point.is0() && point.isTorsionFree()
  } catch {
    return false
  }
}

/** A key ready to sign and to verify with. Indices are 1-based positions in the committee of the key's epoch. */
export class FrostKey {
  readonly scheme: SchnorrScheme
  readonly groupKey: Uint8Array
  /** t, the number of signers needed. */
  readonly threshold: number
  /** n. */
  readonly members: number
  readonly #suite: FROST
  readonly #public: FrostPublic
  /** BIP340 signs with the even one of ±PK; shares follow. */
  readonly #negate: boolean

  /** Takes the points over as they are: they were checked when the key was made or loaded, and are parsed again when used. */
  constructor(key: FrostPublicKey) {
    this.scheme = key.scheme
    this.groupKey = key.groupKey
    this.threshold = key.commitments.length
    this.members = key.verificationShares.length
    this.#suite = SUITES[key.scheme]
    this.#negate = key.scheme === 'frost-secp256k1-bip340' && ((key.groupKey[63] ?? 0) & 1) === 1
    const encode = key.scheme === 'frost-ed25519' ? (point: Uint8Array) => point : compress
    // noble would negate every point again at each call; a package whose key is even is used as it is.
    const adjust = this.#negate ? (point: Uint8Array) => flip(encode(point)) : encode
    this.#public = {
      signers: { min: this.threshold, max: this.members },
      commitments: key.commitments.map((point) => owned(adjust(point))),
      verifyingShares: Object.fromEntries(
        key.verificationShares.map((point, at) => [this.#id(at + 1), owned(adjust(point))]),
      ),
    }
  }

  /** Draws a pair of nonces (RFC 9591, sections 4.1 and 5.1). */
  commit(index: number, share: Secret, rng: Rng): { secrets: NonceSecrets; commitment: NonceCommitment } {
    const { nonces, commitments } = this.#suite.commit(
      { identifier: this.#id(index), signingShare: owned(share.expose()) },
      (length = 32) => owned(rng(length)),
    )
    return {
      secrets: { hiding: new Secret(nonces.hiding), binding: new Secret(nonces.binding) },
      commitment: { index, hiding: commitments.hiding, binding: commitments.binding },
    }
  }

  /**
   * The signature share z_i, 32 bytes (RFC 9591, section 5.2). The nonces are wiped whatever happens.
   * @param list exactly t public nonces, in ascending order of index, our own among them
   * @throws InputError for a bad signer set; Error for an invalid point or a nonce that is not the one in the list
   */
  signShare(
    own: { readonly index: number; readonly share: Secret; readonly nonces: NonceSecrets },
    list: readonly NonceCommitment[],
    message: Uint8Array,
  ): Uint8Array {
    const signingShare = this.#adjusted(own.share)
    const { hiding, binding } = own.nonces
    try {
      this.#assertList(list)
      return this.#suite.signShare(
        { identifier: this.#id(own.index), signingShare },
        this.#public,
        { hiding: owned(hiding.expose()), binding: owned(binding.expose()) },
        this.#commitments(list),
        message,
      )
    } finally {
      hiding.wipe()
      binding.wipe()
      if (this.#negate) signingShare.fill(0)
    }
  }

  /**
   * Whether z_i is the share of that signer: z_i·G = D_i + ρ_i·E_i + c·λ_i·V_i (RFC 9591, section 5.4).
   * @throws InputError for a bad signer set or an index outside it
   */
  verifyShare(
    list: readonly NonceCommitment[],
    message: Uint8Array,
    signed: { index: number; z: Uint8Array },
  ): boolean {
    this.#assertList(list)
    if (!list.some((entry) => entry.index === signed.index))
      throw new InputError(`verify signature share: ${signed.index} is no signer of this package`)
    if (signed.z.length !== 32) return false
    try {
      return this.#suite.verifyShare(
        this.#public,
        this.#commitments(list),
        message,
        this.#id(signed.index),
        signed.z,
      )
    } catch {
      return false
    }
  }

  /**
   * Adds up t signature shares and verifies the signature with the scheme's plain verifier (RFC 9591, section 5.3).
   * @param shares z_i of 32 bytes by index, one for each entry of `list`
   * @throws InputError for a bad signer set or missing shares
   */
  aggregate(
    list: readonly NonceCommitment[],
    message: Uint8Array,
    shares: ReadonlyMap<number, Uint8Array>,
  ): Aggregate {
    this.#assertList(list)
    const byId: Record<string, Uint8Array> = {}
    for (const { index } of list) {
      const z = shares.get(index)
      if (z === undefined) throw new InputError(`aggregate signature: the share of ${index} is missing`)
      byId[this.#id(index)] = z
    }
    let signature: Uint8Array
    try {
      signature = this.#suite.aggregate(this.#public, this.#commitments(list), message, byId)
    } catch {
      return {
        culprits: list
          .map(({ index }) => index)
          .filter(
            (index) => !this.verifyShare(list, message, { index, z: shares.get(index) ?? new Uint8Array() }),
          ),
      }
    }
    return verifySignature(this, message, signature) ? { signature } : { culprits: [] }
  }

  #assertList(list: readonly NonceCommitment[]): void {
    assertSigners(
      list.map((entry) => entry.index),
      this.threshold,
      this.members,
    )
  }

  #commitments(list: readonly NonceCommitment[]): NonceCommitments[] {
    return list.map(({ index, hiding, binding }) => ({
      identifier: this.#id(index),
      hiding: owned(hiding),
      binding: owned(binding),
    }))
  }

  #id(index: number): string {
    return this.#suite.Identifier.fromNumber(index)
  }

  #adjusted(share: Secret): Uint8Array<ArrayBuffer> {
    const bytes = owned(share.expose())
    return this.#negate ? owned(Point.Fn.toBytes(Point.Fn.neg(Point.Fn.fromBytes(bytes)))) : bytes
  }
}

type SecpPoint = InstanceType<typeof Point>

/** x ‖ y, 64 bytes. */
function affine(point: SecpPoint): Uint8Array {
  return point.toBytes(false).subarray(1)
}

/** The last 20 bytes of keccak256(R.x ‖ R.y). */
function nonceAddress(point: SecpPoint): Uint8Array {
  return keccak256(affine(point)).subarray(12)
}

/** 33 bytes of a secp256k1 point that is 33 or 65 bytes long; no arithmetic. */
function compress(point: Uint8Array): Uint8Array {
  if (point.length === 33) return point
  return concat(Uint8Array.of(2 + ((point[64] ?? 0) & 1)), point.subarray(1, 33))
}

/** The negative of a 33-byte point; no arithmetic. */
function flip(point: Uint8Array): Uint8Array {
  return concat(Uint8Array.of((point[0] ?? 0) ^ 1), point.subarray(1))
}

/** The same bytes, in the type that noble's declarations ask for. */
function owned(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  // CAST: nothing here lives in shared memory
  return bytes as Uint8Array<ArrayBuffer>
}
