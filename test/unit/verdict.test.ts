// What a failed attempt means, error by error: evidence excludes dealers or halts, hearsay and silence never do.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { judged, verdictOf } from '../../relayer/ceremony/verdict.ts'
import { StoreError } from '../../relayer/lib/errors.ts'
import {
  AbortedError,
  DisputeError,
  FaultError,
  RefusalError,
  SilenceError,
} from '../../relayer/protocol/faults.ts'
import type { Party } from '../../relayer/protocol/party.ts'
import { member, members, reshareOf } from '../support/numbered.ts'

const spec = reshareOf(
  { epoch: 1, members: members(1, 2, 3), threshold: 2 },
  { epoch: 2, members: members(3, 4), threshold: 2 },
)
const old = (n: number): Party => ({ role: 'old', index: n, address: member(n) })
const fault = (...culprits: Party[]) =>
  new FaultError('E_POK', { culprits, evidence: Uint8Array.of(1), message: 'check proof' })

test('evidence against a leaving dealer excludes it from dealing', () => {
  const verdict = verdictOf(fault(old(1)), spec, new Set())
  assert.deepEqual([verdict.kind, verdict.culprits], ['retry-without', members(1)])
  assert.deepEqual(verdict.evidence, Uint8Array.of(1))
  assert.match(verdict.reason, /E_POK/)
})

test('evidence against a member of the new committee halts the ceremony, in whichever role it was caught', () => {
  for (const culprit of [old(3), { role: 'new', index: 2, address: member(4) } as const])
    assert.equal(verdictOf(fault(culprit), spec, new Set()).kind, 'halt')
  assert.equal(verdictOf(fault(old(1), old(3)), spec, new Set()).kind, 'halt')
})

test('nobody is excluded below a threshold of dealers', () => {
  const verdict = verdictOf(fault(old(1)), spec, new Set(members(2)))
  assert.deepEqual([verdict.kind, verdict.suspects], ['retry', members(1)])
  assert.equal(judged(members(1), spec, new Set()).kind, 'retry-without')
  assert.equal(judged([], spec, new Set()).kind, 'retry')
})

test('silence and disputes name suspects that this node saw itself, and exclude nobody', () => {
  for (const error of [
    new SilenceError(1, [old(1), { role: 'new', index: 1, address: member(3) }]),
    new DisputeError('E_ECHO', { suspects: [old(1), old(3)], message: 'compare views' }),
  ]) {
    const verdict = verdictOf(error, spec, new Set())
    assert.deepEqual([verdict.kind, verdict.culprits, verdict.evidence], ['retry', [], null])
    assert.deepEqual([verdict.suspects, verdict.seen], [members(1, 3), members(1, 3)])
  }
})

test('an abort without proof makes suspects of whom it names and of its author; only one that names nobody is seen', () => {
  const error = new AbortedError(old(3), { code: 'E_TIMEOUT', round: 2, suspects: [old(2)] })
  const verdict = verdictOf(error, spec, new Set())
  assert.deepEqual([verdict.kind, verdict.suspects, verdict.seen], ['retry', members(2, 3), []])
  const silent = verdictOf(new AbortedError(old(3), { ...error.accusation, suspects: [] }), spec, new Set())
  assert.deepEqual([silent.kind, silent.suspects, silent.seen], ['retry', members(3), members(3)])
  for (const each of [verdict, silent])
    assert.deepEqual([each.aborted, each.culprits, each.evidence], [members(3), [], null])
})

test('trouble of our own blames nobody', () => {
  for (const error of [
    new StoreError('save prepared share: disk full'),
    new RefusalError('E_AUTH', 'check spec: epoch'),
    new TypeError('a bug'),
    'a string',
  ]) {
    const verdict = verdictOf(error, spec, new Set())
    assert.deepEqual([verdict.kind, verdict.suspects, verdict.culprits], ['retry', [], []])
  }
})
