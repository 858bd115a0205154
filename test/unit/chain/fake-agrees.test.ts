// The fake chain against the contract: the same random story told to both ends in the same state and the same refusals.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { owedBy } from '../../../relayer/bridge/owed.ts'
import type { Chain, CommitteeState, EpochInfo } from '../../../relayer/chain/chain.ts'
import { describeRevert } from '../../../relayer/chain/reverts.ts'
import { verifyEvm } from '../../../relayer/crypto/schnorr.ts'
import type { Address } from '../../../relayer/lib/bytes.ts'
import { clientOf } from '../../support/chain-client.ts'
import { FIRST, signedActivation, signedReceipt } from '../../support/chain-suite.ts'
import { Revert } from '../../support/fake-bridge-state.ts'
import { FakeChain } from '../../support/fake-chain.ts'
import { bridgeVerifier } from '../../support/fake-chain-verifier.ts'
import { CHAIN_ID, HardhatChain } from '../../support/hardhat-chain.ts'
import { people } from '../../support/people.ts'

const STEPS = 150
const PEOPLE = people(0, 6)

/** A small generator of numbers, so that a failure can be told again by its seed. */
function dice(seed: number) {
  let state = seed
  const below = (limit: number): number => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) & 0x7fffffff
    return Math.floor((state / 0x80000000) * limit)
  }
  const pick = <T>(from: readonly [T, ...T[]]): T => from[below(from.length)] ?? from[0]
  return { below, pick, some: (from: readonly Address[]) => from.filter(() => below(3) === 0) }
}

interface Step {
  readonly method: string
  readonly args: readonly unknown[]
}

/** The next call, drawn from what could happen; most of it is allowed. */
async function draw(real: Chain, { below, pick, some }: ReturnType<typeof dice>): Promise<Step> {
  const head = await real.head()
  const state = await real.committeeState(head)
  const last = Math.max(state.epoch, state.pending?.epoch ?? 0)
  const epoch = 1 + below(last + 1)
  const someone = PEOPLE[below(PEOPLE.length)]
  switch (below(14)) {
    case 0:
      return { method: 'startKeygen', args: [] }
    case 1:
      return { method: 'adminAddRelayer', args: [someone] }
    case 2:
      return { method: 'adminRemoveRelayer', args: [someone] }
    case 3:
      return { method: 'adminChangeRelayerThreshold', args: [1 + below(5)] }
    case 4:
      return {
        method: 'adminSetCommittee',
        args: [
          some(PEOPLE.filter((one) => !state.members.includes(one))),
          some(state.members),
          pick([2, 2, 3, state.threshold]),
        ],
      }
    case 5:
      return { method: 'refreshKey', args: ['because'] }
    case 6:
      return { method: 'adminAddKey', args: [below(5)] }
    case 7:
      return { method: 'adminCancelCeremony', args: [] }
    case 8:
      return { method: 'adminWaiveDeletions', args: [epoch] }
    case 9:
      return { method: 'adminSetAttemptWindow', args: [2 + below(30)] }
    case 10:
    case 11: {
      if (state.pending === null) return { method: 'startKeygen', args: [] }
      const { activation, readiness, groupSignature } = await signedActivation(real, { attempt: below(9) })
      return { method: 'activate', args: [activation, readiness, groupSignature] }
    }
    default: {
      const retired = await real.epochInfo(below(2) === 0 ? state.outstandingEpoch : epoch, head)
      const successorEpoch = below(12) === 0 ? 99 : retired.successor
      const receipts = retired.members
        .filter(() => below(4) > 0)
        .map((relayer) => signedReceipt(real, { epoch: retired.epoch, relayer, successorEpoch }))
      return { method: 'recordDeletions', args: [receipts, receipts.map(({ signature }) => signature)] }
    }
  }
}

/** Whether a call passed, or the name of its refusal. */
async function outcome(run: () => Promise<void>): Promise<string> {
  try {
    await run()
    return 'passed'
  } catch (error) {
    if (error instanceof Revert) return error.message.replace(/^execution reverted: /, '').split('(')[0] ?? ''
    const data = error instanceof Error && 'data' in error ? String(error.data) : null
    const name = describeRevert(data)?.split('(')[0]
    if (name === undefined) throw error
    return name
  }
}

/** A call by its Solidity name on the fake. */
function tell(fake: FakeChain, { method, args }: Step): void {
  // The fake takes receipts with their signatures inside.
  const inner = method === 'recordDeletions' ? args.slice(0, 1) : [...args]
  if (method === 'activate' || method === 'recordDeletions')
    fake.submit((bridge) => Reflect.apply(Reflect.get(bridge, method), bridge, inner))
  else Reflect.apply(Reflect.get(fake, method), fake, [...args])
  fake.mine()
}

