// Properties of keygen and reshare: the group keys never change, any t shares of one epoch sign, shares of two never combine.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { groupOf } from '../../relayer/crypto/group.ts'
import { interpolateAtZero } from '../../relayer/crypto/polynomial.ts'
import { type Address, toHex } from '../../relayer/lib/bytes.ts'
import { curveOf, type KeyShare } from '../../relayer/protocol/keyshare.ts'
import type { Committee } from '../../relayer/protocol/party.ts'
import { assertAgreed } from '../support/blame.ts'
import {
  committeeOf,
  groupKeysOf,
  operators,
  preparedOf,
  type Run,
  registered,
  runCeremony,
  sharesOf,
  specOf,
} from '../support/ceremony-run.ts'
import { seededChooser } from '../support/seeded-rng.ts'
import { assertSharesGood, assertSigns, type Held, interpolatedKey, subsets } from '../support/signable.ts'

/** Operators to draw committees from. */
const crowd = operators(...Array.from({ length: 12 }, (_, at) => at + 1))

/** What the members of a committee hold of one key. */
function heldOf(run: Run, keyId: number): Held[] {
  return run.spec.next.members.map((address, at) => {
    const share = preparedOf(run, address).shares.find((each) => each.keyId === keyId)
    assert.ok(share)
    return { index: at + 1, share }
  })
}

/** `count` of these, in the sequence of the chooser. */
function draw<T>(items: readonly T[], count: number, choose: (bound: number) => number): T[] {
  const rest = [...items]
  return Array.from({ length: count }, () => rest.splice(choose(rest.length), 1)).flat()
}

async function genesis(
  committee: Committee,
  keys: readonly ('frost-secp256k1-evm' | 'frost-ed25519')[],
): Promise<Run> {
  const [first, ...more] = keys
  assert.ok(first)
  let run = await runCeremony({
    spec: specOf({ op: 'keygen', next: committee, generated: [{ keyId: 0, scheme: first }] }),
    signers: crowd,
  })
  for (const [at, scheme] of more.entries()) {
    const next = { ...committee, epoch: run.spec.next.epoch + 1 }
    run = await move(run, { op: 'addkey', next, generated: [{ keyId: at + 1, scheme }] })
  }
  return run
}

async function move(
  from: Run,
  of: { op: 'reshare' | 'refresh' | 'addkey'; next: Committee; dealers?: readonly number[] } & Partial<
    Pick<Run['spec'], 'generated'>
  >,
): Promise<Run> {
  const { dealers, ...rest } = of
  const anybody = from.spec.next.members[0] ?? '0x'
  const spec = specOf({ ...rest, old: from.spec.next, held: registered(preparedOf(from, anybody)) })
  const run = await runCeremony({
    spec,
    signers: crowd,
    held: sharesOf(from),
    seed: of.next.epoch,
    ...(dealers && { dealers }),
  })
  assertAgreed(run)
  return run
}

test('the group key is the same after 50 random reshares, and any t members sign', {
  timeout: 120_000,
}, async () => {
  const choose = seededChooser('reshares')
  let run = await genesis(committeeOf(1, draw(crowd, 4, choose), 3), ['frost-secp256k1-evm'])
  const key = groupKeysOf(preparedOf(run, run.spec.next.members[0] ?? '0x'))
  let disjoint = 0
  for (let round = 0; round < 50; round++) {
    const old = run.spec.next
    const n = 2 + choose(4)
    const t = 2 + choose(n - 1)
    // Every fifth time nobody stays.
    const pool = round % 5 === 0 ? crowd.filter(({ address }) => !old.members.includes(address)) : crowd
    const next = committeeOf(old.epoch + 1 + choose(3), draw(pool, n, choose), t)
    const indices = old.members.map((_, at) => at + 1)
    const dealers = draw(indices, old.threshold, choose).sort((a, b) => a - b)
    if (next.members.every((member) => !old.members.includes(member))) disjoint += 1
    run = await move(run, { op: 'reshare', next, dealers })
    for (const address of next.members) {
      const prepared = preparedOf(run, address)
      assert.deepEqual(groupKeysOf(prepared), key)
      // Exactly t coefficients, the top one not the identity (which has no encoding).
      assert.equal(prepared.keys[0]?.commitments.length, t)
    }
    const held = heldOf(run, 0)
    const some = draw(held, t, choose).sort((a, b) => a.index - b.index)
    assert.equal(`0x${interpolatedKey(some)}`, key[0])
    if (round % 10 === 9) assertSigns(some)
  }
  assert.ok(disjoint >= 10)
})

