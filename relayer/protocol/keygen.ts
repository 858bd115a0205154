// Keygen: n members make a key of which any t of them can sign (docs/protocols.md, Keygen).
import { RefusalError } from './faults.ts'
import type { Prepared } from './prepared.ts'
import { redistribute } from './redistribute.ts'
import type { Session } from './session.ts'

/**
 * Rounds 1 to 3: everybody deals a random polynomial to everybody. The result is to be made durable, then confirmed.
 * @throws FaultError, DisputeError, SilenceError or AbortedError; RefusalError E_AUTH in a session of another kind
 */
export async function keygen(session: Session): Promise<Prepared> {
  const { op } = session.attempt.spec
  if (op !== 'keygen') throw new RefusalError('E_AUTH', `keygen: the ceremony is a ${op}`)
  return await session.run(() => redistribute(session, []))
}
