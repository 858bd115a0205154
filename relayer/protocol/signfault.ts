// Evidence of misbehaviour in threshold signing: self-contained records that anybody can judge against a committee.
import { dec, decList, enc } from '../crypto/enc.ts'
import { assertSigners, FrostKey, isNoncePoint } from '../crypto/frost.ts'
import { groupOf } from '../crypto/group.ts'
import type { SchnorrScheme } from '../crypto/schnorr.ts'
import { verificationShares } from '../crypto/vss.ts'
import { type Address, equal, toUint, u16, utf8 } from '../lib/bytes.ts'
import { isWithoutRecovery, withoutRecovery } from './envelope.ts'
import { type FaultCode, FaultError } from './faults.ts'
import { commitmentsHash, curveOf, type KeyPublic } from './keyshare.ts'
import { decodeBatch, encodeRef, type NonceBatch, overlap, publishes } from './nonces.ts'
import { type Committee, type HashedCommittee, indexOf, MAX_MEMBERS, type Party } from './party.ts'
import {
  decodePackage,
  packageHash,
  packageIsFrom,
  requestId,
  type SigningPackage,
  shareIsFrom,
} from './signwire.ts'

/** First part of every record of this page. */
const MAGIC = utf8('truss-sign-evidence-1')

/** What happened. */
export type SignEvidence =
  /** A signature share that is no share of its signer: package, its signer's index, digest, z, signature, commitments. */
  | {
      readonly kind: 'share'
      readonly body: Uint8Array
      readonly index: number
      readonly digest: Uint8Array
      readonly z: Uint8Array
      readonly signature: Uint8Array
      readonly commitments: readonly Uint8Array[]
    }
  /** A member published an invalid point in this batch. */
  | { readonly kind: 'point'; readonly batch: Uint8Array }
  /** A member published two batches with different nonces under the same counters. */
  | { readonly kind: 'batches'; readonly first: Uint8Array; readonly second: Uint8Array }
  /** A leader put another nonce in a package than the batch has that it named. */
  | { readonly kind: 'nonce'; readonly package: Signed; readonly batch: Uint8Array }
  /** A leader signed two packages for one session of one run. */
  | { readonly kind: 'packages'; readonly first: Signed; readonly second: Signed }

/** A package's body with its leader's signature. */
export interface Signed {
  readonly body: Uint8Array
  readonly signature: Uint8Array
}

/** Whom a record convicts of what. */
export interface SignVerdict {
  readonly code: FaultCode
  readonly culprit: Party
}

/** The record of an event; its signatures without recovery byte, so that two records of one event are the same bytes. */
export function encodeSignEvidence(evidence: SignEvidence): Uint8Array {
  switch (evidence.kind) {
    case 'share': {
      const { body, index, digest, z, commitments } = evidence
      const signature = withoutRecovery(evidence.signature)
      return enc(MAGIC, utf8('share'), body, u16(index), digest, z, signature, enc(...commitments))
    }
    case 'point':
      // A batch ends in its signature.
      return enc(MAGIC, utf8('point'), withoutRecovery(evidence.batch))
    case 'batches':
      return enc(MAGIC, utf8('batches'), withoutRecovery(evidence.first), withoutRecovery(evidence.second))
    case 'nonce':
      return enc(MAGIC, utf8('nonce'), ...signedParts(evidence.package), withoutRecovery(evidence.batch))
    case 'packages':
      return enc(MAGIC, utf8('packages'), ...signedParts(evidence.first), ...signedParts(evidence.second))
  }
}

function signedParts({ body, signature }: Signed): [Uint8Array, Uint8Array] {
  return [body, withoutRecovery(signature)]
}

/** Whether bytes claim to be a record of this page. */
export function isSignEvidence(bytes: Uint8Array): boolean {
  try {
    return equal(decList(bytes, 8)[0] ?? new Uint8Array(), MAGIC)
  } catch {
    return false
  }
}

/**
 * Judges a record from its bytes alone. Everything that was signed in it names the committee whose shares sign.
 * @param committee the committee of the shares' epoch, from the verifier's own source
 * @returns whom it convicts, or null if it proves nothing
 */
