// The nonce lane on a real chain: stuck transactions, short accounts, rivals, replacements, and orders that end early.
import assert from 'node:assert/strict'
import { after, before, beforeEach, type TestContext, test } from 'node:test'
import { Transaction } from 'ethers'
import type { EthersChain } from '../../../relayer/chain/client.ts'
import { ChainError } from '../../../relayer/lib/errors.ts'
import { clientOf } from '../../support/chain-client.ts'
import { FIRST, signedActivation } from '../../support/chain-suite.ts'
import { ADMIN_KEY, ETHER, HardhatChain } from '../../support/hardhat-chain.ts'
import { LyingEndpoint } from '../../support/lying-endpoint.ts'

const GWEI = 10n ** 9n
const SEND = 'eth_sendRawTransaction'

let chain: HardhatChain
let fresh: unknown
before(async () => {
  chain = await HardhatChain.start({ members: FIRST })
  fresh = await chain.mark()
})
after(() => chain.stop())
beforeEach(async () => {
  await chain.rpc('evm_revert', fresh)
  fresh = await chain.mark()
})

/** A client behind an endpoint that counts what it asks for. */
async function watched(t: TestContext, options: Parameters<typeof clientOf>[1] = {}) {
  const endpoint = new LyingEndpoint(chain.url)
  const url = await endpoint.start()
  const client = clientOf(chain, { rpcUrls: [url], raiseAfterBlocks: 2, ...options })
  t.after(async () => {
    client.close()
    await endpoint.stop()
  })
  return { client, endpoint, sent: () => sentBy(endpoint) }
}

/** The transactions that an endpoint was given. */
function sentBy(endpoint: LyingEndpoint): Transaction[] {
  return endpoint.seen
    .filter(({ method }) => method === SEND)
    .map(({ params }) => Transaction.from(String(params[0])))
}

const setWindow = (client: EthersChain, blocks: number, signal?: AbortSignal) =>
  client.governance.send({ method: 'adminSetAttemptWindow', args: [blocks] }, signal)

const windowOf = async (client: EthersChain) =>
  (await client.committeeState(await client.head())).attemptWindowBlocks

/** Lets the base fee of the next block jump, so that what waits is too cheap for it. */
const raiseBaseFee = (fee: bigint) => chain.rpc('hardhat_setNextBlockBaseFeePerGas', `0x${fee.toString(16)}`)

test('a transaction that is stuck is sent again with the same nonce for a higher price, and mined', async (t) => {
  const { privateKey } = await chain.account()
  const { client, endpoint, sent } = await watched(t, { key: privateKey })
  await chain.govern('startKeygen')
  const outcome = client.activate(await signedActivation(client))
  await endpoint.until(SEND)
  await raiseBaseFee(1000n * GWEI)
  await chain.rpc('evm_setIntervalMining', 20)
  t.after(() => chain.rpc('evm_setIntervalMining', 0))
  assert.equal((await outcome).kind, 'mined')
  const [first, ...raised] = sent()
  assert.ok(first && raised.length > 0)
  for (const transaction of raised) {
    assert.equal(transaction.nonce, first.nonce)
    assert.ok((transaction.maxFeePerGas ?? 0n) >= ((first.maxFeePerGas ?? 0n) * 11n) / 10n)
  }
  assert.equal((await client.committeeState(await client.head())).phase, 'complete')
})

test('an account that is short is told by how much, and nothing is sent', async (t) => {
  const { address, privateKey } = await chain.account(1000n * GWEI)
  const { client, sent } = await watched(t, { key: privateKey })
  await chain.govern('startKeygen')
  const { balance, activationCost } = await client.funds()
  assert.equal(balance, 1000n * GWEI)
  assert.ok(activationCost > balance)
  await assert.rejects(client.activate(await signedActivation(client)), (error) => {
    assert.ok(error instanceof ChainError)
    assert.match(error.message, new RegExp(`account ${address} is short of 0\\.\\d+ ether \\(\\d+ wei\\)`))
    assert.match(error.hint, new RegExp(`send at least .* to ${address}`))
    return true
  })
  assert.deepEqual(sent(), [])
})

test('a stuck transaction whose raise cannot be paid waits for funds', async (t) => {
  const { address, privateKey } = await chain.account()
  const { client, endpoint, sent } = await watched(t, { key: privateKey })
  await chain.govern('startKeygen')
  const outcome = client.activate(await signedActivation(client))
  await endpoint.until(SEND)
  await chain.fund(address, 10n * GWEI)
  await raiseBaseFee(1000n * GWEI)
  await chain.mine(3)
  const looks = endpoint.count('eth_getBalance')
  await endpoint.until('eth_getBalance', looks + 2)
  assert.equal(sent().length, 1)
  await chain.fund(address, 100n * ETHER)
  assert.equal((await chain.mineUntil(outcome)).kind, 'mined')
})

