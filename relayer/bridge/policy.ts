// The operator's rules: for which changes of the committee this node deals without being asked (docs/adr/0017).
import type { Committee } from '../protocol/party.ts'
import { type Earlier, MOST_EPOCHS } from './lineage.ts'

/** Rules that the operator sets; `DEFAULT_RULES` where nothing is configured. */
export interface DealingRules {
  /** Smallest threshold of a new committee. */
  readonly minThreshold: number
  /** Most members that may join or leave between the running committee and the pending one, whichever number is greater. */
  readonly maxChanges: number
  /** Fewest members that must stay; null: as many as sign in the running committee, or all but one where that is fewer. */
  readonly minOverlap: number | null
  /** By how much the threshold may rise or fall. */
  readonly maxThresholdStep: number
  /**
   * always: never for a committee of which half or fewer can sign. kept: not where the change lowers the threshold to half
   * or less, or grows the committee until fewer than half can sign. never: this is not looked at.
   */
  readonly majority: 'always' | 'kept' | 'never'
  /**
   * A change counts together with those activated within the last so many blocks, so that a series of single ones does not
   * pass where their sum would not; 0: each counts by itself.
   */
  readonly spanBlocks: number
  /** Blocks that must be final on top of the governance change before this node deals. */
  readonly delayBlocks: number
}

/** An ordinary addition, removal, replacement of one, threshold step or refresh passes; all else waits for the operator. */
export const DEFAULT_RULES: DealingRules = {
  minThreshold: 2,
  maxChanges: 1,
  minOverlap: null,
  maxThresholdStep: 1,
  majority: 'kept',
  spanBlocks: 7200,
  delayBlocks: 0,
}

type Shape = Pick<Committee, 'members' | 'threshold'>

/** The running committee, null in a keygen, and the pending one. */
export interface Shapes {
  readonly old: Shape | null
  readonly next: Shape
  /** The committee that ran `spanBlocks` ago; null or absent: none, or no rule asks for it. */
  readonly earlier?: Earlier | null
}

/** What a change does, seen from the running committee; in a keygen everybody joins. */
export function differenceOf({ old, next }: Shapes) {
  const before = old?.members ?? []
  return {
    joins: next.members.filter((member) => !before.includes(member)),
    leaves: before.filter((member) => !next.members.includes(member)),
    stays: next.members.filter((member) => before.includes(member)),
  }
}

/**
 * Which rule holds a change back, in words; null if none does. The delay is not looked at here.
 * In a keygen there is no key yet that could be handed over: only the threshold and `majority: always` count.
 */
export function heldBackBy(rules: DealingRules, spec: Shapes): string | null {
  const { threshold, members } = spec.next
  const size = members.length
  if (threshold < rules.minThreshold)
    return `threshold ${threshold} is below dealMinThreshold ${rules.minThreshold}`
  if (rules.majority === 'always' && 2 * threshold <= size)
    return `threshold ${threshold} of ${size} is not a majority (dealMajorityOnly)`
  if (spec.old === null) return null
  const { old, next, earlier = null } = spec
  return heldBackFrom(rules, { old, next }) ?? heldBackInSeries(rules, { old, next, earlier })
}

/** What changes nothing about the committee, such as a refresh, adds nothing to a series. */
function heldBackInSeries(
  rules: DealingRules,
  { old, next, earlier }: { old: Shape; next: Shape; earlier: Earlier | null },
): string | null {
  if (earlier === null || rules.spanBlocks === 0) return null
  const { joins, leaves } = differenceOf({ old, next })
  if (joins.length === 0 && leaves.length === 0 && next.threshold === old.threshold) return null
  const held = earlier.cut
    ? `more than ${MOST_EPOCHS} epochs began`
    : heldBackFrom(rules, { old: earlier, next })
  return held === null
    ? null
    : `with the other changes of the last ${rules.spanBlocks} blocks, since epoch ${earlier.epoch} (dealSpanBlocks): ${held}`
}

function heldBackFrom(rules: DealingRules, { old, next }: { old: Shape; next: Shape }): string | null {
  const { joins, leaves, stays } = differenceOf({ old, next })
  const changes = Math.max(joins.length, leaves.length)
  if (changes > rules.maxChanges)
    return `${changes} members join or leave, more than dealMaxChanges ${rules.maxChanges}`
  const least = rules.minOverlap ?? Math.min(old.threshold, old.members.length - 1)
  if (stays.length < least) return `${stays.length} members stay, fewer than dealMinOverlap ${least}`
  const step = Math.abs(next.threshold - old.threshold)
  if (step > rules.maxThresholdStep)
    return `the threshold moves from ${old.threshold} to ${next.threshold}, more than dealMaxThresholdStep ${rules.maxThresholdStep}`
  return rules.majority === 'kept' ? majorityGivenUp(old, next) : null
}

/** A committee that lost its majority before is not held back for what makes that no worse. */
function majorityGivenUp(old: Shape, { threshold, members }: Shape): string | null {
  const size = members.length
  if (threshold < old.threshold && 2 * threshold <= size)
    return `the threshold falls to ${threshold} of ${size}, which is not a majority (dealMajorityOnly)`
  if (size > old.members.length && 2 * threshold < size)
    return `the committee grows until ${threshold} of ${size} sign, fewer than half (dealMajorityOnly)`
  return null
}
