// What the store refuses whoever asks: late prepared shares, and the erasure of the share that is in use.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { KEY } from '../../../relayer/store/layout.ts'
import { deal, OPERATOR, preparedOf } from '../../support/dealt-shares.ts'
import { MemoryDisk } from '../../support/memory-database.ts'
import { activationArgs, storeOver } from '../../support/open-store.ts'

test('an attempt that goes on after its epoch was activated leaves no share behind that nobody erases', async () => {
  const disk = new MemoryDisk()
  const store = await storeOver(disk.open())
  const [chosen, late, old] = [
    deal({ epoch: 3, attempt: 1 }),
    deal({ epoch: 3, attempt: 2 }),
    deal({ epoch: 2 }),
  ]
  await store.savePrepared(chosen.spec, preparedOf(chosen, OPERATOR))
  await store.promote(activationArgs(chosen, preparedOf(chosen, OPERATOR)))
  for (const { spec, prepared } of [late, old]) {
    const result = prepared.get(OPERATOR)
    assert.ok(result)
    await assert.rejects(store.savePrepared(spec, result), /save prepared share: epoch 3 is active/)
  }
  assert.deepEqual(await store.slots(), [{ epoch: 3, attempt: 1 }])
  assert.deepEqual([...disk.image().files.keys()], ['3-1.key'])
})

test('the share that the active pointer names is not erased, even if a mark says so', async () => {
  const disk = new MemoryDisk()
  const store = await storeOver(disk.open())
  const dealt = deal({ epoch: 2 })
  await store.savePrepared(dealt.spec, preparedOf(dealt, OPERATOR))
  assert.equal(await store.retireBurned(2), 1)
  // The burn was undone by a reorganisation, and the epoch is activated after all.
  await store.promote(activationArgs(dealt, preparedOf(dealt, OPERATOR)))
  await assert.rejects(store.erase({ epoch: 2, attempt: 0 }, null), /epoch 2 attempt 0/)
  assert.ok(disk.record(KEY.sealed(2, 0)))
  assert.deepEqual(await store.retired(), [])
  assert.equal((await store.loadShares({ epoch: 2, attempt: 0 })).length, 1)
})
