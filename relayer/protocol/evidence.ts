// Evidence records: self-contained, transferable, verified offline against committees that the verifier knows itself.
import { dec, EncodingError, enc } from '../crypto/enc.ts'
import { recover } from '../crypto/identity.ts'
import { type Address, equal, toUint, u8 } from '../lib/bytes.ts'
import { InputError } from '../lib/errors.ts'
import { type Attempt, attemptOf } from './attempt.ts'
import { type FaultCode, RefusalError } from './faults.ts'
import type { RegisteredKey } from './keyshare.ts'
import { type Committee, indexOf, type Party, rankMembers } from './party.ts'
import { convicts, decodeProof } from './proof.ts'
import {
  type CeremonySpec,
  contextOf,
  decodeStart,
  encodeStart,
  type SignedStart,
  startDigest,
} from './spec.ts'
import { decodeSpec, encodeSpec } from './specwire.ts'

/** What the verifier knows of the chain for itself. */
export interface TrustedState {
  readonly chainId: number
  readonly bridge: Address
  /** The committees that the record may speak of, by epoch. */
  readonly committees: readonly Committee[]
  /** The keys that existed, as the contract states them; needed for E_CONST and E_STATE, and where a key was added. */
  readonly keys?: readonly RegisteredKey[]
}

/** What a record proves. */
export interface Verdict {
  readonly code: FaultCode
  readonly culprits: readonly Party[]
  readonly spec: CeremonySpec
  readonly attempt: number
}

/** A record, taken apart but not verified. */
export interface EvidenceRecord {
  readonly spec: CeremonySpec
  readonly start: SignedStart
  /** Of the session (protocol/proof.ts); empty where the coordinator signed two start messages. */
  readonly proof: Uint8Array
  /** The coordinator's second start message, else null. */
  readonly second: SignedStart | null
}

const KIND = { session: 0, start: 1 } as const

/** The record of a proof that holds within an attempt. The start message stands for the session id that the accused signed. */
export function encodeEvidence(attempt: Attempt, proof: Uint8Array): Uint8Array {
  const start = encodeStart(attempt.start, new Uint8Array(65))
  return enc(u8(KIND.session), encodeSpec(attempt.spec), start, proof)
}

/** The record of a coordinator that signed two different start messages for one attempt. */
export function startEquivocation(spec: CeremonySpec, first: SignedStart, second: SignedStart): Uint8Array {
  return enc(u8(KIND.start), encodeSpec(spec), first.bytes, second.bytes)
}

/** @throws EncodingError if the bytes are no record */
export function decodeEvidence(bytes: Uint8Array): EvidenceRecord {
  const [kind, specBytes, startBytes, rest] = dec(bytes, [1, -1, -1, -1])
  const start = startBytes && decodeStart(startBytes)
  if (!kind || !specBytes || !start || !rest) throw new EncodingError('decode evidence: parts')
  const spec = decodeSpec(specBytes)
  if (toUint(kind) === KIND.session) {
    // The accused signed the session id, not the start message: its signature is left out, and nothing may stand there.
    if (start.signature.some((byte) => byte !== 0))
      throw new EncodingError('decode evidence: start signature')
    return { spec, start, proof: rest, second: null }
  }
  const second = decodeStart(rest)
  if (toUint(kind) !== KIND.start || second === null) throw new EncodingError('decode evidence: kind')
  return { spec, start, proof: new Uint8Array(), second }
}

/**
 * Verifies a record against what the verifier knows.
 * @throws InputError if it proves nothing, or speaks of a committee or key that the verifier does not know
 */
export function verifyEvidence(bytes: Uint8Array, trusted: TrustedState): Verdict {
  try {
    const record = decodeEvidence(bytes)
    const { spec } = record
    requireKnown(spec, trusted)
    // Whoever was deceived about the keys signed in another session: what it said there is judged by nobody.
    if (spec.op === 'addkey' || trusted.keys !== undefined) requireKeys(spec, trusted)
    const verdict = record.second === null ? ofSession(record) : ofCoordinator(record, record.second)
    if (verdict === null) throw new InputError('verify evidence: it proves nothing')
    if (verdict.code === 'E_CONST' || verdict.code === 'E_STATE') requireKeys(spec, trusted)
    return { ...verdict, spec, attempt: record.start.start.attempt }
  } catch (error) {
    if (error instanceof EncodingError || error instanceof RefusalError)
      throw new InputError(`verify evidence: ${error.message}`)
    throw error
  }
}

function ofSession({ spec, start, proof }: EvidenceRecord): Pick<Verdict, 'code' | 'culprits'> | null {
  const decoded = decodeProof(proof)
  const culprits = convicts(attemptOf(spec, start.start), decoded)
  return culprits && { code: decoded.code, culprits }
}

function ofCoordinator(
  { spec, start: first }: EvidenceRecord,
  second: SignedStart,
): Pick<Verdict, 'code' | 'culprits'> | null {
  const context = contextOf(spec)
  const [coordinator] = rankMembers(context, first.start.attempt, spec.next.members)
  const digests = [first, second].map(({ start }) => startDigest(start))
  const [one, other] = digests
  if (coordinator === undefined || one === undefined || other === undefined || equal(one, other)) return null
  const bothHis = [first, second].every(
    ({ start, signature }) =>
      equal(start.context, context) &&
      start.attempt === first.start.attempt &&
      recover(startDigest(start), signature) === coordinator,
  )
  const index = indexOf(spec.next, coordinator)
  if (!bothHis || index === null) return null
  return { code: 'E_EQUIV', culprits: [{ role: 'new', index, address: coordinator }] }
}

function requireKnown({ chainId, bridge, old, next }: CeremonySpec, trusted: TrustedState): void {
  const known = (committee: Committee) =>
    trusted.committees.some(
      ({ epoch, threshold, members }) =>
        epoch === committee.epoch &&
        threshold === committee.threshold &&
        members.join() === committee.members.join(),
    )
  if (chainId !== trusted.chainId || bridge !== trusted.bridge)
    throw new InputError('verify evidence: of another bridge')
  if (!known(next) || (old !== null && !known(old)))
    throw new InputError('verify evidence: of a committee that is not known here', {
      hint: 'Give the committees of both epochs as the contract states them.',
    })
}

function requireKeys({ held }: CeremonySpec, trusted: TrustedState): void {
  const known = held.every((key) =>
    trusted.keys?.some(
      (own) =>
        own.keyId === key.keyId &&
        equal(own.groupKey, key.groupKey) &&
        equal(own.commitmentsHash, key.commitmentsHash),
    ),
  )
  if (!known)
    throw new InputError('verify evidence: of keys that are not known here', {
      hint: 'Give the keys of the old epoch as the contract states them.',
    })
}
