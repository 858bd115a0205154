// What must come of control messages that break the rules, and by what an honest member shows it.
import type { Address } from '../../relayer/lib/bytes.ts'
import type { RefusalCode } from '../../relayer/protocol/signwire.ts'
import type { Line } from './hearing.ts'

/** What must come of a control message at an honest member that takes it; what shows it is listed by whoever makes the cheat. */
export interface Verdict {
  /** The refusal with which a signer answers a package. */
  readonly answer?: RefusalCode
  /** The line of a member's log that gives it. */
  readonly line?: (line: Line, culprit: Address) => boolean
  /** Silence is a violation where the member takes part for certain. */
  readonly loud?: true
  /** A line that shows the message taken for good, which is a violation. */
  readonly taken?: (line: Line, culprit: Address) => boolean
  /** It is a share that does not fit: a leader with all shares must say so. */
  readonly share?: true
  /** Of two packages that exclude each other, the second is refused with this code and no other. */
  readonly exact?: true
  /** The code of which the culprit is convicted beside. */
  readonly convicts?: string
  /** Two messages prove it together: silence is a violation where both come to a member that looks at them for certain. */
  readonly pair?: true
  /** A leader goes on without the culprit. */
  readonly passedOver?: true
  /** Nothing shows it to the honest member: a stranger who sees two packages of one session convicts the leader. */
  readonly stranger?: true
  /** Nothing may come of it, and it has arrived when an honest member looks at the start message in it. */
  readonly arrives?: true
  /** The network refuses a stranger. */
  readonly unserved?: true
  /** Blocks that the verdict may take; without it must be given in the block of the message. */
  readonly within?: number
}

/** A message that breaks the rules. */
export interface Charge {
  readonly name: string
  readonly culprit: Address
  readonly verdict: Verdict
  /** Hashes of packages, hex, of which one must be refused. */
  readonly hashes: readonly string[]
}

/** A start message carries its coordinator's signature: it does not matter who brings it. */
export const REFUSED_START: Verdict = { line: ({ msg }) => msg === 'start message refused', loud: true }
