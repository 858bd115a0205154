// Who is missing before an attempt, in words: absent members, too few dealers, refusals, versions that differ.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Announcement } from '../../relayer/ceremony/announcement.ts'
import { rosterOf, versionConflict } from '../../relayer/ceremony/roster.ts'
import type { Address } from '../../relayer/lib/bytes.ts'
import type { CeremonySpec } from '../../relayer/protocol/spec.ts'
import { member, members, reshareOf } from '../support/numbered.ts'

const reshare = reshareOf(
  { epoch: 1, members: members(1, 2, 3), threshold: 2 },
  { epoch: 2, members: members(2, 3, 4), threshold: 2 },
)
const keygen: CeremonySpec = { ...reshare, op: 'keygen', old: null }

/** Neither proven culprits, nor members that may yet announce themselves. */
const NOBODY = { excluded: new Set<Address>(), coming: new Set<Address>() }

function said(...entries: [number, Partial<Announcement>][]): Map<Address, Announcement> {
  return new Map(
    entries.map(([n, part]) => [
      member(n),
      {
        context: new Uint8Array(32),
        attempt: 0,
        protocolVersion: 1,
        softwareVersion: '0.1.0',
        deals: n <= 3,
        vetoes: false,
        refusal: '',
        ...part,
      },
    ]),
  )
}

test('complete with all of the new committee and a threshold of the old one', () => {
  const roster = rosterOf(reshare, said([2, {}], [3, {}], [4, {}]), NOBODY)
  assert.equal(roster.complete, true)
  assert.deepEqual(roster.willing, members(2, 3))
  assert.equal(rosterOf(keygen, said([2, {}], [3, {}], [4, {}]), NOBODY).complete, true)
})

test('an absent member of the new committee is named', () => {
  const roster = rosterOf(reshare, said([1, {}], [2, {}], [3, {}]), NOBODY)
  assert.equal(roster.complete, false)
  assert.deepEqual(roster.missingMembers, members(4))
  assert.match(roster.missing, /1 of the 3 members have not announced/)
})

test('who is on its way is waited for and not named: as a member, as a dealer, and beside those who refuse', () => {
  const coming = (...numbers: number[]) => new Set(members(...numbers))
  const heard = said([1, {}], [2, {}])
  const late = rosterOf(reshare, heard, { excluded: new Set(), coming: coming(3) })
  assert.deepEqual([late.complete, late.missingMembers], [false, members(4)])
  assert.match(late.missing, /^1 of the 3 members have not announced/)
  const all = rosterOf(reshare, heard, { excluded: new Set(), coming: coming(3, 4) })
  assert.deepEqual([all.complete, all.missing, all.missingMembers], [false, '', []])
  // Nobody of the new committee has been heard: that is no conflict of versions.
  const first = rosterOf(reshare, said([1, {}]), { excluded: new Set(), coming: coming(2, 3, 4) })
  assert.deepEqual([first.complete, first.missing], [false, ''])

  const refusing = said([2, { deals: false, refusal: 'no' }], [3, {}], [4, {}])
  const enough = rosterOf(reshare, refusing, { excluded: new Set(), coming: coming(1) })
  assert.deepEqual([enough.complete, enough.missing], [false, ''])
  const none = rosterOf(reshare, refusing, { excluded: new Set(), coming: coming() })
  assert.deepEqual(none.missingMembers, members(1, 2))
})

test('a missing dealer: the old members that might still come, and who refuses for what reason', () => {
  const heard = said([2, { deals: false, refusal: 'threshold below policy' }], [3, {}], [4, {}])
  const roster = rosterOf(reshare, heard, NOBODY)
  assert.equal(roster.complete, false)
  assert.deepEqual(roster.missingMembers, members(1, 2))
  assert.match(
    roster.missing,
    new RegExp(`1 more of the old members must deal.*${member(2)} refuses: threshold`),
  )
})

test('a proven culprit does not deal', () => {
  const heard = said([1, {}], [2, {}], [3, {}], [4, {}])
  assert.deepEqual(
    rosterOf(reshare, heard, { ...NOBODY, excluded: new Set(members(1)) }).willing,
    members(2, 3),
  )
  assert.equal(rosterOf(reshare, heard, { ...NOBODY, excluded: new Set(members(1, 2)) }).complete, false)
})

test('members of one committee that differ in protocol version do not start, and each is named with what it runs', () => {
  const heard = said([2, {}], [3, {}], [4, { protocolVersion: 2, softwareVersion: '0.9.0' }])
  const roster = rosterOf(reshare, heard, NOBODY)
  assert.equal(roster.complete, false)
  assert.match(roster.missing, new RegExp(`${member(4)} runs 2 \\(0.9.0\\)`))
  assert.match(roster.missing, new RegExp(`${member(2)} runs 1 \\(0.1.0\\)`))
  assert.match(versionConflict(members(2, 4), heard, 1) ?? '', /different protocol versions/)
  assert.equal(versionConflict(members(2, 3), heard, 1), null)
  assert.equal(versionConflict(members(2, 9), heard, 1), null, 'who said nothing is no conflict')
})

test('an old member of another version does not deal, and blocks nobody that does not need it', () => {
  const heard = said([1, { protocolVersion: 2 }], [2, {}], [3, {}], [4, {}])
  const roster = rosterOf(reshare, heard, NOBODY)
  assert.deepEqual([roster.complete, roster.willing], [true, members(2, 3)])
  const needed = said([1, { protocolVersion: 2 }], [2, { deals: false }], [3, {}], [4, {}])
  assert.match(
    rosterOf(reshare, needed, NOBODY).missing,
    new RegExp(`other protocol versions: ${member(1)} runs 2`),
  )
})

test('a member of the new committee that vetoes is there and takes no part; an old one that leaves is no dealer', () => {
  const veto = { deals: false, vetoes: true, refusal: 'its operator vetoed the change' }
  const stays = rosterOf(reshare, said([1, {}], [2, {}], [3, veto], [4, {}]), NOBODY)
  assert.equal(stays.complete, false)
  assert.deepEqual(stays.missingMembers, members(3))
  assert.match(stays.missing, /1 of the 3 members take no part .*0003 refuses: its operator vetoed/)
  const leaves = rosterOf(reshare, said([1, veto], [2, {}], [3, {}], [4, {}]), NOBODY)
  assert.equal(leaves.complete, true)
  assert.deepEqual(leaves.willing, members(2, 3))
  const first = rosterOf(keygen, said([2, {}], [3, { ...veto, refusal: 'too low' }], [4, {}]), NOBODY)
  assert.deepEqual([first.complete, first.missingMembers], [false, members(3)])
})