test('every t of the members interpolate to the group key, and fewer do not', async () => {
  for (const scheme of ['frost-secp256k1-evm', 'frost-ed25519'] as const) {
    const run = await genesis(committeeOf(1, crowd.slice(0, 5), 3), [scheme])
    const held = heldOf(run, 0)
    assertSharesGood(held)
    const key = toHex(held[0]?.share.groupKey ?? new Uint8Array())
    for (const few of subsets(held, 2)) assert.notEqual(interpolatedKey(few), key)
  }
})

test('the polynomial has degree t - 1: t shares determine all the others', async () => {
  const run = await genesis(committeeOf(1, crowd.slice(0, 5), 3), ['frost-secp256k1-evm'])
  const held = heldOf(run, 0)
  const scalar = ({ share }: Held) => groupOf(curveOf(share.scheme)).decodeScalar(share.share.expose())
  const group = groupOf('secp256k1')
  for (const target of held.slice(3)) {
    // f(target) is the value at zero of f shifted by target.
    const shifted = held.slice(0, 3).map((each) => [each.index - target.index, scalar(each)] as const)
    assert.equal(interpolateAtZero(group, shifted), scalar(target))
  }
})

test('shares of two epochs never combine', async () => {
  const committee = committeeOf(1, crowd.slice(0, 4), 3)
  const before = await genesis(committee, ['frost-secp256k1-evm'])
  const after = await move(before, { op: 'refresh', next: { ...committee, epoch: 2 } })
  const [old, fresh] = [heldOf(before, 0), heldOf(after, 0)]
  const key = toHex(old[0]?.share.groupKey ?? new Uint8Array())
  for (const some of subsets([0, 1, 2, 3], 3)) {
    for (let mask = 0; mask < 8; mask++) {
      const mixed = some.map((at, bit) => (mask & (1 << bit) ? fresh : old)[at]).flatMap((each) => each ?? [])
      const pure = mask === 0 || mask === 7
      assert.equal(interpolatedKey(mixed) === key, pure)
    }
  }
})

test('keys of both curves are moved by one reshare, under one transcript', async () => {
  const run = await genesis(committeeOf(1, crowd.slice(0, 3), 2), ['frost-secp256k1-evm', 'frost-ed25519'])
  const next = committeeOf(9, crowd.slice(2, 6), 3)
  const moved = await move(run, { op: 'reshare', next, dealers: [1, 3] })
  const anybody = run.spec.next.members[0] ?? '0x'
  for (const address of next.members)
    assert.deepEqual(groupKeysOf(preparedOf(moved, address)), groupKeysOf(preparedOf(run, anybody)))
  for (const keyId of [0, 1]) assertSharesGood(heldOf(moved, keyId))
  assert.notEqual(...shareBytes(moved, next.members))
})

test('a key addition refreshes the old keys and makes the new one in the same rounds', async () => {
  const committee = committeeOf(1, crowd.slice(0, 4), 2)
  const run = await genesis(committee, ['frost-secp256k1-evm'])
  const added = await move(run, {
    op: 'addkey',
    next: { ...committee, epoch: 2 },
    generated: [{ keyId: 1, scheme: 'frost-ed25519' }],
    dealers: [2, 4],
  })
  const anybody = committee.members[0] ?? '0x'
  const [before, after] = [preparedOf(run, anybody), preparedOf(added, anybody)]
  assert.deepEqual(groupKeysOf(after).slice(0, 1), groupKeysOf(before))
  assert.deepEqual(
    after.keys.map(({ keyId, scheme }) => [keyId, scheme]),
    [
      [0, 'frost-secp256k1-evm'],
      [1, 'frost-ed25519'],
    ],
  )
  for (const keyId of [0, 1]) assertSharesGood(heldOf(added, keyId))
  assert.notDeepEqual(before.shares[0]?.share.expose(), after.shares[0]?.share.expose())
})

function shareBytes(run: Run, members: readonly Address[]): [string, string] {
  const [first, second] = members.map((address) => preparedOf(run, address).shares[0])
  const hex = (share: KeyShare | undefined) => toHex(share?.share.expose() ?? new Uint8Array())
  return [hex(first), hex(second)]
}
