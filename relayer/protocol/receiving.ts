// The receiver's side of keygen and reshare: all dealers verified at once, their commitments and subshares summed, faults blamed.
import type { Point } from '../crypto/group.ts'
import { lagrangeAtZero } from '../crypto/polynomial.ts'
import { allHold, drawWeight, type Term } from '../crypto/proofs.ts'
import { sumCommitments, verificationShares } from '../crypto/vss.ts'
import { equal, toBigint } from '../lib/bytes.ts'
import { Secret } from '../lib/secret.ts'
import { type Attempt, type KeyTerms, keysDealtBy } from './attempt.ts'
import type { SignedEnvelope } from './envelope.ts'
import { ContentError, DisputeError, FaultError } from './faults.ts'
import { decodeSubshare, oldCommitments, type ParsedOpening, parseOpenings } from './inspect.ts'
import type { KeyPublic, KeyShare } from './keyshare.ts'
import { decodeCommitments, decodeShares, MAX_PROOF } from './messages.ts'
import type { Party } from './party.ts'
import { dealerFault, encodeProof, type Proof } from './proof.ts'
import type { Session } from './session.ts'
import { groupKeyOf } from './transcript.ts'

/** Everything of rounds 1 and 2 that came from one dealer. */
export interface Received {
  readonly dealer: Party
  readonly commit: SignedEnvelope
  readonly open: SignedEnvelope
  /** To this node; null for a party that receives nothing. */
  readonly share: SignedEnvelope | null
}

/**
 * Decodes and verifies every dealer's openings: shapes, commitments, proofs, and for keys that exist the constant terms.
 * The proofs and constants of a key are one sum; the dealers are looked at one by one only if it fails.
 * @throws FaultError naming every dealer at fault
 */
export function verifyOpenings(session: Session, received: readonly Received[]): ParsedOpening[] {
  const { attempt } = session
  const openings: ParsedOpening[] = []
  const olds = new Map<KeyTerms, { bytes: Uint8Array; points: Point[] }>()
  let sound = true
  for (const { dealer, commit, open } of received) {
    try {
      openings.push(...parseOpenings(attempt, dealer, { commit: commit.body, open: open.body }))
      checkOld(attempt, { dealer, commit, olds })
    } catch (error) {
      if (!(error instanceof ContentError)) throw error
      sound = false
    }
  }
  for (const key of sound ? attempt.keys : []) {
    const own = openings.filter((opening) => opening.key === key)
    const claims = own.map((opening) => opening.claim)
    const alsoZero = constantTerms(session, { key, openings: own, old: olds.get(key)?.points ?? [] })
    sound &&= allHold(key.group, claims, { rng: session.rng, alsoZero })
  }
  if (!sound) throw blame(session, received, ({ commit, open }) => [commit, open])
  for (const key of attempt.keys) refuseTwins(session, key, { openings, received })
  return openings
}

/**
 * Sums what the dealers of a key committed to: its public part in the new epoch.
 * @throws DisputeError E_DEGREE if a sum is the identity, or the group key has no place in its scheme's verifier: rerun;
 *   E_CONST if a key that exists came out as another
 */
export function combine(attempt: Attempt, key: KeyTerms, openings: readonly ParsedOpening[]): KeyPublic {
  const { group } = key
  const points = sumCommitments(
    openings.filter((opening) => opening.key === key).map((opening) => opening.commitments),
  )
  const shares = verificationShares(points, attempt.spec.next.members.length)
  if ([...points, ...shares].some((point) => point.is0()))
    throw new DisputeError('E_DEGREE', { suspects: [], message: `sum key ${key.keyId}: identity` })
  const commitments = group.encode(points)
  const groupKey = groupKeyOf(key, commitments)
  // Step 3 of a reshare. It follows from the constant terms; a key that moved must never leave unnoticed.
  if (key.registered !== null && !equal(groupKey, key.registered.groupKey))
    throw new DisputeError('E_CONST', { suspects: [], message: `sum key ${key.keyId}: another group key` })
  if (key.scheme === 'frost-secp256k1-evm' && toBigint(groupKey.subarray(0, 32)) >= group.order)
    throw new DisputeError('E_DEGREE', { suspects: [], message: `sum key ${key.keyId}: PK.x not below q` })
  return {
    keyId: key.keyId,
    scheme: key.scheme,
    groupKey,
    commitments,
    verificationShares: group.encodeShort(shares),
  }
}

/**
 * This node's share of a key: the sum of the subshares, checked against its verification share. Only the sum is checked on
 * the good path: errors that cancel do no harm.
 * @throws FaultError E_LEN, E_SCALAR or E_SHARE naming the dealers whose subshares are bad
 * @throws DisputeError if the sum is zero, or fails although every subshare is good: a fault of this node's own
 */
