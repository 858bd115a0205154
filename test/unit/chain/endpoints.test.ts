// RPC endpoints that lie, disagree, hang or are down: what the client believes, whom it names, and what it never prints.
import assert from 'node:assert/strict'
import { getEventListeners } from 'node:events'
import { after, before, type TestContext, test } from 'node:test'
import { inspect } from 'node:util'
import { DisagreementError } from '../../../relayer/chain/quorum.ts'
import { ChainError, ConfigError } from '../../../relayer/lib/errors.ts'
import { FIRST } from '../../support/chain-suite.ts'
import { HardhatChain } from '../../support/hardhat-chain.ts'
import { altered, liarBefore, NOBODY, openClient } from '../../support/lying-chain.ts'
import type { Rule } from '../../support/lying-endpoint.ts'

const OTHER_HASH = `0x${'ee'.repeat(32)}`

let chain: HardhatChain
before(async () => {
  chain = await HardhatChain.start({ members: FIRST })
  await chain.mine(10)
})
after(() => chain.stop())

const liar = (t: TestContext, rule?: Rule) => liarBefore(chain, t, rule)
const open = (t: TestContext, options?: Parameters<typeof openClient>[2]) => openClient(chain, t, options)

test('two honest endpoints outvote one that lies about a block hash', async (t) => {
  const { url } = await liar(
    t,
    altered('eth_getBlockByNumber', () => ({ hash: OTHER_HASH })),
  )
  const client = open(t, { rpcUrls: [url, chain.url, chain.url], rpcQuorum: 2 })
  const block = await client.block(5)
  assert.notEqual(block?.hash, OTHER_HASH)
  assert.equal((await client.committeeState(await client.finalised())).phase, 'idle')
})

test('without a quorum for either answer the client refuses, and names the hosts that disagree', async (t) => {
  const one = await liar(t)
  const two = await liar(
    t,
    altered('eth_getBlockByNumber', () => ({ hash: OTHER_HASH })),
  )
  const client = open(t, { rpcUrls: [one.url, two.url], rpcQuorum: 2 })
  await assert.rejects(client.finalised(), (error) => {
    assert.ok(error instanceof DisagreementError)
    assert.ok(error.message.includes(one.host) && error.message.includes(two.host), error.message)
    assert.match(error.message, /disagree/)
    assert.notEqual(error.hint, '')
    return true
  })
})

test('a lie about the state, about events or about a code is a disagreement too', async (t) => {
  const { url, endpoint } = await liar(t)
  const client = open(t, { rpcUrls: [url, chain.url], rpcQuorum: 2 })
  const at = await client.finalised()
  const state = await client.committeeState(at)
  endpoint.rule = ({ method }, truth) =>
    method === 'eth_call' && typeof truth === 'string'
      ? { result: truth.replaceAll(state.members[0]?.slice(2) ?? '', 'ee'.repeat(20)) }
      : null
  await assert.rejects(client.committeeState(at), DisagreementError)
  endpoint.rule = ({ method }) => (method === 'eth_getLogs' ? { result: [] } : null)
  await assert.rejects(client.events(0, at.number), DisagreementError)
  endpoint.rule = () => null
  assert.deepEqual(await client.committeeState(at), state)
})

test('an endpoint that claims a later final block cannot move the client forward alone', async (t) => {
  const ahead = await liar(t, (request, truth) =>
    request.method === 'eth_getBlockByNumber' && request.params[0] === 'latest'
      ? { result: { ...(truth as object), number: '0xffff' } } // CAST: a block
      : null,
  )
  const client = open(t, { rpcUrls: [ahead.url, chain.url], rpcQuorum: 2 })
  const honest = open(t)
  assert.deepEqual(await client.finalised(), await honest.finalised())
})

