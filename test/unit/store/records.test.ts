// The smaller topics: cursor, markers, receipts, evidence, boot counter, peer book, what was declared lost.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { to0x } from '../../../relayer/lib/bytes.ts'
import { StoreError } from '../../../relayer/lib/errors.ts'
import type { CeremonyRecord } from '../../../relayer/store/ceremonies.ts'
import type { Decision } from '../../../relayer/store/decisions.ts'
import { MAX_EVIDENCE } from '../../../relayer/store/evidence.ts'
import { KEY } from '../../../relayer/store/layout.ts'
import { deal, MEMBERS, OPERATOR, preparedOf } from '../../support/dealt-shares.ts'
import { MemoryDisk } from '../../support/memory-database.ts'
import { activationArgs, DISKS, receiptFor, storeOver, withStore } from '../../support/open-store.ts'

const hash = (byte: number) => to0x(new Uint8Array(32).fill(byte))
const ceremony = (epoch: number): CeremonyRecord => ({
  epoch,
  kind: 'reshare',
  predecessor: epoch - 1,
  startBlock: 100 + epoch,
  startBlockHash: hash(epoch),
  windowBlocks: 20,
})

for (const { name, make } of DISKS) {
  test(`${name}: the small records are the same after a restart`, async () => {
    const disk = make()
    const [peer] = MEMBERS
    assert.ok(peer)
    const id = await withStore(disk, async (store) => {
      await store.advance({ number: 7, hash: hash(7) }, [ceremony(2), ceremony(10)])
      await store.advance({ number: 8, hash: hash(8) }, [])
      assert.equal(await store.markAttempt(2, 3, new Uint8Array(32)), true)
      assert.equal(await store.markAttempt(2, 11, new Uint8Array(32)), true)
      await store.putPeer(peer, ['/ip4/10.0.0.1/tcp/1', '/dns4/a.example/tcp/2'])
      await store.putReceipt(receiptFor(1, 2))
      await store.declareLost(1)
      assert.equal(await store.nextBoot(), 1)
      return store.addEvidence(Uint8Array.of(1, 2, 3))
    })
    await withStore(disk, async (store) => {
      assert.deepEqual(await store.cursor(), { number: 8, hash: hash(8) })
      assert.deepEqual(await store.ceremonies(), [ceremony(2), ceremony(10)])
      assert.equal(await store.markAttempt(2, 3, new Uint8Array(32).fill(1)), false)
      assert.equal(await store.lastJoined(2), 11)
      assert.equal(await store.lastJoined(3), null)
      assert.deepEqual([...(await store.peers())], [[peer, ['/ip4/10.0.0.1/tcp/1', '/dns4/a.example/tcp/2']]])
      assert.deepEqual(await store.receipts(), [receiptFor(1, 2)])
      assert.deepEqual(await store.lost(), [1])
      assert.equal(await store.nextBoot(), 2)
      assert.deepEqual(await store.evidence(), [{ id, bytes: Uint8Array.of(1, 2, 3) }])
      await store.putPeer(peer, [])
      assert.equal((await store.peers()).size, 0)
    })
  })
}

test('the cursor never goes back', async () => {
  const store = await storeOver(new MemoryDisk().open())
  assert.equal(await store.cursor(), null)
  await store.advance({ number: 7, hash: hash(7) }, [])
  await assert.rejects(store.advance({ number: 6, hash: hash(6) }, []), /from block 7 back to 6/)
})

test('of two calls that mark the same attempt at once exactly one may go on', async () => {
  const store = await storeOver(new MemoryDisk().open())
  const calls = Array.from({ length: 8 }, (_, at) => store.markAttempt(1, 0, new Uint8Array(32).fill(at + 1)))
  assert.deepEqual((await Promise.all(calls)).filter(Boolean), [true])
})

test('a marker whose record is damaged still stands in the way', async () => {
  const disk = new MemoryDisk()
  const store = await storeOver(disk.open())
  await store.markAttempt(1, 4, new Uint8Array(32))
  const { records, files } = disk.image()
  disk.restore({ records: new Map(records).set(KEY.marker(1, 4), new Uint8Array(2)), files })
  assert.equal(await store.markAttempt(1, 4, new Uint8Array(32)), false)
  assert.equal(await store.lastJoined(1), 4)
})

test('a receipt is replaced by one that names fewer outstanding backups, not by one that names more', async () => {
  const store = await storeOver(new MemoryDisk().open())
  for (const backups of [2, 5, 1, 3]) await store.putReceipt(receiptFor(1, 2, backups))
  assert.deepEqual(
    (await store.receipts(1)).map((receipt) => receipt.outstandingBackups),
    [1],
  )
})

test('a damaged record of one peer costs what was known of that peer', async () => {
  const disk = new MemoryDisk()
  const store = await storeOver(disk.open())
  const [one, other] = MEMBERS
  assert.ok(one && other)
  for (const peer of [one, other]) await store.putPeer(peer, ['/ip4/10.0.0.1/tcp/1'])
  const { records, files } = disk.image()
  disk.restore({ records: new Map(records).set(KEY.peer(one), new Uint8Array(9)), files })
  assert.deepEqual([...(await store.peers()).keys()], [other])
})

