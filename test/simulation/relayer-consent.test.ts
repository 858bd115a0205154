// The operator's word in whole relayers: rules, delay, approval and veto, each bound to one change and kept across restarts.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { DEFAULT_RULES } from '../../relayer/bridge/policy.ts'
import { InputError } from '../../relayer/lib/errors.ts'
import type { OperatorVerdict } from '../../relayer/store/decisions.ts'
import { GovernedSim, type Operator, probe } from '../support/governed-sim.ts'
import { changeOf, ruled, spoilDecision } from '../support/ruled-sim.ts'

/** Two of three are exchanged at once: more than the rules let pass. */
function swapTwo(sim: GovernedSim): void {
  const [add, remove] = [
    [3, 4].map((each) => sim.at(each).address),
    [1, 2].map((each) => sim.at(each).address),
  ]
  sim.chain.adminSetCommittee(add ?? [], remove ?? [], 2)
}

/** Gives whether it came after this node had joined an attempt. */
async function decide(operator: Operator, verdict: OperatorVerdict): Promise<boolean> {
  const { relayer } = operator
  assert.ok(relayer)
  const { change, late } = await relayer.decide(verdict, await changeOf(operator))
  assert.equal(change.decision, verdict)
  return late
}

const policyOf = async (operator: Operator) =>
  (await operator.status()).problems.find(({ check }) => check === 'policy')

async function restart(sim: GovernedSim, position: number): Promise<void> {
  await sim.at(position).stop()
  await sim.start(position)
}

test('two members swapped at once wait for their approval by t operators, which outlives a restart and goes with the epoch', async () => {
  const sim = await ruled('approve')
  swapTwo(sim)
  await sim.step(15)
  assert.equal(sim.prepared(2), 0)
  const held = await policyOf(sim.at(0))
  assert.match(held?.message ?? '', /does not deal for epoch 2: 2 members join or leave/)
  assert.match(held?.remedy ?? '', /truss reshare approve 2/)
  await decide(sim.at(0), 'approved')
  await restart(sim, 0)
  await sim.step(15)
  assert.equal(sim.prepared(2), 0, 'one approval is no threshold')
  assert.equal((await changeOf(sim.at(0))).decision, 'approved')
  assert.equal(await policyOf(sim.at(0)), undefined)
  await decide(sim.at(1), 'approved')
  await sim.completed(2)
  await sim.step(3)
  for (const position of [0, 1]) assert.equal(await sim.at(position).store?.decision(2), null)
  await probe(sim, 3)
  await sim.stop()
})

test('a series of single changes, each completed before the next, is held back until it is approved or old enough', async () => {
  const SPAN = 400
  const sim = await ruled('series', { rules: { ...DEFAULT_RULES, spanBlocks: SPAN } })
  const [d, e] = [sim.at(3), sim.at(4)]
  sim.chain.adminAddRelayer(d.address)
  await sim.completed(2)
  sim.chain.adminSetCommittee([e.address], [sim.at(0).address], 2)
  await sim.step(15)
  assert.equal(sim.prepared(3), 0)
  const { heldBack } = await changeOf(sim.at(1))
  assert.match(
    heldBack ?? '',
    /^with the other changes of the last 400 blocks, since epoch 1 .*2 members join or leave/,
  )
  assert.match(
    (await policyOf(sim.at(1)))?.message ?? '',
    /does not deal for epoch 3: with the other changes/,
  )
  await decide(sim.at(1), 'approved')
  await decide(sim.at(2), 'approved')
  await sim.completed(3)

  // What adds nothing to the series passes; what would, waits until the series is old, restarts included.
  sim.chain.refreshKey('in between')
  await sim.completed(4)
  sim.chain.adminChangeRelayerThreshold(3)
  await sim.step(15)
  await restart(sim, 1)
  await sim.step(SPAN / 2)
  assert.equal(sim.prepared(5), 0)
  await sim.step(SPAN / 2)
  await sim.completed(5)
  await sim.stop()
})

test('a veto holds though the rules let the change pass: nobody deals while the vetoing member stays in it, and an approval withdraws it', async () => {
  const sim = await ruled('veto')
  await sim.at(3).stop()
  sim.chain.adminAddRelayer(sim.at(3).address)
  await sim.until(async () => (await sim.at(1).status()).change !== null)
  assert.equal(await decide(sim.at(1), 'vetoed'), false)
  await restart(sim, 1)
  await sim.start(3)
  await sim.step(25)
  assert.equal(sim.prepared(2), 0)
  assert.match((await policyOf(sim.at(1)))?.message ?? '', /you vetoed epoch 2/)
  const { obstacles, waitsFor } = await sim.at(0).status()
  assert.deepEqual(
    obstacles.map(({ who, reason }) => [who, reason]),
    [[sim.at(1).address, 'vetoes']],
  )
  assert.match(waitsFor[0]?.what ?? '', /take no part .*its operator vetoed the change/)
  await probe(sim, 0)
  await decide(sim.at(1), 'approved')
  await sim.completed(2)
  await sim.stop()
})

test('a veto that comes after this node joined an attempt says that it is late', async () => {
  const sim = await ruled('late')
  sim.chain.adminAddRelayer(sim.at(3).address)
  await sim.until(() => sim.prepared(2) === 4)
  assert.equal(await decide(sim.at(1), 'vetoed'), true)
  await sim.stop()
})

test('a veto of a member that leaves counts as one that does not deal; the others go on without it', async () => {
  const sim = await ruled('leaver')
  sim.chain.adminSetCommittee([sim.at(3).address], [sim.at(2).address], 2)
  await sim.until(async () => (await sim.at(2).status()).change !== null)
  await decide(sim.at(2), 'vetoed')
  await sim.completed(2)
  await sim.stop()
})

