// The checks of a signing package at a signer, before it computes any digest (docs/protocols.md, Signing).
import { assertSigners, type FrostKey } from '../crypto/frost.ts'
import { recover } from '../crypto/identity.ts'
import { equal } from '../lib/bytes.ts'
import { messageOf } from '../lib/errors.ts'
import type { KeyShare } from './keyshare.ts'
import type { NonceBook } from './noncebook.ts'
import type { NonceEntry, NoncePool, ShareRef } from './nonces.ts'
import type { Committee } from './party.ts'
import type { SignEvidence } from './signfault.ts'
import type { RefusalCode, SignMessage, SigningPackage } from './signwire.ts'
import { type Activation, activationHash, type Domain, readinessDigest } from './typed.ts'

/** One share with what signing with it needs. */
export interface Slot {
  readonly share: KeyShare
  readonly key: FrostKey
  readonly ref: ShareRef
  readonly pool: NoncePool
  readonly book: NonceBook
  readonly commitmentsHash: Uint8Array
}

/** A package whose leader's signature is verified. */
export interface Arrived {
  readonly slot: Slot
  readonly signing: SigningPackage
  readonly message: SignMessage & { type: 'package' }
  readonly hash: Uint8Array
}

/** Active; prepared without a certificate; prepared with one that was verified. */
export type SigningState = 'active' | 'prepared' | 'certified'

/** A refusal that the leader is told of. */
export class Refusal extends Error {
  readonly code: RefusalCode

  constructor(code: RefusalCode, message: string) {
    super(message)
    this.code = code
  }
}

/** Signatures that are verified in one turn of the event loop. */
const TURN = 16

/**
 * Whether every member, and nobody else, signed its readiness for an activation; signatures in member order. A hundred
 * recoveries take a fifth of a second: `pause` gives others a turn between them.
 */
export async function allReady(
  of: { readonly domain: Domain; readonly activation: Activation },
  { members }: Committee,
  claim: { readonly readiness: readonly Uint8Array[]; readonly pause?: (() => Promise<void>) | undefined },
): Promise<boolean> {
  const { readiness, pause } = claim
  const hash = activationHash(of.activation)
  if (readiness.length !== members.length) return false
  for (const [at, member] of members.entries()) {
    if (at % TURN === TURN - 1) await pause?.()
    const signature = readiness[at]
    if (signature === undefined || recover(readinessDigest(of.domain, hash, member), signature) !== member)
      return false
  }
  return true
}

/**
 * Judges a package by share state, signer set and nonces.
 * @returns our own entry
 * @throws Refusal with what is wrong; provable misbehaviour is reported first
 */
export function checkPackage(
  { slot, signing, message }: Arrived,
  at: {
    readonly index: number
    readonly committee: Committee
    readonly state: SigningState
    report(evidence: SignEvidence): void
  },
): NonceEntry {
  const { entries, session, leader, request } = signing
  const { members, threshold } = at.committee
  const most = members.length - threshold + 1
  if (session < 1 || session > most) throw new Refusal('E_POLICY', `at most ${most} sessions for one request`)
  // An active share never signs an activation, a prepared one signs nothing else.
  if ((request.payload.type === 'activation') === (at.state === 'active'))
    throw new Refusal('E_STATE', `${at.state} shares do not sign ${request.payload.type}`)
  if (at.state === 'prepared') throw new Refusal('E_STATE', 'the certificate of this attempt is not verified')
  try {
    assertSigners(
      entries.map((entry) => entry.index),
      threshold,
      members.length,
    )
  } catch (error) {
    throw new Refusal('E_B', messageOf(error))
  }
  if (signing.scheme !== slot.share.scheme || !equal(signing.commitmentsHash, slot.commitmentsHash))
    throw new Refusal('E_B', 'other commitments')
  const own = entries.find((entry) => entry.index === at.index)
  if (own === undefined) throw new Refusal('E_B', 'we are not in the signer set')
  if (!slot.pool.has(own, leader))
    throw new Refusal('E_B', 'our nonce is spent, of an earlier boot, or not ours')
  for (const entry of entries) {
    if (entry === own) continue
    const verdict = slot.book.judge(entry)
    const batch = slot.book.batchOf(entry)
    if (verdict === 'good') continue
    if (batch === undefined) throw new Refusal('E_B', `the nonce of ${entry.index} is unknown`)
    at.report(verdict === 'bad' ? { kind: 'point', batch } : { kind: 'nonce', package: message, batch })
    throw verdict === 'bad'
      ? new Refusal('E_POINT', `the nonce of ${entry.index} is no valid point`)
      : new Refusal('E_B', `the nonce of ${entry.index} is not the one that it published`)
  }
  return own
}