test('a damaged boot counter is said, and begins anew only when that is asked for', async () => {
  const disk = new MemoryDisk()
  const store = await storeOver(disk.open())
  for (const counter of [1, 2, 3]) assert.equal(await store.nextBoot(), counter)
  const { records, files } = disk.image()
  disk.restore({ records: new Map(records).set(KEY.boot, new Uint8Array(9)), files })
  await assert.rejects(store.nextBoot(), StoreError)
  assert.equal(await store.renewBoots(), 1)
  assert.equal(await store.nextBoot(), 2)
})

test('evidence is stored once, counted, and refused aloud when there is no more room', async () => {
  const store = await storeOver(new MemoryDisk().open())
  const record = (at: number) => Uint8Array.of(at >> 8, at & 255)
  for (let at = 0; at < MAX_EVIDENCE; at++) await store.addEvidence(record(at))
  await store.addEvidence(record(0))
  assert.equal(await store.evidenceCount(), MAX_EVIDENCE)
  await assert.rejects(store.addEvidence(record(MAX_EVIDENCE)), /as many as are kept/)
})

test('a record that was copied under another key is damaged', async () => {
  const disk = new MemoryDisk()
  const store = await storeOver(disk.open())
  await store.putReceipt(receiptFor(1, 2))
  await store.advance({ number: 7, hash: hash(7) }, [ceremony(2)])
  const { records, files } = disk.image()
  const moved = (from: string) => records.get(from) ?? new Uint8Array()
  const copied = new Map(records)
    .set(KEY.receipt(9, OPERATOR), moved(KEY.receipt(1, OPERATOR)))
    .set(KEY.ceremony(9), moved(KEY.ceremony(2)))
  disk.restore({ records: copied, files })
  assert.deepEqual(await store.receipts(9), [], 'a damaged receipt is none')
  assert.equal((await store.receipts(1)).length, 1)
  await assert.rejects(store.ceremonies(), StoreError)
})

test('a share declared lost is no active share any more; a damaged record of what runs is dropped with it', async () => {
  const disk = new MemoryDisk()
  const store = await storeOver(disk.open())
  const dealt = deal({ epoch: 1 })
  await store.savePrepared(dealt.spec, preparedOf(dealt, OPERATOR))
  await store.promote(activationArgs(dealt, preparedOf(dealt, OPERATOR)))
  await store.advance({ number: 7, hash: hash(7) }, [])
  const { records, files } = disk.image()
  const junk = new Uint8Array(9)
  disk.restore({ records: new Map(records).set(KEY.running, junk).set(KEY.share(1, 0), junk), files })
  await assert.rejects(store.activeShare(), /damaged/)
  await assert.rejects(store.running(), /damaged/)
  await store.declareLost(1)
  assert.equal(await store.activeShare(), null)
  assert.equal(await store.running(), null)
  const next = deal({ epoch: 2 })
  await store.savePrepared(next.spec, preparedOf(next, OPERATOR))
  await store.promote(activationArgs(next, preparedOf(next, OPERATOR)))
  assert.equal((await store.activeShare())?.epoch, 2)
  assert.deepEqual(await store.retired(), [{ epoch: 1, attempt: 0, reason: 'superseded' }])
  await store.erase({ epoch: 1, attempt: 0 }, receiptFor(1, 2))
})

const vetoed: Decision = { epoch: 5, committeeHash: new Uint8Array(32).fill(3), verdict: 'vetoed' }

for (const { name, make } of DISKS)
  test(`${name}: the operator's decisions and where a watch began are the same after a restart; later words replace`, async () => {
    const disk = make()
    const place = { chainId: 10, bridge: OPERATOR }
    await withStore(disk, async (store) => {
      await store.putDecision({ ...vetoed, epoch: 3 })
      await store.putDecision({ ...vetoed, verdict: 'approved' })
      await store.putDecision(vetoed)
      assert.equal(await store.watchedFrom(place, 77), 77)
    })
    await withStore(disk, async (store) => {
      assert.deepEqual(await store.decision(5), vetoed)
      assert.equal(await store.decision(4), null)
      assert.equal(await store.watchedFrom(place, 99), 77, 'ever after')
      await store.dropDecisions((epoch) => epoch < 5)
      assert.equal(await store.decision(3), null)
      assert.deepEqual(await store.decision(5), vetoed)
    })
  })

test('a decision with a flipped bit, or moved to another epoch, is damaged, and is dropped all the same', async () => {
  const disk = new MemoryDisk()
  const store = await storeOver(disk.open())
  await store.putDecision(vetoed)
  const { records, files } = disk.image()
  const whole = records.get(KEY.decision(5)) ?? new Uint8Array()
  const bent = whole.slice()
  bent[20] = (bent[20] ?? 0) ^ 1
  disk.restore({ records: new Map(records).set(KEY.decision(5), bent).set(KEY.decision(6), whole), files })
  await assert.rejects(store.decision(5), StoreError)
  await assert.rejects(store.decision(6), StoreError)
  await store.dropDecisions(() => true)
  assert.equal(await store.decision(5), null)
})
