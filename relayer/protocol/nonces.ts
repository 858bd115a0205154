// The secret nonces of one share, in memory only, and the signed batches in which a member publishes their commitments.
import { dec, enc } from '../crypto/enc.ts'
import type { FrostKey, NonceCommitment, NonceSecrets } from '../crypto/frost.ts'
import { H, preimage } from '../crypto/hash.ts'
import { type Signer, signedBy } from '../crypto/identity.ts'
import type { Rng } from '../crypto/rng.ts'
import { TAG } from '../crypto/tags.ts'
import {
  type Address,
  concat,
  equal,
  fromHex,
  fromU64,
  toAddress,
  toUint,
  u8,
  u16,
  u32,
  u64,
} from '../lib/bytes.ts'
import type { Secret } from '../lib/secret.ts'

/** Which share of which key: nonces, requests and signature shares belong to exactly one. */
export interface ShareRef {
  readonly keyId: number
  readonly epoch: number
  readonly attempt: number
  /** T of the keygen or reshare that made the share, 32 bytes. */
  readonly transcript: Uint8Array
  /**
   * `committeeHash` of its epoch, 32 bytes. T binds chain, bridge and committee too, but who judges a record of signing
   * knows no T: without this, what an operator signs for one bridge could convict it at another.
   */
  readonly committeeHash: Uint8Array
}

/** Bytes of a share's name. */
export const REF_BYTES = 80

/** One start of one process: a durable counter, and 16 random bytes drawn at that start. */
export interface Boot {
  readonly counter: number
  readonly id: Uint8Array
}

/** A public nonce pair under its name: with the share it belongs to, that is its nonceId. */
export interface NonceEntry extends NonceCommitment {
  /** Digest of the signed batch that published it, 32 bytes. */
  readonly batch: Uint8Array
  /** Boot id of its owner, 16 bytes. */
  readonly boot: Uint8Array
  readonly counter: number
}

/** What a member signs about some of its nonces. */
export interface NonceBatch {
  readonly index: number
  readonly boot: Boot
  /** The only one whose packages may use these nonces. */
  readonly leader: Address
  /** Counter of the first pair; the others follow. */
  readonly first: number
  /** D and E of each, 2 to 128 points. */
  readonly points: readonly Uint8Array[]
}

/** Most pairs in a batch, and most unspent ones that a member keeps for one leader. */
export const MAX_BATCH = 64
/** Share name, index, boot counter, boot id, leader, first counter, points, signature */
const BATCH_LENGTHS = [REF_BYTES, 2, 8, 16, 20, 8, -1, 65]

/** The wire form of a share's name: keyId 4, epoch 8, attempt 4, transcript 32, committee hash 32; 80 bytes. */
export function encodeRef(ref: ShareRef): Uint8Array {
  return concat(u32(ref.keyId), u64(ref.epoch), u32(ref.attempt), ref.transcript, ref.committeeHash)
}

/** The share's name from its 80 bytes. */
export function decodeRef(bytes: Uint8Array): ShareRef {
  return {
    keyId: toUint(bytes.subarray(0, 4)),
    epoch: safe(bytes.subarray(4, 12)),
    attempt: toUint(bytes.subarray(12, 16)),
    transcript: bytes.subarray(16, 48),
    committeeHash: bytes.subarray(48),
  }
}

/** A u64 that is a safe integer. @throws RangeError above 2^53-1, which no honest counter reaches */
export function safe(bytes: Uint8Array): number {
  const value = fromU64(bytes)
  if (value === null) throw new RangeError('decode integer: above 2^53-1')
  return value
}

/** A signed batch for the wire. */
export function encodeBatch(ref: ShareRef, batch: NonceBatch, signer: Signer): Uint8Array {
  const parts = [
    encodeRef(ref),
    u16(batch.index),
    u64(batch.boot.counter),
    batch.boot.id,
    fromHex(batch.leader),
    u64(batch.first),
    concat(...batch.points),
  ]
  return enc(...parts, signer.sign(H(TAG.nonceBatch, u8(batch.points[0]?.length ?? 0), ...parts)))
}

/**
 * The parts of a batch, and who signed it; nothing is verified but the shape.
 * @param pointLength 33 or 32 bytes
 * @throws EncodingError or RangeError for another shape
 */
export function decodeBatch(
  bytes: Uint8Array,
  pointLength: number,
): { ref: ShareRef; batch: NonceBatch; digest: Uint8Array; isFrom(address: Address): boolean } {
  const parts = dec(bytes, BATCH_LENGTHS)
  const signature = parts.pop() ?? new Uint8Array()
  const [ref, index, counter, id, leader, first, flat] = parts
  if (!ref || !index || !counter || !id || !leader || !first || !flat)
    throw new RangeError('decode batch: parts')
  const count = flat.length / pointLength
  if (!Number.isInteger(count) || count < 2 || count > 2 * MAX_BATCH || count % 2 !== 0)
    throw new RangeError(`decode batch: ${flat.length} bytes of points`)
  // The size of a point is signed too: 32 pairs of one curve are as long as 33 of the other.
  const signed = [u8(pointLength), ...parts]
  return {
    ref: decodeRef(ref),
    batch: {
      index: toUint(index),
      boot: { counter: safe(counter), id },
      leader: toAddress(leader),
      first: safe(first),
      points: Array.from({ length: count }, (_, at) =>
        flat.subarray(at * pointLength, (at + 1) * pointLength),
      ),
    },
    digest: H(TAG.nonceBatch, ...signed),
    isFrom: (address) => signedBy(address, preimage(TAG.nonceBatch, ...signed), signature),
  }
}

