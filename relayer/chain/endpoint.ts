// One RPC endpoint: requests with a timeout, answers checked against a schema, errors that name its host and nothing secret of its URL.
import {
  FetchRequest,
  isError,
  type JsonRpcError,
  type JsonRpcPayload,
  JsonRpcProvider,
  Network,
} from 'ethers'
import { z } from 'zod'
import type { Clock } from '../lib/clock.ts'
import { ChainError, ConfigError, messageOf } from '../lib/errors.ts'
import { unlessAborted } from './abort.ts'
import { type Exchange, exchange, LongAnswerError } from './exchange.ts'

/** A JSON-RPC error answer: the endpoint is up, and said no. */
export class RpcRefusal extends ChainError {
  /** JSON-RPC error code; -32000 and the like mean something else on every node software. */
  readonly code: number
  /** Revert data, `0x…`, or null. */
  readonly data: string | null

  constructor(message: string, refusal: { code: number; data: string | null }) {
    super(message)
    this.code = refusal.code
    this.data = refusal.data
  }
}

/** The endpoint answers for another chain, or has no bridge: it is never asked for anything else. */
export class WrongChainError extends ConfigError {}

/** 0x-prefixed quantity to a safe number. */
export const quantity = z
  .string()
  .regex(/^0x[0-9a-f]{1,13}$/i)
  .transform((text) => Number.parseInt(text, 16))
/** 0x-prefixed quantity of wei. */
export const wei = z
  .string()
  .regex(/^0x[0-9a-f]{1,64}$/i)
  .transform((text) => BigInt(text))
/** Any bytes. */
export const bytes = z
  .templateLiteral(['0x', z.string().regex(/^([0-9a-f]{2})*$/i)])
  .transform((text) => text.toLowerCase() as `0x${string}`) // CAST: lower case keeps the prefix
/** A hash. */
export const hash32 = bytes.refine((text) => text.length === 66, 'not 32 bytes')

/** Reads the number of the block in which a call runs: NUMBER, MSTORE, RETURN as the code of a contract creation. */
const BLOCK_NUMBER_CODE = '0x4360005260206000f3'

class Provider extends JsonRpcProvider {
  /** Errors of the node as they are, instead of ethers' guesses what they mean. */
  override getRpcError(_payload: JsonRpcPayload, { error }: JsonRpcError): Error {
    const { code, message = '' } = error
    return new RpcRefusal(message, { code, data: revertData(error.data) })
  }
}

/** Talks to one endpoint of a chain. */
export class Endpoint {
  /** Host and port, for messages; the URL itself may carry keys. */
  readonly name: string
  readonly #url: string
  readonly #timeoutMs: number
  readonly #clock: Clock
  readonly #provider: Provider
  readonly #expected: { chainId: number; bridge: string }
  readonly #closed = new AbortController()
  #verified = false