test('a veto ends the attempt that is under way, and the node joins no other', async () => {
  const sim = await ruled('running')
  await sim.at(4).stop()
  sim.chain.adminAddRelayer(sim.at(3).address)
  // One block before anybody hears of it, the newcomer goes away: the attempt is open and waits for it.
  await sim.at(3).stop()
  await sim.until(async () => (await sim.at(0).status()).ceremony?.stage === 'announcing')
  await decide(sim.at(0), 'vetoed')
  await sim.start(3)
  await sim.step(60)
  assert.equal(sim.prepared(2), 0)
  assert.deepEqual(
    (await sim.at(1).status()).obstacles.map(({ reason }) => reason),
    ['vetoes'],
  )
  await sim.stop()
})

test('a decision is refused unless exactly that change is pending here: number, committee hash, seat', async () => {
  const sim = await ruled('refused')
  const { relayer } = sim.at(0)
  const nothing = { epoch: 2, committeeHash: `0x${'11'.repeat(32)}` } as const
  const refused = (choice: Parameters<NonNullable<typeof relayer>['decide']>[1], message: RegExp) =>
    assert.rejects(
      () => relayer?.decide('approved', choice) ?? Promise.resolve(),
      (error) => error instanceof InputError && message.test(error.message) && error.hint !== '',
    )
  await refused(nothing, /approve epoch 2: no change is pending/)
  swapTwo(sim)
  await sim.step(6)
  const change = await changeOf(sim.at(0))
  await refused({ ...change, epoch: 1 }, /approve epoch 1: 2 is pending/)
  await refused({ ...change, epoch: 3 }, /approve epoch 3: 2 is pending/)
  await refused({ ...change, ...nothing }, /its committee hash is 0x[0-9a-f]{64}, not 0x1111/)
  sim.chain.adminCancelCeremony()
  await sim.step(6)
  await refused(change, /no change is pending/)
  sim.chain.adminAddRelayer(sim.at(3).address)
  await sim.until(async () => (await sim.at(4).status()).change !== null)
  await assert.rejects(decide(sim.at(4), 'vetoed'), /veto epoch 3: this node has no seat in it/)
  await sim.stop()
})

test('an approval of another committee under the same number does not count, and one that cannot be read is none', async () => {
  const sim = await ruled('bound')
  swapTwo(sim)
  await sim.step(6)
  const other = new Uint8Array(32).fill(7)
  for (const position of [0, 1])
    await sim.at(position).store?.putDecision({ epoch: 2, committeeHash: other, verdict: 'approved' })
  await sim.step(30)
  assert.equal(sim.prepared(2), 0)
  assert.equal((await changeOf(sim.at(0))).decision, null)
  const operator = sim.at(0)
  await decide(operator, 'approved')
  await operator.stop()
  spoilDecision(operator, 2)
  await sim.start(0)
  await sim.step(3)
  assert.match((await policyOf(operator))?.message ?? '', /decision cannot be read/)
  await decide(sim.at(1), 'approved')
  await sim.step(30)
  assert.equal(sim.prepared(2), 0)
  await decide(operator, 'approved')
  await sim.completed(2)
  await sim.stop()
})

test('what was decided about a change goes when it is cancelled, and says nothing about the next', async () => {
  const sim = await ruled('burned')
  swapTwo(sim)
  await sim.step(6)
  for (const position of [0, 1]) await decide(sim.at(position), 'approved')
  sim.chain.adminCancelCeremony()
  await sim.until(async () => (await sim.at(0).status()).change === null)
  await sim.step(8)
  assert.equal(await sim.at(0).store?.decision(2), null)
  swapTwo(sim)
  await sim.step(30)
  assert.equal((await changeOf(sim.at(0))).epoch, 3)
  assert.equal(sim.prepared(3), 0)
  await sim.stop()
})

test('with a delay nobody deals before so many blocks on top of the change are final, restarts included; an approval ends the wait', async () => {
  const sim = await ruled('delay', { rules: { ...DEFAULT_RULES, delayBlocks: 50 } })
  sim.chain.adminAddRelayer(sim.at(3).address)
  await sim.step(5)
  const until = (await changeOf(sim.at(0))).waitsForBlock
  assert.equal(until, (sim.state.pending?.startBlock ?? 0) + 50)
  await restart(sim, 1)
  await sim.until(() => sim.chain.head.ref.number >= (until ?? 0) + 1)
  assert.equal(sim.prepared(2), 0)
  assert.match(
    (await policyOf(sim.at(1)))?.message ?? '',
    /waits until block \d+ is final \(dealDelayBlocks\)/,
  )
  await sim.completed(2)
  sim.chain.refreshKey()
  await sim.step(5)
  for (const position of [0, 1]) await decide(sim.at(position), 'approved')
  await sim.completed(3, 40)
  await sim.stop()
})

test('a first key that a member holds back or vetoes is not made before it approves', async () => {
  const sim = new GovernedSim('first', { count: 3, first: [0, 1, 2] })
  sim.at(1).rules = { ...DEFAULT_RULES, minThreshold: 3 }
  await sim.start(0, 1, 2)
  await sim.step(3)
  sim.chain.startKeygen()
  await sim.step(30)
  assert.equal(sim.prepared(1), 0)
  assert.deepEqual(
    (await sim.at(1).status()).obstacles.map(({ reason }) => reason),
    ['policy'],
  )
  assert.match((await sim.at(0).status()).waitsFor[0]?.what ?? '', /take no part .*dealMinThreshold 3/)
  await decide(sim.at(2), 'vetoed')
  await decide(sim.at(1), 'approved')
  await sim.step(30)
  assert.equal(sim.prepared(1), 0)
  await decide(sim.at(2), 'approved')
  await sim.completed(1)
  await sim.stop()
})
