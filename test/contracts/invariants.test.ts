// Random sequences of administration, activations, cancellations and receipts keep the committee's invariants.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { toAddress } from '../../relayer/lib/bytes.ts'
import type { ActivateArgs } from '../support/bridge-shapes.ts'
import { BridgeWorld, revertOf } from '../support/bridge-world.ts'
import { Watcher } from '../support/committee-invariants.ts'
import { addressOfPerson } from '../support/people.ts'

const PEOPLE = 7
const RUNS = 40
const someone = fc.nat(PEOPLE - 1)
const crowd = fc.uniqueArray(someone, { maxLength: 3 })
/** Picks an epoch: counted back from the newest. */
const back = fc.nat(4)

/** A step: the call's name, or one of the compound steps below, with what it is about. */
const step = fc.oneof(
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('add' as const), who: someone }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('remove' as const), who: someone }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('threshold' as const), to: fc.nat(6) }) },
  {
    weight: 2,
    arbitrary: fc.record({ kind: fc.constant('set' as const), add: crowd, remove: crowd, to: fc.nat(5) }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('refresh' as const) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('addKey' as const), scheme: fc.nat(4) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('keygen' as const) }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('cancel' as const) }) },
  { weight: 6, arbitrary: fc.record({ kind: fc.constant('activate' as const) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('replay' as const), which: back }) },
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constant('receipt' as const),
      which: back,
      who: someone,
      backups: fc.nat(2),
    }),
  },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('quorum' as const), which: back }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('waive' as const), which: back }) },
)
type Step = typeof step extends fc.Arbitrary<infer T> ? T : never
type Call = readonly [string, readonly unknown[]]

/** The transaction of a step, or null if the step has nothing to act on. */
async function callOf(
  world: BridgeWorld,
  watcher: Watcher,
  old: ActivateArgs[],
  now: Step,
): Promise<Call | null> {
  const epochAt = (which: number) => Number(watcher.epochs.at(-1 - which) ?? 0)
  switch (now.kind) {
    case 'add':
      return ['adminAddRelayer', [addressOfPerson(now.who)]]
    case 'remove':
      return ['adminRemoveRelayer', [addressOfPerson(now.who)]]
    case 'threshold':
      return ['adminChangeRelayerThreshold', [now.to]]
    case 'set':
      return ['adminSetCommittee', [now.add.map(addressOfPerson), now.remove.map(addressOfPerson), now.to]]
    case 'refresh':
      return ['refreshKey', ['']]
    case 'addKey':
      return ['adminAddKey', [now.scheme]]
    case 'keygen':
      return ['startKeygen', []]
    case 'cancel':
      return ['adminCancelCeremony', []]
    case 'activate': {
      const { pending, keys } = await world.state()
      if (pending.epoch === 0n) return null
      if (pending.kind === 3n) world.moreKeys[keys.length - 1] = keyFor(pending.addedScheme, world)
      const args = await world.signed(await world.activation())
      old.push(args)
      return ['activate', args]
    }
    case 'replay': {
      const args = old.at(-1 - now.which)
      return args === undefined ? null : ['activate', args]
    }
    case 'receipt': {
      const pair = await world.receipt(epochAt(now.which), addressOfPerson(now.who), now.backups)
      return ['recordDeletions', [[pair[0]], [pair[1]]]]
    }
    case 'quorum': {
      const info = await world.info(epochAt(now.which))
      const whose = info.members.slice(0, Number(info.receiptsNeeded)).map(toAddress)
      const pairs = await Promise.all(whose.map((relayer) => world.receipt(Number(info.epoch), relayer)))
      return ['recordDeletions', [pairs.map(([r]) => r), pairs.map(([, s]) => s)]]
    }
    case 'waive':
      return ['adminWaiveDeletions', [epochAt(now.which)]]
  }
}

/** Any well-formed group key: the tests' own point, or 32 bytes for ed25519. */
function keyFor(scheme: bigint, world: BridgeWorld): `0x${string}` {
  return scheme === 3n ? `0x${'42'.repeat(32)}` : world.group.publicKey
}

test('random sequences of actions keep the invariants', async () => {
  const reached = new Set<string>()
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 10, maxLength: 40 }), async (steps) => {
      const world = await BridgeWorld.deploy({ n: 4, threshold: 3 })
      const watcher = new Watcher(world, await world.state())
      const old: ActivateArgs[] = []
      const opening: Step[] = [{ kind: 'keygen' }, { kind: 'activate' }]
      for (const now of [...opening, ...steps]) {
        const call = await callOf(world, watcher, old, now)
        if (call === null) continue
        try {
          const { logs } = await world.send(...call)
          for (const { name } of logs) reached.add(name)
          await watcher.look(logs)
        } catch (thrown) {
          const revert = revertOf(thrown)
          if (typeof revert === 'string') throw thrown
          reached.add(revert.name)
          assert.ok(
            (now.kind !== 'activate' && now.kind !== 'cancel') || revert.name === 'NoCeremony',
            revert.name,
          )
          await watcher.look([])
        }
      }
    }),
    { numRuns: RUNS, seed: 20_261_120 },
  )
  // The sequences are worth something only if they get everywhere.
  for (const name of [
    'EpochActivated',
    'EpochBurned',
    'ReshareCompleted',
    'DeletionsWaived',
    'DeletionsOutstanding',
  ])
    assert.ok(reached.has(name), `${name} never happened`)
})
