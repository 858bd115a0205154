// Ways to break the rules of a reshare: constant terms that are not those of the shares held, and false accounts of the old epoch.
import type { Group } from '../../relayer/crypto/group.ts'
import { lagrangeAtZero, randomPolynomial } from '../../relayer/crypto/polynomial.ts'
import { publishPolynomial } from '../../relayer/crypto/vss.ts'
import type { Cheat } from '../support/rogue.ts'
import { dealing, fault, type SessionCheat, type Stage } from './cheats.ts'

type At = Omit<Stage, 'note'>

/** Deals from a share of a key that exists. */
const redeals = (stage: At) =>
  stage.attempt.parties.some(({ address, role }) => role === 'old' && address === stage.self)

/** Its index among the old members. */
const seatOf = ({ attempt, self }: At) => (attempt.spec.old?.members.indexOf(self) ?? -1) + 1

/** Another set with this dealer in it; null if all old members deal, or it is the only one of them. */
function otherDealers(at: At): readonly number[] | null {
  const { spec, start } = at.attempt
  const all = (spec.old?.members ?? []).map((_, position) => position + 1)
  const absent = all.find((index) => !start.dealers.includes(index))
  const replaced = start.dealers.find((index) => index !== seatOf(at))
  if (absent === undefined || replaced === undefined) return null
  return start.dealers.map((index) => (index === replaced ? absent : index))
}

/** By Fermat, for a prime order. */
function inverse(value: bigint, order: bigint): bigint {
  let result = 1n
  for (let [base, left] = [value, order - 2n]; left > 0n; left >>= 1n) {
    if ((left & 1n) === 1n) result = (result * base) % order
    base = (base * base) % order
  }
  return result
}

/** Another account of the old epoch, for each key that it has. */
function misstating({ note }: Stage, another: (old: Uint8Array, group: Group) => Uint8Array): Cheat {
  return {
    commitments: (commitments, dealings) => {
      note()
      return commitments.map((each, at) => {
        const group = dealings[at]?.key.group
        if (group === undefined || each.oldCommitments.length === 0) return each
        return { ...each, oldCommitments: another(each.oldCommitments, group) }
      })
    },
  }
}

/** The cheats of those who deal from a share. */
export const REDEALING_CHEATS: readonly SessionCheat[] = [
  {
    name: 'constant term shifted',
    expected: fault('E_CONST'),
    fits: redeals,
    cheat: (at) =>
      dealing(at, ({ key, polynomial }) => {
        const shift = key.registered === null ? 0n : 1n
        return polynomial.with(0, ((polynomial[0] ?? 0n) + shift) % key.group.order)
      }),
  },
  {
    name: 'constant term for other dealers',
    expected: fault('E_CONST'),
    fits: (at) => redeals(at) && otherDealers(at) !== null,
    cheat: (at) =>
      dealing(at, ({ key, polynomial: [constant = 1n, ...rest] }) => {
        const others = otherDealers(at)
        if (key.registered === null || others === null) return [constant, ...rest]
        const { order } = key.group
        const index = seatOf(at)
        const lambda = (dealers: readonly number[]) =>
          lagrangeAtZero(key.group, dealers)[dealers.indexOf(index)] ?? 1n
        const share = constant * inverse(lambda(at.attempt.start.dealers), order)
        return [(share * lambda(others)) % order, ...rest]
      }),
  },
  {
    name: 'invented old commitments',
    expected: fault('E_STATE'),
    fits: redeals,
    cheat: (at) =>
      misstating(at, (old, group) => {
        const length = old.length / group.pointBytes
        const foreign = randomPolynomial(group, (n) => new Uint8Array(n).fill(9), { length })
        return new Uint8Array(Buffer.concat(publishPolynomial(group, foreign)))
      }),
  },
  {
    name: 'old commitments with another coefficient',
    expected: fault('E_STATE'),
    fits: redeals,
    cheat: (at) =>
      misstating(at, (old, group) => {
        const [point = new Uint8Array()] = group.encode([group.multiplyBase(7n)])
        const other = old.slice()
        other.set(point, old.length - point.length)
        return other
      }),
  },
]