test('with the finalized tag, deep is as far below the final block as that is below the head', async (t) => {
  const { url } = await liar(t, (request) =>
    request.method === 'eth_getBlockByNumber' && request.params[0] === 'finalized'
      ? { result: { number: '0x9', hash: OTHER_HASH, parentHash: OTHER_HASH } }
      : null,
  )
  const client = open(t, { rpcUrls: [url], confirmations: 'finalized' })
  const head = await client.head()
  assert.equal((await client.finalised()).number, 9)
  assert.equal((await client.deeplyFinalised()).number, 9 - (head.number - 9))
})

test('a dead endpoint is outlived while enough others answer, and named when they do not', async (t) => {
  const client = open(t, { rpcUrls: [NOBODY, chain.url, chain.url], rpcQuorum: 2 })
  await client.check()
  assert.ok((await client.finalised()).number > 0)
  const alone = open(t, { rpcUrls: [NOBODY, chain.url], rpcQuorum: 2 })
  const calls = [() => alone.check(), () => alone.head(), () => alone.finalised(), () => alone.events(0, 1)]
  for (const call of calls)
    await assert.rejects(call, { name: 'ChainError', message: /127\.0\.0\.1:1 .*ECONNREFUSED/ })
})

test('an endpoint that comes back is used again', async (t) => {
  const { url, endpoint } = await liar(t, () => ({ status: 503 }))
  const client = open(t, { rpcUrls: [url] })
  await assert.rejects(client.head(), { name: 'ChainError', message: /HTTP status 503/ })
  endpoint.rule = () => null
  assert.ok((await client.head()).number > 0)
})

test('an endpoint that hangs is given up after the timeout, and at once when the signal aborts', async (t) => {
  const { url } = await liar(t, () => 'hang')
  const slow = open(t, { rpcUrls: [url], rpcTimeoutMs: 60 })
  await assert.rejects(slow.head(), { name: 'ChainError', message: /no answer within 60 ms/ })
  const patient = open(t, { rpcUrls: [url] })
  const abort = new AbortController()
  const waiting = patient.finalised(abort.signal)
  abort.abort(new Error('stop'))
  await assert.rejects(waiting, /stop/)
})

test('answers that are no JSON-RPC, or of another shape, are errors and not values', async (t) => {
  const { url, endpoint } = await liar(t)
  const client = open(t, { rpcUrls: [url] })
  await client.check()
  endpoint.rule = () => ({ text: '<html>' })
  await assert.rejects(client.head(), { name: 'ChainError', message: /no JSON-RPC/ })
  endpoint.rule = () => ({ result: { number: 'seven' } })
  await assert.rejects(client.head(), { name: 'ChainError', message: /unexpected answer/ })
  endpoint.rule = ({ method }) => (method === 'eth_call' ? { result: '0x1234' } : null)
  await assert.rejects(client.committeeState(await client.head()), {
    message: /does not fit the Bridge's ABI/,
  })
})

test('the client refuses another chain, an address without code, and a chain that counts other blocks', async (t) => {
  await assert.rejects(open(t, { chainId: 5 }).check(), (error) => {
    assert.ok(error instanceof ConfigError)
    assert.match(error.message, /serves chain 31337, not 5/)
    return true
  })
  await assert.rejects(open(t, { bridge: `0x${'12'.repeat(20)}` }).check(), {
    name: 'WrongChainError',
    message: /no contract at the bridge address/,
  })
  const { url } = await liar(t, ({ method, params: [call] }) =>
    method === 'eth_call' && typeof call === 'object' && call !== null && !('to' in call)
      ? { result: `0x${'0'.repeat(59)}54321` }
      : null,
  )
  await assert.rejects(open(t, { rpcUrls: [url] }).check(), { message: /block\.number is 344865/ })
  // One wrong endpoint among several is refused even where the others would do.
  const mixed = open(t, { rpcUrls: [chain.url, url], rpcQuorum: 1 })
  await assert.rejects(mixed.check(), ConfigError)
})

