// An operator's veto and approval by the command line, against running relayers; and governance on the wrong of two real chains.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import type { ChangeStatus } from '../../relayer/bridge/consent.ts'
import { eventually, type Operator, Operators } from '../support/daemons.ts'
import { CHAIN_ID, ETHER, HardhatChain } from '../support/hardhat-chain.ts'

const OTHER_CHAIN_ID = 31338

const operators = new Operators()
const { team } = operators
const http = new Map<string, string>()
let chain: HardhatChain
/** A bridged chain: its Bridge holds the group key and has no committee. */
let other: HardhatChain
let otherRuns = true

const shown = async (operator: Operator) =>
  (await operators.ask<{ change: ChangeStatus | null }>(['reshare', 'show', '-c', operator.config])).change
const reshare = (operator: Operator, ...args: string[]) =>
  operators.truss(['reshare', ...args, '-c', operator.config])

async function start(operator: Operator): Promise<void> {
  const up = await operators.start(operator.name, ['start', '-c', operator.config])
  http.set(operator.name, String(up['http']))
}

before(async () => {
  for (const name of ['anna', 'bert', 'cleo']) await operators.make(name)
  chain = await HardhatChain.start({ members: team.map(({ address }) => address) })
  other = await HardhatChain.start({ members: [], threshold: 0, chainId: OTHER_CHAIN_ID })
  for (const each of [chain, other]) await each.rpc('evm_setIntervalMining', 250)
  const bootstrap = await operators.bootnode()
  for (const operator of team) {
    operators.configure(operator, {
      ...chain.settings,
      pollMs: 100,
      bootstrap,
      otherBridges: `[{chainId: ${OTHER_CHAIN_ID}, bridge: ${other.bridge}, rpcUrls: [${other.url}]}]`,
    })
    await chain.fund(operator.address, ETHER)
    await start(operator)
  }
  await operators.admin('start-keygen')
  await operators.allComplete(1)
})
after(async () => {
  await operators.stopAll()
  await chain.stop()
  if (otherRuns) await other.stop()
})

test('a veto by the command line stops a change that the rules let pass, outlives a restart, and is withdrawn by an approval', async () => {
  const [anna, bert] = [operators.at(0), operators.at(1)]
  const early = await reshare(anna, 'veto', '2', '--yes')
  assert.deepEqual(
    [early.code, early.err],
    [2, 'truss: veto epoch 2: no change is pending: see `truss status`'],
  )
  // The third member is away, so that the veto is there before anybody deals.
  await operators.stop(operators.at(2).name)
  await operators.admin('refresh', 'monthly')
  const change = await eventually(
    () => shown(anna),
    (now) => now !== null,
  )
  assert.equal(change?.epoch, 2)
  assert.deepEqual([change?.joins, change?.leaves, change?.heldBack, change?.decision], [[], [], null, null])
  const refused: [string[], RegExp][] = [
    [['veto', '3', '--yes'], /veto epoch 3: 2 is pending/],
    [['veto', '1', '--yes'], /veto epoch 1: 2 is pending/],
    [
      ['veto', '2', '--yes', '--committee-hash', `0x${'1'.repeat(64)}`],
      /its committee hash is 0x.*not 0x1111/,
    ],
    [['veto', 'two', '--yes'], /must be a whole number/],
  ]
  for (const [args, why] of refused) {
    const { code, err } = await reshare(anna, ...args)
    assert.equal(code, 2, err)
    assert.match(err, why)
    assert.equal(err.split('\n').length, 1)
  }
  assert.equal((await reshare(anna, 'veto', '2')).code, 8, 'nobody is there to say yes')
  const hash = String(change?.committeeHash)
  const vetoed = await reshare(anna, 'veto', '2', '--yes', '--committee-hash', hash)
  assert.equal(vetoed.code, 0, vetoed.err)
  assert.match(vetoed.err, new RegExp(`^committee hash +${hash}$`, 'm'))
  await operators.stop(anna.name)
  await start(anna)
  await start(operators.at(2))
  const seen = await eventually(
    () => operators.status(bert),
    ({ obstacles }) => obstacles.some(({ who, reason }) => who === anna.address && reason === 'vetoes'),
  )
  assert.equal(seen.epoch, 1)
  const line = new RegExp(`^BLOCKS +${anna.address} takes no part: .*vetoed.*: ask its operator why`, 'm')
  await eventually(
    async () => (await operators.truss(['status', '-c', bert.config])).out,
    (text) => line.test(text),
  )
  await eventually(
    async () => (await fetch(`${http.get(anna.name)}/metrics`)).text(),
    (metrics) =>
      /^truss_alarm\{check="policy",severity="warning"\} 1$/m.test(metrics) &&
      /^truss_ceremony_obstacles\{reason="veto"\} 1$/m.test(metrics),
  )
  assert.equal((await shown(anna))?.decision, 'vetoed')
  assert.equal((await reshare(anna, 'approve', '2', '--yes', '--committee-hash', hash)).code, 0)
  await operators.allComplete(2)
  assert.equal(await shown(anna), null)
})

test('governance on the wrong chain starts nothing, and every operator hears of it', async () => {
  const check = `wrong-chain:${OTHER_CHAIN_ID}/${other.bridge}`
  const before = await operators.status(operators.at(0))
  assert.deepEqual(before.problems, [])
  await other.govern('adminSetCommittee', [team.map(({ address }) => address), [], 2])
  const first = await eventually(
    () => operators.status(operators.at(0)),
    ({ problems }) =>
      problems.some((problem) => problem.check === check && /RelayerThresholdChanged/.test(problem.message)),
  )
  assert.match(
    first.problems[0]?.remedy ?? '',
    new RegExp(`only bridge ${chain.bridge} on chain ${CHAIN_ID} governs`),
  )
  await other.govern('startKeygen')
  for (const operator of team) {
    const now = await eventually(
      () => operators.status(operator),
      ({ problems }) =>
        problems.some(({ message }) => /not idle but keygen, epoch 0, epoch 1 pending/.test(message)),
    )
    assert.deepEqual([now.pendingEpoch, now.ceremony, now.change, now.epoch], [null, null, null, 2])
    assert.match(operators.log(operator.name), /governance on the wrong chain: bridge/)
    const metrics = await (await fetch(`${http.get(operator.name)}/metrics`)).text()
    assert.ok(metrics.includes(`truss_alarm{check="${check}",severity="warning"} 1`))
    const counted = /^truss_other_bridge_governance_events_total\{.*\} (\d+)$/m.exec(metrics)
    assert.ok(Number(counted?.[1]) >= 6, String(counted?.[0]))
  }
  // A restart forgets no alarm.
  await operators.stop(operators.at(1).name)
  await start(operators.at(1))
  await eventually(
    () => operators.status(operators.at(1)),
    ({ problems }) => problems.some((problem) => problem.check === check && /keygen/.test(problem.message)),
  )
  await operators.admin('refresh', 'the right chain')
  await operators.allComplete(3)
})

test('while the other chain is out of reach the committee goes on, and the operator is told', async () => {
  otherRuns = false
  await other.stop()
  const check = `watch:${OTHER_CHAIN_ID}/${other.bridge}`
  const { problems } = await eventually(
    () => operators.status(operators.at(0)),
    (now) => now.problems.some((problem) => problem.check === check),
  )
  assert.ok(problems.every(({ severity, remedy }) => severity === 'warning' && remedy !== ''))
  await operators.admin('refresh', 'still here')
  await operators.allComplete(4)
})
