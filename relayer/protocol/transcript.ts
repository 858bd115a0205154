// The transcript T on which all of a new committee must agree, over every key of the attempt (docs/protocols.md, Keygen, round 4).
import { H } from '../crypto/hash.ts'
import { TAG } from '../crypto/tags.ts'
import { equal } from '../lib/bytes.ts'
import type { Attempt, KeyTerms } from './attempt.ts'
import type { KeyPublic } from './keyshare.ts'

/** What T is computed from, beside the session id. */
export interface TranscriptInput {
  /** Echo digests of rounds 1 and 2, 32 bytes each. */
  readonly echoes: readonly [Uint8Array, Uint8Array]
  /** Ascending keyId. */
  readonly keys: readonly KeyPublic[]
}

/** sid, h_1, h_2, then for each key its group key (in a keygen), commitments and verification shares. */
export function transcriptParts(attempt: Attempt, input: TranscriptInput): Uint8Array[] {
  const keygen = attempt.spec.op === 'keygen'
  return [
    attempt.sessionId,
    ...input.echoes,
    ...input.keys.flatMap((key) => [
      ...(keygen ? [key.groupKey] : []),
      ...key.commitments,
      ...key.verificationShares,
    ]),
  ]
}

/** T, 32 bytes. */
export function transcriptOf(attempt: Attempt, parts: readonly Uint8Array[]): Uint8Array {
  return H(attempt.spec.op === 'keygen' ? TAG.keygenTranscript : TAG.reshareTranscript, ...parts)
}

/** The keys that the parts of a transcript speak of, or null unless the parts have its exact shape. */
export function keysOfTranscript(attempt: Attempt, parts: readonly Uint8Array[]): KeyPublic[] | null {
  const { threshold, members } = attempt.spec.next
  const head = attempt.spec.op === 'keygen' ? 1 : 0
  const each = head + threshold + members.length
  const [sid] = parts
  if (parts.length !== 3 + each * attempt.keys.length || sid === undefined || !equal(sid, attempt.sessionId))
    return null
  return attempt.keys.map((key, at) => {
    const own = parts.slice(3 + each * at, 3 + each * (at + 1))
    const commitments = own.slice(head, head + threshold)
    return {
      keyId: key.keyId,
      scheme: key.scheme,
      groupKey: groupKeyOf(key, commitments),
      commitments,
      verificationShares: own.slice(head + threshold),
    }
  })
}

/** PK in its on-chain encoding: C_0 without the prefix of an uncompressed point. */
export function groupKeyOf(key: KeyTerms, commitments: readonly Uint8Array[]): Uint8Array {
  return (commitments[0] ?? new Uint8Array()).slice(key.group.curve === 'secp256k1' ? 1 : 0)
}
