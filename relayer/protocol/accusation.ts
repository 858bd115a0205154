// Aborts: what a node says when it gives up, and what such words of another node amount to.
import { EncodingError } from '../crypto/enc.ts'
import { type Attempt, partyAt } from './attempt.ts'
import type { SignedEnvelope } from './envelope.ts'
import { decodeEvidence } from './evidence.ts'
import { type Accusation, DisputeError, FaultError, SilenceError } from './faults.ts'
import { type Abort, decodeAbort, MAX_PROOF } from './messages.ts'
import type { Party } from './party.ts'
import { convicts, decodeProof, encodeProof, isTooDeep, type Proof } from './proof.ts'
import { accusedByShort, completed, messagesToAll, shortened } from './shortproof.ts'
import type { Wait } from './waits.ts'

/**
 * The words for an error: with proof if there is one that fits, with suspects if there are any. A proof that does not fit is
 * shown message by message, as far as they were to all; where all were, everybody can judge without another word, and a
 * subshare goes into a proof that names the others.
 */
export function wordsOf(error: unknown): {
  readonly shown: readonly SignedEnvelope[]
  readonly abort: Abort | null
} {
  if (error instanceof FaultError) {
    const { code, culprits: suspects, evidence } = error
    const { proof } = decodeEvidence(evidence)
    if (proof.length <= MAX_PROOF) return { shown: [], abort: { code, round: 0, suspects, proof } }
    const whole = decodeProof(proof)
    const shown = whole.envelopes.filter(({ to }) => to === null)
    if (shown.length === whole.envelopes.length) return { shown, abort: null }
    const short = shortened(whole)
    return { shown, abort: { code, round: 0, suspects, proof: short && encodeProof(short) } }
  }
  const words = { code: 'E_STATE', round: 0, suspects: [], proof: null } as const
  if (error instanceof SilenceError)
    return { shown: [], abort: { ...words, code: 'E_TIMEOUT', round: error.round, suspects: error.suspects } }
  if (error instanceof DisputeError)
    return { shown: [], abort: { ...words, code: error.code, suspects: error.suspects } }
  return { shown: [], abort: words }
}

/**
 * Whether somebody is accused of a silence that is not over here: time is over when this node's own clock says so, and
 * until then a suspect may still speak.
 */
export function isEarly({ code, round, suspects }: Accusation, waits: Iterable<Wait>): boolean {
  const open = [...waits].filter((wait) => wait.round === round).flatMap(({ missing }) => missing())
  return code === 'E_TIMEOUT' && suspects.some((suspect) => open.includes(suspect))
}

/**
 * What another node's abort amounts to: a proof and whom it convicts, its own sender where it convicts nobody (E_FALSE);
 * or words without proof, which are open as long as messages that a short proof names are not here.
 * @param held this node's messages to all
 */
export function verdictOf(
  attempt: Attempt,
  envelope: SignedEnvelope,
  held: (round: number, from: Party) => SignedEnvelope | undefined = () => undefined,
):
  | { readonly proof: Proof; readonly culprits: readonly Party[] | null }
  | { readonly proof: null; readonly accusation: Accusation; readonly open?: true } {
  const lie: Proof = { code: 'E_FALSE', envelopes: [envelope], transcript: [] }
  let said: Abort
  try {
    said = decodeAbort(envelope)
  } catch (error) {
    if (!(error instanceof EncodingError)) throw error
    return { proof: null, accusation: { code: 'E_LEN', round: 0, suspects: [] } }
  }
  if (said.proof === null || isTooDeep(envelope)) {
    const suspects = said.suspects.flatMap((seat) => partyAt(attempt, seat) ?? [])
    return { proof: null, accusation: { code: said.code, round: said.round, suspects } }
  }
  try {
    const proof = decodeProof(said.proof)
    const dealer = accusedByShort(attempt, proof)
    if (dealer !== null) {
      const toAll = messagesToAll(held, dealer)
      const whole = completed(proof, toAll)
      if (whole === null)
        return { proof: null, accusation: { code: said.code, round: 0, suspects: [dealer] }, open: true }
      const culprits = convicts(attempt, whole)
      const shown = [toAll.commit, toAll.open].flatMap((each) => each ?? [])
      return culprits === null
        ? { proof: { ...lie, envelopes: [envelope, ...shown] }, culprits }
        : { proof: whole, culprits }
    }
    const culprits = convicts(attempt, proof)
    return culprits === null ? { proof: lie, culprits } : { proof, culprits }
  } catch (error) {
    if (!(error instanceof EncodingError)) throw error
    return { proof: lie, culprits: null }
  }
}
