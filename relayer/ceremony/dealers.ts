// Which t of the old members deal: by past disputes and suspicion in this ceremony, then stayers first, then rank.
import type { Address } from '../lib/bytes.ts'
import { type Committee, indexOf, rankMembers } from '../protocol/party.ts'
import type { Dispute } from './verdict.ts'

/** What a failed attempt says about who should deal in the next one. */
export interface FailedAttempt {
  /** The dealers of its start message. */
  readonly dealers: readonly Address[]
  /** Those that this node itself saw silent or wrong as dealers. */
  readonly dealt: readonly Address[]
  /** Who gave it up over whom, without proof. */
  readonly dispute: Dispute | null
}

/**
 * How often each member dealt in a failed attempt of this ceremony, was seen to fail one, or is in dispute with another
 * dealer. Suspicion orders; it never excludes.
 */
export class Suspicion {
  readonly #counts = new Map<Address, number>()
  readonly #seen = new Map<Address, number>()
  /** How often each dealt in an attempt that somebody who only receives gave up over it. */
  readonly #accused = new Map<Address, number>()
  /** With whom each member is in dispute. */
  readonly #disputes = new Map<Address, Set<Address>>()

  /**
   * Counts a failed attempt: once for each dealer, and for whoever this node itself saw silent or wrong. Who did not deal is
   * held back by nobody's word: a liar in S would name all that are honest, and t-1 liars would stay ahead of them for ever.
   *
   * A dealer that gives up over another dealer is in dispute with it: at least one of the two is to blame. Honest members are
   * in dispute with liars only, at most t-1 of them, while a liar needs another dispute for each attempt that it spoils. The
   * word of one that only receives counts before all else: it alone may miss a dealer's subshare, and were it a liar itself,
   * no order of dealers would help, since it must take part.
   */
  add(failed: FailedAttempt): void {
    const { dealers, dispute } = failed
    const seen = new Set(failed.dealt)
    const accused = dispute?.accused.filter((each) => dealers.includes(each) && each !== dispute.by) ?? []
    if (dispute !== null && !dealers.includes(dispute.by))
      for (const each of accused) raise(this.#accused, each)
    else if (dispute !== null && accused.length > 0)
      for (const each of accused) this.#quarrel(dispute.by, each)
    // Who gives up over nobody that deals has only itself to name.
    else if (dispute !== null) seen.add(dispute.by)
    for (const member of new Set([...dealers, ...seen])) raise(this.#counts, member)
    // What this node saw itself breaks ties among equals only: were it counted on top, a liar in S could hold an
    // honest dealer back for ever.
    for (const member of seen) raise(this.#seen, member)
  }

  /**
   * Negative if `a` is less suspect than `b`. Attempts and disputes are added up: were disputes looked at first, a liar that is
   * only ever silent would stay ahead of all who are in dispute with another.
   */
  compare(a: Address, b: Address): number {
    return (
      of(this.#accused, a) - of(this.#accused, b) ||
      this.#weight(a) - this.#weight(b) ||
      of(this.#seen, a) - of(this.#seen, b)
    )
  }

  /** Whether one of the two gave an attempt up over the other. */
  inDispute(a: Address, b: Address): boolean {
    return this.#disputes.get(a)?.has(b) ?? false
  }

  #weight(member: Address): number {
    return of(this.#counts, member) + (this.#disputes.get(member)?.size ?? 0)
  }

  #quarrel(a: Address, b: Address): void {
    for (const [one, other] of [
      [a, b],
      [b, a],
    ] as const)
      this.#disputes.set(one, (this.#disputes.get(one) ?? new Set()).add(other))
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
  const { suspicion } = choice
  const ordered = [...able].sort(
    (a, b) => suspicion.compare(a, b) || stays(a) - stays(b) || rank.indexOf(a) - rank.indexOf(b),
  )
  const agreeing: Address[] = []
  for (const member of ordered)
    if (!agreeing.some((chosen) => suspicion.inDispute(chosen, member))) agreeing.push(member)
  // Disputes keep nobody out for good: those who agree first, and then whoever comes next.
  const rest = ordered.filter((member) => !agreeing.includes(member))
  return [...agreeing, ...rest]
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
