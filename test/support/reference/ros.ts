// Reference model, part 6: the ROS attack on signers that answer many sessions at once (Benhamouda, Lepoint, Loss, Orrù, Raykova: "On the (in)security of ROS", EUROCRYPT 2021, eprint 2020/945, section 5).
import { secp256k1 } from '@noble/curves/secp256k1.js'

const { Point } = secp256k1
const { Fn } = Point
export type CurvePoint = InstanceType<typeof Point>

/** One way to finish a session, as the adversary sees it before: the answer z satisfies z·G = nonce + challenge·X. */
export interface Choice {
  readonly nonce: CurvePoint
  readonly challenge: bigint
}

/** Where the attack has enough sessions: as many as the order has bits. */
export const DIMENSION = 256

/** What the adversary has decided before any session is finished. */
export interface Plan {
  /** Of the signature to be forged, a combination of the sessions' nonces. */
  readonly nonce: CurvePoint
  readonly challenge: bigint
  /** Which way to finish each session. */
  readonly bits: readonly (0 | 1)[]
  readonly weights: readonly bigint[]
}

/**
 * With all sessions open, fixes the nonce of the forgery as a combination of theirs, and reads off its challenge in
 * binary how to finish each, so that the chosen challenges combine to it in the same way.
 * @param challengeOf the challenge of the message to be forged, under a nonce
 */
export function planForgery(
  sessions: readonly (readonly [Choice, Choice])[],
  challengeOf: (nonce: CurvePoint) => bigint,
): Plan {
  const weights = sessions.map(([zero, one], at) =>
    Fn.mul(Fn.create(1n << BigInt(at)), Fn.inv(Fn.sub(one.challenge, zero.challenge))),
  )
  const nonce = combinedNonce(
    sessions.map(([zero]) => zero.nonce),
    weights,
  )
  const challenge = challengeOf(nonce)
  // The chosen challenges combine to the sum of 2^i·b_i and a constant, where all b_i are 0.
  const wanted = Fn.sub(
    challenge,
    combined(
      sessions.map(([zero]) => zero.challenge),
      weights,
    ),
  )
  const bits = sessions.map((_, at) => (((wanted >> BigInt(at)) & 1n) === 1n ? 1 : 0))
  return { nonce, challenge, bits, weights }
}

/** Σ w·s mod q: of the answers, the honest signer's part of the forgery, s·G = nonce + challenge·X, if the attack works. */
export function combined(scalars: readonly bigint[], weights: readonly bigint[]): bigint {
  return scalars.reduce((sum, scalar, at) => Fn.add(sum, Fn.mul(Fn.create(scalar), weights[at] ?? 0n)), 0n)
}

/** Σ w·P. */
export function combinedNonce(nonces: readonly CurvePoint[], weights: readonly bigint[]): CurvePoint {
  return nonces.reduce((sum, nonce, at) => sum.add(nonce.multiplyUnsafe(weights[at] ?? 0n)), Point.ZERO)
}
