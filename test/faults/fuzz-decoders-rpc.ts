// The fuzzer's decoders of JSON-RPC: a chain client whose endpoint lies in one of its answers, alone and among honest ones.
import type { FetchRequest, GetUrlResponse } from 'ethers'
import { BRIDGE, calldata } from '../../relayer/chain/abi-values.ts'
import { createChain, type EthersChain } from '../../relayer/chain/client.ts'
import { concat, toAddress, toHex, u8, utf8 } from '../../relayer/lib/bytes.ts'
import { systemClock } from '../../relayer/lib/clock.ts'
import { ChainError, ConfigError } from '../../relayer/lib/errors.ts'
import { silentLog } from '../../relayer/lib/log.ts'
import type { Decoder } from './fuzz-engine.ts'
import { bentValue } from './fuzz-structure.ts'

const BRIDGE_AT = toAddress(`0x${'b1'.repeat(20)}`)
const HASH = `0x${'12'.repeat(32)}` as const
const HEAD = 9
const AT = { number: HEAD, hash: HASH }
/** Requests to these hosts are answered here; no socket is opened. */
const STATUSES = [200, 200, 200, 200, 500, 404, 301, 204]

/** What a view of a bridge without a key answers: zero, in every field. */
export function zeroAnswer(name: string): string {
  const { outputs } = BRIDGE.getFunction(name) ?? { outputs: [] }
  const zero = (of: (typeof outputs)[number]): unknown => {
    if (of.baseType === 'array') return []
    if (of.baseType === 'tuple') return (of.components ?? []).map(zero)
    if (of.baseType === 'bool') return false
    if (of.baseType === 'address') return BRIDGE_AT
    if (of.baseType === 'bytes32') return HASH
    return of.baseType.startsWith('bytes') ? '0x' : 0
  }
  return BRIDGE.encodeFunctionResult(name, outputs.map(zero))
}

/** `epochInfo` of an epoch that was activated in a block: the last of the fourteen fields. */
function activatedIn(block: number): string {
  const words = zeroAnswer('epochInfo')
  const at = 2 + 64 * 14
  return words.slice(0, at) + block.toString(16).padStart(64, '0') + words.slice(at + 64)
}

const COMPLETED = BRIDGE.encodeEventLog('ReshareCompleted', [1])
const LOG = {
  address: BRIDGE_AT,
  blockNumber: '0x9',
  blockHash: HASH,
  logIndex: '0x0',
  topics: COMPLETED.topics,
  data: COMPLETED.data,
}
const BLOCK = { number: '0x9', hash: HASH, parentHash: HASH, baseFeePerGas: '0x1' }

/** What an honest endpoint of a bridge without a key says. */
function truth(method: string, params: readonly unknown[]): unknown {
  const [first] = params
  if (method === 'eth_call') {
    const { data } = (first ?? {}) as { data?: string } // CAST: the client's own requests
    if (data === calldata('committeeState', [])) return zeroAnswer('committeeState')
    return data?.startsWith('0x43') === true ? `0x${'09'.padStart(64, '0')}` : zeroAnswer('epochInfo')
  }
  if (method === 'eth_getBlockByNumber') {
    const at = first === 'latest' || first === 'finalized' ? HEAD : Number(first)
    return at > HEAD ? null : { ...BLOCK, number: `0x${at.toString(16)}` }
  }
  return ANSWERS[method]
}

const ANSWERS: Readonly<Record<string, unknown>> = {
  eth_chainId: '0x7a69',
  eth_getCode: '0x60',
  eth_blockNumber: '0x9',
  eth_getLogs: [LOG],
  eth_gasPrice: '0x1',
  eth_maxPriorityFeePerGas: '0x1',
  eth_getBalance: '0xff',
}
const METHODS = [...Object.keys(ANSWERS), 'eth_call', 'eth_getBlockByNumber']

/** What a client is asked, by name, and which answers it rests on. */
const QUESTIONS: Readonly<Record<string, (chain: EthersChain) => Promise<unknown>>> = {
  check: (chain) => chain.check(),
  head: async (chain) => (await chain.head()).number,
  final: (chain) => chain.finalised(),
  block: (chain) => chain.block(HEAD),
  state: (chain) => chain.committeeState(AT),
  epoch: (chain) => chain.epochInfo(1, AT),
  activation: (chain) => chain.activation(1, AT),
  events: (chain) => chain.events(5, HEAD),
  funds: (chain) => chain.funds(),
}

/** A lie: for which method, after how many true answers, with which HTTP status and which body. */
interface Lie {
  readonly method: string
  after: number
  readonly status: number
  readonly body: Uint8Array
}

let lie: Lie | null = null

