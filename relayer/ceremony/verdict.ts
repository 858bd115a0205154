// What a failed attempt means: try again, try again without proven culprits, or halt until governance has decided.
import type { Address } from '../lib/bytes.ts'
import { messageOf } from '../lib/errors.ts'
import { AbortedError, DisputeError, FaultError, SilenceError } from '../protocol/faults.ts'
import type { Party } from '../protocol/party.ts'
import { ROUND } from '../protocol/messages.ts'
import type { CeremonySpec } from '../protocol/spec.ts'

/** The judgement on a failed attempt. */
export interface Verdict {
  /**
   * retry: nobody is excluded. retry-without: the culprits no longer deal. halt: a culprit must take part, so only
   * governance can go on.
   */
  readonly kind: 'retry' | 'retry-without' | 'halt'
  readonly reason: string
  /** Proven by signed evidence. */
  readonly culprits: readonly Address[]
  /** Silent, or named by others: an ordering of the next dealers, nothing more. */
  readonly suspects: readonly Address[]
  /** The suspects that this node saw with its own eyes. */
  readonly seen: readonly Address[]
  /** Those of them that failed as dealers, and deal later next time. */
  readonly dealt: readonly Address[]
  /** Who gave up over whom, without proof; null unless somebody did. */
  readonly dispute: Dispute | null
  /** Who gave the attempt up without proof of anybody's fault. It is a suspect itself, and excluded from nothing. */
  readonly aborted: readonly Address[]
  /** What convinces others; null without culprits. */
  readonly evidence: Uint8Array | null
}

/** Words without proof: one of the two does not tell the truth, or the line between them is bad. */
export interface Dispute {
  readonly by: Address
  readonly accused: readonly Address[]
}

/** Evidence came from elsewhere and ended the attempt. */
export class ConvictedError extends Error {
  override name = 'ConvictedError'
  readonly culprits: readonly Address[]

  constructor(reason: string, culprits: readonly Address[]) {
    super(reason)
    this.culprits = culprits
  }
}

/**
 * Maps an error of an attempt to what to do. Whoever is not named by signed evidence is never excluded, and nobody is
 * excluded if fewer than a threshold of dealers would be left: then culprits only go to the back of the order.
 * @param excluded old members that are excluded already
 */
export function verdictOf(error: unknown, spec: CeremonySpec, excluded: ReadonlySet<Address>): Verdict {
  const nobody = { culprits: [], suspects: [], seen: [], dealt: [], dispute: null, aborted: [] }
  const none = { reason: messageOf(error), ...nobody, evidence: null }
  if (error instanceof FaultError) {
    const culprits = addresses(error.culprits)
    return { ...judged(culprits, spec, excluded), reason: none.reason, evidence: error.evidence }
  }
  if (error instanceof ConvictedError)
    return { ...judged(error.culprits, spec, excluded), reason: none.reason, evidence: null }
  if (error instanceof SilenceError || error instanceof DisputeError) {
    const suspects = addresses(error.suspects)
    const asReceivers = error instanceof SilenceError && error.round >= ROUND.acknowledge
    return { ...none, kind: 'retry', suspects, seen: suspects, dealt: asReceivers ? [] : suspects }
  }
  if (error instanceof AbortedError) {
    const accused = addresses(error.accusation.suspects)
    const aborted = [error.by.address]
    // Whoever names nobody is the only one to whom the failure leads, and everybody sees that.
    const seen = accused.length === 0 ? aborted : []
    const dispute = { by: error.by.address, accused }
    const suspects = [...new Set([...accused, ...aborted])]
    return { ...none, kind: 'retry', suspects, seen, dealt: seen, dispute, aborted }
  }
  // Everything else is our own trouble: a disk, a rule that we refuse to break, a bug. It blames nobody.
  return { ...none, kind: 'retry' }
}

/** The verdict on culprits that evidence names, whoever brought the evidence. */
export function judged(
  culprits: readonly Address[],
  spec: CeremonySpec,
  excluded: ReadonlySet<Address>,
): Omit<Verdict, 'reason' | 'evidence'> {
  const base = { culprits, suspects: culprits, seen: culprits, dealt: culprits, dispute: null, aborted: [] }
  if (culprits.some((culprit) => spec.next.members.includes(culprit))) return { ...base, kind: 'halt' }
  const gone = new Set([...excluded, ...culprits])
  const left = spec.old?.members.filter((member) => !gone.has(member)).length ?? 0
  const enough = culprits.length > 0 && left >= (spec.old?.threshold ?? 0)
  return { ...base, kind: enough ? 'retry-without' : 'retry' }
}

function addresses(parties: readonly Party[]): Address[] {
  return [...new Set(parties.map(({ address }) => address))]
}
