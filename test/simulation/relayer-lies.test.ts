// Endpoints that all lie in the same words: what they can make a node do with its shares, and what not.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Activation } from '../../relayer/chain/chain.ts'
import { to0x } from '../../relayer/lib/bytes.ts'
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
