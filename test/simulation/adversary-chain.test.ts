// Chains that lie or lose their memory about activations: what a node cannot verify, or sees changed, destroys no share.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Activation, EpochInfo } from '../../relayer/chain/chain.ts'
import { type Hex, to0x } from '../../relayer/lib/bytes.ts'
import { decodeFrame } from '../../relayer/protocol/envelope.ts'
import { ROUND } from '../../relayer/protocol/messages.ts'
import { committeeHash } from '../../relayer/protocol/party.ts'
import { activationDigest } from '../../relayer/protocol/typed.ts'
import { KEY } from '../../relayer/store/layout.ts'
import { GovernedSim, type Operator, probe } from '../support/governed-sim.ts'
import { GroupKey } from '../support/group-key.ts'

const hash = (byte: string): Hex => `0x${byte.repeat(32)}`

/** The checks that are not well. */
const ill = async (operator: Operator) => (await operator.status()).problems.map(({ check }) => check)

/** What an operator's endpoints say of an epoch, changed by a lie, until the function returned is called. */
function misinform(operator: Operator, epoch: number, lie: (info: EpochInfo) => EpochInfo): () => void {
  const { chain } = operator
  const honest = chain.epochInfo.bind(chain)
  chain.epochInfo = async (...args) => {
    const info = await honest(...args)
    return args[0] === epoch && info.status !== 'none' ? lie(info) : info
  }
  return () => void Reflect.deleteProperty(chain, 'epochInfo')
}

async function restart(operator: Operator): Promise<void> {
  await operator.stop()
  await operator.start()
}

test('an invented keygen after an invented burn erases no share whose activation was signed for', async () => {
  const sim = new GovernedSim('invented keygen', { count: 3, first: [0, 1, 2] })
  await sim.start(0, 1, 2)
  await sim.step(3)
  for (const { chain } of sim.operators)
    chain.activate = (_, signal) =>
      new Promise((_resolve, reject) => {
        signal?.addEventListener('abort', () => reject(signal.reason), { once: true })
      })
  sim.chain.startKeygen()
  const victim = sim.at(1)
  await sim.until(async () => (await victim.store?.activationSeen(1)) === true)
  const { chain } = victim
  const info = await chain.epochInfo(1, await chain.finalised())
  const liar = new GroupKey(0xbadn)
  const invented: EpochInfo = {
    ...info,
    epoch: 2,
    status: 'active',
    committeeHash: to0x(committeeHash(chain.chainId, chain.bridge, { ...info, epoch: 2 })),
    transcriptHash: hash('33'),
  }
  const activation: Activation = {
    epoch: 2,
    attempt: 0,
    committeeHash: invented.committeeHash,
    keys: [{ keyId: 0, groupKey: liar.publicKey, commitmentsHash: hash('22') }],
    transcriptHash: invented.transcriptHash,
  }
  const groupSignature = liar.sign(1, to0x(activationDigest(chain, activation)))
  const [state, epochInfo] = [chain.committeeState.bind(chain), chain.epochInfo.bind(chain)]
  const block = await chain.finalised()
  chain.activation = async () => ({ activation, groupSignature, block })
  chain.committeeState = async (...args) => {
    const { keys, ...rest } = await state(...args)
    const lied = keys.map((key) => ({ ...key, groupKey: liar.publicKey }))
    return { ...rest, keys: lied, phase: 'complete', epoch: 2, pending: null }
  }
  chain.epochInfo = async (epoch, ...rest) => {
    if (epoch === 2) return invented
    return { ...(await epochInfo(epoch, ...rest)), ...(epoch === 1 ? { status: 'burned' } : {}) }
  }
  await restart(victim)
  await sim.step(10)
  assert.equal(await victim.store?.running(), null)
  assert.equal(sim.prepared(1), 3)
  assert.match((await victim.status()).problems[0]?.message ?? '', /no group key is known here/)

  for (const operator of sim.operators)
    for (const name of ['activate', 'activation', 'committeeState', 'epochInfo'])
      Reflect.deleteProperty(operator.chain, name)
  await restart(victim)
  await restart(sim.at(0))
  await sim.completed(1)
  await probe(sim, 1)
  await sim.stop()
})

test('a chain that shows another attempt of the running epoch as activated has nothing erased and nothing signed', async () => {
  const sim = await GovernedSim.running('two activations', { count: 3, first: [0, 1, 2] })
  const victim = sim.at(0)
  const mute = sim.network.rule(({ kind, body }) =>
    kind === 'frame' && decodeFrame(body).round === ROUND.acknowledge ? 'drop' : 'pass',
  )
  sim.chain.refreshKey()
  await sim.until(() => sim.prepared(2) === 3)
  mute()
  await sim.until(async () => (await victim.store?.running())?.epoch === 2)
  const { attempt = 0 } = (await victim.store?.running()) ?? {}
  assert.ok(attempt > 0)
  const other = KEY.sealed(2, 0)
  assert.ok(victim.disk.record(other))
  // The final activation was reorganised away, and that of attempt 0 took its place.
  const honest = misinform(victim, 2, (info) => ({ ...info, attempt: 0, transcriptHash: hash('44') }))
  await restart(victim)
  await sim.step(12)
  assert.ok(victim.disk.record(other), 'the share of the attempt that the chain shows is gone')
  assert.deepEqual(await ill(victim), ['epoch'])
  assert.equal((await victim.status()).signsWith, null)
  await assert.rejects(probe(sim, 0), /holds no active share/)

  honest()
  await restart(victim)
  await sim.completed(2)
  await sim.until(() => victim.disk.record(other) === undefined)
  assert.deepEqual(await ill(victim), [])
  await probe(sim, 0)
  await sim.stop()
})
