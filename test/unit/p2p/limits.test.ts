// Bounds in isolation: buckets, mailboxes of early frames, outboxes and queues of control messages.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Address } from '../../../relayer/lib/bytes.ts'
import { Counters } from '../../../relayer/p2p/counters.ts'
import { Bucket, DEFAULT_LIMITS, pause } from '../../../relayer/p2p/limits.ts'
import { Mailbox } from '../../../relayer/p2p/mailbox.ts'
import { Membership } from '../../../relayer/p2p/membership.ts'
import { Outbox, Sessions } from '../../../relayer/p2p/sessions.ts'
import { TellQueue } from '../../../relayer/p2p/topics.ts'
import { FakeClock } from '../../support/fake-clock.ts'

const A: Address = `0x${'aa'.repeat(20)}`
const B: Address = `0x${'bb'.repeat(20)}`
const limits = {
  ...DEFAULT_LIMITS,
  unopenedSessions: 2,
  unopenedFrames: 3,
  unopenedBytes: 1000,
  tellQueue: 3,
}

test('a bucket gives its burst, then its rate, and says when a debt is paid', async () => {
  const clock = new FakeClock()
  const bucket = new Bucket(clock, { rate: 10, burst: 20 })
  assert.equal(bucket.take(20), true)
  assert.equal(bucket.take(), false)
  await clock.advance(100)
  assert.equal(bucket.take(), true)
  assert.equal(bucket.charge(5), 500)
  await clock.advance(500)
  assert.equal(bucket.charge(0), 0)
  await clock.advance(60_000)
  assert.equal(bucket.take(21), false)
})

test('pauses double up to the longest', () => {
  assert.equal(pause(DEFAULT_LIMITS, 0), DEFAULT_LIMITS.retryMs)
  assert.equal(pause(DEFAULT_LIMITS, 2), 4 * DEFAULT_LIMITS.retryMs)
  assert.equal(pause(DEFAULT_LIMITS, 1e6), DEFAULT_LIMITS.retryMostMs)
})

test('early frames are bounded per peer in sessions, frames and bytes, and what is missing is known', () => {
  const dropped: string[] = []
  const mailbox = new Mailbox(limits, (reason) => dropped.push(reason))
  for (let at = 0; at < 5; at++) mailbox.keep(A, 's1', Uint8Array.of(at))
  assert.deepEqual(dropped, ['unopened', 'unopened'])
  mailbox.keep(A, 's2', new Uint8Array(998))
  assert.equal(mailbox.bytes(A), 3, 'the frame that would burst the bytes was dropped')
  mailbox.keep(B, 's1', new Uint8Array(900))
  assert.equal(mailbox.bytes(B), 900, 'one peer does not pay for another')
  mailbox.keep(A, 's3', Uint8Array.of(1))
  assert.deepEqual(dropped, ['unopened', 'unopened', 'unopened', 'unopened-session'])
  const { frames, incomplete } = mailbox.take('s1', new Set([A, B]))
  assert.deepEqual(
    frames.map(({ from }) => from),
    [B],
    "A's oldest session made way",
  )
  assert.deepEqual(incomplete, [A])
  assert.equal(mailbox.bytes(B), 0)
})

test('a frame that is sent again takes no second place', () => {
  const mailbox = new Mailbox(limits, () => assert.fail('dropped'))
  for (let at = 0; at < 10; at++) mailbox.keep(A, 's1', Uint8Array.of(1))
  assert.equal(mailbox.take('s1', new Set([A])).frames.length, 1)
})

test('frames of a closed session are counted, not kept', () => {
  const counters = new Counters()
  const sessions = new Sessions({ self: B, limits, counters, wake: () => {}, askAgain: () => {} })
  const id = new Uint8Array(32).fill(1)
  const message = new Uint8Array(33).fill(1)
  sessions.open(id, [A]).close()
  sessions.onUnopened(() => assert.fail('told'))
  sessions.receive(A, message)
  sessions.receive(A, message.subarray(0, 31))
  assert.equal(sessions.unopenedBytes(A), 0)
  assert.deepEqual(counters.drops(), [
    { protocol: 'session', reason: 'closed', count: 1 },
    { protocol: 'session', reason: 'malformed', count: 1 },
  ])
})

test('a session whose early frames did not fit asks for them again when it opens', () => {
  const asked: Address[] = []
  const sessions = new Sessions({
    self: B,
    limits,
    counters: new Counters(),
    wake: () => {},
    askAgain: (from) => asked.push(from),
  })
  const id = new Uint8Array(32).fill(1)
  for (let at = 0; at < 4; at++) sessions.receive(A, new Uint8Array([...id, at]))
  sessions.open(id, [A])
  assert.deepEqual(asked, [A])
})

test('an outbox starts from the beginning on a new stream, is bounded, and repeats only so often', () => {
  const outbox = new Outbox(10)
  assert.equal(outbox.add('s', new Uint8Array(6)), true)
  assert.equal(outbox.add('s', new Uint8Array(5)), false)
  assert.equal(outbox.next()?.length, 6)
  assert.equal(outbox.next(), null)
  outbox.begin()
  assert.equal(outbox.next()?.length, 6)
  outbox.remove('s')
  assert.equal(outbox.waiting(), false)
  assert.equal(outbox.add('aa', new Uint8Array(10)), true, 'its room is free again')
  let repeats = 0
  for (let at = 0; at < 100; at++) {
    outbox.again(Uint8Array.of(0xaa))
    while (outbox.next() !== null) repeats += 1
  }
  assert.ok(repeats <= 9)
})

test('control messages that wait too long or are too many are dropped, the oldest first', async () => {
  const clock = new FakeClock()
  const dropped: string[] = []
  const queue = new TellQueue({ clock, limits, dropped: (reason) => dropped.push(reason) })
  for (let at = 0; at < 4; at++) queue.add(Uint8Array.of(at))
  assert.deepEqual(dropped, ['full'])
  assert.equal(queue.next()?.[0], 1)
  await clock.advance(limits.tellMs + 1)
  assert.equal(queue.waiting(), false)
  assert.deepEqual(dropped, ['full', 'late', 'late'])
})

test('admission tells who was removed, demoted and who joined', () => {
  const membership = new Membership()
  assert.deepEqual(membership.admit({ committee: [A, B], receipts: [] }), {
    removed: [],
    demoted: [],
    joined: [A, B],
  })
  assert.deepEqual(membership.admit({ committee: [A], receipts: [A, B] }), {
    removed: [],
    demoted: [B],
    joined: [],
  })
  assert.deepEqual(
    [membership.tierOf(A), membership.tierOf(B), membership.tierOf(null)],
    ['committee', 'receipts', 'discovery'],
  )
  assert.deepEqual(membership.admit({ committee: [B], receipts: [] }), {
    removed: [A],
    demoted: [],
    joined: [B],
  })
})
