// Cheats of two dealers together: errors that cancel in a sum, and one secret for both.
import { randomPolynomial } from '../../relayer/crypto/polynomial.ts'
import { publishPolynomial } from '../../relayer/crypto/vss.ts'
import { type Address, toHex } from '../../relayer/lib/bytes.ts'
import { type Attempt, dealersOf, keysDealtBy } from '../../relayer/protocol/attempt.ts'
import type { Dealing } from '../../relayer/protocol/dealing.ts'
import { decodeShares, encodeShares, ROUND } from '../../relayer/protocol/messages.ts'
import type { Role } from '../../relayer/protocol/party.ts'
import { seededRng } from '../support/seeded-rng.ts'
import { fault, type SessionCheat, type Stage } from './cheats.ts'
import type { FrameCheat, Outgoing } from './frames.ts'
import type { Expected } from './judge.ts'

/** Two dealers of one attempt. */
export type Pair = readonly [Address, Address]

/** A way in which two dealers cheat together. */
export interface Collusion {
  readonly name: string
  readonly fits: (attempt: Attempt, pair: Pair) => boolean
  /** The part of the first (1n) or the second (-1n). */
  readonly part: (sign: 1n | -1n) => SessionCheat | FrameCheat
}

/** Whether both deal keys in this role. */
function bothDeal(attempt: Attempt, pair: Pair, role: Role): boolean {
  const seated = dealersOf(attempt).filter((dealer) => dealer.role === role)
  return pair.every((address) => seated.some((dealer) => dealer.address === address))
}

function roles(attempt: Attempt): Role[] {
  return [...new Set(attempt.keys.map(({ dealtBy }) => dealtBy))]
}

/** Other polynomials for some keys, with commitments, proofs and subshares that fit them. */
function dealing(
  name: string,
  expected: Expected,
  change: (dealing: Dealing, stage: Stage) => readonly bigint[] | null,
): SessionCheat {
  return {
    name,
    expected,
    fits: () => true,
    cheat: (stage) => ({
      dealings: (dealings) => {
        stage.note()
        return dealings.map((each): Dealing => {
          const polynomial = change(each, stage)
          if (polynomial === null) return each
          return { ...each, polynomial, published: publishPolynomial(each.key.group, polynomial) }
        })
      },
    }),
  }
}

/** The subshares of the victim, all moved by the same number. */
function moved({ attempt }: Stage, { envelope }: Outgoing, by: bigint): Uint8Array {
  const keys = keysDealtBy(attempt, envelope.from.role)
  const { echo, shares } = decodeShares(attempt, envelope.from.role, envelope.body)
  const changed = shares.map((share, at) => {
    const group = keys[at]?.group
    if (group === undefined) return share
    return group.encodeScalar((group.decodeScalar(share) + by + group.order) % group.order)
  })
  return encodeShares(echo, changed)
}

/** The cheats of two. */
export const COLLUSIONS: readonly Collusion[] = [
  {
    name: 'share errors that cancel',
    fits: (attempt, pair) => roles(attempt).every((role) => bothDeal(attempt, pair, role)),
    part: (sign): FrameCheat => ({
      name: 'share errors that cancel',
      // The sum is right, and only the sum is checked: all must end well, and the shares sign.
      expected: { verdict: 'harmless', codes: [], stage: 'prepare' },
      aimed: true,
      fits: () => true,
      send: (stage, out) => {
        const { envelope, to, frame, send, reseal } = out
        if (envelope.round !== ROUND.open || envelope.to === null || to !== stage.victim)
          return send(to, frame)
        stage.note()
        send(to, reseal({ body: moved(stage, out, sign * 12345n) }))
      },
    }),
  },
  {
    name: 'constant terms that cancel',
    fits: (attempt, pair) => bothDeal(attempt, pair, 'old'),
    part: (sign) =>
      dealing('constant terms that cancel', fault('E_CONST'), ({ key, polynomial }) => {
        if (key.registered === null) return null
        const { order } = key.group
        return polynomial.with(0, ((polynomial[0] ?? 0n) + sign + order) % order)
      }),
  },
  {
    name: 'one polynomial for two dealers',
    fits: (attempt, pair) => bothDeal(attempt, pair, 'new'),
    part: () =>
      dealing('one polynomial for two dealers', fault('E_POK'), ({ key, polynomial }, { attempt }) => {
        if (key.registered !== null) return null
        const rng = seededRng(`${toHex(attempt.sessionId)} ${key.keyId}`)
        return randomPolynomial(key.group, rng, { length: polynomial.length })
      }),
  },
]