test('of two nodes that activate at once one is mined, and the other finds it already done', async (t) => {
  await chain.govern('startKeygen')
  const nodes = await Promise.all(
    [0, 1].map(async () => watched(t, { key: (await chain.account()).privateKey })),
  )
  const outcomes = Promise.all(
    nodes.map(async ({ client }) => client.activate(await signedActivation(client))),
  )
  await Promise.all(nodes.map(({ endpoint }) => endpoint.until(SEND)))
  const kinds = (await chain.mineUntil(outcomes)).map(({ kind }) => kind)
  assert.deepEqual(kinds.sort(), ['already-done', 'mined'])
})

test('orders given at once go out one after another, each with the next nonce', async (t) => {
  const { client, sent } = await watched(t, { key: ADMIN_KEY })
  await chain.mineUntil(Promise.all([setWindow(client, 30), setWindow(client, 40), setWindow(client, 50)]))
  assert.equal(await windowOf(client), 50)
  const [first, ...rest] = sent().map(({ nonce }) => nonce)
  assert.deepEqual(rest, [(first ?? 0) + 1, (first ?? 0) + 2])
})

test('what an aborted order left behind is replaced by the next one', async (t) => {
  const { client, endpoint, sent } = await watched(t, { key: ADMIN_KEY })
  const abort = new AbortController()
  const left = setWindow(client, 30, abort.signal)
  await endpoint.until(SEND)
  abort.abort(new Error('stop'))
  await assert.rejects(left, /stop/)
  const next = setWindow(client, 40)
  await endpoint.until(SEND, 2)
  await chain.mineUntil(next)
  assert.equal(await windowOf(client), 40)
  assert.equal(new Set(sent().map(({ nonce }) => nonce)).size, 1)
})

test('a stuck transaction of an earlier run is outbid', async (t) => {
  const earlier = await watched(t, { key: ADMIN_KEY })
  const abort = new AbortController()
  const left = setWindow(earlier.client, 30, abort.signal)
  await earlier.endpoint.until(SEND)
  abort.abort(new Error('killed'))
  await assert.rejects(left, /killed/)
  const { client, endpoint, sent } = await watched(t, { key: ADMIN_KEY })
  const outcome = setWindow(client, 40)
  // The pool refuses it as underpriced until it is raised: keep the one before from being mined meanwhile.
  await endpoint.until(SEND)
  await raiseBaseFee(1000n * GWEI)
  await chain.mineUntil(outcome)
  assert.equal(await windowOf(client), 40)
  assert.ok(sent().length > 1)
})

test('a nonce that somebody else uses with the same key is given up for the next one', async (t) => {
  const one = await watched(t, { key: ADMIN_KEY })
  const outcome = setWindow(one.client, 30)
  await one.endpoint.until(SEND)
  const [first] = one.sent()
  assert.ok(first)
  await chain.rpc('hardhat_dropTransaction', first.hash)
  const nonce = `0x${first.nonce.toString(16)}`
  await chain.rpc('eth_sendTransaction', { from: chain.admin, to: chain.admin, nonce })
  assert.equal((await chain.mineUntil(outcome)).kind, 'mined')
  assert.equal(new Set(one.sent().map(({ nonce }) => nonce)).size, 2)
})

test('a call that the bridge refuses is an error with its name, and nothing is sent', async (t) => {
  const { client, sent } = await watched(t, { key: (await chain.account()).privateKey })
  await assert.rejects(setWindow(client, 30), (error) => {
    assert.ok(error instanceof ChainError)
    assert.match(error.message, /AccessControlUnauthorizedAccount/)
    assert.match(error.hint, /admin role/)
    return true
  })
  const admin = await watched(t, { key: ADMIN_KEY })
  await assert.rejects(setWindow(admin.client, 1), /WindowOutOfBounds\(blocks 1, min 20, max 50400\)/)
  assert.deepEqual([...sent(), ...admin.sent()], [])
})

test('one endpoint that takes the transaction is enough, and a client without a key sends nothing', async (t) => {
  const refusing = new LyingEndpoint(chain.url, ({ method }) =>
    method === SEND ? { error: { code: -32000, message: 'no' } } : null,
  )
  const url = await refusing.start()
  t.after(() => refusing.stop())
  const { client } = await watched(t, { key: ADMIN_KEY, rpcUrls: [url, chain.url] })
  await chain.mineUntil(setWindow(client, 30))
  const alone = await watched(t, { key: ADMIN_KEY, rpcUrls: [url] })
  await assert.rejects(setWindow(alone.client, 40), /no RPC endpoint takes the transaction: .*: no/)
  const reader = await watched(t)
  await assert.rejects(setWindow(reader.client, 40), ChainError)
})
