// Share sets: kept, loaded, promoted, never taken for missing, and never used in another place than their own.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { StoreError } from '../../../relayer/lib/errors.ts'
import { KEY } from '../../../relayer/store/layout.ts'
import { MAX_PREPARED } from '../../../relayer/store/shares.ts'
import { deal, firstShare, OPERATOR, preparedOf } from '../../support/dealt-shares.ts'
import { MemoryDisk } from '../../support/memory-database.ts'
import { activationArgs, DISKS, receiptFor, storeOver, withStore } from '../../support/open-store.ts'

const SCHEMES = ['frost-secp256k1-evm', 'frost-secp256k1-bip340', 'frost-ed25519'] as const

/** Asserts a StoreError that says what is wrong and what to do about it. */
function unreadable(says: RegExp) {
  return (error: unknown) => {
    assert.ok(error instanceof StoreError, String(error))
    assert.match(error.message, says)
    assert.match(error.hint, /restore the data directory.*declare-lost/)
    return true
  }
}

for (const { name, make } of DISKS) {
  test(`${name}: a prepared share set of three keys survives a restart, is promoted, superseded and erased`, async () => {
    const disk = make()
    const first = deal({ epoch: 1, attempt: 2, schemes: SCHEMES })
    const mine = preparedOf(first, OPERATOR)
    await withStore(disk, async (store) => {
      assert.equal(await store.activeShare(), null)
      await store.savePrepared(first.spec, mine)
    })
    await withStore(disk, async (store) => {
      const [record, ...others] = await store.prepared(1)
      assert.ok(record)
      assert.equal(others.length, 0)
      assert.deepEqual(
        record.keys.map((key) => key.scheme),
        SCHEMES,
      )
      assert.deepEqual(record.committee, first.spec.next)
      assert.equal(record.index, 2)
      const shares = await store.loadShares(record)
      assert.deepEqual(
        shares.map((key) => [...key.share.expose()]),
        mine.shares.map((key) => [...key.share.expose()]),
      )
      await store.promote(activationArgs(first, mine))
    })
    const second = deal({ epoch: 4, attempt: 0 })
    await withStore(disk, async (store) => {
      assert.equal((await store.activeShare())?.attempt, 2)
      await store.savePrepared(second.spec, preparedOf(second, OPERATOR))
      await store.promote(activationArgs(second, preparedOf(second, OPERATOR)))
      assert.equal((await store.activeShare())?.epoch, 4)
      assert.deepEqual(await store.retired(), [{ epoch: 1, attempt: 2, reason: 'superseded' }])
      await store.erase({ epoch: 1, attempt: 2 }, receiptFor(1, 4))
      assert.deepEqual(await store.retired(), [])
      assert.deepEqual(await store.receipts(1), [receiptFor(1, 4)])
      assert.equal(await store.holdsAny(1), false)
      assert.equal((await store.loadShares({ epoch: 4, attempt: 0 })).length, 1)
    })
  })
}

test('promotion takes exactly the activated attempt; the other attempts of that epoch and burned ones below are marked', async () => {
  const store = await storeOver(new MemoryDisk().open())
  const burned = deal({ epoch: 2 })
  const attempts = [0, 1, 2].map((attempt) => deal({ epoch: 3, attempt }))
  for (const dealt of [burned, ...attempts]) await store.savePrepared(dealt.spec, preparedOf(dealt, OPERATOR))
  const [, chosen] = attempts
  assert.ok(chosen)
  await store.promote(activationArgs(chosen, preparedOf(chosen, OPERATOR)))
  assert.equal((await store.activeShare())?.attempt, 1)
  assert.deepEqual(await store.retired(), [
    { epoch: 2, attempt: 0, reason: 'superseded' },
    { epoch: 3, attempt: 0, reason: 'other-attempt' },
    { epoch: 3, attempt: 2, reason: 'other-attempt' },
  ])
  await store.promote(activationArgs(chosen, preparedOf(chosen, OPERATOR)))
  assert.equal((await store.retired()).length, 3)
})

