// The head that ceremonies take for their clock: what endpoints that claim a far one can do to it.
import assert from 'node:assert/strict'
import { after, before, type TestContext, test } from 'node:test'
import { FIRST } from '../../support/chain-suite.ts'
import { HardhatChain } from '../../support/hardhat-chain.ts'
import { altered, liarBefore, openClient } from '../../support/lying-chain.ts'
import { LyingEndpoint, type Rule } from '../../support/lying-endpoint.ts'

let chain: HardhatChain
before(async () => {
  chain = await HardhatChain.start({ members: FIRST })
  await chain.mine(10)
})
after(() => chain.stop())

const liar = (t: TestContext, rule?: Rule) => liarBefore(chain, t, rule)
const open = (t: TestContext, options?: Parameters<typeof openClient>[2]) => openClient(chain, t, options)

test("an endpoint that claims a far head turns nobody's clock forward as long as another answers", async (t) => {
  const { url, endpoint } = await liar(
    t,
    altered('eth_getBlockByNumber', () => ({ number: '0xffffff' })),
  )
  const honest = await open(t).head()
  const slower = new LyingEndpoint((await liar(t)).url)
  const late = await slower.start()
  t.after(() => slower.stop())
  const pair = open(t, { rpcUrls: [url, late], rpcQuorum: 2 })
  assert.deepEqual(await pair.head(), honest)
  const third = await liar(t)
  const three = open(t, { rpcUrls: [url, late, third.url], rpcQuorum: 3 })
  assert.deepEqual(await three.head(), honest)
  third.endpoint.rule = () => ({ status: 503 })
  assert.deepEqual(await three.head(), honest)
  endpoint.rule = () => null
  assert.deepEqual(await pair.head(), honest)
})

test('an endpoint that claims a far head while the others are down turns the clock forward by a bounded number of blocks', async (t) => {
  const { url, endpoint } = await liar(t)
  const other = await liar(t)
  const client = open(t, { rpcUrls: [url, other.url], rpcQuorum: 2 })
  const honest = await client.head()
  endpoint.rule = altered('eth_getBlockByNumber', () => ({ number: '0xffffff' }))
  other.endpoint.rule = () => ({ status: 503 })
  assert.equal((await client.head()).number, honest.number + 64)
  assert.equal((await client.head()).number, honest.number + 64)
  other.endpoint.rule = () => null
  assert.deepEqual(await client.head(), honest)
})

test('an endpoint that claims a far head at the start, while the others are down, does not begin the clock', async (t) => {
  const { url } = await liar(
    t,
    altered('eth_getBlockByNumber', () => ({ number: '0xffffff' })),
  )
  const other = await liar(t, () => ({ status: 503 }))
  const third = await liar(t, () => ({ status: 503 }))
  const client = open(t, { rpcUrls: [url, other.url, third.url], rpcQuorum: 2 })
  await assert.rejects(client.head(), { name: 'ChainError', message: /1 of 3 RPC endpoints answer/ })
  for (const { endpoint } of [other, third]) endpoint.rule = () => null
  assert.deepEqual(await client.head(), await open(t).head())
})
