// One attempt as everybody computes it from spec and start message: parties, keys, who deals what, session ids.
import { type Group, groupOf } from '../crypto/group.ts'
import type { Address } from '../lib/bytes.ts'
import { curveOf, type KeySpec, type RegisteredKey } from './keyshare.ts'
import { type Committee, compareSeats, type Party, type Role, type Seat } from './party.ts'
import {
  type CeremonySpec,
  checkSpec,
  checkStart,
  keyDigest,
  type StartMessage,
  sessionIdOf,
  sessionOfKey,
} from './spec.ts'

/** A key of the attempt. */
export interface KeyTerms extends KeySpec {
  readonly group: Group
  /** sid_k, 32 bytes. */
  readonly sessionId: Uint8Array
  /** Who deals it: members of this role. Old for a key that exists, new for one that comes into being. */
  readonly dealtBy: Role
  /** The key as the contract states it; null for one that comes into being. */
  readonly registered: RegisteredKey | null
}

/** Spec and start message, with all that follows from the two. */
export interface Attempt {
  readonly spec: CeremonySpec
  readonly start: StartMessage
  /** sid, 32 bytes. */
  readonly sessionId: Uint8Array
  /** Dealers of the old committee, then all of the new one. */
  readonly parties: readonly Party[]
  /** All of the new committee, by index. */
  readonly receivers: readonly Party[]
  /** Ascending keyId. */
  readonly keys: readonly KeyTerms[]
}

/** @throws RefusalError E_AUTH if spec or start message break a rule or do not fit each other */
export function attemptOf(spec: CeremonySpec, start: StartMessage): Attempt {
  checkSpec(spec)
  checkStart(spec, start)
  const sessionId = sessionIdOf(start)
  const receivers = seatsIn(spec.next, 'new')
  const old = spec.old === null ? [] : seatsIn(spec.old, 'old')
  return {
    spec,
    start,
    sessionId,
    parties: [...old.filter((party) => start.dealers.includes(party.index)), ...receivers],
    receivers,
    keys: termsOf(spec, sessionId),
  }
}

/** The keys of a session, ascending keyId. */
export function termsOf(spec: CeremonySpec, sessionId: Uint8Array): readonly KeyTerms[] {
  const terms = (key: KeySpec, registered: RegisteredKey | null): KeyTerms => ({
    keyId: key.keyId,
    scheme: key.scheme,
    group: groupOf(curveOf(key.scheme)),
    sessionId: sessionOfKey(sessionId, keyDigest(key, spec.chainId, spec.bridge)),
    dealtBy: registered === null ? 'new' : 'old',
    registered,
  })
  const held = spec.held.map((key) => terms(key, key))
  return [...held, ...spec.generated.map((key) => terms(key, null))].sort((a, b) => a.keyId - b.keyId)
}

/** The keys that members of a role deal, ascending keyId. */
export function keysDealtBy(attempt: Attempt, role: Role): readonly KeyTerms[] {
  return attempt.keys.filter((key) => key.dealtBy === role)
}

/** The parties that deal a key or, without one, any key: old by index, then new by index. */
export function dealersOf(attempt: Attempt, key?: KeyTerms): readonly Party[] {
  const roles = new Set((key === undefined ? attempt.keys : [key]).map((each) => each.dealtBy))
  return attempt.parties.filter((party) => roles.has(party.role))
}

/** The party of a seat, or null for a seat that takes no part. */
export function partyAt(attempt: Attempt, seat: Seat): Party | null {
  return attempt.parties.find((party) => compareSeats(party, seat) === 0) ?? null
}

/** Every address that takes part, each once: the peers of the session's channel. */
export function addressesOf(attempt: Attempt): Address[] {
  return [...new Set(attempt.parties.map((party) => party.address))]
}

function seatsIn(committee: Committee, role: Role): Party[] {
  return committee.members.map((address, at) => ({ role, index: at + 1, address }))
}
