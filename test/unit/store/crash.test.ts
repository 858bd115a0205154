// The power goes out before and after every durable write of a share's life; what the disk then holds is always enough.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Store } from '../../../relayer/store/store.ts'
import { deal, OPERATOR, preparedOf } from '../../support/dealt-shares.ts'
import { type CutPlace, MemoryDisk, PowerCut } from '../../support/memory-database.ts'
import { activationArgs, receiptFor, storeOver } from '../../support/open-store.ts'

const OLD = deal({ epoch: 1 })
const [NEXT, OTHER] = [deal({ epoch: 2 }), deal({ epoch: 2, attempt: 1 })]
const hash = `0x${'aa'.repeat(32)}` as const
const EVIDENCE = new Uint8Array(200).fill(0xee)

/** A disk with an active share of epoch 1. */
async function running(): Promise<MemoryDisk> {
  const disk = new MemoryDisk()
  const store = await storeOver(disk.open())
  await store.savePrepared(OLD.spec, preparedOf(OLD, OPERATOR))
  await store.promote(activationArgs(OLD, preparedOf(OLD, OPERATOR)))
  return disk
}

/** What a node does after every start and on every step, in the durable order; each part finds out whether it is due. */
async function live(store: Store): Promise<void> {
  if ((await store.cursor()) === null) await store.advance({ number: 9, hash }, [])
  for (const dealt of [NEXT, OTHER]) {
    const { epoch, attempt } = preparedOf(dealt, OPERATOR)
    if ((await store.running())?.epoch === 2) break
    if (await store.markAttempt(epoch, attempt, preparedOf(dealt, OPERATOR).sessionId))
      await store.savePrepared(dealt.spec, preparedOf(dealt, OPERATOR))
  }
  await store.promote(activationArgs(OTHER, preparedOf(OTHER, OPERATOR)))
  for (const record of await store.retired())
    await store.erase(record, record.epoch === 2 ? null : receiptFor(1, 2))
  await store.sweepKeyFiles(2)
  await store.addEvidence(EVIDENCE)
}

/** Lives until the given write, where the power goes out; gives whether it did. */
async function liveUntil(disk: MemoryDisk, at: number, place: CutPlace): Promise<boolean> {
  const first = disk.writes.length
  disk.cut = (write) => (write.number - first === at ? place : null)
  try {
    await live(await storeOver(disk.open()))
    return false
  } catch (error) {
    assert.ok(error instanceof PowerCut, String(error))
    return true
  } finally {
    disk.cut = () => null
  }
}

for (const place of ['before', 'after'] as const) {
  test(`power cut ${place} each durable write: a usable share of one epoch is always there, and life goes on after the restart`, async () => {
    let cuts = 0
    for (let at = 1; ; at++) {
      const disk = await running()
      if (!(await liveUntil(disk, at, place))) break
      cuts++
      const store = await storeOver(disk.open())
      const active = await store.activeShare()
      assert.ok(active === null || (await store.loadShares(active)).length === 1)
      if (active?.epoch === 2) assert.equal(active.attempt, 1)
      else if (active === null) assert.equal((await store.running())?.held, false)
      await live(store)
      // An attempt that died between its marker and its prepared share does not run again: then nothing is held of epoch 2.
      assert.deepEqual(await store.retired(), [])
      assert.equal(await store.holdsAny(1), false)
      assert.deepEqual(await store.receipts(), [receiptFor(1, 2)])
      assert.deepEqual(
        (await store.evidence()).map(({ bytes }) => bytes),
        [EVIDENCE],
      )
      const { files, records } = disk.image()
      const held = (await store.running())?.held === true
      assert.deepEqual([...files.keys()], held ? ['2-1.key'] : [])
      assert.equal([...records.keys()].filter((key) => key.startsWith('sealed/')).length, held ? 1 : 0)
    }
    assert.ok(cuts >= 17, `only ${cuts} writes were cut`)
  })
}

test('the data key is destroyed before the sealed bytes are touched, and the mark goes last', async () => {
  const disk = await running()
  const store = await storeOver(disk.open())
  await live(store)
  const tail = disk.writes.map(
    ({ kind, names }) => `${kind} ${names.map((name) => name.split('/')[0]).join(' ')}`,
  )
  const from = tail.indexOf('destroy 1-0.key')
  assert.deepEqual(tail.slice(from, from + 5), [
    'destroy 1-0.key',
    'compact sealed',
    'batch sealed',
    'compact sealed',
    'batch share retired receipt',
  ])
})