export function verifySignEvidence(bytes: Uint8Array, committee: HashedCommittee): SignVerdict | null {
  if (!isSignEvidence(bytes)) return null
  try {
    const kind = new TextDecoder().decode(decList(bytes, 8)[1])
    switch (kind) {
      case 'share':
        return judgeShare(bytes, committee)
      case 'point':
        return judgePoint(dec(bytes, [MAGIC.length, 5, -1])[2] ?? MAGIC, committee)
      case 'batches':
        return judgeBatches(dec(bytes, [MAGIC.length, 7, -1, -1]), committee)
      case 'nonce':
        return judgeNonce(dec(bytes, [MAGIC.length, 5, -1, 65, -1]), committee)
      case 'packages':
        return judgePackages(dec(bytes, [MAGIC.length, 8, -1, 65, -1, 65]), committee)
      default:
        return null
    }
  } catch {
    return null
  }
}

/**
 * The error for an event that was just seen.
 * @throws Error if the record does not convince ourselves: nobody is accused without proof
 */
export function signFault(evidence: SignEvidence, committee: HashedCommittee): FaultError {
  const record = encodeSignEvidence(evidence)
  const verdict = verifySignEvidence(record, committee)
  if (verdict === null) throw new Error(`accuse over a signing ${evidence.kind}: the evidence proves nothing`)
  const { code, culprit } = verdict
  return new FaultError(code, { culprits: [culprit], evidence: record, message: MESSAGES[evidence.kind] })
}

const MESSAGES: Record<SignEvidence['kind'], string> = {
  share: 'verify signature share',
  point: 'check published nonce',
  batches: 'compare published nonces',
  nonce: 'compare nonces of a signing package',
  packages: 'compare signing packages of one session',
}

/** The seat of an address in the committee of the shares. */
export function partyOf(committee: Committee, address: Address): Party | null {
  const index = indexOf(committee, address)
  return index === null ? null : { role: 'new', index, address }
}

function judgeShare(bytes: Uint8Array, committee: HashedCommittee): SignVerdict | null {
  const [, , body, at, digest, z, signature, list] = dec(bytes, [MAGIC.length, 5, -1, 2, 32, 32, 65, -1])
  if (!body || !at || !digest || !z || !signature || !list || !isWithoutRecovery(signature)) return null
  const index = toUint(at)
  const address = committee.members[index - 1]
  if (address === undefined || !shareIsFrom(address, { hash: packageHash(body), digest, z, signature }))
    return null
  const signing = decodePackage(body)
  if (!equal(signing.request.ref.committeeHash, committee.hash)) return null
  const commitments = decList(list, MAX_MEMBERS)
  // The signer named these commitments when it signed: its own word for what its share must be.
  if (!equal(commitmentsHash({ commitments }), signing.commitmentsHash)) return null
  const key = keyOf(signing.scheme, commitments, committee.members.length)
  assertSigners(
    signing.entries.map((entry) => entry.index),
    key.threshold,
    key.members,
  )
  if (!signing.entries.some((entry) => entry.index === index)) return null
  // A share over points that are none proves nothing: an honest signer would have refused the package.
  if (
    !signing.entries.every(
      (entry) => isNoncePoint(key.scheme, entry.hiding) && isNoncePoint(key.scheme, entry.binding),
    )
  )
    return null
  if (key.verifyShare(signing.entries, digest, { index, z })) return null
  return { code: 'E_ZSHARE', culprit: { role: 'new', index, address } }
}

function judgePoint(bytes: Uint8Array, committee: HashedCommittee): SignVerdict | null {
  for (const scheme of ['frost-secp256k1-evm', 'frost-ed25519'] as const) {
    const signed = batchOf(bytes, scheme, committee)
    if (signed === null) continue
    const bad = signed.batch.points.some((point) => !isNoncePoint(scheme, point))
    return bad ? { code: 'E_POINT', culprit: signed.member } : null
  }
  return null
}

