// The choice of dealers: suspicion first, then stayers, then rank; and what announcements look like on the wire.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  AnnouncementBoard,
  decodeAnnouncement,
  encodeAnnouncement,
} from '../../relayer/ceremony/announcement.ts'
import { chooseDealers, Suspicion } from '../../relayer/ceremony/dealers.ts'
import { dealingOf } from '../../relayer/ceremony/terms.ts'
import { verdictOf } from '../../relayer/ceremony/verdict.ts'
import { EncodingError } from '../../relayer/crypto/enc.ts'
import type { Address } from '../../relayer/lib/bytes.ts'
import { AbortedError } from '../../relayer/protocol/faults.ts'
import { type Party, rankMembers } from '../../relayer/protocol/party.ts'
import { operators, specOf } from '../support/ceremony-run.ts'
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
  suspicion.add({ dealers: [], suspects: members(4), seen: members(4) })
  const dealers = choose(members(1, 2, 3, 4, 5), suspicion)
  assert.ok(dealers !== null && dealers.includes(3) && dealers.includes(5) && !dealers.includes(4))
  assert.deepEqual(choose(members(1, 4, 5), suspicion), [1, 4, 5])
})

test('being in a failed set counts once, and what this node saw itself breaks the tie', () => {
  const suspicion = new Suspicion()
  suspicion.add({ dealers: members(3, 4, 5), suspects: members(4, 4), seen: members(4) })
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
  const silent = members(4, 5)
  const suspicion = new Suspicion()
  for (let attempt = 0; attempt < 40; attempt++) {
    const dealers = (choose(members(1, 2, 3, 4, 5), suspicion, attempt) ?? []).map(member)
    if (dealers.every((dealer) => honest.includes(dealer))) return
    const present = silent.filter((liar) => dealers.includes(liar))
    suspicion.add({ dealers, suspects: dealers.filter((dealer) => !present.includes(dealer)), seen: [] })
  }
  assert.fail('no honest set within 40 attempts')
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

test('t-1 leaving dealers that abort, and name members that do not deal, cannot stall for ever', () => {
  const seated = operators(1, 2, 3, 4, 5, 6).map(({ address }) => address)
  const at = (...numbers: number[]) => numbers.map((n) => seated[n - 1] ?? member(0)).sort()
  const before = { epoch: 1, members: at(1, 2, 3, 4, 5), threshold: 3 }
  const after = { epoch: 2, members: at(1, 2, 6), threshold: 2 }
  const spec = specOf({ op: 'reshare', old: before, next: after })
  const [honest, liars] = [at(1, 2, 3), at(4, 5)]
  /** The number of attempts until only the honest deal. */
  const attemptsOf = (seed: number): number => {
    const suspicion = new Suspicion()
    for (let attempt = 0; attempt < 200; attempt++) {
      const from = { context: new Uint8Array(32).fill(seed), attempt, willing: before.members, suspicion }
      const dealers = chooseDealers({ old: before, next: after }, from) ?? []
      const dealing = dealingOf(spec, dealers)
      const liar = dealing.find((each) => liars.includes(each))
      if (liar === undefined) return attempt
      const by: Party = { role: 'old', index: before.members.indexOf(liar) + 1, address: liar }
      const suspects = [
        ...before.members.map((address, i): Party => ({ role: 'old', index: i + 1, address })),
        ...after.members.map((address, i): Party => ({ role: 'new', index: i + 1, address })),
      ].filter(({ address }) => honest.includes(address))
      const error = new AbortedError(by, { code: 'E_STATE', round: 0, suspects })
      suspicion.add({ ...verdictOf(error, spec, new Set()), dealers: dealing })
    }
    return Infinity
  }
  const worst = Math.max(...Array.from({ length: 20 }, (_, seed) => attemptsOf(seed)))
  assert.ok(worst < 200, `${worst} attempts`)
})
