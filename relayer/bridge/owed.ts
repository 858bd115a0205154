// What the completion of a reshare still waits for: receipts of the superseded epoch, and of each one burned before its successor.
import type { CommitteeState, EpochInfo } from '../chain/chain.ts'
import type { Address } from '../lib/bytes.ts'

/** An epoch that lacks receipts on chain, with those that are known. */
export interface Owed {
  readonly epoch: number
  readonly needed: number
  /** Members whose valid receipt is known, on chain or not. */
  readonly known: readonly Address[]
  /** Members whose receipt is missing. */
  readonly owing: readonly Address[]
  readonly onChain: number
  /** Receipts needed beyond the known ones. */
  readonly missing: number
}

/**
 * The epochs that lack receipts on chain, ascending; none once the reshare is complete.
 * @param closed superseded and burned epochs, from the outstanding one on
 * @param known members whose receipt is known from any source, by epoch; those on chain if absent
 */
export function owedBy(
  { epoch: running, outstandingEpoch }: Pick<CommitteeState, 'epoch' | 'outstandingEpoch'>,
  closed: readonly EpochInfo[],
  known: ReadonlyMap<number, ReadonlySet<Address>> = new Map(),
): Owed[] {
  if (outstandingEpoch === 0) return []
  const lacking = closed.filter(
    ({ epoch, waived, receipts, receiptsNeeded }) =>
      epoch >= outstandingEpoch && epoch < running && !waived && receipts.length < receiptsNeeded,
  )
  return lacking.map(({ epoch, members, receipts, receiptsNeeded: needed }) => {
    const given = new Set([...receipts, ...(known.get(epoch) ?? [])])
    return {
      epoch,
      needed,
      known: [...given].sort(),
      owing: members.filter((member) => !given.has(member)),
      onChain: receipts.length,
      missing: Math.max(0, needed - given.size),
    }
  })
}

/** What lacks receipts, on chain, as a person reads it. */
export function owedText({ epoch, onChain, needed }: Owed): string {
  return `epoch ${epoch} has ${onChain} of ${needed} deletion receipts`
}

/** The commands of governance that end the wait: one for the superseded epoch ends that for the burned ones too. */
export function waiverText(
  { outstandingEpoch }: Pick<CommitteeState, 'outstandingEpoch'>,
  owed: readonly Owed[],
): string {
  const superseded = owed.filter(({ epoch }) => epoch === outstandingEpoch)
  const waived = superseded.length === 0 ? owed : superseded
  return waived.map(({ epoch }) => `\`truss admin waive-deletions ${epoch}\``).join(' and ')
}