  constructor(options: {
    url: string
    name: string
    chainId: number
    bridge: string
    timeoutMs: number
    clock: Clock
    exchange?: Exchange | undefined
  }) {
    this.name = options.name
    this.#url = options.url
    this.#timeoutMs = options.timeoutMs
    this.#clock = options.clock
    this.#expected = { chainId: options.chainId, bridge: options.bridge }
    const request = new FetchRequest(options.url)
    request.timeout = options.timeoutMs
    const bounds = { timeoutMs: options.timeoutMs, closed: this.#closed.signal, clock: options.clock }
    const { exchange: send = exchange } = options
    request.getUrlFunc = (req) => send(req, bounds)
    this.#provider = new Provider(request, Network.from(options.chainId), {
      staticNetwork: true,
      cacheTimeout: -1,
      batchMaxCount: 1,
    })
  }

  /**
   * Asks for something, after the first time having seen that this is the right chain.
   * @throws ChainError if it is down, slow or answers nonsense; RpcRefusal if it refuses; WrongChainError
   */
  async ask<T>(
    method: string,
    params: readonly unknown[],
    { schema, signal }: { schema: z.ZodType<T>; signal?: AbortSignal | undefined },
  ): Promise<T> {
    await this.verify(signal)
    return this.#request(method, params, { schema, signal })
  }

  /** @throws WrongChainError if this is another chain, has no bridge, or numbers blocks in two ways; ChainError if it is down */
  async verify(signal?: AbortSignal): Promise<void> {
    if (this.#verified) return
    const { chainId, bridge } = this.#expected
    const theirs = await this.#request('eth_chainId', [], { schema: quantity, signal })
    if (theirs !== chainId)
      throw new WrongChainError(`check endpoint ${this.name}: it serves chain ${theirs}, not ${chainId}`, {
        hint: 'correct chainId, or name endpoints of that chain in rpcUrls',
      })
    const code = await this.#request('eth_getCode', [bridge, 'latest'], { schema: bytes, signal })
    if (code === '0x')
      throw new WrongChainError(`check endpoint ${this.name}: no contract at the bridge address ${bridge}`, {
        hint: 'correct bridge in the configuration, or wait until it is deployed and start again',
      })
    await this.#checkBlockNumber(signal)
    this.#verified = true
  }

  /** Ends all requests. */
  close(): void {
    this.#provider.destroy()
    this.#closed.abort()
  }

  /** `text` without any part of the URL that could be a key. */
  redact(text: string): string {
    const { username, password, pathname, search, searchParams } = new URL(this.#url)
    const parts = [...pathname.split('/'), ...searchParams.values()]
    const secrets = [this.#url, pathname, search, username, password, ...parts]
    return secrets
      .filter((part) => part.length > 3)
      .sort((a, b) => b.length - a.length)
      .reduce((out, part) => out.replaceAll(part, '…'), text)
  }

  async #checkBlockNumber(signal: AbortSignal | undefined): Promise<void> {
    const at = { schema: quantity, signal }
    const before = await this.#request('eth_blockNumber', [], at)
    const word = await this.#request('eth_call', [{ data: BLOCK_NUMBER_CODE }, 'latest'], {
      schema: hash32,
      signal,
    })
    const after = await this.#request('eth_blockNumber', [], at)
    const inside = Number(BigInt(word))
    // Some nodes run a call on `latest` as if in the next block.
    if (inside < Math.min(before, after) || inside > Math.max(before, after) + 1)
      throw new WrongChainError(
        `check endpoint ${this.name}: block.number is ${inside} while the endpoint is at block ${after}`,
        { hint: 'a chain that counts blocks of another one cannot govern: use a chain that counts its own' },
      )
  }

  async #request<T>(
    method: string,
    params: readonly unknown[],
    { schema, signal }: { schema: z.ZodType<T>; signal?: AbortSignal | undefined },
  ): Promise<T> {
    signal?.throwIfAborted()
    const done = new AbortController()
    const timeout = this.#clock.sleep(this.#timeoutMs, done.signal).then(() => {
      throw this.#error(method, `no answer within ${this.#timeoutMs} ms`)
    })
    const answer = this.#provider.send(method, [...params]).catch((error: unknown) => {
      throw this.#translate(method, error)
    })
    try {
      const raw: unknown = await unlessAborted(Promise.race([answer, timeout]), signal)
      const parsed = schema.safeParse(raw)
      if (parsed.success) return parsed.data
      const [issue] = parsed.error.issues
      throw this.#error(method, `unexpected answer (${issue?.path.join('.')}: ${issue?.message})`)
    } finally {
      done.abort()
      timeout.catch(() => undefined)
      answer.catch(() => undefined)
    }
  }

  #translate(method: string, error: unknown): ChainError {
    if (error instanceof RpcRefusal)
      return new RpcRefusal(
        `ask ${this.name} for ${method}: ${this.redact(error.message).slice(0, 300)}`,
        error,
      )
    if (error instanceof LongAnswerError)
      return new LongAnswerError(`ask ${this.name} for ${method}: ${error.message}`)
    if (error instanceof ChainError) return this.#error(method, error.message)
    if (isError(error, 'SERVER_ERROR') && error.response !== undefined)
      return this.#error(method, `HTTP status ${error.response.statusCode}`)
    if (isError(error, 'TIMEOUT')) return this.#error(method, `no answer within ${this.#timeoutMs} ms`)
    if (isError(error, 'UNSUPPORTED_OPERATION') && error.message.includes('destroyed'))
      return this.#error(method, 'the client is closed')
    if (isError(error, 'BAD_DATA') || isError(error, 'UNSUPPORTED_OPERATION'))
      return this.#error(method, 'the answer is no JSON-RPC')
    // CAST: node:net's errors carry a code such as ECONNREFUSED
    const code = (error as { code?: string }).code
    // No cause: ethers' errors carry the URL.
    return this.#error(method, code ?? this.redact(messageOf(error)).slice(0, 200))
  }

  #error(method: string, reason: string): ChainError {
    return new ChainError(`ask ${this.name} for ${method}: ${reason}`)
  }
}

/** Endpoints of URLs, named by host; those on one host are told apart by their position. */
export function createEndpoints(
  urls: readonly string[],
  common: {
    chainId: number
    bridge: string
    timeoutMs: number
    clock: Clock
    exchange?: Exchange | undefined
  },
): Endpoint[] {
  const hosts = urls.map((url) => new URL(url).host)
  return urls.map((url, at) => {
    const host = hosts[at] ?? ''
    const shared = hosts.filter((other) => other === host).length > 1
    return new Endpoint({ ...common, url, name: shared ? `${host}#${at + 1}` : host })
  })
}

/** Revert data where node software puts it: the string itself, or `data` or `originalError.data` inside. */
function revertData(value: unknown, depth = 0): string | null {
  if (typeof value === 'string') return /^0x([0-9a-f]{2})*$/i.test(value) ? value.toLowerCase() : null
  if (typeof value !== 'object' || value === null || depth > 2) return null
  for (const inner of Object.values(value)) {
    const data = revertData(inner, depth + 1)
    if (data !== null && data.length > 2) return data
  }
  return null
}
