// How an attempt ends that never started: nothing was sent but announcements, and it says whom it waited for.
import type { Address } from '../lib/bytes.ts'
import type { Announcement } from './announcement.ts'
import type { Roster } from './roster.ts'

/** How the reason of an attempt begins that did not start. */
export const NOT_STARTED = 'start attempt:'
/** An attempt that did not start, or that this node did not join; nothing was sent but announcements. */
export class NotStartedError extends Error {
  override name = 'NotStartedError'
  /** Whom it waited for. */
  readonly members: readonly Address[]
  /** Those of them that said nothing: who says that it refuses, or waits, is not silent. */
  readonly silent: readonly Address[]

  constructor(reason: string, members: readonly Address[], silent: readonly Address[] = []) {
    super(`${NOT_STARTED} ${reason}`)
    this.members = members
    this.silent = silent
  }
}

/** The end of a muster whose time is over: who is missing, or the coordinator that sent no start message. */
export function notStarted(
  roster: Roster,
  coordinator: Address,
  heard: ReadonlyMap<Address, Announcement>,
): NotStartedError {
  const silent = roster.missingMembers.filter((member) => !heard.has(member))
  return roster.complete
    ? new NotStartedError('the coordinator sent no start message', [coordinator], [coordinator])
    : new NotStartedError(roster.missing, roster.missingMembers, silent)
}
