// Which t of the old members deal: ordered by past suspicion in this ceremony, then stayers first, then rank.
import type { Address } from '../lib/bytes.ts'
import { type Committee, indexOf, rankMembers } from '../protocol/party.ts'

/** What a failed attempt says about who should deal in the next one. */
export interface FailedAttempt {
  /** The dealers of its start message. */
  readonly dealers: readonly Address[]
  /** Everyone that it named suspect, also by hearsay. */
  readonly suspects: readonly Address[]
  /** Those that this node itself saw silent or wrong. */
  readonly seen: readonly Address[]
}

/** How often each member dealt in a failed attempt of this ceremony, or was seen to fail one. Suspicion orders; it never excludes. */
export class Suspicion {
  readonly #counts = new Map<Address, number>()
  readonly #seen = new Map<Address, number>()

  /**
   * Counts a failed attempt: once for each dealer, and for whoever this node itself saw silent or wrong. Who did not deal is
   * held back by nobody's word: a liar in S would name all that are honest, and t-1 liars would stay ahead of them for ever.
   */
  add(failed: FailedAttempt): void {
    for (const member of new Set([...failed.dealers, ...failed.seen])) raise(this.#counts, member)
    // What this node saw itself breaks ties among equals only: were it counted on top, a liar in S could hold an
    // honest dealer back for ever.
    for (const member of new Set(failed.seen)) raise(this.#seen, member)
  }

  /** Negative if `a` is less suspect than `b`. */
  compare(a: Address, b: Address): number {
    return of(this.#counts, a) - of(this.#counts, b) || of(this.#seen, a) - of(this.#seen, b)
  }

  /** Failed attempts in which it dealt or was seen to fail. */
  count(member: Address): number {
    return of(this.#counts, member)
  }
}

/**
 * The t old indices that deal, ascending, or null if fewer than t are willing.
 * @param choice.willing old members that announced that they deal, without proven culprits
 */
export function chooseDealers(
  committees: { readonly old: Committee; readonly next: Committee },
  choice: {
    readonly context: Uint8Array
    readonly attempt: number
    readonly willing: readonly Address[]
    readonly suspicion: Suspicion
  },
): number[] | null {
  const { old, next } = committees
  const able = old.members.filter((member) => choice.willing.includes(member))
  if (able.length < old.threshold) return null
  const rank = rankMembers(choice.context, choice.attempt, able)
  const stays = (member: Address) => (next.members.includes(member) ? 0 : 1)
  return [...able]
    .sort(
      (a, b) => choice.suspicion.compare(a, b) || stays(a) - stays(b) || rank.indexOf(a) - rank.indexOf(b),
    )
    .slice(0, old.threshold)
    .map((member) => indexOf(old, member) ?? 0)
    .sort((a, b) => a - b)
}

function raise(counts: Map<Address, number>, member: Address): void {
  counts.set(member, of(counts, member) + 1)
}

function of(counts: ReadonlyMap<Address, number>, member: Address): number {
  return counts.get(member) ?? 0
}
