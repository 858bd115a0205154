// Ways to break the rules of a session: what a corrupt dealer deals, opens and proves, with what must come of it.
import { randomPolynomial } from '../../relayer/crypto/polynomial.ts'
import { prove } from '../../relayer/crypto/proofs.ts'
import { publishPolynomial } from '../../relayer/crypto/vss.ts'
import type { Address } from '../../relayer/lib/bytes.ts'
import { curveOf } from '../../relayer/protocol/keyshare.ts'
import { type Attempt, dealersOf } from '../../relayer/protocol/attempt.ts'
import type { Dealing } from '../../relayer/protocol/dealing.ts'
import { pokContext } from '../../relayer/protocol/inspect.ts'
import type { Opening } from '../../relayer/protocol/messages.ts'
import { seatKey } from '../../relayer/protocol/party.ts'
import type { Cheat } from '../support/rogue.ts'
import type { Expected } from './judge.ts'

/** A frame that goes to somebody. */
export interface Sent {
  readonly to: Address
  readonly frame: Uint8Array
}

/** Where a cheat is carried out. */
export interface Stage {
  readonly attempt: Attempt
  readonly self: Address
  /** An honest party, the one at whom aimed cheats are aimed. */
  readonly victim: Address
  /** Says that it is being done; with a frame, that its receiver must drop it. */
  readonly note: (sent?: Sent) => void
}

/** A way to cheat within a session. */
export interface SessionCheat {
  readonly name: string
  readonly expected: Expected
  /** Whether it can be done in this attempt by this party. */
  readonly fits: (stage: Omit<Stage, 'note'>) => boolean
  /** Whether only the victim is to notice as it prepares. */
  readonly aimed?: boolean
  readonly cheat: (stage: Stage) => Cheat
}

export const fault = (code: string, stage: 'prepare' | 'confirm' = 'prepare'): Expected => ({
  verdict: 'fault',
  codes: [code],
  stage,
})

const deals = ({ attempt, self }: Omit<Stage, 'note'>) =>
  dealersOf(attempt).some(({ address }) => address === self)
export const receives = ({ attempt, self }: Omit<Stage, 'note'>) =>
  attempt.receivers.some(({ address }) => address === self)
/** Deals to the victim, which is to have a share. */
export const toVictim = (stage: Omit<Stage, 'note'>) =>
  deals(stage) && stage.attempt.receivers.some(({ address }) => address === stage.victim)

/** Deals other polynomials, with commitments and proofs that fit them. */
export function dealing(
  { note }: Stage,
  change: (dealing: Dealing, rng: (length: number) => Uint8Array) => readonly bigint[],
): Cheat {
  return {
    dealings: (dealings, session) => {
      note()
      return dealings.map((each): Dealing => {
        const polynomial = change(each, session.rng)
        return { ...each, polynomial, published: publishPolynomial(each.key.group, polynomial) }
      })
    },
  }
}

function ofLength(stage: Stage, longer: number): Cheat {
  return dealing(stage, ({ key, polynomial }, rng) =>
    randomPolynomial(key.group, rng, { length: polynomial.length + longer, constant: polynomial[0] ?? 1n }),
  )
}

function publishing({ note }: Stage, change: (bytes: Uint8Array, dealing: Dealing) => Uint8Array): Cheat {
  return {
    dealings: (dealings) => {
      note()
      return dealings.map((each) => {
        const [at, bytes] = [each.published.length - 1, each.published.at(-1) ?? new Uint8Array()]
        return { ...each, published: each.published.with(at, change(bytes, each)) }
      })
    },
  }
}

function identity(bytes: Uint8Array, { key }: Dealing): Uint8Array {
  const found = new Uint8Array(bytes.length)
  found[0] = curveOf(key.scheme) === 'ed25519' ? 1 : 4
  return found
}

function offCurve(bytes: Uint8Array, { key }: Dealing): Uint8Array {
  const found = bytes.slice()
  // A second encoding of y = 1 on one curve; a point beside the other.
  if (curveOf(key.scheme) === 'ed25519') return found.fill(0xff).with(0, 0xee).with(31, 0x7f)
  return found.with(64, (found[64] ?? 0) ^ 1)
}

