// The pure fold from contract state to ceremony, and who is served: the same at every node, and refused where it does not fit.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  committeeOf,
  type Facts,
  registeredKeys,
  schemeOf,
  specOf,
} from '../../../relayer/bridge/committee.ts'
import { admissionOf } from '../../../relayer/bridge/membership.ts'
import type { CommitteeState, EpochInfo, PendingCeremony } from '../../../relayer/chain/chain.ts'
import { type Address, to0x, toAddress } from '../../../relayer/lib/bytes.ts'
import { ChainError } from '../../../relayer/lib/errors.ts'
import { committeeHash } from '../../../relayer/protocol/party.ts'
import { checkSpec } from '../../../relayer/protocol/spec.ts'

const PLACE = { chainId: 31337, bridge: toAddress(`0x${'b1'.repeat(20)}`) }
const who = (...bytes: string[]): Address[] => bytes.map((byte) => toAddress(`0x${byte.repeat(20)}`))
const hash = (byte: number) => to0x(new Uint8Array(32).fill(byte))
const block = (number: number) => ({ number, hash: hash(number) })

function info(epoch: number, members: Address[], rest: Partial<EpochInfo> = {}): EpochInfo {
  const committee = { epoch, members, threshold: 2 }
  return {
    ...committee,
    status: 'active',
    committeeHash: to0x(committeeHash(PLACE.chainId, PLACE.bridge, committee)),
    predecessor: 0,
    successor: 0,
    attempt: 0,
    transcriptHash: hash(0),
    commitmentsHashes: [{ keyId: 0, hash: hash(9) }],
    receipts: [],
    receiptsNeeded: 2,
    waived: false,
    activatedBlock: 0,
    ...rest,
  }
}

const RUNNING = info(4, who('11', '22', '33'))
const PENDING = info(6, who('11', '33', '44'), { status: 'pending', predecessor: 4 })
const CHANGE: PendingCeremony = {
  kind: 'reshare',
  epoch: 6,
  predecessor: 4,
  startBlock: 50,
  windowBlocks: 20,
  addedScheme: null,
}

function facts(pending: PendingCeremony | null, rest: Partial<CommitteeState> = {}): Facts {
  const state: CommitteeState = {
    at: block(60),
    phase: pending === null ? 'complete' : 'resharing',
    epoch: 4,
    members: RUNNING.members,
    threshold: 2,
    pending,
    keys: [{ keyId: 0, scheme: 1, groupKey: to0x(new Uint8Array(64).fill(5)) }],
    attemptWindowBlocks: 20,
    requireDeletionQuorum: true,
    outstandingEpoch: 0,
    ...rest,
  }
  const trigger = pending === null ? null : block(pending.startBlock)
  return { state, running: RUNNING, pending: pending === null ? null : PENDING, trigger }
}

/** The spec, which must be there and keep the rules of a ceremony. */
function sound(from: Facts) {
  const spec = specOf(PLACE, from)
  assert.ok(spec)
  checkSpec(spec)
  return spec
}

test('no pending change, no ceremony', () => {
  assert.equal(specOf(PLACE, facts(null)), null)
})

test('a reshare moves every key from the running to the pending committee, bound to the trigger block', () => {
  const spec = sound(facts(CHANGE))
  assert.equal(spec.op, 'reshare')
  assert.deepEqual(spec.old, { epoch: 4, members: RUNNING.members, threshold: 2 })
  assert.deepEqual(spec.next, { epoch: 6, members: PENDING.members, threshold: 2 })
  assert.deepEqual(to0x(spec.triggerBlockHash), hash(50))
  assert.deepEqual(
    spec.held.map(({ keyId, scheme }) => [keyId, scheme]),
    [[0, 'frost-secp256k1-evm']],
  )
  assert.deepEqual(to0x(spec.held[0]?.commitmentsHash ?? new Uint8Array()), hash(9))
  assert.deepEqual(spec.generated, [])
})

test('a keygen has no old committee and generates key 0', () => {
  const keygen = { ...CHANGE, kind: 'keygen', predecessor: 0 } as const
  const first = facts(keygen, { epoch: 0, phase: 'keygen', keys: [{ keyId: 0, scheme: 1, groupKey: '0x' }] })
  const spec = sound({ ...first, running: null })
  assert.equal(spec.old, null)
  assert.deepEqual(spec.held, [])
  assert.deepEqual(spec.generated, [{ keyId: 0, scheme: 'frost-secp256k1-evm' }])
})

test('a key addition refreshes the keys there are and generates the next one', () => {
  const same = {
    ...facts({ ...CHANGE, kind: 'addkey', addedScheme: 3 }),
    pending: info(6, who('11', '22', '33')),
  }
  const spec = sound(same)
  assert.deepEqual(
    spec.held.map(({ keyId }) => keyId),
    [0],
  )
  assert.deepEqual(spec.generated, [{ keyId: 1, scheme: 'frost-ed25519' }])
})

test('statements of the contract that do not fit each other are refused', () => {
  const change = facts(CHANGE)
  const broken: Facts[] = [
    { ...change, pending: null },
    { ...change, trigger: null },
    { ...change, running: null },
    { ...change, running: info(3, who('11', '22')) },
    { ...change, pending: { ...PENDING, threshold: 3 } },
    { ...change, pending: { ...PENDING, members: who('11', '33', '55') } },
    { ...change, running: { ...RUNNING, committeeHash: hash(1) } },
    { ...change, running: { ...RUNNING, commitmentsHashes: [] } },
    facts(CHANGE, { keys: [{ keyId: 0, scheme: 1, groupKey: '0x' }] }),
    facts(CHANGE, { keys: [{ keyId: 0, scheme: 17, groupKey: '0x01' }] }),
    { ...facts({ ...CHANGE, kind: 'addkey' }), pending: PENDING },
  ]
  for (const each of broken) assert.throws(() => specOf(PLACE, each), ChainError)
  assert.throws(() => schemeOf(9), /scheme tag 9 is unknown/)
  assert.throws(() => committeeOf({ ...PLACE, chainId: 1 }, RUNNING), ChainError)
  assert.equal(registeredKeys(change.state, RUNNING).length, 1)
})

test('served are the running and the pending committee; whoever owes a receipt may hand in that', () => {
  const closed = [
    info(2, who('11', '55', '66'), { status: 'superseded', receipts: who('11', '66') }),
    info(5, who('11', '77'), { status: 'burned' }),
  ]
  const { state, pending } = facts(CHANGE)
  assert.deepEqual(admissionOf({ state, pending, closed }), {
    committee: who('11', '22', '33', '44'),
    receipts: who('55', '77'),
  })
  assert.deepEqual(admissionOf({ state, pending: null, closed: [] }), {
    committee: who('11', '22', '33'),
    receipts: [],
  })
})
