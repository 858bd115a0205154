// Endpoints that lie about what a transaction needs: one of several neither sticks the account's nonce nor empties it.
import assert from 'node:assert/strict'
import { after, before, type TestContext, test } from 'node:test'
import { clientOf } from '../../support/chain-client.ts'
import { FIRST, signedActivation } from '../../support/chain-suite.ts'
import { HardhatChain } from '../../support/hardhat-chain.ts'
import { LyingEndpoint, type Rule } from '../../support/lying-endpoint.ts'

const GWEI = 10n ** 9n

let chain: HardhatChain
before(async () => {
  chain = await HardhatChain.start({ members: FIRST })
})
after(() => chain.stop())

/** A client of three endpoints of which one lies, and answers before the two others do. */
async function lied(t: TestContext, rule: Rule) {
  const { privateKey } = await chain.account()
  const liar = new LyingEndpoint(chain.url, rule)
  const behind = new LyingEndpoint(chain.url)
  const between = await behind.start()
  const slow = [new LyingEndpoint(between), new LyingEndpoint(between)]
  const rpcUrls = await Promise.all([liar, ...slow].map((each) => each.start()))
  const client = clientOf(chain, { key: privateKey, rpcUrls, rpcQuorum: 2 })
  t.after(async () => {
    client.close()
    await Promise.all([liar, ...slow, behind].map((each) => each.stop()))
  })
  return client
}

test('an endpoint that claims a nonce far ahead does not stick the account', async (t) => {
  const client = await lied(t, ({ method }) =>
    method === 'eth_getTransactionCount' ? { result: '0xffff' } : null,
  )
  await chain.govern('startKeygen')
  const outcome = client.activate(await signedActivation(client), AbortSignal.timeout(10_000))
  assert.equal((await chain.mineUntil(outcome)).kind, 'mined')
})

test('an endpoint that suggests a price beyond all others sets none', async (t) => {
  const client = await lied(t, ({ method }) =>
    method === 'eth_maxPriorityFeePerGas' ? { result: `0x${(10n ** 6n * GWEI).toString(16)}` } : null,
  )
  const { activationCost } = await client.funds()
  assert.ok(activationCost < 10n ** 18n, `${activationCost} wei`)
})
