// The operator's veto, and the health checks that tell of it.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { checksOf, type Surroundings } from '../../relayer/api/checks.ts'
import { readiness } from '../../relayer/api/health.ts'
import { DealingPolicy, type DealingRules } from '../../relayer/bridge/policy.ts'
import type { MemberStatus, Status } from '../../relayer/bridge/status.ts'
import { type Address, toAddress } from '../../relayer/lib/bytes.ts'
import type { CeremonySpec } from '../../relayer/protocol/spec.ts'

const at = (number: number): Address => toAddress(`0x${number.toString(16).padStart(40, '0')}`)
const members = (...numbers: number[]) => numbers.map(at)

function change(before: number[], after: number[], threshold: number): CeremonySpec {
  return {
    op: 'reshare',
    chainId: 1,
    bridge: at(99),
    held: [],
    generated: [],
    old: { epoch: 4, members: members(...before), threshold: 2 },
    next: { epoch: 5, members: members(...after), threshold },
    triggerBlockHash: new Uint8Array(32),
  }
}

const refusal = (rules: DealingRules, spec: CeremonySpec) => new DealingPolicy(rules).mayDeal(spec)

test('without rules every change is dealt for', () => {
  assert.equal(refusal({}, change([1, 2, 3], [4, 5, 6], 2)), null)
})

test('each rule holds back what it is about, and nothing else', () => {
  const add = change([1, 2, 3], [1, 2, 3, 4], 2)
  assert.match(refusal({ minThreshold: 3 }, add) ?? '', /threshold 2 is below dealMinThreshold 3/)
  assert.equal(refusal({ minThreshold: 2 }, add), null)
  assert.match(refusal({ majorityOnly: true }, add) ?? '', /threshold 2 of 4 is not a majority/)
  assert.equal(refusal({ majorityOnly: true }, change([1, 2, 3], [1, 2, 3], 2)), null)
  const swap = change([1, 2, 3], [3, 4, 5], 2)
  assert.match(refusal({ maxChanges: 1 }, swap) ?? '', /2 members join or leave, more than dealMaxChanges 1/)
  assert.equal(refusal({ maxChanges: 2 }, swap), null)
  assert.match(refusal({ minOverlap: 2 }, swap) ?? '', /1 members stay, fewer than dealMinOverlap 2/)
  assert.equal(refusal({ minOverlap: 1 }, swap), null)
  assert.equal(refusal({ maxChanges: 0 }, change([1, 2, 3], [1, 2, 3], 2)), null, 'a refresh changes nobody')
})

test('an approval is for one epoch, and what is refused is shown as long as it is pending', () => {
  const policy = new DealingPolicy({ maxChanges: 0 })
  const swap = change([1, 2, 3], [1, 2, 4], 2)
  assert.notEqual(policy.mayDeal(swap), null)
  assert.equal(policy.refused(5)?.epoch, 5)
  assert.equal(policy.refused(6), null, 'another change is pending now')
  policy.approve(5)
  assert.equal(policy.refused(5), null)
  assert.equal(policy.mayDeal(swap), null)
  assert.notEqual(policy.mayDeal({ ...swap, next: { ...swap.next, epoch: 6 } }), null)
})

const member = (address: Address, self: boolean, connected: boolean): MemberStatus => ({
  address,
  alias: null,
  self,
  index: 1,
  nextIndex: null,
  connected,
  announced: false,
  ready: false,
  deals: false,
  protocolVersion: null,
  softwareVersion: null,
  head: null,
  epoch: null,
  latencyMs: null,
})

const status: Status = {
  address: at(1),
  softwareVersion: 'truss/0',
  chainId: 1,
  bridge: at(99),
  head: 100,
  finalised: 99,
  phase: 'complete',
  epoch: 4,
  threshold: 2,
  pendingEpoch: null,
  index: 1,
  signsWith: 4,
  members: [member(at(1), true, true), member(at(2), false, true)],
  ceremony: null,
  waitsFor: [],
  sparesToSign: 0,
  sparesToReshare: 0,
  deletions: null,
  shares: [],
  evidence: 0,
  problems: [],
}
const fine: Surroundings = { bootnodes: [], recordReplicas: 1, bootAlarms: [], vetoed: null }
const bootnode = (connected: boolean) => [{ multiaddr: '/dns4/b/tcp/1/p2p/16U', connected }]

/** `check:severity` of what is not well. */
const wrong = (now: Status, around: Surroundings) =>
  checksOf(now, around)
    .filter(({ severity }) => severity !== 'ok')
    .map(({ check, severity }) => `${check}:${severity}`)

test('health names what is wrong, how bad it is, and always a remedy', () => {
  const alone = { ...status, members: [member(at(1), true, true), member(at(2), false, false)] }
  assert.deepEqual(wrong(status, fine), [])
  assert.deepEqual(wrong({ ...status, phase: null }, fine), ['chain:critical'])
  assert.deepEqual(wrong({ ...status, evidence: 2 }, fine), ['evidence:warning'])
  assert.deepEqual(wrong(status, { ...fine, bootnodes: bootnode(false) }), ['bootstrap:warning'])
  assert.deepEqual(wrong(alone, { ...fine, bootnodes: bootnode(false) }), ['bootstrap:critical'])
  assert.deepEqual(wrong(status, { ...fine, bootnodes: bootnode(true), recordReplicas: 0 }), [
    'bootstrap:warning',
  ])
  assert.deepEqual(wrong(status, { ...fine, bootAlarms: [{ address: at(2), kind: 'clone' }] }), [
    'boot:warning',
  ])
  assert.deepEqual(wrong(status, { ...fine, vetoed: { epoch: 5, reason: 'r' } }), ['policy:warning'])
  const rpc = { check: 'rpc', severity: 'critical', message: 'down', remedy: 'check' } as const
  const both = checksOf({ ...status, phase: null, problems: [rpc], evidence: 1 }, fine)
  assert.deepEqual(
    both.map(({ check }) => check),
    ['rpc', 'evidence', 'bootstrap'],
    'the worst first; the unread contract is the endpoint again',
  )
  for (const { severity, remedy } of both) assert.ok(severity === 'ok' || remedy !== '')
  assert.deepEqual(readiness(both).reasons, ['rpc: down: check'])
})
