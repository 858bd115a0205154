// What anybody can check of a new member's acknowledgement: the transcript, its proofs of possession, its readiness.
import { PointError, ScalarError } from '../crypto/group.ts'
import { recover } from '../crypto/identity.ts'
import { claimOf, holds, type ProofClaim, type ProofContext } from '../crypto/proofs.ts'
import { TAG } from '../crypto/tags.ts'
import { type Address, equal, u16 } from '../lib/bytes.ts'
import type { Attempt, KeyTerms } from './attempt.ts'
import type { Envelope } from './envelope.ts'
import { ContentError, type FaultCode } from './faults.ts'
import type { KeyPublic } from './keyshare.ts'
import { type Acknowledgement, decodeAcknowledgement } from './messages.ts'
import type { Party } from './party.ts'
import type { Prepared } from './prepared.ts'
import type { CeremonySpec } from './spec.ts'
import { keysOfTranscript, transcriptOf } from './transcript.ts'
import { activationHash, activationOf, readinessDigest } from './typed.ts'

/** What a proof of possession is bound to: sid_k, T, j, V_j. */
export function posContext(
  key: KeyTerms,
  of: { transcript: Uint8Array; index: number; share: Uint8Array },
): ProofContext {
  return {
    tag: key.registered === null ? TAG.keygenPos : TAG.resharePos,
    binding: [key.sessionId, of.transcript, u16(of.index), of.share],
  }
}

/**
 * The claims of a member's proofs of possession, one a key.
 * @throws PointError or ScalarError for a malformed proof
 */
export function possessionClaims(
  terms: readonly KeyTerms[],
  of: { index: number; acknowledgement: Acknowledgement; keys: readonly KeyPublic[] },
): ProofClaim[] {
  const { index, acknowledgement } = of
  return terms.map((key, at) => {
    const [proof, share] = [acknowledgement.proofs[at], of.keys[at]?.verificationShares[index - 1]]
    if (proof === undefined || share === undefined)
      throw new PointError('verify possession: a key is missing')
    const context = posContext(key, { transcript: acknowledgement.transcript, index, share })
    return claimOf(key.group, proof, { ...context, point: key.group.decodeShort(share) })
  })
}

/** Whether members signed that they are ready for exactly this result: a test of address and 65-byte signature. */
export function readinessTest(
  spec: CeremonySpec,
  prepared: Omit<Prepared, 'shares' | 'sessionId'>,
): (address: Address, readiness: Uint8Array) => boolean {
  const hash = activationHash(activationOf(spec, prepared))
  return (address, readiness) => recover(readinessDigest(spec, hash, address), readiness) === address
}

/**
 * What is wrong with an acknowledgement, or null: E_LEN for its shape, E_POS for a proof, E_CERT for its readiness.
 * @param of.transcript the parts of the transcript that it signed
 */
export function acknowledgementFault(
  attempt: Attempt,
  of: { party: Party; envelope: Envelope; transcript: readonly Uint8Array[] },
): FaultCode | null {
  const { party, envelope, transcript } = of
  const { spec, start } = attempt
  try {
    const acknowledgement = decodeAcknowledgement(attempt.keys, envelope.body)
    const keys = keysOfTranscript(attempt, transcript)
    if (keys === null || !equal(acknowledgement.transcript, transcriptOf(attempt, transcript))) return null
    const claims = possessionClaims(attempt.keys, { index: party.index, acknowledgement, keys })
    const proven = claims.every((claim, at) => {
      const group = attempt.keys[at]?.group
      return group !== undefined && holds(group, claim)
    })
    if (!proven) return 'E_POS'
    const result = {
      epoch: spec.next.epoch,
      attempt: start.attempt,
      transcript: acknowledgement.transcript,
      keys,
    }
    return readinessTest(spec, result)(party.address, acknowledgement.readiness) ? null : 'E_CERT'
  } catch (error) {
    if (error instanceof PointError || error instanceof ScalarError) return 'E_POS'
    if (error instanceof ContentError) return error.code
    throw error
  }
}
