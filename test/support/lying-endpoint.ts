// An RPC endpoint that stands before a true one and, by a rule, lies, refuses, hangs or is down.
import { createServer, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'

/** A JSON-RPC request as it came. */
export interface RpcRequest {
  readonly method: string
  readonly params: readonly unknown[]
}

/**
 * What is answered instead: another result, an error, the bare text or HTTP status of a broken server, or nothing ever.
 * `null` lets the true answer through.
 */
export type Lie =
  | { readonly result: unknown }
  | { readonly error: { readonly code: number; readonly message: string; readonly data?: unknown } }
  | { readonly text: string }
  | { readonly status: number }
  | 'hang'
  | null

/** Sees the request and the true answer's result. */
export type Rule = (request: RpcRequest, truth: unknown) => Lie

/** A proxy whose rule a test may change at any time. */
export class LyingEndpoint {
  rule: Rule
  /** Every request that was answered (or left hanging), by method and parameters. */
  readonly seen: RpcRequest[] = []
  readonly #target: string
  readonly #waiting: { method: string; times: number; wake: () => void }[] = []
  readonly #server = createServer()

  constructor(target: string, rule: Rule = () => null) {
    this.#target = target
    this.rule = rule
  }

  /** @returns its URL */
  async start(): Promise<string> {
    this.#server.on('request', (request, response) => {
      const reply = (answer: { status: number; text: string } | null) => {
        if (answer === null) return
        response.writeHead(answer.status, { 'content-type': 'application/json' })
        response.end(answer.text)
      }
      // The true endpoint, or the asker, may be gone in the middle of it: a proxy says so, and goes on.
      void this.#answer(request).then(reply, () => reply({ status: 502, text: '' }))
    })
    await new Promise<void>((resolve) => {
      this.#server.listen(0, '127.0.0.1', resolve)
    })
    const { port } = this.#server.address() as AddressInfo // CAST: a listening TCP server has one
    return `http://127.0.0.1:${port}`
  }

  /** Resolves once a method was answered that many times. */
  async until(method: string, times = 1): Promise<void> {
    if (this.count(method) >= times) return
    await new Promise<void>((wake) => this.#waiting.push({ method, times, wake }))
  }

  /** How many requests of a method were answered. */
  count(method: string): number {
    return this.seen.filter((request) => request.method === method).length
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections()
    await new Promise((resolve) => this.#server.close(resolve))
  }

  async #answer(request: IncomingMessage): Promise<{ status: number; text: string } | null> {
    const chunks: Buffer[] = []
    for await (const chunk of request) chunks.push(chunk as Buffer) // CAST: no encoding is set
    const body = Buffer.concat(chunks).toString()
    // CAST: batchMaxCount is 1, so a request is one object
    const { id, method, params } = JSON.parse(body) as { id: number; method: string; params: unknown[] }
    const headers = { 'content-type': 'application/json' }
    const truth = await fetch(this.#target, { method: 'POST', headers, body })
    const text = await truth.text()
    const { result } = JSON.parse(text) as { result?: unknown } // CAST: the node under test answers JSON-RPC
    const lie = this.rule({ method, params }, result)
    this.seen.push({ method, params })
    for (const { wake } of this.#waiting.filter((one) => this.count(one.method) >= one.times)) wake()
    if (lie === 'hang') return null
    if (lie === null) return { status: 200, text }
    if ('status' in lie) return { status: lie.status, text: '' }
    return { status: 200, text: 'text' in lie ? lie.text : JSON.stringify({ jsonrpc: '2.0', id, ...lie }) }
  }
}
