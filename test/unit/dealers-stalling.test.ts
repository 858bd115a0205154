// Liars among leaving dealers that spoil each attempt in which they deal, in every way that proves nothing: for how long.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { chooseDealers, Suspicion } from '../../relayer/ceremony/dealers.ts'
import { dealingOf } from '../../relayer/ceremony/terms.ts'
import { verdictOf } from '../../relayer/ceremony/verdict.ts'
import type { Address } from '../../relayer/lib/bytes.ts'
import { AbortedError, SilenceError } from '../../relayer/protocol/faults.ts'
import { ROUND } from '../../relayer/protocol/messages.ts'
import type { Party } from '../../relayer/protocol/party.ts'
import { operators, specOf } from '../support/ceremony-run.ts'
import { seededChooser } from '../support/seeded-rng.ts'

const range = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, at) => from + at)

/** What the liars of an attempt do: the error that everybody else is left with. */
type Strategy = (of: {
  readonly liars: readonly Party[]
  readonly honest: readonly Party[]
  /** How often each honest dealer was accused. */
  readonly accused: Map<Address, number>
  readonly choose: (bound: number) => number
  readonly joining: readonly Party[]
}) => Error

const gaveUp = (by: Party, suspects: readonly Party[]) =>
  new AbortedError(by, { code: 'E_STATE', round: 0, suspects })

const STRATEGIES: Record<string, Strategy> = {
  'over one honest dealer': ({ liars: [liar], honest }) => gaveUp(liar as Party, honest.slice(0, 1)), // CAST: there is one
  'over all honest dealers': ({ liars: [liar], honest }) => gaveUp(liar as Party, honest), // CAST: as above
  'over the honest dealer that was accused least': ({ liars, honest, accused, choose }) => {
    const times = ({ address }: Party) => accused.get(address) ?? 0
    const [target] = [...honest].sort((a, b) => times(a) - times(b))
    if (target !== undefined) accused.set(target.address, times(target) + 1)
    return gaveUp(liars[choose(liars.length)] as Party, target === undefined ? [] : [target]) // CAST: as above
  },
  'over members that do not deal': ({ liars: [liar], joining }) => gaveUp(liar as Party, joining), // CAST: as above
  'in silence': ({ liars }) => new SilenceError(ROUND.open, liars.slice(0, 1)),
  'one always silent, the others over whom was accused least': (of) => {
    const silent = of.liars.find(({ index }) => index === 1)
    if (silent !== undefined) return new SilenceError(ROUND.commit, [silent])
    return STRATEGIES['over the honest dealer that was accused least']?.(of) ?? new Error('no strategy')
  },
  'by a subshare that one newcomer never gets': ({ liars: [liar], joining: [victim] }) =>
    gaveUp(victim as Party, [liar as Party]), // CAST: there are both
}

/** The number of attempts until only honest members deal. */
function attemptsOf(
  { t, n, seed }: { t: number; n: number; seed: number },
  strategy: Strategy,
  most: number,
): number {
  const before = { epoch: 1, members: operators(...range(1, n)).map(({ address }) => address), threshold: t }
  const after = { epoch: 2, members: operators(...range(61, 63)).map(({ address }) => address), threshold: 2 }
  const spec = specOf({ op: 'reshare', old: before, next: after })
  const party = (address: Address): Party => ({
    role: 'old',
    index: before.members.indexOf(address) + 1,
    address,
  })
  const joining = after.members.map((address, at): Party => ({ role: 'new', index: at + 1, address }))
  const liars = new Set(before.members.slice(0, t - 1))
  const suspicion = new Suspicion()
  const accused = new Map<Address, number>()
  const choose = seededChooser(`stalling/${seed}`)
  for (let attempt = 0; attempt < most; attempt++) {
    const from = { context: new Uint8Array(32).fill(seed), attempt, willing: before.members, suspicion }
    const dealers = dealingOf(spec, chooseDealers({ old: before, next: after }, from) ?? [])
    const dealing = dealers.map(party)
    const lying = dealing.filter(({ address }) => liars.has(address))
    if (lying.length === 0) return attempt
    const honest = dealing.filter(({ address }) => !liars.has(address))
    const error = strategy({ liars: lying, honest, accused, choose, joining })
    suspicion.add({ ...verdictOf(error, spec, new Set()), dealers })
  }
  return Infinity
}

for (const [how, strategy] of Object.entries(STRATEGIES))
  for (const [t, n, most] of [
    [2, 3, 8],
    [3, 5, 24],
    [5, 9, 60],
    [8, 15, 120],
    [11, 21, 160],
  ] as const)
    test(`t-1 leaving dealers that spoil attempts ${how} do not stall a reshare from ${t} of ${n}`, () => {
      const took = [1, 2, 3, 4].map((seed) => attemptsOf({ t, n, seed }, strategy, most))
      assert.ok(
        took.every((attempts) => attempts < most),
        `attempts: ${took.join(', ')}`,
      )
    })