/** A client that more than half of its endpoints convince; of two, both. */
function clientOf(names: readonly string[], confirmations: number | 'finalized' = 2): EthersChain {
  return createChain({
    rpcUrls: names.map((name) => `https://${name}.fuzz.invalid/`),
    rpcQuorum: Math.floor(names.length / 2) + 1,
    rpcTimeoutMs: 5000,
    chainId: 31337,
    bridge: BRIDGE_AT,
    confirmations,
    privateKey: null,
    clock: systemClock,
    log: silentLog,
    pollMs: 50,
    exchange: answer,
  })
}

async function answer(request: FetchRequest): Promise<GetUrlResponse> {
  const asked: unknown = JSON.parse(Buffer.from(request.body ?? []).toString('utf8'))
  // CAST: what ethers' provider sends
  const { id, method, params } = asked as { id: number; method: string; params: readonly unknown[] }
  const headers = { 'content-type': 'application/json', location: 'https://liar.fuzz.invalid/' }
  if (request.url.includes('liar.') && lie?.method === method && lie.after-- <= 0) {
    const body = Buffer.from(lie.body).toString('latin1').replaceAll('"id":0,', `"id":${id},`)
    return { statusCode: lie.status, statusMessage: '', headers, body: Buffer.from(body, 'latin1') }
  }
  const body = utf8(JSON.stringify({ jsonrpc: '2.0', id, result: truth(method, params) }))
  return { statusCode: 200, statusMessage: '', headers, body }
}

/** An answer as its method, what is asked for, its HTTP status and its body. */
const input = (method: string, question: string, body: unknown, after = 0) =>
  concat(
    u8(METHODS.indexOf(method)),
    u8(Object.keys(QUESTIONS).indexOf(question)),
    u8(after << 4),
    typeof body === 'string' ? utf8(body) : utf8(JSON.stringify(body)),
  )

function lieIn(bytes: Uint8Array): { told: Lie; question: string } {
  const [a = 0, b = 0, c = 0] = bytes
  const questions = Object.keys(QUESTIONS)
  return {
    told: {
      method: METHODS[a % METHODS.length] ?? '',
      after: (c >> 4) % 4,
      status: STATUSES[c % STATUSES.length] ?? 200,
      body: bytes.subarray(3),
    },
    question: questions[b % questions.length] ?? '',
  }
}

const result = (value: unknown) => ({ jsonrpc: '2.0', id: 0, result: value })
const refusal = (message: string, data?: unknown) => ({
  jsonrpc: '2.0',
  id: 0,
  error: { code: 3, message, ...(data === undefined ? {} : { data }) },
})
const REVERT = `${BRIDGE.getError('DeletionsOutstanding')?.selector ?? '0x'}${'00'.repeat(64)}`

const SAMPLES: readonly Uint8Array[] = [
  input('eth_chainId', 'check', result('0x1')),
  input('eth_getCode', 'check', result('0x')),
  input('eth_blockNumber', 'check', result('0x1')),
  input('eth_call', 'state', result(zeroAnswer('committeeState'))),
  input('eth_call', 'state', refusal('header not found')),
  input('eth_call', 'state', refusal('execution reverted', REVERT)),
  input('eth_call', 'epoch', refusal('execution reverted', { data: REVERT })),
  input('eth_call', 'state', result('0x')),
  input('eth_call', 'epoch', result(`0x${'00'.repeat(31)}20${'00'.repeat(31)}05${'00'.repeat(600)}`)),
  input('eth_call', 'activation', result(activatedIn(HEAD))),
  input('eth_call', 'activation', result(activatedIn(HEAD + 1))),
  input('eth_getBlockByNumber', 'final', result({ ...BLOCK, number: '0x1000' })),
  input('eth_getBlockByNumber', 'block', result({ ...BLOCK, number: '0x8' })),
  input('eth_getBlockByNumber', 'head', result(null)),
  input('eth_getBlockByNumber', 'final', result(null), 1),
  input('eth_getBlockByNumber', 'final', result(null), 2),
  input('eth_getBlockByNumber', 'events', result(null)),
  input('eth_getLogs', 'events', result([LOG])),
  input('eth_getLogs', 'events', result([{ ...LOG, blockNumber: '0x1' }])),
  input('eth_getLogs', 'events', result([{ ...LOG, address: `0x${'00'.repeat(20)}` }])),
  input('eth_getLogs', 'events', result([{ ...LOG, blockHash: `0x${'00'.repeat(32)}` }])),
  input('eth_getLogs', 'events', refusal('more than 10000 results')),
  input('eth_getBalance', 'funds', result('0x0')),
  input('eth_getBalance', 'funds', 'no JSON'),
  input('eth_getBalance', 'funds', refusal('the archive is closed')),
]

