// The dealer's side of keygen and reshare: fresh polynomials, their commitments, openings with proof, and subshares.
import { evaluate, type Polynomial, randomPolynomial } from '../crypto/polynomial.ts'
import { prove } from '../crypto/proofs.ts'
import { publishPolynomial } from '../crypto/vss.ts'
import { concat } from '../lib/bytes.ts'
import { InputError } from '../lib/errors.ts'
import { type KeyTerms, keysDealtBy } from './attempt.ts'
import { RefusalError } from './faults.ts'
import { commitmentDigest, lambdaOf, pokContext } from './inspect.ts'
import type { KeyShare } from './keyshare.ts'
import type { Commitment, Opening } from './messages.ts'
import type { Party } from './party.ts'
import type { Session } from './session.ts'

/** A polynomial that this node deals. Secret. */
export interface Dealing {
  readonly key: KeyTerms
  readonly polynomial: Polynomial
  /** Published commitments to its coefficients. */
  readonly published: readonly Uint8Array[]
  /** ρ_i. */
  readonly blinding: Uint8Array
  /** C of the old epoch, concatenated; empty for a new key. */
  readonly old: Uint8Array
}

/**
 * Fresh polynomials of exactly t' coefficients for every key that a seat deals: from λ_i s_i for a key that exists, from a
 * random constant for a new one.
 * @throws RefusalError E_STATE if this node holds no share of a key that it must deal
 */
export function deal(session: Session, seat: Party, held: readonly KeyShare[]): Dealing[] {
  const { attempt, rng } = session
  const length = attempt.spec.next.threshold
  return keysDealtBy(attempt, seat.role).map((key) => {
    const { group } = key
    const share = held.find(({ keyId }) => keyId === key.keyId)
    if (key.registered !== null && share === undefined)
      throw new RefusalError('E_STATE', `deal key ${key.keyId}: no share of it here`)
    const secret = share === undefined ? 0n : group.decodeScalar(share.share.expose(), true)
    const constant = (secret * lambdaOf(attempt, key, seat)) % group.order
    const polynomial = randomPolynomial(
      group,
      rng,
      key.registered === null ? { length } : { length, constant },
    )
    return {
      key,
      polynomial,
      published: publishPolynomial(group, polynomial),
      blinding: rng(32),
      old: key.registered === null ? new Uint8Array() : concat(...(share?.commitments ?? [])),
    }
  })
}

/** Round 1 of a dealing. */
export function commitTo(dealing: Dealing, seat: Party): Commitment {
  const { key, published, blinding, old } = dealing
  return {
    commitment: commitmentDigest(key, seat, { commitments: published, blinding }),
    oldCommitments: old,
  }
}

/** Round 2 of a dealing, with the proof of knowledge of its constant term. */
export function open(session: Session, seat: Party, of: { dealing: Dealing; echo: Uint8Array }): Opening {
  const { key, polynomial, published, blinding } = of.dealing
  const context = pokContext(key, seat, { echo: of.echo, commitments: published })
  const [constant] = polynomial
  if (constant === undefined) throw new InputError('open dealing: no coefficients')
  return {
    commitments: published,
    blinding,
    proof: prove(key.group, constant, { ...context, rng: session.rng }),
  }
}

/** f_i(j), encoded. */
export function subshareOf({ key, polynomial }: Dealing, index: number): Uint8Array {
  return key.group.encodeScalar(evaluate(key.group, polynomial, index))
}
