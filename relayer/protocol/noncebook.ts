// What one node knows of the members' published nonces for one key: verified batches, each point checked once.
import { isNoncePoint } from '../crypto/frost.ts'
import type { SchnorrScheme } from '../crypto/schnorr.ts'
import { type Address, equal } from '../lib/bytes.ts'
import {
  decodeBatch,
  encodeRef,
  type NonceBatch,
  type NonceEntry,
  overlap,
  pairAt,
  publishes,
  type ShareRef,
} from './nonces.ts'
import type { Committee } from './party.ts'

/** Batches kept for one member and leader; the oldest is forgotten. */
const KEPT = 8

interface Held {
  readonly batch: NonceBatch
  readonly digest: Uint8Array
  /** As it came, signed: it convinces others too. */
  readonly bytes: Uint8Array
  /** Pairs by position that were checked, and whether they are good. */
  readonly checked: Map<number, boolean>
  /** Pairs before this one are used by this node as a leader. */
  used: number
}

/** Two batches in which a member gave the same nonces different values. */
export interface Conflict {
  readonly first: Uint8Array
  readonly second: Uint8Array
}

/** The published nonces of one key in one epoch and attempt. */
export class NonceBook {
  readonly ref: ShareRef
  readonly #committee: Committee
  readonly #scheme: SchnorrScheme
  readonly #byMember = new Map<number, Held[]>()
  readonly #conflicts = new Map<number, Conflict>()

  constructor(ref: ShareRef, committee: Committee, scheme: SchnorrScheme) {
    this.ref = ref
    this.#committee = committee
    this.#scheme = scheme
  }