export function sumSubshares(
  session: Session,
  received: readonly Received[],
  keys: readonly KeyPublic[],
): KeyShare[] {
  const { attempt } = session
  const index = session.seat('new')?.index ?? 0
  const sums = new Map<KeyTerms, bigint>()
  try {
    for (const { dealer, share } of received) {
      const { shares } = decodeShares(attempt, dealer.role, share?.body ?? new Uint8Array())
      keysDealtBy(attempt, dealer.role).forEach((key, at) => {
        const scalar = decodeSubshare(key, shares[at] ?? new Uint8Array())
        sums.set(key, ((sums.get(key) ?? 0n) + scalar) % key.group.order)
      })
    }
  } catch (error) {
    if (!(error instanceof ContentError)) throw error
    throw blame(session, received, ({ share }) => (share === null ? [] : [share]))
  }
  return keys.map((key, at) => {
    const terms = attempt.keys[at]
    const sum = terms === undefined ? 0n : (sums.get(terms) ?? 0n)
    const expected = key.verificationShares[index - 1]
    if (terms === undefined || expected === undefined || sum === 0n)
      throw new DisputeError('E_DEGREE', { suspects: [], message: `sum key ${key.keyId}: share of zero` })
    const [point] = terms.group.encodeShort([terms.group.multiplyBase(sum)])
    if (point === undefined || !equal(point, expected))
      throw blame(session, received, ({ commit, open, share }) =>
        share === null ? [] : [commit, open, share],
      )
    return { ...key, share: new Secret(terms.group.encodeScalar(sum)) }
  })
}

/** Looks at each dealer alone: an error that names all who committed the first fault found. */
function blame(
  session: Session,
  received: readonly Received[],
  pick: (from: Received) => readonly SignedEnvelope[],
): FaultError | DisputeError {
  const found = received.flatMap((entry) => {
    const sent = pick(entry)
    const code = dealerFault(session.attempt, entry.dealer, sent)
    return code === null ? [] : [{ code, dealer: entry.dealer, sent }]
  })
  const [first] = found
  if (first === undefined)
    return new DisputeError('E_STATE', {
      suspects: [],
      message: 'verify dealers: a sum fails although every dealer passes',
    })
  const guilty = found.filter(({ code }) => code === first.code)
  const proofOf = (some: typeof guilty): Proof => ({
    code: first.code,
    envelopes: some.flatMap(({ sent }) => sent),
    transcript: [],
  })
  // Others must be able to read the proof: if there are too many culprits for one message, the first ones are named.
  while (guilty.length > 1 && encodeProof(proofOf(guilty)).length > MAX_PROOF) guilty.pop()
  return session.fault(
    proofOf(guilty),
    guilty.map(({ dealer }) => dealer),
  )
}

/** The old commitments of each key, checked for every dealer; equal bytes are decoded once. */
function checkOld(
  attempt: Attempt,
  of: { dealer: Party; commit: SignedEnvelope; olds: Map<KeyTerms, { bytes: Uint8Array; points: Point[] }> },
): void {
  const commitments = decodeCommitments(attempt, of.dealer.role, of.commit.body)
  keysDealtBy(attempt, of.dealer.role).forEach((key, at) => {
    const bytes = commitments[at]?.oldCommitments ?? new Uint8Array()
    const known = of.olds.get(key)
    if (key.registered === null || (known !== undefined && equal(known.bytes, bytes))) return
    of.olds.set(key, { bytes, points: oldCommitments(key, bytes) })
  })
}

/** Σ w_i C_i0 - Σ w_i λ_i V_i, the V_i written out in the old commitments: identity if every constant term is right. */
function constantTerms(
  session: Session,
  of: { key: KeyTerms; openings: readonly ParsedOpening[]; old: readonly Point[] },
): Term[] {
  const { order } = of.key.group
  if (of.key.registered === null) return []
  const lambdas = lagrangeAtZero(of.key.group, session.attempt.start.dealers)
  const powers = of.old.map(() => 0n)
  const terms = of.openings.flatMap(({ dealer, commitments: [constant] }, at): Term[] => {
    const weight = drawWeight(session.rng)
    let power = (weight * (lambdas[at] ?? 0n)) % order
    for (const k of powers.keys()) {
      powers[k] = ((powers[k] ?? 0n) + power) % order
      power = (power * BigInt(dealer.index)) % order
    }
    return constant === undefined ? [] : [{ point: constant, scalar: weight }]
  })
  return [...terms, ...of.old.map((point, k) => ({ point, scalar: order - (powers[k] ?? 0n) }))]
}

/** Two dealers with the same C_i0, both proven, know each other's secret. */
function refuseTwins(
  session: Session,
  key: KeyTerms,
  of: { openings: readonly ParsedOpening[]; received: readonly Received[] },
): void {
  const seen = new Map<string, Party>()
  const own = of.openings.filter((opening) => opening.key === key)
  const names = key.group.encode(own.flatMap(({ commitments: [constant] }) => constant ?? []))
  for (const [at, { dealer }] of own.entries()) {
    const name = String(names[at])
    const twin = seen.get(name)
    seen.set(name, dealer)
    if (twin === undefined) continue
    const culprits = [twin, dealer]
    const envelopes = of.received
      .filter((entry) => culprits.includes(entry.dealer))
      .flatMap(({ commit, open }) => [commit, open])
    throw session.fault({ code: 'E_POK', envelopes, transcript: [] }, culprits)
  }
}
