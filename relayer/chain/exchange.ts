// One HTTP exchange with an endpoint, bounded in time from first to last byte, and in size; ethers' own bounds neither.
import { type IncomingMessage, request as requestPlain } from 'node:http'
import { request as requestSecure } from 'node:https'
import { pipeline, type Readable } from 'node:stream'
import { createGunzip } from 'node:zlib'
import { type FetchRequest, type GetUrlResponse, makeError } from 'ethers'
import type { Clock } from '../lib/clock.ts'
import { ChainError } from '../lib/errors.ts'

/** Largest answer, unpacked, in bytes: a node's ten thousand logs take some ten million. */
export const LARGEST_ANSWER = 33_554_432

/** The answer is longer than is read: a smaller range may do. */
export class LongAnswerError extends ChainError {}

/** First pause in milliseconds after a refusal of too many requests, doubled each time and drawn at random up to that. */
const PAUSE_MS = 200
const TOO_MANY = 429

/** What bounds an exchange. */
export interface Bounds {
  readonly timeoutMs: number
  /** Aborts when the client is closed. */
  readonly closed: AbortSignal
  readonly clock: Clock
}

/** How a request becomes an answer: over HTTP, unless a client is given another way. */
export type Exchange = (request: FetchRequest, bounds: Bounds) => Promise<GetUrlResponse>

/**
 * Sends a request and reads its answer, again and again while the endpoint says that these are too many requests. The
 * connection is gone when this rejects.
 * @throws LongAnswerError; ChainError for too many requests; ethers' TIMEOUT; the network's error with its code
 */
export async function exchange(request: FetchRequest, bounds: Bounds): Promise<GetUrlResponse> {
  const { timeoutMs, closed, clock } = bounds
  const late = AbortSignal.timeout(timeoutMs)
  const end = clock.now() + timeoutMs
  const signal = AbortSignal.any([late, closed])
  try {
    for (let pauseMs = PAUSE_MS; ; pauseMs *= 2) {
      const response = await answerOf(request, signal)
      const { statusCode = 0, statusMessage = '' } = response
      const body = await bodyOf(response)
      // Without headers: how long to wait after a refusal is not the endpoint's to say.
      if (statusCode !== TOO_MANY) return { statusCode, statusMessage, headers: {}, body }
      const ms = Math.ceil(Math.random() * pauseMs)
      if (clock.now() + ms >= end) throw new ChainError(`too many requests (HTTP status ${TOO_MANY})`)
      await clock.sleep(ms, signal)
    }
  } catch (error) {
    if (!late.aborted) throw error
    throw makeError('no answer in time', 'TIMEOUT', { operation: 'exchange', reason: 'late' })
  }
}

function answerOf(
  { url, method, headers, body }: FetchRequest,
  signal: AbortSignal,
): Promise<IncomingMessage> {
  const send = new URL(url).protocol === 'https:' ? requestSecure : requestPlain
  return new Promise((resolve, reject) => {
    const request = send(url, { method, headers, signal })
    request.on('error', reject)
    request.on('response', resolve)
    request.end(body)
  })
}

async function bodyOf(response: IncomingMessage): Promise<Uint8Array> {
  const packed = response.headers['content-encoding'] === 'gzip'
  const source: Readable = packed ? pipeline(response, createGunzip(), () => {}) : response
  const chunks: Uint8Array[] = []
  let length = 0
  for await (const chunk of source) {
    const bytes = chunk as Uint8Array // CAST: no encoding is set
    length += bytes.length
    if (length > LARGEST_ANSWER) throw new LongAnswerError(`an answer of more than ${LARGEST_ANSWER} bytes`)
    chunks.push(bytes)
  }
  return Buffer.concat(chunks)
}