test('no promotion goes back to a lower epoch or to another attempt', async () => {
  const store = await storeOver(new MemoryDisk().open())
  const [low, high, other] = [deal({ epoch: 2 }), deal({ epoch: 5 }), deal({ epoch: 5, attempt: 1 })]
  for (const dealt of [low, high, other]) await store.savePrepared(dealt.spec, preparedOf(dealt, OPERATOR))
  await store.promote(activationArgs(high, preparedOf(high, OPERATOR)))
  for (const dealt of [low, other])
    await assert.rejects(
      store.promote(activationArgs(dealt, preparedOf(dealt, OPERATOR))),
      /epoch 5 attempt 0 is active/,
    )
  assert.equal((await store.activeShare())?.epoch, 5)
})

test('a node that slept through a reshare holds nothing of the running epoch, and its old share is marked', async () => {
  const store = await storeOver(new MemoryDisk().open())
  const [held, missed] = [deal({ epoch: 1 }), deal({ epoch: 2 })]
  await store.savePrepared(held.spec, preparedOf(held, OPERATOR))
  await store.promote(activationArgs(held, preparedOf(held, OPERATOR)))
  await store.promote({ ...activationArgs(missed, preparedOf(missed, OPERATOR)), readiness: [] })
  assert.equal(await store.activeShare(), null)
  assert.deepEqual(await store.running(), { epoch: 2, attempt: 0, held: false })
  assert.deepEqual(await store.retired(), [{ epoch: 1, attempt: 0, reason: 'superseded' }])
})

test('readiness signatures that are known are kept when a later promotion brings none', async () => {
  const store = await storeOver(new MemoryDisk().open())
  const dealt = deal({ epoch: 1 })
  const args = activationArgs(dealt, preparedOf(dealt, OPERATOR))
  await store.promote(args)
  await store.promote({ ...args, readiness: [] })
  assert.deepEqual(await store.activation(), args)
})

