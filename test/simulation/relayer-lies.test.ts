// Endpoints that all lie in the same words: what they can make a node do with its shares, and what not.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Activation } from '../../relayer/chain/chain.ts'
import { to0x } from '../../relayer/lib/bytes.ts'
import { decodeFrame } from '../../relayer/protocol/envelope.ts'
import { ROUND } from '../../relayer/protocol/messages.ts'
import { committeeHash } from '../../relayer/protocol/party.ts'
import { activationDigest } from '../../relayer/protocol/typed.ts'
import { GovernedSim } from '../support/governed-sim.ts'
import { GroupKey } from '../support/group-key.ts'

test('an invented keygen activation, well signed by a key of the liar, makes no node give up what it prepared', async () => {
  const sim = new GovernedSim('invented keygen', { count: 3, first: [0, 1, 2], verifier: null })
  await sim.start(0, 1, 2)
  const liar = new GroupKey(77n)
  const invented = (honest: Activation): Activation => ({
    ...honest,
    attempt: honest.attempt + 1,
    keys: honest.keys.map((key) => ({ ...key, groupKey: liar.publicKey })),
  })
  for (const { chain } of sim.operators) {
    const [event, info] = [chain.activation.bind(chain), chain.epochInfo.bind(chain)]
    chain.activation = async (...args) => {
      const honest = await event(...args)
      if (honest === null) return null
      const activation = invented(honest.activation)
      return {
        ...honest,
        activation,
        groupSignature: liar.sign(1, to0x(activationDigest(chain, activation))),
      }
    }
    chain.epochInfo = async (...args) => {
      const honest = await info(...args)
      return honest.status === 'active' ? { ...honest, attempt: honest.attempt + 1 } : honest
    }
  }
  await sim.step(3)
  sim.chain.startKeygen()
  await sim.until(() => sim.state.running === 1)
  await sim.step(12)
  for (const { store } of sim.operators) assert.equal(await store?.running(), null)
  assert.equal(sim.prepared(1), 3)
  assert.match((await sim.at(0).status()).problems[0]?.message ?? '', /names another group key/)
  await sim.stop()
})

test('what endpoints said of a burn at plain finality is not remembered as said at twice the depth', async () => {
  const finalityDepth = 6
  const sim = await GovernedSim.running('burn with receipts', { count: 3, first: [0, 1, 2], finalityDepth })
  const victim = sim.at(0)
  await sim.step(2 * finalityDepth + 2)
  const honest = victim.chain.epochInfo.bind(victim.chain)
  let told = 0
  victim.chain.epochInfo = async (epoch, at, signal) => {
    const info = await honest(epoch, at, signal)
    const deep = sim.chain.head.ref.number - at.number >= 2 * finalityDepth
    if (epoch !== 2 || deep || info.status !== 'pending') return info
    told += 1
    return { ...info, status: 'burned', successor: 1, receipts: info.members, receiptsNeeded: 0 }
  }
  // Shares are prepared, and no attempt is certified.
  const deaf = sim.network.rule(({ kind, body }) =>
    kind === 'frame' && decodeFrame(body).round === ROUND.acknowledge ? 'drop' : 'pass',
  )
  sim.chain.refreshKey()
  await sim.until(() => told > 0)
  victim.chain.epochInfo = honest
  await sim.until(async () => (await victim.store?.slots())?.some(({ epoch }) => epoch === 2) === true)
  await sim.step(4 * finalityDepth)
  assert.ok((await victim.store?.slots())?.some(({ epoch }) => epoch === 2))
  assert.deepEqual(await victim.store?.receipts(2), [])
  deaf()
  await sim.completed(2)
  await sim.stop()
})

test('a change of a number that the contract never gave costs a look nothing afterwards', async () => {
  const sim = await GovernedSim.running('far number', { count: 3, first: [0, 1, 2] })
  await sim.step(12)
  const victim = sim.at(0)
  const { chain } = victim
  const far = 1_000_000_000
  const [state, info] = [chain.committeeState.bind(chain), chain.epochInfo.bind(chain)]
  let [lying, told, calls] = [true, 0, 0]
  const shallow = (at: number) => sim.chain.head.ref.number - at < 2 * sim.chain.finalityDepth
  chain.committeeState = async (at, signal) => {
    const truth = await state(at, signal)
    if (!lying || !shallow(at.number)) return truth
    told += 1
    const asked = { kind: 'refresh', epoch: far, predecessor: 1, startBlock: at.number } as const
    return { ...truth, phase: 'resharing', pending: { ...asked, windowBlocks: 20, addedScheme: null } }
  }
  chain.epochInfo = async (epoch, at, signal) => {
    calls += 1
    if (calls > 1000) throw new Error(`${calls} reads in one look`)
    if (!lying || epoch !== far || !shallow(at.number)) return await info(epoch, at, signal)
    const running = await info(1, at, signal)
    const { members, threshold } = running
    const hash = committeeHash(chain.chainId, chain.bridge, { epoch: far, members, threshold })
    return { ...running, epoch: far, status: 'pending', predecessor: 1, committeeHash: to0x(hash) }
  }
  await victim.stop()
  await victim.start()
  await sim.step(1)
  assert.ok(told > 0)
  lying = false
  await victim.stop()
  await victim.start()
  sim.chain.refreshKey()
  await sim.until(() => {
    calls = 0
    return sim.state.running === 2
  })
  await sim.completed(2)
  await sim.step(4)
  const { signsWith, problems } = await victim.status()
  assert.deepEqual([signsWith, problems], [2, []])
  await sim.stop()
})
