// A lane: the one stream that carries our frames of a protocol to a peer, opened when there is work, opened again when it ends.
import type { Connection, Stream } from '@libp2p/interface'
import type { Clock } from '../lib/clock.ts'
import { NetworkError } from '../lib/errors.ts'
import { FrameReader } from './framing.ts'
import { type Limits, pause } from './limits.ts'
import { KIND, replyCaps } from './protocols.ts'
import { readFrames } from './streams.ts'

/** Where a lane takes its frames from. */
export interface Outgoing {
  /** Whether there is anything for which a stream is needed. */
  waiting(): boolean
  /** A fresh stream stands: what must be sent again comes first. */
  begin(): void
  /** The next encoded frame, or null if there is none now. */
  next(): Uint8Array | null
  /** The peer asks for the frames of a session once more. */
  again(sessionId: Uint8Array): void
}

/** What a lane works with. */
export interface LaneParts {
  readonly protocolId: string
  readonly outgoing: Outgoing
  readonly clock: Clock
  readonly limits: Limits
  /** The connection to use, or null as long as there is none or the peer is not admitted. */
  readonly connection: () => Connection | null
  /** The peer's reason for refusing us, or null when it welcomed us. */
  readonly refused: (reason: string | null) => void
}

/** Carries frames until it is stopped. */
export class Lane {
  readonly #parts: LaneParts
  readonly #stop = new AbortController()
  #running: Promise<void> | null = null
  #retry = new AbortController()
  #more: (() => void) | null = null
  #stream: Stream | null = null
  #failures = 0

  constructor(parts: LaneParts) {
    this.#parts = parts
  }

  /** There is something new to send. */
  wake(): void {
    this.#more?.()
    if (this.#running !== null || this.#stop.signal.aborted || !this.#ready()) return
    this.#running = this.#run().finally(() => {
      this.#running = null
      if (this.#ready()) this.wake()
    })
  }

  /** The peer has just shown itself: do not wait out a pause. */
  kick(): void {
    this.#retry.abort()
    this.wake()
  }

  /** Cuts the stream; the lane opens another one when it may. */
  cut(reason: string): void {
    this.#stream?.abort(new Error(reason))
  }

  async stop(): Promise<void> {
    this.#stop.abort()
    this.cut('stop')
    await this.#running
  }

  #ready(): boolean {
    return !this.#stop.signal.aborted && this.#parts.outgoing.waiting() && this.#parts.connection() !== null
  }

  async #run(): Promise<void> {
    const { clock, limits } = this.#parts
    while (this.#ready()) {
      await this.#carry().catch(() => {})
      this.#retry = new AbortController()
      if (!this.#ready()) return
      const signal = AbortSignal.any([this.#stop.signal, this.#retry.signal])
      await clock.sleep(pause(limits, this.#failures), signal).catch(() => {})
      this.#failures += 1
    }
  }

  /** One stream from opening to end. @throws if the peer did not serve us, or the stream broke */
  async #carry(): Promise<void> {
    const { limits, outgoing, protocolId } = this.#parts
    const connection = this.#parts.connection()
    if (connection === null) return
    const ended = new AbortController()
    const stop = AbortSignal.any([this.#stop.signal, ended.signal])
    const signal = AbortSignal.any([stop, AbortSignal.timeout(limits.helloMs)])
    const stream = await connection.newStream(protocolId, { signal, maxOutboundStreams: 8 })
    this.#stream = stream
    stream.addEventListener('close', () => ended.abort(), { once: true })
    stream.addEventListener('remoteCloseWrite', () => setImmediate(() => ended.abort()), { once: true })
    if (stream.status !== 'open') ended.abort()
    try {
      await this.#welcome(stream, signal)
      this.#failures = 0
      outgoing.begin()
      await this.#pump(stream, stop)
    } finally {
      this.#stream = null
      stream.abort(new Error('end of the lane'))
    }
  }

  /** Waits for the peer's welcome, and goes on reading what it asks for again. */
  #welcome(stream: Stream, signal: AbortSignal): Promise<void> {
    const { outgoing, refused } = this.#parts
    return new Promise((resolve, reject) => {
      const reader = new FrameReader(replyCaps, (kind, body) => {
        if (kind === KIND.welcome) {
          refused(null)
          resolve()
        } else if (kind === KIND.refused) {
          const reason = Buffer.from(body)
            .toString('latin1')
            .replaceAll(/[^\x20-\x7e]/g, '?')
          refused(reason)
          reject(new NetworkError(`open stream: refused, ${reason}`))
          stream.abort(new Error('refused'))
        } else {
          outgoing.again(body)
          this.#more?.()
        }
      })
      readFrames(stream, reader, (error) => {
        reject(error)
        stream.abort(new Error('bad reply'))
      })
      const onAbort = () => reject(signal.reason)
      if (signal.aborted) onAbort()
      else signal.addEventListener('abort', onAbort, { once: true })
    })
  }

  async #pump(stream: Stream, signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      const frame = this.#parts.connection() === null ? null : this.#parts.outgoing.next()
      if (frame === null) await this.#untilMore(signal)
      else if (!stream.send(frame)) await stream.onDrain({ signal })
    }
  }

  #untilMore(signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      this.#more = () => {
        this.#more = null
        signal.removeEventListener('abort', resolved)
        resolve()
      }
      const resolved = () => this.#more?.()
      signal.addEventListener('abort', resolved, { once: true })
    })
  }
}
