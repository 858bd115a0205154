// The control server on a Unix socket (mode 0600) in the data directory: whoever may open it is the operator.
import { once } from 'node:events'
import { existsSync, rmSync } from 'node:fs'
import { connect } from 'node:net'
import fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify'
import { z } from 'zod'
import { type Hex, toAddress } from '../lib/bytes.ts'
import { InputError, messageOf, NetworkError, TrussError } from '../lib/errors.ts'
import { VERDICTS } from '../store/decisions.ts'
import type { Daemon } from './daemon.ts'
import { refusalOf } from './http.ts'

/** An error as it crosses the socket. */
export interface RemoteErrorBody {
  readonly error: { readonly name: string; readonly message: string; readonly hint: string }
}

/** Probes that one daemon signs per minute. */
export const PROBES_PER_MINUTE = 30

const probeBody = z.strictObject({
  keyId: z.int().min(0),
  text: z.string().refine((text) => Buffer.byteLength(text) <= 256, 'at most 256 bytes'),
  include: z.string().optional(),
  timeoutMs: z.int().min(100).max(600_000).default(30_000),
})

const lostBody = z.strictObject({ epoch: z.int().min(0) })

const choiceBody = z.strictObject({
  verdict: z.enum(VERDICTS),
  epoch: z.int().min(1),
  committeeHash: z
    .string()
    .regex(/^0x[0-9a-f]{64}$/)
    .transform((text) => text as Hex), // CAST: the expression says so
})

/** What was asked for could not be done in time; asking again may work. */
export class NotDoneError extends TrussError {}

/** Serves the operator's commands. */
export class ControlServer {
  readonly #daemon: Daemon
  readonly #path: string
  readonly #now: () => number
  readonly #stopping = new AbortController()
  #probes: number[] = []
  #server: FastifyInstance | null = null

  /** @param now milliseconds, for the limit of probes */
  constructor(daemon: Daemon, path: string, now: () => number) {
    this.#daemon = daemon
    this.#path = path
    this.#now = now
  }

  /** Listens. @throws NetworkError if another process answers on the socket */
  async start(): Promise<void> {
    if (existsSync(this.#path)) {
      if (await answers(this.#path))
        throw new NetworkError(`listen on ${this.#path}: another process answers there`, {
          hint: 'stop the other daemon, or give this one its own dataDirectory',
        })
      rmSync(this.#path)
    }
    const server = this.routes()
    await server.ready()
    // Bound within the mask, which is back before anything else runs: the socket is 0600 from its first instant.
    const mask = process.umask(0o177)
    try {
      server.server.listen(this.#path)
    } finally {
      process.umask(mask)
    }
    await once(server.server, 'listening')
    this.#server = server
  }

  /** What it answers, before it listens anywhere. */
  routes(): FastifyInstance {
    const server = fastify({
      logger: false,
      forceCloseConnections: true,
      bodyLimit: 4096,
      // A path that cannot be decoded is refused before any route: in the form of every other refusal.
      frameworkErrors: refuse,
    })
    server.get('/status', async () => ({
      ...(await this.#daemon.status()),
      health: await this.#daemon.health(),
    }))
    server.get('/keys', () => this.#daemon.keys())
    server.get('/evidence', () => this.#daemon.evidence())
    server.post('/sign-probe', async (request, reply) => {
      const gone = new AbortController()
      reply.raw.once('close', () => gone.abort(new NetworkError('answer: nobody waits for it any more')))
      return this.#probe(request.body, gone.signal)
    })
    server.post('/declare-lost', (request) => {
      const parsed = lostBody.safeParse(request.body)
      if (!parsed.success) throw new InputError('declare share lost: give the epoch that is meant')
      return this.#daemon.declareLost(parsed.data.epoch)
    })
    server.post('/decide', (request) => {
      const parsed = choiceBody.safeParse(request.body)
      if (!parsed.success)
        throw new InputError('decide about a change: give a verdict, an epoch and a committee hash')
      const { verdict, ...choice } = parsed.data
      return this.#daemon.decide(verdict, choice)
    })
    server.setNotFoundHandler((request, reply) => {
      const error = new InputError(`ask the daemon: it knows no ${request.method} ${request.url}`, {
        hint: 'use the `truss` of the version that the daemon runs',
      })
      return reply.code(404).send(bodyOf(error))
    })
    server.setErrorHandler(refuse)
    return server
  }

  /** Ends requests that are under way and removes the socket. */
  async stop(): Promise<void> {
    this.#stopping.abort(new NetworkError('answer: the daemon is stopping'))
    const server = this.#server
    this.#server = null
    if (server === null) return
    const closed = once(server.server, 'close')
    server.server.close()
    server.server.closeAllConnections()
    await closed
    await server.close()
  }

  async #probe(body: unknown, gone: AbortSignal) {
    const parsed = probeBody.safeParse(body)
    if (!parsed.success)
      throw new InputError(`sign probe: ${parsed.error.issues[0]?.message ?? 'bad request'}`, {
        hint: 'give a key id, a text of at most 256 bytes and at most one address to include',
      })
    const { keyId, text, include, timeoutMs } = parsed.data
    this.#probes = this.#probes.filter((at) => at > this.#now() - 60_000)
    if (this.#probes.length >= PROBES_PER_MINUTE)
      throw new InputError(`sign probe: more than ${PROBES_PER_MINUTE} in a minute`, {
        hint: 'wait a minute',
      })
    this.#probes.push(this.#now())
    const request = { keyId, text, ...(include === undefined ? {} : { include: toAddress(include) }) }
    const late = AbortSignal.timeout(timeoutMs)
    try {
      return await this.#daemon.signProbe(request, AbortSignal.any([this.#stopping.signal, gone, late]))
    } catch (error) {
      if (!late.aborted) throw error
      throw new NotDoneError(`sign probe: no signature within ${timeoutMs} ms (${messageOf(error)})`, {
        hint: 'see in `truss status` whether enough members are connected',
        cause: error,
      })
    }
  }
}

function refuse(error: unknown, _request: FastifyRequest, reply: FastifyReply): void {
  void reply.code(statusOf(error)).send(bodyOf(error))
}

function bodyOf(error: unknown): RemoteErrorBody {
  // The HTTP library's own refusals are about the request.
  const kind = error instanceof Error ? error.name : 'Error'
  const name = refusalOf(error) === null ? kind : InputError.name
  const hint = error instanceof Error && 'hint' in error ? String(error.hint) : ''
  return { error: { name, message: messageOf(error), hint } }
}

function statusOf(error: unknown): number {
  return refusalOf(error) ?? (error instanceof InputError || error instanceof RangeError ? 400 : 500)
}

/** Whether a process listens on a socket that is there (a crash leaves the file behind). */
function answers(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(path)
    socket.once('connect', () => {
      socket.destroy()
      resolve(true)
    })
    socket.once('error', () => resolve(false))
  })
}