/** The pair at a position of a batch. */
export function pairAt(batch: NonceBatch, at: number): { hiding: Uint8Array; binding: Uint8Array } | null {
  const [hiding, binding] = [batch.points[2 * at], batch.points[2 * at + 1]]
  return at >= 0 && hiding && binding ? { hiding, binding } : null
}

/** Whether two batches of one boot use the same counters. */
export function overlap(a: NonceBatch, b: NonceBatch): boolean {
  return a.first < b.first + b.points.length / 2 && b.first < a.first + a.points.length / 2
}

/** Whether an entry says what the batch that it names published. */
export function publishes(batch: NonceBatch, entry: NonceEntry): boolean {
  const pair = pairAt(batch, entry.counter - batch.first)
  return (
    pair !== null &&
    equal(batch.boot.id, entry.boot) &&
    equal(pair.hiding, entry.hiding) &&
    equal(pair.binding, entry.binding)
  )
}

interface Unspent {
  readonly leader: Address
  /** A package has it, whose digest is being asked for. */
  reserved: boolean
  readonly secrets: NonceSecrets
  readonly commitment: NonceCommitment
}

/** What a pool draws its nonces for and with. */
export interface PoolOptions {
  readonly key: FrostKey
  readonly ref: ShareRef
  readonly index: number
  readonly share: Secret
  readonly boot: Boot
  readonly rng: Rng
  readonly signer: Signer
  /** Whether the share is active: leaders prefer its nonces to those of the same share prepared, which are gone by then. */
  readonly active?: boolean
}

/** The secret nonces of one share. Nothing here is ever written down: a restart loses them, and that is the point. */
export class NoncePool {
  readonly #own: PoolOptions
  readonly #unspent = new Map<number, Unspent>()
  readonly #last = new Map<
    Address,
    { readonly bytes: Uint8Array; readonly first: number; readonly count: number }
  >()
  #next: number

  constructor(own: PoolOptions) {
    this.#own = own
    // Pools of one boot, such as those of a share before and after its activation, must not share counters.
    this.#next = toUint(own.rng(5)) + (own.active === true ? 2 ** 40 : 0)
  }

  /** How many nonces the leader may still use. */
  unspent(leader: Address): number {
    return [...this.#unspent.values()].filter((entry) => entry.leader === leader).length
  }

  /** The leader's last batch if none of it is spent: one that asks again and again gets no new nonces. */
  untouched(leader: Address): Uint8Array | null {
    const last = this.#last.get(leader)
    if (last === undefined) return null
    const whole = Array.from({ length: last.count }, (_, at) => this.#unspent.has(last.first + at))
    return whole.every(Boolean) ? last.bytes : null
  }

  /**
   * Draws 1 to 64 pairs for one leader and gives the signed batch; the leader's oldest ones above 64 are wiped.
   * @throws RangeError for another count
   */
  batch(leader: Address, count: number): Uint8Array {
    if (!Number.isInteger(count) || count < 1 || count > MAX_BATCH)
      throw new RangeError(`draw nonces: ${count} is not 1 to ${MAX_BATCH}`)
    const { key, ref, index, share, boot, rng, signer } = this.#own
    const first = this.#next
    const points: Uint8Array[] = []
    for (let drawn = 0; drawn < count; drawn++) {
      const { secrets, commitment } = key.commit(index, share, rng)
      this.#unspent.set(this.#next++, { leader, reserved: false, secrets, commitment })
      points.push(commitment.hiding, commitment.binding)
    }
    const old = [...this.#unspent].filter(([, entry]) => entry.leader === leader).slice(0, -MAX_BATCH)
    for (const [counter, entry] of old) this.#drop(counter, entry)
    const bytes = encodeBatch(ref, { index, boot, leader, first, points }, signer)
    this.#last.set(leader, { bytes, first, count })
    return bytes
  }

  /** Whether a package's entry for this member is an unspent nonce of this boot, as published, for this leader. */
  has(entry: NonceEntry, leader: Address): boolean {
    return this.#find(entry, leader)?.reserved === false
  }

  /** Keeps an entry, if it `has` it, for one package: from here on it is not there for any other. */
  reserve(entry: NonceEntry, leader: Address): boolean {
    const known = this.#find(entry, leader)
    if (known === undefined || known.reserved) return false
    known.reserved = true
    return true
  }

  /** The secrets of an entry, reserved or not, which is gone from here on whatever comes of it; null if it is. Synchronous. */
  take(entry: NonceEntry, leader: Address): NonceSecrets | null {
    const known = this.#find(entry, leader)
    if (known !== undefined) this.#unspent.delete(entry.counter)
    return known?.secrets ?? null
  }

  /** Takes an entry, if it is one, and wipes it. */
  burn(entry: NonceEntry, leader: Address): void {
    const secrets = this.take(entry, leader)
    secrets?.hiding.wipe()
    secrets?.binding.wipe()
  }

  /** Wipes all. */
  destroy(): void {
    for (const [counter, entry] of this.#unspent) this.#drop(counter, entry)
  }

  #find(entry: NonceEntry, leader: Address): Unspent | undefined {
    const known = this.#unspent.get(entry.counter)
    return known !== undefined &&
      known.leader === leader &&
      equal(entry.boot, this.#own.boot.id) &&
      equal(entry.hiding, known.commitment.hiding) &&
      equal(entry.binding, known.commitment.binding)
      ? known
      : undefined
  }

  #drop(counter: number, entry: Unspent): void {
    this.#unspent.delete(counter)
    entry.secrets.hiding.wipe()
    entry.secrets.binding.wipe()
  }
}
