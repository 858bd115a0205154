// The read-only HTTP server, on 127.0.0.1 unless configured: /livez, /readyz, /status, /metrics.
import fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify'
import { NetworkError } from '../lib/errors.ts'
import type { Metrics } from '../lib/metrics.ts'
import type { Daemon } from './daemon.ts'
import { readiness } from './health.ts'

export interface HttpOptions {
  readonly host: string
  /** 0 takes a free one. */
  readonly port: number
}

/** What the server serves: a relayer's daemon, or only health (a bootnode). */
export type Watched = Pick<Daemon, 'status' | 'health'> & {
  /** Brings those metrics up to date that nobody sets as it happens. */
  measure?(): Promise<void>
}

/** Serves GET and HEAD of four paths and nothing else; it can change nothing. */
export class HttpServer {
  readonly #watched: Watched
  readonly #metrics: Metrics
  readonly #options: HttpOptions
  #server: FastifyInstance | null = null

  constructor(watched: Watched, metrics: Metrics, options: HttpOptions) {
    this.#watched = watched
    this.#metrics = metrics
    this.#options = options
  }

  /**
   * Listens; gives its URL, `http://host:port`.
   * @throws NetworkError if the port is in use or the address is not this machine's
   */
  async start(): Promise<string> {
    const server = readOnlyServer(this.#watched, this.#metrics)
    const { host, port } = this.#options
    this.#server = server
    try {
      return await server.listen({ host, port })
    } catch (error) {
      throw new NetworkError(`listen for HTTP on ${host}:${port}: ${codeOf(error)}`, {
        hint: 'stop what uses the port, or set httpPort (0 takes a free one)',
        cause: error,
      })
    }
  }

  async stop(): Promise<void> {
    await this.#server?.close()
    this.#server = null
  }
}

/** Its routes, before it listens anywhere. */
export function readOnlyServer(watched: Watched, metrics: Metrics): FastifyInstance {
  const refuse = (error: unknown, _request: FastifyRequest, reply: FastifyReply): void => {
    const status = refusalOf(error)
    void reply
      .code(status ?? 500)
      .send({ error: status === null ? 'see the log' : 'this request makes no sense' })
  }
  const server = fastify({ logger: false, forceCloseConnections: true, frameworkErrors: refuse })
  server.get('/livez', () => ({ alive: true }))
  server.get('/readyz', async (_request, reply) => {
    const answer = readiness(await watched.health())
    return reply.code(answer.ready ? 200 : 503).send(answer)
  })
  server.get('/status', async () => ({
    ...(await watched.status()),
    health: await watched.health(),
  }))
  server.get('/metrics', async (_request, reply) => {
    await watched.measure?.()
    return reply.type(metrics.registry.contentType).send(await metrics.registry.metrics())
  })
  server.setNotFoundHandler((request, reply) => {
    const known = request.method === 'GET' || request.method === 'HEAD'
    return reply
      .code(known ? 404 : 405)
      .send({ error: known ? 'GET /livez, /readyz, /status or /metrics' : 'this server is read-only' })
  })
  server.setErrorHandler(refuse)
  return server
}

/** The status 4xx of an error with which the HTTP library refused a request; null for any other error. */
export function refusalOf(error: unknown): number | null {
  if (!(error instanceof Error) || !('statusCode' in error)) return null
  const { statusCode: status } = error
  return typeof status === 'number' && status >= 400 && status < 500 ? status : null
}

function codeOf(error: unknown): string {
  const code = error instanceof Error && 'code' in error ? String(error.code) : String(error)
  if (code === 'EADDRINUSE') return 'the port is in use'
  if (code === 'EADDRNOTAVAIL') return 'the address is not one of this machine'
  if (code === 'EACCES') return 'no permission for this port'
  return code
}
