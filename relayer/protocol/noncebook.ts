// What one node knows of the members' published nonces for one key: verified batches, each point checked once.
import { isNoncePoint } from '../crypto/frost.ts'
import type { SchnorrScheme } from '../crypto/schnorr.ts'
import { type Address, equal } from '../lib/bytes.ts'
import { decodeBatch, encodeRef, type NonceBatch, type NonceEntry, type ShareRef } from './nonces.ts'
import type { Committee } from './party.ts'

/** Batches kept for one member and leader; older ones are forgotten. */
const KEPT = 8

interface Held {
  readonly batch: NonceBatch
  /** As it came, signed: it convinces others too. */
  readonly bytes: Uint8Array
  /** Pairs by position that were checked, and whether they are good. */
  readonly checked: Map<number, boolean>
  /** Pairs from here on are unused by this node as a leader. */
  used: number
}

/** What became of a batch. */
export type Added =
  /** It is new, or was known already. */
  | 'added'
  /** Malformed, not signed by its member, of another share, or of an older boot: dropped. */
  | 'dropped'
  /** Its member signed another batch under the same counters: `conflict` has it. */
  | 'equivocation'

/** The published nonces of one key in one epoch and attempt. */
export class NonceBook {
  readonly ref: ShareRef
  readonly #committee: Committee
  readonly #scheme: SchnorrScheme
  readonly #byMember = new Map<number, Held[]>()

  constructor(ref: ShareRef, committee: Committee, scheme: SchnorrScheme) {
    this.ref = ref
    this.#committee = committee
    this.#scheme = scheme
  }

  /** Takes a signed batch, from whomever it comes. */
  add(bytes: Uint8Array): Added {
    let decoded: ReturnType<typeof decodeBatch>
    try {
      decoded = decodeBatch(bytes, this.#scheme === 'frost-ed25519' ? 32 : 33)
    } catch {
      return 'dropped'
    }
    const { ref, batch } = decoded
    const member = this.#committee.members[batch.index - 1]
    if (!equal(encodeRef(ref), encodeRef(this.ref)) || member === undefined) return 'dropped'
    let held = this.#byMember.get(batch.index) ?? []
    if (held.some((other) => equal(other.bytes, bytes))) return 'added'
    if (!decoded.isFrom(member)) return 'dropped'
    const newest = held[0]?.batch.boot
    if (newest && (batch.boot.counter < newest.counter || sameCounterOtherId(batch, newest))) return 'dropped'
    if (newest && batch.boot.counter > newest.counter) held = []
    if (held.some((other) => overlap(other.batch, batch))) return 'equivocation'
    const ofLeader = held.filter((other) => other.batch.leader === batch.leader)
    const forgotten = ofLeader.length >= KEPT ? ofLeader[0] : undefined
    held = held.filter((other) => other !== forgotten)
    this.#byMember.set(batch.index, [...held, { batch, bytes, checked: new Map(), used: 0 }])
    return 'added'
  }

  /**
   * Judges a package's entry against what its member published: `unknown` if no batch has it, `bad` if the published
   * points are invalid, `different` if the package has other points than the batch, else `good`.
   */
  judge(entry: NonceEntry): 'good' | 'unknown' | 'bad' | 'different' {
    const held = this.#find(entry)
    if (held === undefined) return 'unknown'
    const at = entry.counter - held.batch.first
    const published = pairAt(held.batch, at)
    if (!equal(published.hiding, entry.hiding) || !equal(published.binding, entry.binding)) return 'different'
    return this.#good(held, at) ? 'good' : 'bad'
  }

  /** The signed batch that has an entry, to pass on or as evidence. */
  batchOf(entry: Pick<NonceEntry, 'index' | 'boot' | 'counter'>): Uint8Array | undefined {
    return this.#find(entry)?.bytes
  }

  /** How many pairs this node, leading as `leader`, may still use of a member; the boot id they belong to. */
  stock(index: number, leader: Address): { count: number; boot: Uint8Array | null } {
    const held = this.#byMember.get(index) ?? []
    const count = held
      .filter((other) => other.batch.leader === leader)
      .reduce((sum, other) => sum + other.batch.points.length / 2 - other.used, 0)
    return { count, boot: held[0]?.batch.boot.id ?? null }
  }

  /** Forgets what a member published: its boot is over. */
  forget(index: number): void {
    this.#byMember.delete(index)
  }

  /** The next unused pair of a member for `leader`, which counts as used from here on; `bad` if its points are invalid. */
  next(index: number, leader: Address): NonceEntry | { readonly bad: Uint8Array } | null {
    const held = this.#byMember
      .get(index)
      ?.find((other) => other.batch.leader === leader && other.used < other.batch.points.length / 2)
    if (held === undefined) return null
    const at = held.used++
    if (!this.#good(held, at)) return { bad: held.bytes }
    return { index, boot: held.batch.boot.id, counter: held.batch.first + at, ...pairAt(held.batch, at) }
  }

  #find(entry: Pick<NonceEntry, 'index' | 'boot' | 'counter'>): Held | undefined {
    return this.#byMember
      .get(entry.index)
      ?.find(
        ({ batch }) =>
          equal(batch.boot.id, entry.boot) &&
          entry.counter >= batch.first &&
          entry.counter < batch.first + batch.points.length / 2,
      )
  }

  #good(held: Held, at: number): boolean {
    const known = held.checked.get(at)
    if (known !== undefined) return known
    const { hiding, binding } = pairAt(held.batch, at)
    const good = isNoncePoint(this.#scheme, hiding) && isNoncePoint(this.#scheme, binding)
    held.checked.set(at, good)
    return good
  }
}

function pairAt(batch: NonceBatch, at: number): { hiding: Uint8Array; binding: Uint8Array } {
  return {
    hiding: batch.points[2 * at] ?? new Uint8Array(),
    binding: batch.points[2 * at + 1] ?? new Uint8Array(),
  }
}

function sameCounterOtherId(batch: NonceBatch, newest: NonceBatch['boot']): boolean {
  return batch.boot.counter === newest.counter && !equal(batch.boot.id, newest.id)
}

function overlap(a: NonceBatch, b: NonceBatch): boolean {
  return a.first < b.first + b.points.length / 2 && b.first < a.first + a.points.length / 2
}
