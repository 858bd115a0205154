// Which evidence records concern a ceremony, and whom they convict in it.
import { type Address, equal } from '../lib/bytes.ts'
import { InputError } from '../lib/errors.ts'
import { verifyEvidence } from '../protocol/evidence.ts'
import { epochOfSigning } from '../protocol/signepoch.ts'
import { isSignEvidence, verifySignEvidence } from '../protocol/signfault.ts'
import { type CeremonySpec, contextOf } from '../protocol/spec.ts'

/** Whom a record convicts. */
export interface Conviction {
  readonly culprits: readonly Address[]
  readonly reason: string
}

/**
 * The conviction by a record that speaks of this very ceremony; null for one that proves nothing, or speaks of another:
 * governance has decided those, and an old record must not stop what came after.
 */
export function judgeEvidence(bytes: Uint8Array, spec: CeremonySpec): Conviction | null {
  if (isSignEvidence(bytes)) return judgeSigning(bytes, spec)
  const committees = spec.old === null ? [spec.next] : [spec.old, spec.next]
  try {
    const verdict = verifyEvidence(bytes, {
      chainId: spec.chainId,
      bridge: spec.bridge,
      committees,
      keys: spec.held,
    })
    if (!equal(contextOf(verdict.spec), contextOf(spec))) return null
    const culprits = [...new Set(verdict.culprits.map(({ address }) => address))]
    return { culprits, reason: `${verdict.code} in attempt ${verdict.attempt}: ${culprits.join(', ')}` }
  } catch (error) {
    if (error instanceof InputError) return null
    throw error
  }
}

/** Misbehaviour when the prepared shares of the pending epoch signed its activation. */
function judgeSigning(bytes: Uint8Array, spec: CeremonySpec): Conviction | null {
  if (epochOfSigning(bytes) !== spec.next.epoch) return null
  const verdict = verifySignEvidence(bytes, spec.next)
  if (verdict === null) return null
  const { address } = verdict.culprit
  return { culprits: [address], reason: `${verdict.code} in signing the activation: ${address}` }
}