/** Proofs that are not of this session, or not of this constant term. */
function proving({ note }: Stage, how: 'other session' | 'other seat' | 'other secret'): Cheat {
  // A member of both committees deals from two seats.
  const held = new Map<string, readonly Dealing[]>()
  return {
    dealings: (dealings, _, seat) => {
      held.set(seatKey(seat), dealings)
      return dealings
    },
    openings: (openings, { session, echo, seat }) => {
      note()
      return openings.map((opening, at): Opening => {
        const dealt = held.get(seatKey(seat))?.[at]
        if (dealt === undefined) return opening
        const sessionId = how === 'other session' ? new Uint8Array(32).fill(9) : dealt.key.sessionId
        const index = how === 'other seat' ? seat.index + 1 : seat.index
        const context = pokContext(
          { ...dealt.key, sessionId },
          { index },
          {
            echo,
            commitments: opening.commitments,
          },
        )
        const secret = how === 'other secret' ? 12345n : (dealt.polynomial[0] ?? 1n)
        return { ...opening, proof: prove(dealt.key.group, secret, { ...context, rng: session.rng }) }
      })
    },
  }
}

/** Changes the subshares that one party gets. */
function subshares(stage: Stage, change: (share: Uint8Array) => Uint8Array): Cheat {
  return {
    shares: (shares, to) => {
      if (to.address !== stage.victim) return shares
      stage.note()
      return shares.map(change)
    },
  }
}

/** +1 in the byte that counts least on one curve and most but one on the other: still below the order. */
function nudged(share: Uint8Array): Uint8Array {
  return share.with(15, (share[15] ?? 0) ^ 1)
}

/** The cheats of dealers. */
export const DEALER_CHEATS: readonly SessionCheat[] = [
  { name: 'one commitment too many', expected: fault('E_LEN'), fits: deals, cheat: (at) => ofLength(at, 1) },
  { name: 'one commitment too few', expected: fault('E_LEN'), fits: deals, cheat: (at) => ofLength(at, -1) },
  {
    name: 'identity as a commitment',
    expected: fault('E_POINT'),
    fits: deals,
    cheat: (at) => publishing(at, identity),
  },
  {
    name: 'point off the curve',
    expected: fault('E_POINT'),
    fits: deals,
    cheat: (at) => publishing(at, offCurve),
  },
  {
    name: 'opening of something else',
    expected: fault('E_COMMIT'),
    fits: deals,
    cheat: ({ note }) => ({
      commitments: (commitments) => {
        note()
        return commitments.map((each) => ({ ...each, commitment: new Uint8Array(32).fill(5) }))
      },
    }),
  },
  {
    name: 'proof of another session',
    expected: fault('E_POK'),
    fits: deals,
    cheat: (at) => proving(at, 'other session'),
  },
  {
    name: 'proof of another seat',
    expected: fault('E_POK'),
    fits: deals,
    cheat: (at) => proving(at, 'other seat'),
  },
  {
    name: 'proof of another secret',
    expected: fault('E_POK'),
    fits: deals,
    cheat: (at) => proving(at, 'other secret'),
  },
  {
    name: 'wrong echo',
    expected: { verdict: 'suspect', codes: ['E_ECHO'], stage: 'prepare' },
    fits: deals,
    cheat: ({ note }) => ({
      echo: () => {
        note()
        return new Uint8Array(32).fill(3)
      },
    }),
  },
  {
    name: 'bad subshare',
    expected: fault('E_SHARE'),
    aimed: true,
    fits: toVictim,
    cheat: (at) => subshares(at, nudged),
  },
  {
    name: 'subshare above the order',
    expected: fault('E_SCALAR'),
    aimed: true,
    fits: toVictim,
    cheat: (at) => subshares(at, () => new Uint8Array(32).fill(0xff)),
  },
  {
    name: 'withheld subshare',
    expected: { verdict: 'suspect', codes: ['E_TIMEOUT'], stage: 'prepare' },
    aimed: true,
    fits: toVictim,
    cheat: (at) => ({
      shares: (shares, to) => {
        if (to.address !== at.victim) return shares
        at.note()
        return null
      },
    }),
  },
  {
    name: 'silence after round 1',
    expected: { verdict: 'suspect', codes: ['E_TIMEOUT'], stage: 'prepare' },
    fits: deals,
    cheat: ({ note }) => ({
      openings: () => {
        note()
        throw new Error('corrupt: silent from here on')
      },
    }),
  },
]
