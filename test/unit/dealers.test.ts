// The choice of dealers: suspicion first, then stayers, then rank; and what announcements look like on the wire.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  AnnouncementBoard,
  decodeAnnouncement,
  encodeAnnouncement,
} from '../../relayer/ceremony/announcement.ts'
import { chooseDealers, Suspicion } from '../../relayer/ceremony/dealers.ts'
import { EncodingError } from '../../relayer/crypto/enc.ts'
import type { Address } from '../../relayer/lib/bytes.ts'
import { rankMembers } from '../../relayer/protocol/party.ts'
import { member, members } from '../support/numbered.ts'

const context = new Uint8Array(32).fill(7)
const old = { epoch: 1, members: members(1, 2, 3, 4, 5), threshold: 3 }
const next = { epoch: 2, members: members(3, 4, 5, 6), threshold: 2 }
const choose = (willing: Address[], suspicion = new Suspicion(), attempt = 0) =>
  chooseDealers({ old, next }, { context, attempt, willing, suspicion })

test('exactly t dealers, as ascending old indices, stayers before leavers', () => {
  assert.deepEqual(choose(members(1, 2, 3, 4, 5)), [3, 4, 5])
  assert.deepEqual(choose(members(5, 4, 1)), [1, 4, 5], 'a leaver may deal')
})

test('fewer than t willing members make no set', () => {
  assert.equal(choose(members(1, 2)), null)
  assert.equal(choose(members(1, 2, 6, 7)), null, 'who is no old member does not count')
})

test('a suspect goes to the back, and is not excluded where it is needed', () => {
  const suspicion = new Suspicion()
  suspicion.add({ dealers: [], dealt: members(4), dispute: null })
  const dealers = choose(members(1, 2, 3, 4, 5), suspicion)
  assert.ok(dealers !== null && dealers.includes(3) && dealers.includes(5) && !dealers.includes(4))
  assert.deepEqual(choose(members(1, 4, 5), suspicion), [1, 4, 5])
})

test('being in a failed set counts once, and what this node saw itself breaks the tie', () => {
  const suspicion = new Suspicion()
  suspicion.add({ dealers: members(3, 4, 5), dealt: members(4, 4), dispute: null })
  assert.deepEqual(
    [3, 4, 5, 1].map((n) => suspicion.count(member(n))),
    [1, 1, 1, 0],
  )
  assert.ok(suspicion.compare(member(4), member(3)) > 0)
  assert.ok(suspicion.compare(member(1), member(3)) < 0)
  const dealers = choose(members(1, 2, 3, 4, 5), suspicion)
  assert.ok(dealers !== null && dealers.includes(1) && dealers.includes(2) && !dealers.includes(4))
})

test('t-1 dealers that stay silent, and lie about others, cannot stall for ever', () => {
  const honest = members(1, 2, 3)
  const suspicion = new Suspicion()
  for (let attempt = 0; attempt < 40; attempt++) {
    const dealers = (choose(members(1, 2, 3, 4, 5), suspicion, attempt) ?? []).map(member)
    if (dealers.every((dealer) => honest.includes(dealer))) return
    // Of two that stay silent at different members this node sees none.
    suspicion.add({ dealers, dealt: [], dispute: null })
  }
  assert.fail('no honest set within 40 attempts')
})

test('who is in dispute does not deal with whom it accused, as long as there are others', () => {
  const suspicion = new Suspicion()
  const accused = members(4, 4, 2)
  suspicion.add({ dealers: members(3, 4, 5), dealt: [], dispute: { by: member(3), accused } })
  assert.ok(suspicion.inDispute(member(3), member(4)) && suspicion.inDispute(member(4), member(3)))
  assert.equal(suspicion.inDispute(member(3), member(2)), false, 'who did not deal is held back by no word')
  for (let attempt = 0; attempt < 10; attempt++) {
    const dealers = choose(members(1, 2, 3, 4, 5), suspicion, attempt) ?? []
    assert.ok(!(dealers.includes(3) && dealers.includes(4)), String(dealers))
  }
  assert.deepEqual(choose(members(3, 4, 5), suspicion), [3, 4, 5], 'needed all the same')
  suspicion.add({ dealers: members(1, 2, 5), dealt: [], dispute: { by: member(5), accused: members(3) } })
  assert.equal(suspicion.inDispute(member(5), member(3)), false)
  assert.ok(suspicion.compare(member(5), member(1)) > 0, 'who gives up over nobody that deals is seen to')
  suspicion.add({ dealers: members(1, 2, 4), dealt: [], dispute: { by: member(6), accused: members(1, 3) } })
  assert.equal(suspicion.inDispute(member(6), member(1)), false)
  for (const other of members(2, 3, 4, 5))
    assert.ok(suspicion.compare(member(1), other) > 0, 'the word of one that only receives counts first')
})

test('equals are ordered by rank, which changes with the attempt', () => {
  const sets = new Set<string>()
  for (let attempt = 0; attempt < 50; attempt++) {
    const dealers = choose(members(1, 2, 3, 4), new Suspicion(), attempt)
    const third = rankMembers(context, attempt, members(1, 2))[0]
    assert.deepEqual(dealers, third === member(1) ? [1, 3, 4] : [2, 3, 4])
    sets.add(String(dealers))
  }
  assert.equal(sets.size, 2)
})

const announcement = {
  context,
  attempt: 4,
  protocolVersion: 1,
  softwareVersion: '0.1.0',
  deals: true,
  vetoes: false,
  refusal: '',
}

test('an announcement survives the wire, and is cut to size', () => {
  assert.deepEqual(decodeAnnouncement(encodeAnnouncement(announcement)), announcement)
  const vetoed = { ...announcement, deals: false, vetoes: true, refusal: 'vetoed' }
  assert.deepEqual(decodeAnnouncement(encodeAnnouncement(vetoed)), vetoed)
  const long = { ...announcement, deals: false, refusal: 'x'.repeat(1000), softwareVersion: 'y'.repeat(100) }
  const bytes = encodeAnnouncement(long)
  assert.ok(bytes.length <= 256)
  assert.equal(decodeAnnouncement(bytes).refusal.length, 128)
  const rude = decodeAnnouncement(encodeAnnouncement({ ...announcement, refusal: 'a\u001b[2Jb' }))
  assert.equal(rude.refusal, 'a?[2Jb')
  for (let length = 0; length < bytes.length; length++)
    assert.throws(() => decodeAnnouncement(bytes.subarray(0, length)), EncodingError)
})

test('the board keeps announcements of participants, of this ceremony, near the current attempt', () => {
  const board = new AnnouncementBoard(context, members(1, 2))
  assert.equal(board.post(member(1), announcement, 4), true)
  assert.equal(board.post(member(1), { ...announcement, deals: false }, 5), false)
  assert.equal(board.heard(4).get(member(1))?.deals, false, 'the last one counts')
  assert.equal(board.post(member(3), announcement, 4), null)
  assert.equal(board.post(member(2), { ...announcement, context: new Uint8Array(32) }, 4), null)
  assert.equal(board.post(member(2), announcement, 2), null)
  assert.equal(board.post(member(2), { ...announcement, attempt: 6 }, 6), true)
  assert.equal(board.heard(4).size, 0, 'old attempts are forgotten')
})
