// The operator's rules: what the defaults let pass and hold back, and each rule by itself.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { DEFAULT_RULES, type DealingRules, heldBackBy } from '../../relayer/bridge/policy.ts'
import type { CeremonySpec } from '../../relayer/protocol/spec.ts'
import { members } from '../support/numbered.ts'

/** From threshold and members to threshold and members. */
function change(
  [oldThreshold, ...before]: number[],
  [threshold, ...after]: number[],
): Pick<CeremonySpec, 'old' | 'next'> {
  return {
    old: { epoch: 4, members: members(...before), threshold: oldThreshold ?? 0 },
    next: { epoch: 5, members: members(...after), threshold: threshold ?? 0 },
  }
}

const NO_RULES: DealingRules = {
  minThreshold: 2,
  maxChanges: 100,
  minOverlap: 0,
  maxThresholdStep: 100,
  majority: 'never',
  spanBlocks: 0,
  delayBlocks: 0,
}
const by = (rules: Partial<DealingRules>, spec: Pick<CeremonySpec, 'old' | 'next'>) =>
  heldBackBy({ ...NO_RULES, ...rules }, spec) ?? ''

test('by default an ordinary change passes: one joins, leaves or is replaced, the threshold takes a step, a refresh', () => {
  const ordinary: Record<string, Pick<CeremonySpec, 'old' | 'next'>> = {
    'one joins, half can sign': change([2, 1, 2, 3], [2, 1, 2, 3, 4]),
    'one joins with a step': change([2, 1, 2, 3], [3, 1, 2, 3, 4]),
    'one leaves': change([3, 1, 2, 3, 4], [3, 1, 2, 3]),
    'one leaves of all that sign, with the step that this needs': change([3, 1, 2, 3], [2, 1, 2]),
    'one is replaced': change([2, 1, 2, 3], [2, 1, 2, 4]),
    'one of two is replaced': change([2, 1, 2], [2, 1, 3]),
    'one is replaced and the threshold falls, a majority still': change([3, 1, 2, 3], [2, 2, 3, 4]),
    'the threshold rises': change([2, 1, 2, 3, 4], [3, 1, 2, 3, 4]),
    'the threshold falls to a majority': change([4, 1, 2, 3, 4], [3, 1, 2, 3, 4]),
    'a refresh': change([2, 1, 2, 3], [2, 1, 2, 3]),
    'a refresh of a committee that never had a majority': change([2, 1, 2, 3, 4, 5], [2, 1, 2, 3, 4, 5]),
    'one leaves a committee without a majority': change([2, 1, 2, 3, 4, 5], [2, 1, 2, 3, 4]),
    'one of nine joins': change([5, 1, 2, 3, 4, 5, 6, 7, 8, 9], [5, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10]),
    'a first key of any committee': {
      old: null,
      next: { epoch: 1, members: members(1, 2, 3, 4), threshold: 2 },
    },
  }
  for (const [name, spec] of Object.entries(ordinary))
    assert.equal(heldBackBy(DEFAULT_RULES, spec), null, name)
})

test('by default what hands the key over is held back', () => {
  const bad: [string, Pick<CeremonySpec, 'old' | 'next'>, RegExp][] = [
    ['two swapped at once', change([2, 1, 2, 3], [2, 3, 4, 5]), /2 members join or leave.*dealMaxChanges 1/],
    [
      'two join, one after the other within one ceremony',
      change([2, 1, 2, 3], [3, 1, 2, 3, 4, 5]),
      /2 members/,
    ],
    ['two leave', change([2, 1, 2, 3, 4], [2, 1, 2]), /2 members join or leave/],
    ['a disjoint committee', change([2, 1, 2, 3], [2, 4, 5, 6]), /3 members join or leave/],
    [
      'the threshold is cut by two',
      change([5, 1, 2, 3, 4, 5], [3, 1, 2, 3, 4, 5]),
      /from 5 to 3.*dealMaxThresholdStep 1/,
    ],
    ['it rises by two', change([2, 1, 2, 3, 4], [4, 1, 2, 3, 4]), /from 2 to 4/],
    ['it is cut to half', change([3, 1, 2, 3, 4], [2, 1, 2, 3, 4]), /falls to 2 of 4.*not a majority/],
    [
      'the committee grows until fewer than half sign',
      change([2, 1, 2, 3, 4], [2, 1, 2, 3, 4, 5]),
      /grows until 2 of 5/,
    ],
  ]
  for (const [name, spec, why] of bad) assert.match(heldBackBy(DEFAULT_RULES, spec) ?? '', why, name)
})

test('the overlap that no configuration names: as many as sign now stay, even where more changes are allowed', () => {
  const rules = { ...DEFAULT_RULES, maxChanges: 9, maxThresholdStep: 9 }
  assert.equal(heldBackBy(rules, change([3, 1, 2, 3, 4, 5], [3, 1, 2, 3, 6, 7])), null)
  const three = heldBackBy(rules, change([3, 1, 2, 3, 4, 5], [3, 1, 2, 6, 7, 8]))
  assert.match(three ?? '', /2 members stay, fewer than dealMinOverlap 3/)
  assert.equal(heldBackBy({ ...rules, minOverlap: 0 }, change([2, 1, 2, 3], [2, 4, 5, 6])), null)
})

