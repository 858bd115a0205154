// Who is there for an attempt and who is missing: the pure judgement on what was announced.
import type { Address } from '../lib/bytes.ts'
import type { CeremonySpec } from '../protocol/spec.ts'
import type { Announcement } from './announcement.ts'

/** The state of an attempt that has not started. */
export interface Roster {
  /** Old members that deal if chosen: announced, willing, of the right version, not proven culprits. */
  readonly willing: readonly Address[]
  /** Whether the attempt can start: all of the new committee in one version, and a threshold of dealers. */
  readonly complete: boolean
  /** What is missing, in words, and whom it waits for; empty if nothing is, or only who is on its way. */
  readonly missing: string
  readonly missingMembers: readonly Address[]
}

/** What is known of members beside what they announced. */
export interface Known {
  /** Proven culprits: they do not deal. */
  readonly excluded: ReadonlySet<Address>
  /** Members that said nothing yet and have time to: the attempt waits for them, and nobody is told their names. */
  readonly coming: ReadonlySet<Address>
}

/** @param announced what each participant said for this attempt */
export function rosterOf(
  spec: CeremonySpec,
  announced: ReadonlyMap<Address, Announcement>,
  { excluded, coming }: Known,
): Roster {
  const unheardNew = spec.next.members.filter((member) => !announced.has(member))
  const absentNew = unheardNew.filter((member) => !coming.has(member))
  const vetoing = spec.next.members.filter((member) => announced.get(member)?.vetoes === true)
  const version = commonVersion(spec.next.members, announced)
  const old = spec.old?.members ?? []
  const willing = old.filter((member) => {
    const said = announced.get(member)
    return said?.deals === true && said.protocolVersion === version && !excluded.has(member)
  })
  const threshold = spec.old?.threshold ?? 0
  const lacking = threshold - willing.length - old.filter((member) => coming.has(member)).length
  const reasons: string[] = []
  const members: Address[] = []
  if (absentNew.length > 0) {
    reasons.push(
      `${absentNew.length} of the ${spec.next.members.length} members have not announced themselves`,
    )
    members.push(...absentNew)
  } else if (unheardNew.length === 0 && version === null) {
    reasons.push(`members run different protocol versions: ${versions(spec.next.members, announced)}`)
    members.push(...spec.next.members)
  }
  if (vetoing.length > 0) {
    reasons.push(
      `${vetoing.length} of the ${spec.next.members.length} members take no part${refusals(vetoing, announced)}`,
    )
    members.push(...vetoing)
  }
  if (lacking > 0) {
    reasons.push(`${lacking} more of the old members must deal${refusals(old, announced)}`)
    const others = old.filter(
      (member) => !willing.includes(member) && !coming.has(member) && announced.get(member)?.deals !== true,
    )
    members.push(...others)
    const foreign = old.filter((member) => {
      const said = announced.get(member)
      return said?.deals === true && version !== null && said.protocolVersion !== version
    })
    if (foreign.length > 0) reasons.push(`other protocol versions: ${versions(foreign, announced)}`)
  }
  return {
    willing,
    complete:
      unheardNew.length === 0 && version !== null && vetoing.length === 0 && willing.length >= threshold,
    missing: reasons.join('; '),
    missingMembers: [...new Set(members)],
  }
}

/**
 * Who differs in protocol version among those who would take part, in words; null if nobody of whom it is known.
 * A node asks this before it joins a start message, whoever sent that.
 */
export function versionConflict(
  seats: readonly Address[],
  announced: ReadonlyMap<Address, Announcement>,
  own: number,
): string | null {
  const differs = seats.some((member) => (announced.get(member)?.protocolVersion ?? own) !== own)
  if (!differs) return null
  return `members run different protocol versions: ${versions(seats, announced)}`
}

/** The version that all of them announced, or null if they differ. */
function commonVersion(
  members: readonly Address[],
  announced: ReadonlyMap<Address, Announcement>,
): number | null {
  const found = new Set(members.map((member) => announced.get(member)?.protocolVersion))
  found.delete(undefined)
  const [only] = found
  return found.size === 1 && only !== undefined ? only : null
}

function versions(members: readonly Address[], announced: ReadonlyMap<Address, Announcement>): string {
  return members
    .flatMap((member) => {
      const said = announced.get(member)
      return said === undefined ? [] : [`${member} runs ${said.protocolVersion} (${said.softwareVersion})`]
    })
    .join(', ')
}

function refusals(old: readonly Address[], announced: ReadonlyMap<Address, Announcement>): string {
  const refusing = old.flatMap((member) => {
    const refusal = announced.get(member)?.refusal ?? ''
    return refusal === '' ? [] : [`${member} refuses: ${refusal}`]
  })
  return refusing.length === 0 ? '' : ` (${refusing.join(', ')})`
}
