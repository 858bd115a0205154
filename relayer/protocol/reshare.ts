// Reshare: t members of the old committee move every key to all of the new one; the group keys stay (docs/protocols.md, Reshare).
import { equal } from '../lib/bytes.ts'
import { RefusalError } from './faults.ts'
import { commitmentsHash, type KeyShare } from './keyshare.ts'
import type { Prepared } from './prepared.ts'
import { redistribute } from './redistribute.ts'
import type { Session } from './session.ts'

/**
 * Rounds 1 to 3 of a reshare, a refresh (the same members and threshold) or a key addition (a refresh of the keys that
 * exist, with a keygen of the new one in the same rounds). The result is to be made durable, then confirmed.
 * @param held this node's active shares of every key that exists; ignored unless it deals
 * @throws FaultError, DisputeError, SilenceError or AbortedError
 * @throws RefusalError E_STATE if this node deals and its shares are not those that the contract knows; E_AUTH in a keygen
 */
export async function reshare(session: Session, held: readonly KeyShare[]): Promise<Prepared> {
  const { spec } = session.attempt
  if (spec.op === 'keygen') throw new RefusalError('E_AUTH', 'reshare: the ceremony is a keygen')
  const deals = session.seat('old') !== null
  return await session.run(async () => {
    for (const key of deals ? spec.held : []) {
      const own = held.find(({ keyId }) => keyId === key.keyId)
      if (own === undefined || !equal(commitmentsHash(own), key.commitmentsHash))
        throw new RefusalError('E_STATE', `reshare key ${key.keyId}: this node holds no share of its epoch`)
    }
    return await redistribute(session, deals ? held : [])
  })
}
