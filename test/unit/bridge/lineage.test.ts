// The way back to the committee that ran some blocks ago: over refreshes and burned numbers, to the first one, and not for ever.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { committeeAt, MOST_EPOCHS } from '../../../relayer/bridge/lineage.ts'
import type { EpochInfo } from '../../../relayer/chain/chain.ts'
import { members } from '../../support/numbered.ts'

type Link = Pick<EpochInfo, 'epoch' | 'predecessor' | 'activatedBlock'>

/** Epochs by number; the last one runs. What is read of others than these is a mistake. */
function chain(...links: Link[]) {
  const infos = new Map(
    links.map((link): [number, EpochInfo] => [
      link.epoch,
      {
        ...link,
        status: 'superseded',
        members: members(link.epoch, 50, 51),
        threshold: 2,
        committeeHash: '0x',
        successor: 0,
        attempt: 0,
        transcriptHash: '0x',
        commitmentsHashes: [],
        receipts: [],
        receiptsNeeded: 2,
        waived: false,
      },
    ]),
  )
  let reads = 0
  const at = (epoch: number): EpochInfo => {
    const info = infos.get(epoch)
    assert.ok(info, `epoch ${epoch}`)
    return info
  }
  return {
    running: at(links.at(-1)?.epoch ?? 0),
    info: async (epoch: number) => {
      reads += 1
      return at(epoch)
    },
    reads: () => reads,
  }
}

const link = (epoch: number, predecessor: number, activatedBlock: number): Link => ({
  epoch,
  predecessor,
  activatedBlock,
})

test('the committee of a block is the one activated in it or last before it, whatever numbers were burned between', async () => {
  const from = chain(link(1, 0, 10), link(4, 1, 40), link(5, 4, 50), link(9, 5, 90))
  const table: [number, number][] = [
    [1000, 9],
    [90, 9],
    [89, 5],
    [50, 5],
    [49, 4],
    [40, 4],
    [39, 1],
    [10, 1],
  ]
  for (const [block, epoch] of table) {
    const { cut, ...found } = await committeeAt(block, from)
    assert.deepEqual(found, { epoch, members: members(epoch, 50, 51), threshold: 2 }, `block ${block}`)
    assert.equal(cut, false)
  }
})

test('before the first key it is the first committee; the running one alone costs no request', async () => {
  const from = chain(link(1, 0, 10), link(2, 1, 20))
  for (const block of [9, 0, -5000]) {
    const { epoch, cut } = await committeeAt(block, from)
    assert.deepEqual([epoch, cut], [1, false])
  }
  const before = from.reads()
  assert.equal((await committeeAt(20, from)).epoch, 2)
  assert.equal(from.reads(), before)
})

test('so many epochs back and no further: what began before is not known, and that is said', async () => {
  const many = (count: number) =>
    chain(...Array.from({ length: count }, (_, at) => link(at + 1, at, 100 + at)))
  const all = await committeeAt(50, many(MOST_EPOCHS + 1))
  assert.deepEqual([all.epoch, all.cut], [1, false])
  const long = many(MOST_EPOCHS + 2)
  const some = await committeeAt(50, long)
  assert.deepEqual([some.epoch, some.cut, long.reads()], [2, true, MOST_EPOCHS])
})