export function rpcDecoders(): Decoder[] {
  const common = {
    samples: SAMPLES,
    structured: (dice) => {
      const method = dice.pick(METHODS)
      const at = dice.pick(['latest', '0x9', '0x5'])
      const data = dice.pick([calldata('committeeState', []), calldata('epochInfo', [1]), '0x43'])
      const told = result(truth(method, [method === 'eth_call' ? { data } : at]))
      const made = dice.oneIn(4)
        ? refusal(dice.pick(['limit', 'unknown block', 'no']), `0x${toHex(dice.bytes(36))}`)
        : told
      const bytes = input(method, dice.pick(Object.keys(QUESTIONS)), bentValue(dice, made))
      bytes[2] = dice.oneIn(10) ? dice.below(256) : 0
      return bytes
    },
    errors: [ChainError, ConfigError],
    weight: 0.03,
    fewest: 1500,
  } satisfies Partial<Decoder>
  return [
    { ...common, ...oneEndpoint() },
    { ...common, ...oneLiar() },
  ]
}

/** In what they differ. */
type Own = Pick<Decoder, 'name' | 'covers' | 'run' | 'reaches'>

function oneEndpoint(): Own {
  // An endpoint whose chain was checked is not checked again: what is asked later has a client of its own.
  const later = clientOf(['liar'], 'finalized')
  return {
    name: 'JSON-RPC: one endpoint',
    covers: ['chain/client.ts#EthersChain', 'chain/endpoint.ts#Endpoint', 'chain/finality.ts#headerAt'],
    run: async (bytes) => {
      const { told, question } = lieIn(bytes)
      lie = told
      const chain = question === 'check' ? clientOf(['liar']) : later
      try {
        await QUESTIONS[question]?.(chain)
        return { value: question }
      } catch (error) {
        // Of an agreement of one, what that one said.
        if (error instanceof Error) error.message = error.message.replace(/^.* must agree: /, '')
        throw error
      } finally {
        if (chain !== later) chain.close()
      }
    },
    reaches: [
      ...Object.keys(QUESTIONS),
      'BehindError: ask liar.fuzz.invalid for eth_call',
      'ChainError: ask liar.fuzz.invalid for eth_call: unexpected answer',
      'ChainError: ask liar.fuzz.invalid for eth_call: the answer is no JSON-RPC',
      'ChainError: ask liar.fuzz.invalid for eth_call: HTTP status N',
      'ChainError: ask liar.fuzz.invalid for block N: it answers with block N',
      'ChainError: ask liar.fuzz.invalid for the latest block: it has none',
      'RpcRefusal: ask liar.fuzz.invalid for eth_getBalance',
      'WrongChainError: check endpoint liar.fuzz.invalid: it serves chain N',
      'WrongChainError: check endpoint liar.fuzz.invalid: no contract',
      'WrongChainError: check endpoint liar.fuzz.invalid: block.number is N',
    ],
  }
}

/** Honest endpoints beside the liar: what the client believes is the truth, or it says that they disagree. */
function oneLiar(): Own {
  const clients = [clientOf(['honest1', 'liar', 'honest2']), clientOf(['liar', 'honest1'], 'finalized')]
  const truths = new Map<string, string>()
  return {
    name: 'JSON-RPC: one liar of several',
    covers: ['chain/quorum.ts#Quorum', 'chain/finality.ts#agreedFinal', 'chain/finality.ts#agreedBlock'],
    run: async (bytes) => {
      const { told, question } = lieIn(bytes)
      // What may be anybody's word decides nothing: the balance, and a head while others are down.
      if (['funds', 'check', 'head'].includes(question)) return { value: 'not asked' }
      const at = bytes.length % 2
      const chain = clients[at]
      if (chain === undefined) return { value: 'not asked' }
      const ask = async () => JSON.stringify((await QUESTIONS[question]?.(chain)) ?? null)
      const known = `${question} of ${at}`
      if (!truths.has(known)) {
        lie = null
        truths.set(known, await ask())
      }
      lie = told
      const got = await ask()
      // A final block may be an older one: what two agree on is as high as the slower one knows.
      const older = question === 'final' && (JSON.parse(got) as { hash?: unknown }).hash === HASH // CAST: a block
      // Of two that must agree one can say that it does not have a block yet, and the client waits.
      const waits = question === 'block' && got === 'null' && at === 1
      if (got !== truths.get(known) && !older && !waits)
        throw new Error(`believes a liar: ${question}: ${got}`)
      return { value: `the truth of ${question}` }
    },
    reaches: [
      ...['final', 'block', 'state', 'epoch', 'activation', 'events'].map((name) => `the truth of ${name}`),
      'DisagreementError: read ',
      'ChainError: read the committee at block N: N of N RPC endpoints answer',
    ],
  }
}