  /**
   * Takes a signed batch from its member, or from the leader that it is for: whoever else has it might replay spent nonces
   * to a leader that has started anew. What is malformed, not signed by its member, of another share or for a leader who is
   * no member is dropped too. As a leader this node uses the latest batch of each member only; others are kept to judge
   * packages by.
   * @param isWaitedWith whether a package that waits names a batch of this digest: it is not pushed out by later ones
   * @returns what it newly contradicts, else null. Both are kept: a package names the batch that it means.
   */
  add(
    bytes: Uint8Array,
    from: Address,
    isWaitedWith: (leader: Address, digest: Uint8Array) => boolean = () => false,
  ): Conflict | null {
    const decoded = this.#decode(bytes)
    const member = this.#committee.members[(decoded?.batch.index ?? 0) - 1]
    if (decoded === null || member === undefined) return null
    const { batch, digest } = decoded
    let held = this.#byMember.get(batch.index) ?? []
    if (held.some((other) => equal(other.digest, digest))) return null
    if (from !== member && from !== batch.leader) return null
    if (!this.#committee.members.includes(batch.leader) || !decoded.isFrom(member)) return null
    const contradicted = held.find((other) => sameBoot(other.batch, batch) && overlap(other.batch, batch))
    const ofLeader = held.filter((other) => other.batch.leader === batch.leader).sort(byAge)
    const forgotten =
      ofLeader.length < KEPT ? undefined : ofLeader.find((other) => !isWaitedWith(batch.leader, other.digest))
    held = held.filter((other) => other !== forgotten)
    const added: Held = { batch, digest, bytes, checked: new Map(), used: 0 }
    const newest = this.#newest(batch.index)
    const stale = newest && newest.boot.counter >= batch.boot.counter && !sameBoot(newest, batch)
    const late = stale === true || ofLeader.some((other) => byAge(other, added) >= 0)
    const older = held.filter((other) => other.batch.boot.counter < batch.boot.counter)
    for (const other of late ? [added] : [...ofLeader, ...older]) spend(other)
    this.#byMember.set(batch.index, [...held, added])
    if (contradicted === undefined || this.#conflicts.has(batch.index)) return null
    const conflict = { first: contradicted.bytes, second: bytes }
    this.#conflicts.set(batch.index, conflict)
    return conflict
  }

  /** What convicts a member of publishing two values for one nonce; null if nothing does. */
  conflictOf(index: number): Conflict | null {
    return this.#conflicts.get(index) ?? null
  }

  /**
   * Judges a package's entry: `unknown` if we do not have the batch that it names, `different` if that says otherwise,
   * `bad` if the published points are invalid, else `good`.
   */
  judge(entry: NonceEntry): 'good' | 'unknown' | 'bad' | 'different' {
    const held = this.#find(entry)
    if (held === undefined) return 'unknown'
    if (!publishes(held.batch, entry)) return 'different'
    return this.#good(held, entry.counter - held.batch.first) ? 'good' : 'bad'
  }

  /** The signed batch that an entry names, to pass on or as evidence. */
  batchOf(entry: Pick<NonceEntry, 'index' | 'batch'>): Uint8Array | undefined {
    return this.#find(entry)?.bytes
  }

  /** Whether a batch is kept here and is one of that member for that leader. */
  keeps(bytes: Uint8Array, index: number, leader: Address): boolean {
    const decoded = this.#decode(bytes)
    if (decoded?.batch.index !== index || decoded.batch.leader !== leader) return false
    return this.#find({ index, batch: decoded.digest }) !== undefined
  }

  /** How many pairs this node, leading as `leader`, may still use of a member; the boot id they belong to. */
  stock(index: number, leader: Address): { count: number; boot: Uint8Array | null } {
    const count = (this.#byMember.get(index) ?? [])
      .filter((other) => other.batch.leader === leader)
      .reduce((sum, other) => sum + other.batch.points.length / 2 - other.used, 0)
    return { count, boot: this.#newest(index)?.boot.id ?? null }
  }

  /** Forgets what a member published for `leader`: it says that it is spent. */
  forget(index: number, leader: Address): void {
    const held = this.#byMember.get(index) ?? []
    this.#byMember.set(
      index,
      held.filter((other) => other.batch.leader !== leader),
    )
  }

  /** The next unused pair of a member for `leader`, which counts as used from here on; `bad` if its points are invalid. */
  next(index: number, leader: Address): NonceEntry | { readonly bad: Uint8Array } | null {
    const held = this.#byMember
      .get(index)
      ?.find((other) => other.batch.leader === leader && other.used < other.batch.points.length / 2)
    if (held === undefined) return null
    const at = held.used++
    const pair = pairAt(held.batch, at)
    if (pair === null || !this.#good(held, at)) return { bad: held.bytes }
    return { index, batch: held.digest, boot: held.batch.boot.id, counter: held.batch.first + at, ...pair }
  }

  /** A batch of the member's latest boot: of two with one counter, the first that came. */
  #newest(index: number): NonceBatch | undefined {
    const held = (this.#byMember.get(index) ?? []).map(({ batch }) => batch)
    return held.reduce<NonceBatch | undefined>(
      (best, batch) => (best === undefined || batch.boot.counter > best.boot.counter ? batch : best),
      undefined,
    )
  }

  #decode(bytes: Uint8Array): ReturnType<typeof decodeBatch> | null {
    try {
      const decoded = decodeBatch(bytes, this.#scheme === 'frost-ed25519' ? 32 : 33)
      return equal(encodeRef(decoded.ref), encodeRef(this.ref)) ? decoded : null
    } catch {
      return null
    }
  }

  #find(entry: Pick<NonceEntry, 'index' | 'batch'>): Held | undefined {
    return this.#byMember.get(entry.index)?.find(({ digest }) => equal(digest, entry.batch))
  }

  #good(held: Held, at: number): boolean {
    const known = held.checked.get(at)
    if (known !== undefined) return known
    const pair = pairAt(held.batch, at)
    const good =
      pair !== null && isNoncePoint(this.#scheme, pair.hiding) && isNoncePoint(this.#scheme, pair.binding)
    held.checked.set(at, good)
    return good
  }
}

function spend(held: Held): void {
  held.used = held.batch.points.length / 2
}

function sameBoot(a: NonceBatch, b: NonceBatch): boolean {
  return a.boot.counter === b.boot.counter && equal(a.boot.id, b.boot.id)
}

/** Older first: by boot, then by counter. */
function byAge(a: Held, b: Held): number {
  return a.batch.boot.counter - b.batch.boot.counter || a.batch.first - b.batch.first
}
