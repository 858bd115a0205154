// Evidence of either kind, of a ceremony or of signing: the one judgement for whoever keeps, shows or checks records.
import { InputError } from '../lib/errors.ts'
import { decodeEvidence, type TrustedState, type Verdict, verifyEvidence } from './evidence.ts'
import type { FaultCode } from './faults.ts'
import { hashedCommittee, type Party } from './party.ts'
import { epochOfSigning } from './signepoch.ts'
import { isSignEvidence, verifySignEvidence } from './signfault.ts'

/** What a record proves. */
export interface Proven {
  readonly code: FaultCode
  readonly culprits: readonly Party[]
  /** The ceremony that it is about, or null. */
  readonly ceremony: Pick<Verdict, 'spec' | 'attempt'> | null
  /** The epoch whose shares signed, for misbehaviour in signing, or null. */
  readonly signing: number | null
}

/**
 * The epochs whose committees the verifier must know, the new one before the old; the record is not judged here.
 * @throws EncodingError if the bytes are no record
 */
export function epochsOf(bytes: Uint8Array): number[] {
  if (isSignEvidence(bytes)) return [epochOfSigning(bytes) ?? 0]
  const { next, old } = decodeEvidence(bytes).spec
  return [next.epoch, ...(old === null ? [] : [old.epoch])]
}

/**
 * Judges a record by nothing but its bytes and what the verifier knows.
 * @throws InputError if it proves nothing, or speaks of a committee or key that the verifier does not know
 */
export function verifyRecord(bytes: Uint8Array, trusted: TrustedState): Proven {
  if (!isSignEvidence(bytes)) {
    const { code, culprits, spec, attempt } = verifyEvidence(bytes, trusted)
    return { code, culprits, ceremony: { spec, attempt }, signing: null }
  }
  const epoch = epochOfSigning(bytes) ?? 0
  const committee = trusted.committees.find((each) => each.epoch === epoch)
  if (committee === undefined)
    throw new InputError(`verify evidence: the committee of epoch ${epoch} is not known here`)
  const verdict = verifySignEvidence(bytes, hashedCommittee(trusted, committee))
  if (verdict === null) throw new InputError('verify evidence: it proves nothing')
  return { code: verdict.code, culprits: [verdict.culprit], ceremony: null, signing: epoch }
}