test('each rule holds back what it is about, and nothing else', () => {
  const add = change([2, 1, 2, 3], [2, 1, 2, 3, 4])
  assert.match(by({ minThreshold: 3 }, add), /threshold 2 is below dealMinThreshold 3/)
  assert.equal(by({ minThreshold: 2 }, add), '')
  assert.match(by({ majority: 'always' }, add), /threshold 2 of 4 is not a majority/)
  assert.equal(by({ majority: 'always' }, change([2, 1, 2, 3], [2, 1, 2, 3])), '')
  const swap = change([2, 1, 2, 3], [2, 3, 4, 5])
  assert.match(by({ maxChanges: 1 }, swap), /2 members join or leave, more than dealMaxChanges 1/)
  assert.equal(by({ maxChanges: 2 }, swap), '')
  assert.match(by({ minOverlap: 2 }, swap), /1 members stay, fewer than dealMinOverlap 2/)
  assert.equal(by({ minOverlap: 1 }, swap), '')
  const step = change([2, 1, 2, 3], [3, 1, 2, 3])
  assert.match(by({ maxThresholdStep: 0 }, step), /from 2 to 3, more than dealMaxThresholdStep 0/)
  assert.equal(by({ maxThresholdStep: 1 }, step), '')
  assert.equal(by({ maxChanges: 0 }, change([2, 1, 2, 3], [2, 1, 2, 3])), '', 'a refresh changes nobody')
})

test('a series of single changes is held back where its sum would be, and what changes nothing never is', () => {
  const shape = ([threshold, ...numbers]: number[]) => ({
    members: members(...numbers),
    threshold: threshold ?? 0,
  })
  const series = (earlier: number[], old: number[], next: number[], rules = DEFAULT_RULES) =>
    heldBackBy(rules, {
      old: shape(old),
      next: shape(next),
      earlier: { epoch: 4, cut: false, ...shape(earlier) },
    })
  const passes: Record<string, [number[], number[], number[]]> = {
    'the first change of a while': [
      [2, 1, 2, 3],
      [2, 1, 2, 3],
      [2, 1, 2, 3, 4],
    ],
    'one joins, then another leaves: a replacement': [
      [2, 1, 2, 3],
      [2, 1, 2, 3, 4],
      [2, 2, 3, 4],
    ],
    'one joins, then the threshold follows': [
      [2, 1, 2, 3],
      [2, 1, 2, 3, 4],
      [3, 1, 2, 3, 4],
    ],
    'who joined leaves again': [
      [2, 1, 2, 3],
      [2, 1, 2, 3, 4],
      [2, 1, 2, 3],
    ],
    'a refresh after more than the rules let pass': [
      [2, 1, 2, 3],
      [2, 1, 4, 5],
      [2, 1, 4, 5],
    ],
  }
  for (const [name, [earlier, old, next]] of Object.entries(passes))
    assert.equal(series(earlier, old, next), null, name)
  const held: [string, number[], number[], number[], RegExp][] = [
    ['a second one joins', [3, 1, 2, 3, 4], [3, 1, 2, 3, 4, 5], [3, 1, 2, 3, 4, 5, 6], /2 members join/],
    ['a second one is replaced', [2, 1, 2, 3], [2, 2, 3, 4], [2, 3, 4, 5], /2 members join or leave/],
    ['the threshold falls again', [5, 1, 2, 3, 4, 5], [4, 1, 2, 3, 4, 5], [3, 1, 2, 3, 4, 5], /from 5 to 3/],
    [
      'a majority is given up in two steps',
      [3, 1, 2, 3],
      [3, 1, 2, 3, 4],
      [2, 1, 2, 3, 4],
      /falls to 2 of 4/,
    ],
  ]
  for (const [name, earlier, old, next, why] of held) {
    const reason = series(earlier, old, next) ?? ''
    assert.match(reason, why, name)
  }
  const [, earlier, old, next] = held[0] ?? ['', [], [], []]
  assert.match(
    series(earlier, old, next) ?? '',
    /^with the other changes of the last 7200 blocks, since epoch 4 \(dealSpanBlocks\): /,
  )
  assert.equal(series(earlier, old, next, { ...DEFAULT_RULES, spanBlocks: 0 }), null)
  const unknown = heldBackBy(DEFAULT_RULES, {
    old: shape([2, 1, 2, 3]),
    next: shape([2, 1, 2, 3, 4]),
    earlier: { epoch: 9, cut: true, ...shape([2, 1, 2, 3]) },
  })
  assert.match(unknown ?? '', /more than 64 epochs began/)
})

test('a keygen is held to the threshold and to a majority where one is always asked for, and to nothing else', () => {
  const keygen = { old: null, next: { epoch: 1, members: members(1, 2, 3, 4), threshold: 2 } }
  assert.match(by({ minThreshold: 3 }, keygen), /dealMinThreshold 3/)
  assert.match(by({ majority: 'always' }, keygen), /2 of 4 is not a majority/)
  assert.equal(by({ majority: 'kept', maxChanges: 0, minOverlap: 9, maxThresholdStep: 0 }, keygen), '')
})
