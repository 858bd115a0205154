// Small steps on a libp2p stream: reading frames as they come, reading one frame, sending with back-pressure, ending both halves.
import type { Stream, StreamMessageEvent } from '@libp2p/interface'
import { NetworkError } from '../lib/errors.ts'
import { FrameReader } from './framing.ts'
import type { Caps } from './protocols.ts'

/** A frame as it came. */
export interface Frame {
  readonly kind: number
  readonly body: Uint8Array
}

/**
 * Feeds a stream's bytes to a reader. `failed` gets whatever the reader throws, at most once; nothing is read after it.
 * @returns the function that stops reading
 */
export function readFrames(
  stream: Stream,
  reader: FrameReader,
  failed: (error: unknown) => void,
): () => void {
  const stop = () => stream.removeEventListener('message', onMessage)
  const onMessage = ({ data }: StreamMessageEvent) => {
    try {
      if (data instanceof Uint8Array) reader.push(data)
      else for (const chunk of data) reader.push(chunk)
    } catch (error) {
      stop()
      failed(error)
    }
  }
  stream.addEventListener('message', onMessage)
  return stop
}

/**
 * The next frame of a stream; later bytes are lost, so it serves exchanges of one frame each way.
 * @throws NetworkError if the stream ends first, FrameError for a bad one, or the signal's reason
 */
export function readOneFrame(stream: Stream, caps: Caps, signal: AbortSignal): Promise<Frame> {
  return new Promise((resolve, reject) => {
    const done = (settle: () => void) => {
      stop()
      stream.removeEventListener('close', onEnd)
      stream.removeEventListener('remoteCloseWrite', onEnd)
      signal.removeEventListener('abort', onAbort)
      settle()
    }
    const onAbort = () => done(() => reject(signal.reason))
    const onEnd = () => done(() => reject(new NetworkError('read frame: the peer ended the stream')))
    const reader = new FrameReader(caps, (kind, body) => done(() => resolve({ kind, body })))
    const stop = readFrames(stream, reader, (error) => done(() => reject(error)))
    stream.addEventListener('close', onEnd, { once: true })
    if (stream.readBufferLength === 0 && stream.remoteWriteStatus === 'closed') onEnd()
    else stream.addEventListener('remoteCloseWrite', () => setImmediate(onEnd), { once: true })
    if (signal.aborted) onAbort()
    else signal.addEventListener('abort', onAbort, { once: true })
  })
}

/** Queues a frame and waits until the stream takes more. @throws if the stream ends first */
export async function sendFrame(stream: Stream, frame: Uint8Array, signal: AbortSignal): Promise<void> {
  if (!stream.send(frame)) await stream.onDrain({ signal })
}

/** Closes our half, and aborts the stream if the other side does not close its own in time. */
export async function endStream(stream: Stream, ms: number): Promise<void> {
  try {
    await stream.close({ signal: AbortSignal.timeout(ms) })
    await stream.closeRead({ signal: AbortSignal.timeout(ms) })
  } catch (error) {
    stream.abort(error instanceof Error ? error : new Error('end stream'))
  }
}

/** Resolves when the stream is over, however. */
export function untilClosed(stream: Stream): Promise<void> {
  return new Promise((resolve) => {
    if (stream.status !== 'open') resolve()
    else stream.addEventListener('close', () => resolve(), { once: true })
  })
}