/** All that a node reads of epochs from a number on, without the numbers and hashes of blocks. */
async function view(chain: Chain, from: number): Promise<{ state: object; epochs: EpochInfo[] }> {
  const head = await chain.head()
  const { at: _, pending, ...state }: CommitteeState = await chain.committeeState(head)
  const epochs: EpochInfo[] = []
  for (let epoch = Math.max(1, from); ; epoch++) {
    const info = await chain.epochInfo(epoch, head)
    if (info.status === 'none') break
    epochs.push({ ...info, activatedBlock: Math.min(info.activatedBlock, 1) })
  }
  return { state: { ...state, pending: pending && { ...pending, startBlock: 0 } }, epochs }
}

for (const seed of [1, 2]) {
  test(`the fake chain and the contract tell the same story, seed ${seed}`, async (t) => {
    const chain = await HardhatChain.start({ members: FIRST })
    const real = clientOf(chain)
    t.after(async () => {
      real.close()
      await chain.stop()
    })
    const domain = { chainId: CHAIN_ID, bridge: chain.bridge }
    const fake = new FakeChain({ ...domain, members: FIRST, verifier: bridgeVerifier(domain, verifyEvm) })
    const random = dice(seed)
    const passed = new Map<string, number>()
    for (let at = 0; at < STEPS; at++) {
      const step = await draw(real, random)
      const told = `step ${at} of seed ${seed}: ${step.method}`
      const truth = await outcome(() => chain.govern(step.method, step.args))
      assert.equal(await outcome(async () => tell(fake, step)), truth, told)
      const recent = fake.head.state.lastEpoch - 4
      assert.deepEqual(await view(fake.view(chain.admin), recent), await view(real, recent), told)
      if (truth === 'passed') passed.set(step.method, (passed.get(step.method) ?? 0) + 1)
    }
    assert.deepEqual(await view(fake.view(chain.admin), 1), await view(real, 1))
    assert.ok((passed.get('activate') ?? 0) > 3, 'the story has activations in it')
  })
}

/** `have, need` of the refusal of a change while deletions are outstanding; null if the change passes. */
async function lacking(change: () => Promise<void>): Promise<string | null> {
  try {
    await change()
    return null
  } catch (error) {
    const data = error instanceof Error && 'data' in error ? String(error.data) : null
    const reason = error instanceof Revert ? error.message : describeRevert(data)
    const [, have, need] = /DeletionsOutstanding\((?:have )?(\d+), (?:need )?(\d+)\)/.exec(reason ?? '') ?? []
    if (have === undefined) throw error
    return `${have}, ${need}`
  }
}

test('contract, fake chain and nodes name the same epoch as the first that a completion waits for', async (t) => {
  const chain = await HardhatChain.start({ members: FIRST })
  const real = clientOf(chain)
  t.after(async () => {
    real.close()
    await chain.stop()
  })
  const fake = new FakeChain({ chainId: CHAIN_ID, bridge: chain.bridge, members: FIRST })
  const both = async (method: string, ...args: readonly unknown[]) => {
    await chain.govern(method, args)
    tell(fake, { method, args })
  }
  const activate = async () => {
    const { activation, readiness, groupSignature } = await signedActivation(real)
    await both('activate', activation, readiness, groupSignature)
  }
  const record = async (epoch: number, from: readonly Address[]) => {
    const { successor: successorEpoch } = await real.epochInfo(epoch, await real.head())
    const receipts = from.map((relayer) => signedReceipt(real, { epoch, relayer, successorEpoch }))
    const signatures = receipts.map(({ signature }) => signature)
    await both('recordDeletions', receipts, signatures)
  }
  await both('startKeygen')
  await activate()
  const strangers = people(3, 5)
  await both('adminSetCommittee', strangers, [], 2) // 2, burned: 2 of 5 needs 4
  await both('adminSetCommittee', [], [], 5) // 3, burned: 5 of 5 needs 1
  await both('adminChangeRelayerThreshold', 4) // 4, burned: 4 of 5 needs 2
  await both('adminCancelCeremony')
  await both('refreshKey', 'next') // 5
  await activate()

  const told: (string | null)[] = []
  const ask = async () => {
    const head = await real.head()
    const state = await real.committeeState(head)
    const closed = await Promise.all([1, 2, 3, 4].map((epoch) => real.epochInfo(epoch, head)))
    const [first] = owedBy(state, closed)
    const truth = await lacking(() => chain.govern('refreshKey', ['']))
    assert.equal(await lacking(async () => tell(fake, { method: 'refreshKey', args: [''] })), truth)
    assert.equal(first === undefined ? null : `${first.onChain}, ${first.needed}`, truth)
    told.push(truth)
  }
  await ask()
  await record(1, FIRST)
  await ask()
  await record(2, FIRST)
  await ask()
  await record(4, strangers.slice(0, 1))
  await record(2, strangers)
  await ask()
  await both('adminWaiveDeletions', 3)
  await ask()
  await record(4, FIRST)
  await ask()
  assert.deepEqual(told, ['0, 2', '0, 4', '3, 4', '0, 1', '1, 2', null])
})
