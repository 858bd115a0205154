// The transferable certificate: one acknowledgement of every new member on one transcript, verifiable by whoever holds the same result.
import { dec, decList, EncodingError, enc } from '../crypto/enc.ts'
import { PointError, ScalarError } from '../crypto/group.ts'
import { allHold, type ProofClaim } from '../crypto/proofs.ts'
import { systemRng } from '../crypto/rng.ts'
import { equal } from '../lib/bytes.ts'
import { possessionClaims, readinessTest } from './acknowledgement.ts'
import { termsOf } from './attempt.ts'
import { decodeFrame, isSealedBy } from './envelope.ts'
import { ContentError } from './faults.ts'
import { decodeAcknowledgement, ROUND } from './messages.ts'
import { MAX_MEMBERS } from './party.ts'
import type { Prepared } from './prepared.ts'
import type { CeremonySpec } from './spec.ts'

/** That all of the new committee hold their shares of one result, each by its own signature. */
export interface Certificate {
  /** T, 32 bytes. */
  readonly transcript: Uint8Array
  /** Signed acknowledgements as frames, in member order. */
  readonly acks: readonly Uint8Array[]
  /** Readiness signatures, 65 bytes each, in member order. */
  readonly readiness: readonly Uint8Array[]
}

/** enc(T, enc(acknowledgements)); the readiness signatures are inside those. */
export function encodeCertificate({ transcript, acks }: Certificate): Uint8Array {
  return enc(transcript, enc(...acks))
}

/**
 * The certificate, if it is one of exactly this prepared result: every acknowledgement signed by its member in the session,
 * on the same transcript, with proofs of possession and a readiness signature that hold. Null otherwise.
 */
export function decodeAndVerifyCertificate(
  bytes: Uint8Array,
  of: { spec: CeremonySpec; prepared: Omit<Prepared, 'shares'> },
): Certificate | null {
  const { spec, prepared } = of
  const terms = termsOf(spec, prepared.sessionId)
  const isReady = readinessTest(spec, prepared)
  const claims: ProofClaim[][] = []
  const readiness: Uint8Array[] = []
  try {
    const [transcript, list] = dec(bytes, [32, -1])
    if (!transcript || !list || !equal(transcript, prepared.transcript)) return null
    const acks = decList(list, MAX_MEMBERS)
    if (acks.length !== spec.next.members.length) return null
    for (const [at, address] of spec.next.members.entries()) {
      const envelope = decodeFrame(acks[at] ?? new Uint8Array())
      const { from, to, round } = envelope
      const inPlace =
        from.role === 'new' && from.index === at + 1 && to === null && round === ROUND.acknowledge
      if (!inPlace || !equal(envelope.sessionId, prepared.sessionId)) return null
      if (!isSealedBy(address, envelope)) return null
      const acknowledgement = decodeAcknowledgement(terms, envelope.body)
      if (!equal(acknowledgement.transcript, prepared.transcript)) return null
      if (!isReady(address, acknowledgement.readiness)) return null
      readiness.push(acknowledgement.readiness)
      claims.push(possessionClaims(terms, { index: at + 1, acknowledgement, keys: prepared.keys }))
    }
    const proven = terms.every((key, at) =>
      allHold(
        key.group,
        claims.flatMap((each) => each[at] ?? []),
        { rng: systemRng },
      ),
    )
    return proven ? { transcript: transcript.slice(), acks: acks.map((ack) => ack.slice()), readiness } : null
  } catch (error) {
    const malformed = [EncodingError, ContentError, PointError, ScalarError]
    if (malformed.some((kind) => error instanceof kind)) return null
    throw error
  }
}
