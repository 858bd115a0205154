// One HTTP exchange with an endpoint, bounded in time from first to last byte, and in size; ethers' own bounds neither.
import { type IncomingMessage, request as requestPlain } from 'node:http'
import { request as requestSecure } from 'node:https'
import { pipeline, type Readable } from 'node:stream'
import { createGunzip } from 'node:zlib'
import { type FetchRequest, type GetUrlResponse, makeError } from 'ethers'
import { ChainError } from '../lib/errors.ts'

/** Largest answer, unpacked, in bytes: a node's ten thousand logs take some ten million. */
export const LARGEST_ANSWER = 33_554_432

/** The answer is longer than is read: a smaller range may do. */
export class LongAnswerError extends ChainError {}

/**
 * Sends a request and reads its answer. The connection is gone when this rejects.
 * @throws LongAnswerError; ethers' TIMEOUT; the network's error with its code
 */
export async function exchange(
  request: FetchRequest,
  { timeoutMs, closed }: { timeoutMs: number; closed: AbortSignal },
): Promise<GetUrlResponse> {
  const late = AbortSignal.timeout(timeoutMs)
  try {
    const response = await answerOf(request, AbortSignal.any([late, closed]))
    const { statusCode = 0, statusMessage = '' } = response
    // Without headers: how long to wait after a refusal is not the endpoint's to say.
    return { statusCode, statusMessage, headers: {}, body: await bodyOf(response) }
  } catch (error) {
    throw late.aborted
      ? makeError('no answer in time', 'TIMEOUT', { operation: 'exchange', reason: 'late' })
      : error
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
