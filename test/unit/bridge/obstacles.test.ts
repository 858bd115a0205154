// Who holds a ceremony up: each reason by itself, with whom it names and what can be done.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { VETOED } from '../../../relayer/bridge/consent.ts'
import { OBSTACLE_REASONS, obstaclesOf, type Scene } from '../../../relayer/bridge/obstacles.ts'
import { NO_SHARE } from '../../../relayer/ceremony/muster.ts'
import { type AnnouncedMember, type CeremonyView, newView } from '../../../relayer/ceremony/view.ts'
import type { Address } from '../../../relayer/lib/bytes.ts'
import { member, members, reshareOf } from '../../support/numbered.ts'

const spec = reshareOf(
  { epoch: 4, members: members(1, 2, 3), threshold: 2 },
  { epoch: 5, members: members(1, 2, 3, 4), threshold: 2 },
)

/** All have announced themselves, but for what is said otherwise (null: nothing at all). */
function heard(different: Record<number, Partial<AnnouncedMember> | null>): AnnouncedMember[] {
  return [1, 2, 3, 4].flatMap((number) => {
    const said = different[number]
    if (said === null) return []
    const usual = {
      protocolVersion: 1,
      softwareVersion: 'truss/1',
      deals: number < 4,
      vetoes: false,
      refusal: '',
    }
    return [{ address: member(number), ...usual, ...said }]
  })
}

function scene(view: Partial<CeremonyView>, more: Partial<Scene> = {}): Scene {
  return {
    self: member(1),
    spec,
    view: { ...newView(spec), stage: 'announcing', attempt: 3, announced: heard({}), ...view },
    problems: [],
    head: 100,
    connected: () => true,
    headOf: () => 100,
    ...more,
  }
}

const refuses = (refusal: string) => ({ deals: false, refusal })
const failure = { attempt: 2, block: 90, suspects: [member(3)], culprits: [], reason: 'round 2: silence' }
const halted = { reason: 'two commitments', culprits: [member(3)] }
const rpc = {
  check: 'rpc',
  severity: 'critical',
  message: 'endpoints disagree',
  remedy: 'remove one',
} as const

/** One scene for each reason: who is named, and what the remedy must speak of. */
const SCENES: Record<(typeof OBSTACLE_REASONS)[number], [Scene, Address[], RegExp]> = {
  policy: [
    scene({ announced: heard({ 1: refuses('2 members join'), 2: refuses('x') }) }),
    [member(1)],
    /truss reshare approve 5.*truss reshare veto 5/,
  ],
  veto: [
    scene({ announced: heard({ 1: { ...refuses(VETOED), vetoes: true } }) }),
    [member(1)],
    /truss reshare approve 5.*truss admin cancel/,
  ],
  vetoes: [
    scene({ announced: heard({ 2: { ...refuses(VETOED), vetoes: true } }) }),
    [member(2)],
    /ask its operator why.*truss admin cancel/,
  ],
  refuses: [
    scene({ announced: heard({ 2: refuses('the threshold falls'), 3: refuses('y') }) }),
    members(2, 3),
    /its operator.*truss reshare approve 5/,
  ],
  'no-share': [
    scene({ announced: heard({ 2: refuses(NO_SHARE), 3: refuses(NO_SHARE) }) }),
    members(2, 3),
    /bring other old members back/,
  ],
  offline: [
    scene({ announced: [] }, { connected: (who) => who !== member(4) }),
    [member(4)],
    /start its daemon.*truss admin check 0x0+4/,
  ],
  behind: [
    scene({ announced: heard({ 3: null }) }, { headOf: (who) => (who === member(3) ? 60 : 100) }),
    [member(3)],
    /RPC endpoints/,
  ],
  quiet: [scene({ announced: heard({ 3: null }) }), [member(3)], /truss status/],
  version: [scene({ announced: heard({ 3: { protocolVersion: 2 } }) }), [member(3)], /upgrade/],
  silent: [
    scene({ stage: 'dealing', waitingFor: { what: 'commitments', members: [member(2)] } }),
    [member(2)],
    /wait for the end of this attempt/,
  ],
  suspect: [scene({ failures: [failure] }), [member(3)], /next attempt tries again/],
  aborts: [
    scene({ blockers: [{ address: member(3), aborted: 5, silent: 0 }] }),
    [member(3)],
    /truss admin set-committee --remove/,
  ],
  culprit: [
    scene({ stage: 'halted', halted }),
    [member(3)],
    /truss admin set-committee.*truss evidence save/,
  ],
  node: [scene({}, { problems: [rpc] }), [member(1)], /remove one/],
}

for (const [reason, [shown, who, remedy]] of Object.entries(SCENES))
  test(`what holds a ceremony up is named with its remedy: ${reason}`, () => {
    const found = obstaclesOf(shown)
    const named = found.filter((each) => each.reason === reason)
    assert.deepEqual(
      named.map((each) => each.who),
      who,
    )
    for (const each of found) assert.ok(each.message !== '' && each.remedy !== '')
    assert.match(named[0]?.remedy ?? '', remedy)
  })

test('of a member whose delay runs the remedy is to wait', () => {
  const delayed = refuses('it waits until block 90 is final (dealDelayBlocks)')
  const [found] = obstaclesOf(scene({ announced: heard({ 2: delayed, 3: delayed }) }))
  assert.match(found?.message ?? '', /does not deal yet: it waits until block 90/)
  assert.match(found?.remedy ?? '', /^wait for that block/)
})

test('nobody is named while all is well, nor one who does not deal where enough others do', () => {
  assert.deepEqual(obstaclesOf(scene({})), [])
  assert.deepEqual(obstaclesOf(scene({ announced: heard({ 2: refuses('mine') }) })), [])
  const missing = { ...failure, reason: 'start attempt: 1 of the 4 members have not announced themselves' }
  assert.deepEqual(obstaclesOf(scene({ failures: [missing] })), [], 'it is there now')
  assert.deepEqual(obstaclesOf(scene({ announced: [] })), [], 'nobody was heard yet, and all are connected')
})

test('early in a window nobody is named who is on its way, nor one who does not deal where enough others may', () => {
  const early = scene({
    announced: heard({ 2: refuses('mine'), 3: null, 4: null }),
    coming: members(3, 4),
  })
  assert.deepEqual(obstaclesOf(early), [])
  assert.deepEqual(obstaclesOf({ ...early, headOf: () => 60 }), [], 'what they last reported may be old')
  const gone = obstaclesOf({ ...early, connected: (who) => who !== member(4) })
  assert.deepEqual(
    gone.map(({ who, reason }) => [who, reason]),
    [[member(4), 'offline']],
  )
})

test("this node's own part is named first", () => {
  const both = scene(
    { announced: heard({ 2: { ...refuses(VETOED), vetoes: true } }) },
    { self: member(3), problems: [rpc] },
  )
  assert.deepEqual(
    obstaclesOf(both).map(({ who, reason }) => [who, reason]),
    [
      [member(3), 'node'],
      [member(2), 'vetoes'],
    ],
  )
})
