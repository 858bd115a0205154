// Aborts: what a node says when it gives up, and what such words of another node amount to.
import { EncodingError } from '../crypto/enc.ts'
import { type Attempt, partyAt } from './attempt.ts'
import type { SignedEnvelope } from './envelope.ts'
import { decodeEvidence } from './evidence.ts'
import { type Accusation, DisputeError, FaultError, SilenceError } from './faults.ts'
import { type Abort, decodeAbort, MAX_PROOF } from './messages.ts'
import type { Party } from './party.ts'
import { convicts, decodeProof, type Proof } from './proof.ts'

/** The words for an error: with proof if there is one that fits, with suspects if there are any. */
export function abortOf(error: unknown): Abort {
  if (error instanceof FaultError) {
    const { proof } = decodeEvidence(error.evidence)
    return {
      code: error.code,
      round: 0,
      suspects: error.culprits,
      proof: proof.length <= MAX_PROOF ? proof : null,
    }
  }
  if (error instanceof SilenceError)
    return { code: 'E_TIMEOUT', round: error.round, suspects: error.suspects, proof: null }
  if (error instanceof DisputeError)
    return { code: error.code, round: 0, suspects: error.suspects, proof: null }
  return { code: 'E_STATE', round: 0, suspects: [], proof: null }
}

/**
 * What another node's abort amounts to: a proof and whom it convicts, its own sender where it convicts nobody (E_FALSE);
 * or words without proof.
 */
export function verdictOf(
  attempt: Attempt,
  envelope: SignedEnvelope,
):
  | { readonly proof: Proof; readonly culprits: readonly Party[] | null }
  | { readonly proof: null; readonly accusation: Accusation } {
  const lie: Proof = { code: 'E_FALSE', envelopes: [envelope], transcript: [] }
  let said: Abort
  try {
    said = decodeAbort(envelope)
  } catch (error) {
    if (!(error instanceof EncodingError)) throw error
    return { proof: null, accusation: { code: 'E_LEN', round: 0, suspects: [] } }
  }
  if (said.proof === null) {
    const suspects = said.suspects.flatMap((seat) => partyAt(attempt, seat) ?? [])
    return { proof: null, accusation: { code: said.code, round: said.round, suspects } }
  }
  try {
    const proof = decodeProof(said.proof)
    const culprits = convicts(attempt, proof)
    return culprits === null ? { proof: lie, culprits } : { proof, culprits }
  } catch (error) {
    if (!(error instanceof EncodingError)) throw error
    return { proof: lie, culprits: null }
  }
}
