// The latest head as the chain's clock: waiting for a block, and deadlines made of it.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { BlockFeed, deadlineAt } from '../../relayer/ceremony/blocks.ts'

test('waiting ends when the head is at the block or has jumped over it', async () => {
  const blocks = new BlockFeed(5)
  await blocks.reached(5)
  const woken: number[] = []
  const waits = [6, 8, 9].map((block) => blocks.reached(block).then(() => woken.push(block)))
  blocks.advance(8)
  await Promise.all(waits.slice(0, 2))
  assert.deepEqual(woken, [6, 8])
  blocks.advance(3)
  assert.equal(blocks.head(), 8, 'the head never goes back')
  blocks.advance(20)
  await Promise.all(waits)
})

test('an aborted wait rejects with the reason of its signal', async () => {
  const blocks = new BlockFeed()
  const controller = new AbortController()
  const wait = blocks.reached(1, controller.signal)
  controller.abort(new Error('stop'))
  await assert.rejects(wait, /stop/)
  await assert.rejects(blocks.reached(0, controller.signal), /stop/)
})

test('a deadline aborts at its block, or with its parent before that', async () => {
  const blocks = new BlockFeed()
  const parent = new AbortController()
  const first = deadlineAt(blocks, 3, parent.signal)
  const second = deadlineAt(blocks, 9, parent.signal)
  blocks.advance(3)
  await new Promise(setImmediate)
  assert.equal(first.aborted, true)
  assert.equal(first.reason instanceof DOMException && first.reason.name, 'TimeoutError')
  assert.equal(second.aborted, false)
  parent.abort(new Error('stop'))
  await new Promise(setImmediate)
  assert.match(String(second.reason), /stop/)
})

test('the first head stays what it was', () => {
  const blocks = new BlockFeed()
  assert.equal(blocks.first(), 0)
  for (const head of [7, 9, 8]) blocks.advance(head)
  assert.deepEqual([blocks.first(), blocks.head()], [7, 9])
})
