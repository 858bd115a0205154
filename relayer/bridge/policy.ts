// The operator's veto: for which changes of the committee this node deals without being asked.
import type { CeremonySpec } from '../protocol/spec.ts'

/** Rules that the operator sets; an absent one forbids nothing. */
export interface DealingRules {
  /** Smallest threshold of a new committee. */
  readonly minThreshold?: number | undefined
  /** Most members that may join or leave in one change, whichever number is greater. */
  readonly maxChanges?: number | undefined
  /** Fewest members that must stay. */
  readonly minOverlap?: number | undefined
  /** Whether more than half of the new committee must be needed to sign. */
  readonly majorityOnly?: boolean | undefined
}

/** Decides for each change, and remembers what it refused and what the operator approved since the start. */
export class DealingPolicy {
  readonly #rules: DealingRules
  readonly #approved = new Set<number>()
  #refused: { readonly epoch: number; readonly reason: string } | null = null

  constructor(rules: DealingRules) {
    this.#rules = rules
  }

  /** Why this node does not deal for a change, or null if it does. */
  mayDeal(spec: CeremonySpec): string | null {
    const { epoch } = spec.next
    const reason = this.#approved.has(epoch) ? null : refusalOf(this.#rules, spec)
    if (reason !== null) this.#refused = { epoch, reason }
    else if (this.#refused?.epoch === epoch) this.#refused = null
    return reason
  }

  /** The operator wants this node to deal for a pending epoch, whatever the rules say. Forgotten at a restart. */
  approve(epoch: number): void {
    this.#approved.add(epoch)
    if (this.#refused?.epoch === epoch) this.#refused = null
  }

  /** The change that is refused now, if it is the pending one. */
  refused(pendingEpoch: number | null): { readonly epoch: number; readonly reason: string } | null {
    return this.#refused !== null && this.#refused.epoch === pendingEpoch ? this.#refused : null
  }
}

function refusalOf(rules: DealingRules, { old, next }: CeremonySpec): string | null {
  const { threshold, members } = next
  const before = old?.members ?? members
  const stay = members.filter((member) => before.includes(member)).length
  const changes = Math.max(members.length - stay, before.length - stay)
  if (rules.minThreshold !== undefined && threshold < rules.minThreshold)
    return `threshold ${threshold} is below dealMinThreshold ${rules.minThreshold}`
  if (rules.majorityOnly === true && 2 * threshold <= members.length)
    return `threshold ${threshold} of ${members.length} is not a majority (dealMajorityOnly)`
  if (rules.maxChanges !== undefined && changes > rules.maxChanges)
    return `${changes} members join or leave, more than dealMaxChanges ${rules.maxChanges}`
  if (rules.minOverlap !== undefined && stay < rules.minOverlap)
    return `${stay} members stay, fewer than dealMinOverlap ${rules.minOverlap}`
  return null
}
