// The health checks of a relayer: what is wrong, how bad it is, and what to do about it.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { checksOf, type Surroundings } from '../../relayer/api/checks.ts'
import { readiness } from '../../relayer/api/health.ts'
import type { MemberStatus, Status } from '../../relayer/bridge/status.ts'
import type { Address } from '../../relayer/lib/bytes.ts'
import { member as at } from '../support/numbered.ts'

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
  change: null,
  obstacles: [],
  sparesToSign: 0,
  sparesToReshare: 0,
  deletions: null,
  shares: [],
  evidence: 0,
  problems: [],
}
const fine: Surroundings = { bootnodes: [], recordReplicas: 1, bootAlarms: [] }
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
