// One ROAST session at its leader: the package, the shares that came back, and who is free to sign elsewhere.
import type { Aggregate, FrostKey } from '../crypto/frost.ts'
import { type Address, equal } from '../lib/bytes.ts'
import type { NonceBook } from './noncebook.ts'
import type { NonceEntry } from './nonces.ts'
import type { SignEvidence } from './signfault.ts'
import { packageHash, type SignMessage, shareIsFrom } from './signwire.ts'

/** A package that was sent to t signers. */
export class RoastSession {
  readonly hash: Uint8Array
  readonly entries: readonly NonceEntry[]
  /** The signed batches that the package names, by index: their owners may push them out of the book meanwhile. */
  readonly batches: ReadonlyMap<number, Uint8Array>
  readonly #package: SignMessage & { type: 'package' }
  readonly #key: FrostKey
  readonly #digest: Uint8Array
  readonly #shares = new Map<number, { z: Uint8Array; signature: Uint8Array }>()
  readonly #judged = new Set<number>()
  /** It may still complete, but nobody waits for it. */
  late = false

  constructor(of: {
    package: SignMessage & { type: 'package' }
    entries: readonly NonceEntry[]
    book: NonceBook
    key: FrostKey
    digest: Uint8Array
  }) {
    this.hash = packageHash(of.package.body)
    this.entries = of.entries
    this.batches = new Map(
      of.entries.map((entry) => [entry.index, of.book.batchOf(entry) ?? new Uint8Array()]),
    )
    this.#package = of.package
    this.#key = of.key
    this.#digest = of.digest
  }

  /** Ascending. */
  get indices(): number[] {
    return this.entries.map((entry) => entry.index)
  }

  get complete(): boolean {
    return this.#shares.size === this.entries.length
  }

  /** Whether the member was asked here and its valid answer is not back. */
  holds(index: number): boolean {
    return this.indices.includes(index) && !this.#judged.has(index)
  }

  /**
   * Takes a share from its authenticated sender; its validity is judged later.
   * @returns `dropped` if it is unsigned, unasked for or a second one; `other` if it is over another digest than ours
   */
  take(
    index: number,
    from: Address,
    message: SignMessage & { type: 'share' },
  ): 'taken' | 'dropped' | 'other' {
    const { digest, z, signature } = message
    if (!this.indices.includes(index) || this.#shares.has(index)) return 'dropped'
    if (!shareIsFrom(from, message)) return 'dropped'
    if (!equal(digest, this.#digest)) return 'other'
    this.#shares.set(index, { z, signature })
    return 'taken'
  }

  /** Adds up and verifies a complete session; without a signature everybody but the culprits is free. */
  aggregate(): Aggregate {
    const shares = new Map([...this.#shares].map(([index, { z }]) => [index, z]))
    const result = this.#key.aggregate(this.entries, this.#digest, shares)
    if (result.signature === undefined)
      for (const index of this.indices) if (!result.culprits.includes(index)) this.#judged.add(index)
    return result
  }

  /** Judges the shares that are back one by one: whose is valid is free. Returns both, each member once. */
  sift(): { free: number[]; culprits: number[] } {
    this.late = true
    const free: number[] = []
    const culprits: number[] = []
    for (const [index, { z }] of this.#shares) {
      if (this.#judged.has(index)) continue
      const valid = this.#key.verifyShare(this.entries, this.#digest, { index, z })
      if (valid) this.#judged.add(index)
      ;(valid ? free : culprits).push(index)
    }
    return { free, culprits }
  }

  /** The evidence against a member whose share is invalid. @param commitments of the key, C_0 … C_(t-1) */
  evidence(index: number, commitments: readonly Uint8Array[]): SignEvidence | null {
    const share = this.#shares.get(index)
    if (share === undefined) return null
    return { kind: 'share', body: this.#package.body, index, digest: this.#digest, ...share, commitments }
  }
}