function judgeBatches(parts: readonly Uint8Array[], committee: HashedCommittee): SignVerdict | null {
  for (const scheme of ['frost-secp256k1-evm', 'frost-ed25519'] as const) {
    const [first, second] = parts.slice(2).map((bytes) => batchOf(bytes, scheme, committee))
    if (!first || !second) continue
    const same =
      first.member.index === second.member.index &&
      equal(first.ref, second.ref) &&
      equal(first.batch.boot.id, second.batch.boot.id) &&
      first.batch.boot.counter === second.batch.boot.counter
    const contradict = same && !equal(first.digest, second.digest) && overlap(first.batch, second.batch)
    return contradict ? { code: 'E_EQUIV', culprit: first.member } : null
  }
  return null
}

function judgeNonce(parts: readonly Uint8Array[], committee: HashedCommittee): SignVerdict | null {
  const [, , body, signature, bytes] = parts
  const signing = packageOf(body, signature, committee)
  const scheme = signing?.signing.scheme
  if (!signing || !bytes || scheme === undefined || scheme === 'ecdsa-secp256k1') return null
  const signed = batchOf(bytes, scheme, committee)
  if (signed === null || !equal(signed.ref, encodeRef(signing.signing.request.ref))) return null
  const entry = signing.signing.entries.find(
    (other) => other.index === signed.member.index && equal(other.batch, signed.digest),
  )
  // The leader named this very batch, so its owner cannot have it convicted by signing another one.
  if (entry === undefined || publishes(signed.batch, entry)) return null
  return { code: 'E_B', culprit: signing.leader }
}

function judgePackages(parts: readonly Uint8Array[], committee: HashedCommittee): SignVerdict | null {
  const [, , firstBody, firstSignature, secondBody, secondSignature] = parts
  const first = packageOf(firstBody, firstSignature, committee)
  const second = packageOf(secondBody, secondSignature, committee)
  if (!first || !second || !firstBody || !secondBody || equal(firstBody, secondBody)) return null
  const same =
    first.leader.index === second.leader.index &&
    first.signing.session === second.signing.session &&
    equal(requestId(first.signing.request), requestId(second.signing.request))
  return same ? { code: 'E_EQUIV', culprit: first.leader } : null
}

function packageOf(
  body: Uint8Array | undefined,
  signature: Uint8Array | undefined,
  committee: HashedCommittee,
): { signing: SigningPackage; leader: Party } | null {
  if (!body || !signature || !isWithoutRecovery(signature)) return null
  const signing = decodePackage(body)
  if (!equal(signing.request.ref.committeeHash, committee.hash)) return null
  const leader = partyOf(committee, signing.leader)
  return leader !== null && packageIsFrom(leader.address, { body, signature }) ? { signing, leader } : null
}

function batchOf(
  bytes: Uint8Array,
  scheme: SchnorrScheme,
  committee: HashedCommittee,
): { batch: NonceBatch; digest: Uint8Array; member: Party; ref: Uint8Array } | null {
  if (!isWithoutRecovery(bytes)) return null
  try {
    const decoded = decodeBatch(bytes, scheme === 'frost-ed25519' ? 32 : 33)
    const { ref, batch, digest } = decoded
    const address = committee.members[batch.index - 1]
    if (!equal(ref.committeeHash, committee.hash)) return null
    if (address === undefined || !decoded.isFrom(address)) return null
    return { batch, digest, member: { role: 'new', index: batch.index, address }, ref: encodeRef(ref) }
  } catch {
    return null
  }
}

function keyOf(scheme: KeyPublic['scheme'], commitments: readonly Uint8Array[], members: number): FrostKey {
  if (scheme === 'ecdsa-secp256k1') throw new RangeError('judge signature share: not a FROST key')
  const group = groupOf(curveOf(scheme))
  const points = commitments.map((bytes) => group.decode(bytes))
  const constant = points[0]
  if (constant === undefined) throw new RangeError('judge signature share: no commitments')
  return new FrostKey({
    scheme,
    groupKey: group.encodeGroupKey(constant),
    commitments,
    verificationShares: group.encodeShort(verificationShares(points, members)),
  })
}
