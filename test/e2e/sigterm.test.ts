// SIGTERM in each phase of a ceremony: exit code 0 within ten seconds, and the ceremony completes after the restart.
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import type { FullStatus } from '../../relayer/cli/status.ts'
import { eventually, type Operator, Operators } from '../support/daemons.ts'
import { CHAIN_ID, ETHER, HardhatChain } from '../support/hardhat-chain.ts'

const operators = new Operators()
const team: Operator[] = []
const urls = new Map<string, string>()
let chain: HardhatChain
let epoch = 1

/** What the status shows while the victim is in a phase. */
const PHASES: Readonly<Record<string, (now: FullStatus) => boolean>> = {
  announced: ({ ceremony, members }) =>
    ceremony?.stage === 'announcing' || members.some(({ self, announced }) => self && announced),
  dealing: ({ ceremony }) => ceremony?.stage === 'dealing',
  prepared: ({ ceremony }) => ceremony?.stage === 'prepared' || ceremony?.stage === 'signing',
  activating: ({ ceremony }) => ceremony?.stage === 'activating',
  erasing: ({ shares }) => shares.some(({ state }) => state === 'retired'),
}
/** A phase may be over between two looks; then the next refresh has it. */
const TRIES = 8

async function start(operator: Operator): Promise<void> {
  const up = await operators.start(operator.name, ['start', '-c', operator.config])
  urls.set(operator.name, String(up.http))
}

async function status({ name }: Operator): Promise<FullStatus> {
  const answer = await fetch(`${urls.get(name)}/status`)
  return (await answer.json()) as FullStatus // CAST: the daemon's own answer
}

const isComplete = (now: FullStatus) =>
  now.phase === 'complete' && now.epoch === epoch && now.signsWith === epoch
const connected = (now: FullStatus) => now.members.every((member) => member.connected)
const everybody = (wanted: (now: FullStatus) => boolean) =>
  Promise.all(team.map((operator) => eventually(() => status(operator), wanted)))

/** Whether the victim was seen in the phase before the epoch completed. */
async function seen(victim: Operator, phase: (now: FullStatus) => boolean): Promise<boolean> {
  for (;;) {
    const now = await status(victim)
    if (phase(now)) return true
    if (
      now.epoch === epoch &&
      now.phase === 'complete' &&
      now.shares.every(({ state }) => state === 'active')
    )
      return false
  }
}

before(async () => {
  for (const name of ['anna', 'bert', 'cleo']) team.push(await operators.make(name))
  chain = await HardhatChain.start({ members: team.map(({ address }) => address) })
  await chain.rpc('evm_setIntervalMining', 200)
  const { multiaddrs } = await operators.start('bootnode', ['bootnode'], {
    TRUSS_LISTEN: '/ip4/127.0.0.1/tcp/0',
    TRUSS_HTTP_PORT: '0',
    TRUSS_DATA_DIRECTORY: join(operators.folder, 'bootnode'),
  })
  for (const operator of team) {
    operators.configure(operator, {
      chainId: CHAIN_ID,
      bridge: chain.bridge,
      rpcUrls: `[${chain.url}]`,
      confirmations: 1,
      pollMs: 50,
      bootstrap: `[${String(multiaddrs)}]`,
      logLevel: 'debug',
    })
    await chain.fund(operator.address, ETHER)
    await start(operator)
  }
  await everybody(connected)
  await chain.govern('startKeygen')
  await everybody(isComplete)
})
after(async () => {
  await operators.stopAll()
  await chain.stop()
})

for (const [name, phase] of Object.entries(PHASES))
  test(`${name}: it ends with 0 in time, and the ceremony completes after the restart`, async () => {
    const [victim] = team
    assert.ok(victim)
    for (let tries = 0; tries < TRIES; tries++) {
      await everybody(connected)
      epoch++
      await chain.govern('refreshKey', [name])
      if (!(await seen(victim, phase))) {
        await everybody(isComplete)
        continue
      }
      const began = performance.now()
      assert.equal(await operators.stop(victim.name), 0, operators.log(victim.name).slice(-2000))
      assert.ok(performance.now() - began < 10_000)
      await start(victim)
      await everybody(isComplete)
      return
    }
    assert.fail(`the phase was never seen in ${TRIES} ceremonies`)
  })
