// Reshare: t members of the old committee move every key to all of the new one; the group keys stay (docs/protocols.md, Reshare).
import { basePointTimes } from '../crypto/basepoint.ts'
import { equal } from '../lib/bytes.ts'
import type { KeyTerms } from './attempt.ts'
import { RefusalError } from './faults.ts'
import { commitmentsHash, type KeyShare } from './keyshare.ts'
import type { Party } from './party.ts'
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
  if (session.attempt.spec.op === 'keygen')
    throw new RefusalError('E_AUTH', 'reshare: the ceremony is a keygen')
  const dealer = session.seat('old')
  return await session.run(async () => {
    if (dealer === null) return await redistribute(session, [])
    for (const key of session.attempt.keys) if (key.registered !== null) requireOwnShare(key, held, dealer)
    return await redistribute(session, held)
  })
}

/** A share of another epoch or index would convict this node of E_CONST: it must not deal with it. */
function requireOwnShare(key: KeyTerms, held: readonly KeyShare[], dealer: Party): void {
  const own = held.find(({ keyId }) => keyId === key.keyId)
  const known = own?.verificationShares[dealer.index - 1]
  if (
    own === undefined ||
    known === undefined ||
    !equal(commitmentsHash(own), key.registered?.commitmentsHash ?? new Uint8Array()) ||
    !equal(basePointTimes(key.group.curve, own.share) ?? new Uint8Array(), known)
  )
    throw new RefusalError('E_STATE', `reshare key ${key.keyId}: this node holds no share of its epoch`)
}
