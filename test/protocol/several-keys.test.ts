// Corrupt parties where one session moves several keys, adds one, or where several are corrupt at once.
import assert from 'node:assert/strict'
import { before, test } from 'node:test'
import { ed25519Group } from '../../relayer/crypto/group.ts'
import { evaluate } from '../../relayer/crypto/polynomial.ts'
import type { Address } from '../../relayer/lib/bytes.ts'
import type { Dealing } from '../../relayer/protocol/dealing.ts'
import type { KeyShare } from '../../relayer/protocol/keyshare.ts'
import type { CeremonySpec } from '../../relayer/protocol/spec.ts'
import { assertConvicted, assertSuspected } from '../support/blame.ts'
import {
  committeeOf,
  operators,
  preparedOf,
  type Run,
  readinessOf,
  registered,
  runCeremony,
  sharesOf,
  specOf,
} from '../support/ceremony-run.ts'
import { type Cheat, rogue } from '../support/rogue.ts'

const signers = operators(1, 2, 3, 4, 5)
const committee = committeeOf(1, signers.slice(0, 4), 2)
const [cheater, accomplice, third] = committee.members
assert.ok(cheater && accomplice && third)
let adding: CeremonySpec
let moving: CeremonySpec
let one: Map<Address, readonly KeyShare[]>
let two: Map<Address, readonly KeyShare[]>

before(async () => {
  const first = await runCeremony({ spec: specOf({ op: 'keygen', next: committee }), signers })
  one = sharesOf(first)
  adding = specOf({
    op: 'addkey',
    old: committee,
    next: { ...committee, epoch: 2 },
    held: registered(preparedOf(first, cheater)),
    generated: [{ keyId: 1, scheme: 'frost-ed25519' }],
  })
  const added = await runCeremony({ spec: adding, signers, held: one })
  two = sharesOf(added)
  moving = specOf({
    op: 'reshare',
    old: adding.next,
    next: committeeOf(3, signers.slice(1), 3),
    held: registered(preparedOf(added, cheater)),
  })
})

async function withCheats(
  spec: CeremonySpec,
  ...cheats: readonly (readonly [Address, Cheat])[]
): Promise<Run> {
  const rogues = new Map(cheats.map(([address, cheat]) => [address, rogue(cheat)]))
  return await runCeremony({ spec, signers, held: spec === moving ? two : one, rogues })
}

/** Changes the bytes of the dealing of one key. */
function onKey(keyId: number, change: (dealing: Dealing) => Dealing): Cheat {
  return { dealings: (dealings) => dealings.map((each) => (each.key.keyId === keyId ? change(each) : each)) }
}

test('a bad subshare of the second key alone is E_SHARE', async () => {
  const run = await withCheats(moving, [
    cheater,
    {
      shares: (shares, to) =>
        shares.map((share, at) => {
          if (at !== 1 || to.index !== 2) return share
          return ed25519Group.encodeScalar((ed25519Group.decodeScalar(share) + 1n) % ed25519Group.order)
        }),
    },
  ])
  assertConvicted(run, 'E_SHARE', [cheater])
})

test('a wrong constant term of the ed25519 key alone is E_CONST', async () => {
  const cheat = onKey(1, (dealing) => {
    const [constant = 0n, ...rest] = dealing.polynomial
    const polynomial = [(constant + 1n) % ed25519Group.order, ...rest]
    const published = ed25519Group.encodePublished(polynomial.map((each) => ed25519Group.publish(each)))
    assert.notEqual(evaluate(ed25519Group, polynomial, 1), evaluate(ed25519Group, dealing.polynomial, 1))
    return { ...dealing, polynomial, published }
  })
  assertConvicted(await withCheats(moving, [cheater, cheat]), 'E_CONST', [cheater])
})

test('keys that are swapped in an opening are E_POINT against their dealer', async () => {
  const run = await withCheats(moving, [cheater, { openings: (openings) => openings.toReversed() }])
  assertConvicted(run, 'E_POINT', [cheater])
})

test('a new member that cheats in the key that is added is convicted by everybody', async () => {
  // The third member does not deal the old key; it deals the new one as all do.
  const run = await withCheats(adding, [
    third,
    onKey(1, (dealing) => ({ ...dealing, published: dealing.published.toReversed() })),
  ])
  assertConvicted(run, 'E_POK', [third])
})

test('several culprits of one kind are all convicted', async () => {
  const cheat: Cheat = {
    commitments: (commitments) => commitments.map((each) => ({ ...each, commitment: new Uint8Array(32) })),
  }
  assertConvicted(await withCheats(adding, [cheater, cheat], [accomplice, cheat]), 'E_COMMIT', [
    cheater,
    accomplice,
  ])
})

test('two dealers of the same constant term are convicted together', async () => {
  const same = (scalar: bigint): Cheat =>
    onKey(1, (dealing) => {
      const polynomial = [12345n, scalar]
      const published = ed25519Group.encodePublished(polynomial.map((each) => ed25519Group.publish(each)))
      return { ...dealing, polynomial, published }
    })
  const run = await withCheats(adding, [cheater, same(1n)], [accomplice, same(2n)])
  assertConvicted(run, 'E_POK', [cheater, accomplice])
})

test('a wrong echo in a private message alone is a dispute of its receiver with its sender', async () => {
  const keygen = specOf({ op: 'keygen', next: committee })
  const signer = signers.find(({ address }) => address === cheater)
  assert.ok(signer)
  const run = await runCeremony({
    spec: keygen,
    signers,
    rogues: new Map([
      [
        cheater,
        rogue({
          readiness: (prepared) => readinessOf(keygen, prepared, signer),
          privateEcho: (echo, to) => (to.address === third ? new Uint8Array(32) : echo),
        }),
      ],
    ]),
  })
  assertSuspected(run, 'E_ECHO', { suspects: [cheater], corrupt: [cheater] })
})