test('what was noted of former activations goes with the next promotion', async () => {
  const disk = new MemoryDisk()
  const store = await storeOver(disk.open())
  for (const epoch of [1, 2]) {
    const dealt = deal({ epoch })
    await store.noteActivationSeen(epoch, 0)
    assert.equal(await store.activationSeen(epoch), true)
    await store.promote(activationArgs(dealt, preparedOf(dealt, OPERATOR)))
  }
  const keys = [...disk.image().records.keys()].filter((key) => /^(seen|activation)\//.test(key))
  assert.deepEqual(keys, [KEY.activation(2)])
})

test('damage anywhere in a share set is an error with a remedy, never "no share"', async () => {
  const disk = new MemoryDisk()
  const store = await storeOver(disk.open())
  const dealt = deal({ epoch: 1, schemes: SCHEMES })
  await store.savePrepared(dealt.spec, preparedOf(dealt, OPERATOR))
  await store.promote(activationArgs(dealt, preparedOf(dealt, OPERATOR)))
  const whole = disk.image()
  const slot = { epoch: 1, attempt: 0 }
  const damage = (
    part: 'records' | 'files',
    key: string,
    change: (bytes: Uint8Array) => Uint8Array | null,
  ) => {
    const maps = { records: new Map(whole.records), files: new Map(whole.files) }
    const changed = change((maps[part].get(key) ?? new Uint8Array()).slice())
    if (changed === null) maps[part].delete(key)
    else maps[part].set(key, changed)
    disk.restore(maps)
  }
  const flip = (bytes: Uint8Array) => bytes.map((byte, at) => (at === bytes.length - 40 ? byte ^ 1 : byte))
  const cut = (bytes: Uint8Array) => bytes.subarray(0, bytes.length - 5)
  for (const change of [flip, cut, () => new Uint8Array(0)]) {
    damage('records', KEY.share(1, 0), change)
    await assert.rejects(store.activeShare(), unreadable(/read record share\/.*: damaged/))
    await assert.rejects(store.loadShares(slot), unreadable(/damaged/))
    damage('records', KEY.sealed(1, 0), change)
    await assert.rejects(store.loadShares(slot), unreadable(/read record sealed\/.*: damaged/))
    damage('files', '1-0.key', change)
    await assert.rejects(store.loadShares(slot), unreadable(/key file is damaged/))
    damage('records', KEY.running, change)
    await assert.rejects(store.activeShare(), unreadable(/read record running: damaged/))
  }
  damage('records', KEY.share(1, 0), () => null)
  await assert.rejects(store.activeShare(), unreadable(/it is missing/))
  damage('records', KEY.sealed(1, 0), () => null)
  await assert.rejects(store.loadShares(slot), unreadable(/sealed record is missing/))
  damage('files', '1-0.key', () => null)
  await assert.rejects(store.loadShares(slot), unreadable(/key file is missing/))
})

test('sealed shares and key files moved between epochs or attempts are refused', async () => {
  const disk = new MemoryDisk()
  const store = await storeOver(disk.open())
  for (const [epoch, attempt] of [
    [1, 0],
    [1, 1],
    [2, 0],
  ] as const) {
    const dealt = deal({ epoch, attempt })
    await store.savePrepared(dealt.spec, preparedOf(dealt, OPERATOR))
  }
  const whole = disk.image()
  for (const [from, to] of [
    ['1-1.key', '1-0.key'],
    ['2-0.key', '1-0.key'],
  ] as const) {
    disk.restore({ ...whole, files: new Map(whole.files).set(to, whole.files.get(from) ?? new Uint8Array()) })
    await assert.rejects(store.loadShares({ epoch: 1, attempt: 0 }), unreadable(/key file is damaged/))
  }
  for (const from of [KEY.sealed(1, 1), KEY.sealed(2, 0)]) {
    const records = new Map(whole.records).set(KEY.sealed(1, 0), whole.records.get(from) ?? new Uint8Array())
    disk.restore({ ...whole, records })
    await assert.rejects(
      store.loadShares({ epoch: 1, attempt: 0 }),
      unreadable(/authentication code is wrong/),
    )
  }
})

test('a share that is not the one of its verification share is refused at load', async () => {
  const store = await storeOver(new MemoryDisk().open())
  const [dealt, stranger] = [deal({ epoch: 1 }), deal({ epoch: 1 })]
  const mine = preparedOf(dealt, OPERATOR)
  const foreign = { ...firstShare(mine), share: firstShare(preparedOf(stranger, OPERATOR)).share }
  await store.savePrepared(dealt.spec, { ...mine, shares: [foreign] })
  await assert.rejects(
    store.loadShares({ epoch: 1, attempt: 0 }),
    unreadable(/does not belong to its verification share/),
  )
})

test(`the ${MAX_PREPARED + 1}th prepared share set of an epoch is refused, and the hint names governance`, async () => {
  const store = await storeOver(new MemoryDisk().open())
  const dealt = deal({ epoch: 1 })
  const mine = preparedOf(dealt, OPERATOR)
  for (let attempt = 0; attempt < MAX_PREPARED; attempt++)
    await store.savePrepared(dealt.spec, { ...mine, attempt })
  await assert.rejects(
    store.savePrepared(dealt.spec, { ...mine, attempt: MAX_PREPARED }),
    (error: unknown) => {
      assert.ok(error instanceof StoreError)
      assert.match(error.hint, /governance must cancel/)
      return true
    },
  )
})

test('burned epochs are marked unless their activation was signed for; the active epoch never is', async () => {
  const store = await storeOver(new MemoryDisk().open())
  const [active, burned, seen] = [deal({ epoch: 1 }), deal({ epoch: 2 }), deal({ epoch: 3 })]
  for (const dealt of [active, burned, seen])
    await store.savePrepared(dealt.spec, preparedOf(dealt, OPERATOR))
  await store.promote(activationArgs(active, preparedOf(active, OPERATOR)))
  await store.noteActivationSeen(3, 0)
  assert.equal(await store.retireBurned(2), 1)
  await assert.rejects(store.retireBurned(3), /its activation was signed, so its shares are kept/)
  await assert.rejects(store.retireBurned(1), /it is the active one/)
  assert.deepEqual(await store.retired(), [{ epoch: 2, attempt: 0, reason: 'burned' }])
  assert.equal((await store.prepared(3)).length, 1)
  assert.equal((await store.prepared(2)).length, 0)
  await assert.rejects(store.erase({ epoch: 3, attempt: 0 }, null), /not marked for erasure/)
})