test('keys in a URL appear in no error and no inspection of it', async (t) => {
  const { url, endpoint } = await liar(t)
  const { host } = new URL(url)
  const secret = `http://alice:pa55word@${host}/v3/0123456789abcdef?apikey=qwertyuiop`
  const client = open(t, { rpcUrls: [secret], rpcTimeoutMs: 200 })
  const rules: Rule[] = [
    () => ({ status: 401 }),
    () => ({ text: 'no' }),
    () => 'hang',
    () => ({ error: { code: -32000, message: `bad key 0123456789abcdef for ${secret} qwertyuiop` } }),
  ]
  for (const rule of rules) {
    endpoint.rule = rule
    await assert.rejects(client.finalised(), (error) => {
      assert.ok(error instanceof ChainError)
      assert.ok(error.message.includes(host), error.message)
      const everything = inspect(error, { depth: 10, showHidden: true })
      assert.doesNotMatch(everything, /alice|pa55word|0123456789abcdef|qwertyuiop/)
      return true
    })
  }
})

test('a range that an endpoint refuses is asked for in smaller ones, with the same events', async (t) => {
  const most = 3
  const { url, endpoint } = await liar(t, ({ method, params: [filter] }) => {
    if (method !== 'eth_getLogs') return null
    const { fromBlock, toBlock } = filter as { fromBlock: string; toBlock: string } // CAST: a filter of ours
    return Number(toBlock) - Number(fromBlock) >= most
      ? { error: { code: -32005, message: 'query returned more than 10000 results' } }
      : null
  })
  const small = open(t, { rpcUrls: [url] })
  const { number } = await small.head()
  assert.deepEqual(await small.events(0, number), await open(t).events(0, number))
  assert.ok(endpoint.seen.filter(({ method }) => method === 'eth_getLogs').length >= number / most)
  endpoint.rule = ({ method }) =>
    method === 'eth_getLogs' ? { error: { code: -32000, message: 'never' } } : null
  await assert.rejects(small.events(0, number), { name: 'ChainError', message: /never/ })
})

test('events read across a reorganisation are refused', async (t) => {
  let tops = 0
  const { url, endpoint } = await liar(t)
  const client = open(t, { rpcUrls: [url] })
  const { number } = await client.head()
  endpoint.rule = ({ method }, truth) =>
    method === 'eth_getBlockByNumber' && ++tops === 2
      ? { result: { ...(truth as object), hash: OTHER_HASH } } // CAST: a block
      : null
  await assert.rejects(client.events(0, number), { message: /reorganised/ })
  assert.equal((await client.events(0, number)).length > 0, true)
})

test('calls leave no listener behind on a signal that lives on', async (t) => {
  const client = open(t, { rpcUrls: [chain.url, NOBODY], rpcQuorum: 1 })
  const { signal } = new AbortController()
  const at = await client.finalised(signal)
  await client.committeeState(at, signal)
  await client.events(0, at.number, signal)
  await client.head(signal)
  await assert.rejects(client.committeeState({ ...at, hash: `0x${'ee'.repeat(32)}` }, signal), ChainError)
  assert.deepEqual(getEventListeners(signal, 'abort'), [])
})

test('an endpoint that serves only so many requests a second is asked again until it serves all', async (t) => {
  const perSecond = 20
  let left = perSecond
  const refill = setInterval(() => {
    left = Math.min(perSecond, left + perSecond / 10)
  }, 100)
  t.after(() => clearInterval(refill))
  const { url } = await liar(t, () => (left >= 1 ? (left--, null) : { status: 429 }))
  const client = open(t, { rpcUrls: [url] })
  const at = await client.finalised()
  const infos = await Promise.all(Array.from({ length: 40 }, (_, epoch) => client.epochInfo(epoch, at)))
  assert.equal(infos.length, 40)
})

test('an endpoint that failed last time is not waited for while enough others answer', async (t) => {
  const { url, endpoint } = await liar(t, () => ({ status: 503 }))
  const client = open(t, { rpcUrls: [chain.url, url, chain.url], rpcQuorum: 2, rpcTimeoutMs: 600_000 })
  const head = await client.head()
  endpoint.rule = () => 'hang'
  assert.deepEqual(await client.head(), head)
  assert.ok((await client.finalised()).number >= (await client.deeplyFinalised()).number)
})
