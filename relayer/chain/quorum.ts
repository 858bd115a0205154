// Agreement of RPC endpoints: an answer counts when rpcQuorum of them give the same one.
import { ChainError, messageOf, type TrussError } from '../lib/errors.ts'
import type { Log } from '../lib/log.ts'
import { unlessAborted } from './abort.ts'
import { type Endpoint, RpcRefusal, WrongChainError } from './endpoint.ts'

/** Enough endpoints answered, but no answer has rpcQuorum behind it: at least one endpoint lies or is on a fork. */
export class DisagreementError extends ChainError {}

/** The endpoint does not know that block yet, or no longer: neither a lie nor an outage. */
export class BehindError extends ChainError {}

/** Asks one endpoint. */
export type Ask<T> = (endpoint: Endpoint) => Promise<T>

/** The endpoints of one chain. */
export class Quorum {
  readonly endpoints: readonly Endpoint[]
  readonly #need: number
  readonly #log: Log
  /** Endpoints that did not answer when they were last asked for a number. */
  readonly #failing = new Set<Endpoint>()

  constructor(endpoints: readonly Endpoint[], need: number, log: Log) {
    this.endpoints = endpoints
    this.#need = need
    this.#log = log
  }

  /**
   * The answer that rpcQuorum endpoints give, as soon as they do. Answers are compared as JSON.
   * @param what completes "read …", for messages
   * @throws DisagreementError, ChainError if too few answer, the signal's reason
   */
  async agree<T>(what: string, ask: Ask<T>, signal?: AbortSignal): Promise<T> {
    const votes = new Map<string, { value: T; names: string[] }>()
    const failures: { name: string; error: unknown }[] = []
    const agreed = Promise.withResolvers<T>()
    let settled = false
    const polls = this.endpoints.map(async (endpoint) => {
      try {
        const value = await ask(endpoint)
        const key = canonical(value)
        const vote = votes.get(key) ?? { value, names: [] }
        votes.set(key, vote)
        vote.names.push(endpoint.name)
        if (vote.names.length >= this.#need && !settled) {
          settled = true
          agreed.resolve(value)
        }
      } catch (error) {
        failures.push({ name: endpoint.name, error })
      }
    })
    const all = Promise.all(polls).then(() => {
      if (settled && votes.size > 1)
        this.#log.warn({ answers: sides(votes) }, `read ${what}: an endpoint disagrees with the others`)
      if (!settled) agreed.reject(this.#refusal(what, votes, failures))
    })
    all.catch(agreed.reject)
    return await unlessAborted(agreed.promise, signal)
  }

  /**
   * The largest number that at least rpcQuorum endpoints reach: with n known at each, the rpcQuorum-th highest.
   * @throws ChainError if too few answer
   */
  async reached(what: string, ask: Ask<number>, signal?: AbortSignal): Promise<number> {
    const { answers: numbers, failures } = await this.#answers(ask, itself, signal)
    const number = numbers[this.#need - 1]
    if (number !== undefined) return number
    throw numbers.length === 0 ? this.#silence(what, failures) : this.#refusal(what, new Map(), failures)
  }

  /**
   * The same or, while fewer than rpcQuorum endpoints answer, the smallest number of those that do; `agreed` tells which. No
   * single endpoint beside others runs ahead of the chain. For clocks, not for truth.
   * @throws ChainError if none answers
   */
  async abreast(
    what: string,
    ask: Ask<number>,
    signal?: AbortSignal,
  ): Promise<{ readonly number: number; readonly agreed: boolean }> {
    const { answers: numbers, failures } = await this.#answers(ask, itself, signal)
    const reached = numbers[this.#need - 1]
    const number = reached ?? numbers.at(-1)
    if (number !== undefined) return { number, agreed: reached !== undefined }
    throw this.#silence(what, failures)
  }

  /**
   * The answer that is the rpcQuorum-th highest or, while fewer answer, the lowest: what one endpoint beside others makes up
   * is never too high. For what is sent, not for truth.
   * @param by what answers are ranked by
   * @throws ChainError if none answers
   */
  async moderate<T>(
    what: string,
    ask: Ask<T>,
    { by, signal }: { by: (answer: T) => number | bigint; signal?: AbortSignal | undefined },
  ): Promise<T> {
    const { answers, failures } = await this.#answers(ask, by, signal)
    const answer = answers[this.#need - 1] ?? answers.at(-1)
    if (answer !== undefined) return answer
    throw this.#silence(what, failures)
  }

  /** What is thrown when none answers: one endpoint speaks for itself. */
  #silence(what: string, failures: readonly { name: string; error: unknown }[]): unknown {
    const [only, ...others] = failures
    return others.length === 0 && only !== undefined ? only.error : this.#refusal(what, new Map(), failures)
  }

  /** What the endpoints answer, the highest first. Whoever failed last time keeps nobody waiting if enough others answer. */
  async #answers<T>(
    ask: Ask<T>,
    by: (answer: T) => number | bigint,
    signal: AbortSignal | undefined,
  ): Promise<{ answers: T[]; failures: { name: string; error: unknown }[] }> {
    const answers: T[] = []
    const failures: { name: string; error: unknown }[] = []
    const failed = new Set(this.endpoints.flatMap((each, at) => (this.#failing.has(each) ? [at] : [])))
    const polls = this.endpoints.map(async (endpoint) => {
      try {
        answers.push(await ask(endpoint))
        this.#failing.delete(endpoint)
      } catch (error) {
        failures.push({ name: endpoint.name, error })
        this.#failing.add(endpoint)
      }
    })
    await unlessAborted(Promise.all(polls.filter((_, at) => !failed.has(at))), signal)
    if (answers.length < this.#need) await unlessAborted(Promise.all(polls), signal)
    const ranked = answers.toSorted((a, b) => (by(a) === by(b) ? 0 : by(a) < by(b) ? 1 : -1))
    return { answers: ranked, failures: [...failures] }
  }

  /** Sees that enough endpoints are up and that each of those serves the right chain. @throws WrongChainError if one serves another chain; ChainError if too few are up */
  async verify(signal?: AbortSignal): Promise<void> {
    const results = await unlessAborted(
      Promise.allSettled(this.endpoints.map((endpoint) => endpoint.verify(signal))),
      signal,
    )
    const failures = results.flatMap(
      (result, at) =>
        result.status === 'rejected'
          ? [{ name: this.endpoints[at]?.name ?? '', error: result.reason as unknown }]
          : [], // CAST: any to unknown
    )
    const wrong = failures.find(({ error }) => error instanceof WrongChainError)
    if (wrong !== undefined) throw wrong.error
    if (this.endpoints.length - failures.length < this.#need)
      throw this.#refusal('the chain id', new Map(), failures)
  }

  /** The answer of the endpoint that answers first. @throws ChainError if none does */
  async first<T>(what: string, ask: Ask<T>, signal?: AbortSignal): Promise<T> {
    try {
      return await unlessAborted(Promise.any(this.endpoints.map(ask)), signal)
    } catch (error) {
      if (!(error instanceof AggregateError)) throw error
      const failures = this.endpoints.map(({ name }, at) => ({ name, error: error.errors[at] as unknown })) // CAST: any to unknown
      // What the bridge itself says is worth more than a list of endpoints.
      const said = failures.find(({ error: one }) => one instanceof RpcRefusal && one.data !== null)
      if (said !== undefined || failures.length === 1) throw (said ?? failures[0])?.error
      throw this.#refusal(what, new Map(), failures)
    }
  }

  #refusal(
    what: string,
    votes: ReadonlyMap<string, { names: readonly string[] }>,
    failures: readonly { name: string; error: unknown }[],
  ): TrussError {
    const reasons = failures.map(({ error }) => messageOf(error)).join('; ')
    const wrong = failures.find(({ error }) => error instanceof WrongChainError)
    if (wrong?.error instanceof WrongChainError && votes.size === 0) return wrong.error
    if (votes.size > 1)
      return new DisagreementError(
        `read ${what}: RPC endpoints disagree: ${sides(votes).join(' against ')}${reasons === '' ? '' : `; ${reasons}`}`,
        {
          hint: 'find out which endpoint is wrong (compare with a block explorer) and remove it from rpcUrls',
        },
      )
    const behind = failures.length > 0 && failures.every(({ error }) => error instanceof BehindError)
    const Kind = behind ? BehindError : ChainError
    const hint = behind
      ? 'they are behind, or keep no state that old: use endpoints that serve the state at twice the finality depth'
      : 'check that the endpoints in rpcUrls are up and can be reached from here'
    return new Kind(
      `read ${what}: ${this.endpoints.length - failures.length} of ${this.endpoints.length} RPC endpoints answer, ${this.#need} must agree: ${reasons}`,
      { hint },
    )
  }
}

const itself = (number: number): number => number

/** "a, b" for each answer. */
function sides(votes: ReadonlyMap<string, { names: readonly string[] }>): string[] {
  return [...votes.values()].map(({ names }) => names.join(', '))
}

/** Equal text for equal answers; answers are built by our own decoders, so keys come in one order. */
function canonical(value: unknown): string {
  return (
    JSON.stringify(value, (_key, inner: unknown) => (typeof inner === 'bigint' ? `${inner}n` : inner)) ??
    'undefined'
  )
}
