// Broadcast with abort: echo digests of a round, and the search for the equivocator when they differ (docs/protocols.md, Envelope).
import { H } from '../crypto/hash.ts'
import { TAG } from '../crypto/tags.ts'
import { equal, u8 } from '../lib/bytes.ts'
import type { Attempt } from './attempt.ts'
import type { SignedEnvelope } from './envelope.ts'
import { DisputeError } from './faults.ts'
import { ROUND } from './messages.ts'
import type { Party } from './party.ts'
import type { Session } from './session.ts'

/** h_r = H("echo", sid, r, bodies in (role, index) order); 32 bytes. */
export function echoOf(attempt: Attempt, round: number, envelopes: readonly SignedEnvelope[]): Uint8Array {
  return H(TAG.echo, attempt.sessionId, u8(round), ...envelopes.map((envelope) => envelope.body))
}

/** What a party says it saw. */
export interface Claim {
  readonly by: Party
  readonly digest: Uint8Array
}

/**
 * Returns if every claim equals this node's own digest of a round. Otherwise everybody shows its view of that round, those
 * who differ show each other the signed messages, and the attempt is over.
 * @throws FaultError E_EQUIV when two signed bodies of one sender meet
 * @throws DisputeError naming those whose claims differ, when they do not
 */
export async function requireSameView(
  session: Session,
  of: { round: number; own: Uint8Array; claims: readonly Claim[] },
): Promise<void> {
  const suspects = of.claims.filter(({ digest }) => !equal(digest, of.own)).map(({ by }) => by)
  if (suspects.length === 0) return
  for (const suspect of suspects) session.passOn(of.round + 1, suspect)
  await session.compareViews(of.round)
  const code = of.round === ROUND.open ? 'E_CERT' : 'E_ECHO'
  throw new DisputeError(code, { suspects, message: `compare views of round ${of.round}` })
}
