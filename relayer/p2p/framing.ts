// Frames on a stream: one byte of kind, four of length, the body; the length is checked before a byte of it is kept.
import { concat, u32, u8 } from '../lib/bytes.ts'
import type { Caps } from './protocols.ts'

/** A peer broke the framing: `oversized` or an unknown kind. The stream is of no use after it. */
export class FrameError extends Error {
  override name = 'FrameError'
  readonly reason: 'oversized' | 'kind'

  constructor(reason: 'oversized' | 'kind', message: string) {
    super(message)
    this.reason = reason
  }
}

const HEADER = 5
/** Room that a header alone can make us reserve; more only as bytes arrive. */
const FIRST_ROOM = 4096

/** The bytes of one frame. */
export function encodeFrame(kind: number, ...body: readonly Uint8Array[]): Uint8Array {
  const length = body.reduce((sum, part) => sum + part.length, 0)
  return concat(u8(kind), u32(length), ...body)
}

/** Cuts a byte stream into frames; holds at most one incomplete frame. */
export class FrameReader {
  readonly #caps: Caps
  readonly #deliver: (kind: number, body: Uint8Array) => void
  readonly #header = new Uint8Array(HEADER)
  #headerLength = 0
  #body = new Uint8Array(0)
  #bodyLength = 0
  #want = 0

  constructor(caps: Caps, deliver: (kind: number, body: Uint8Array) => void) {
    this.#caps = caps
    this.#deliver = deliver
  }

  /** Bytes reserved for the frame under way. */
  get reserved(): number {
    return this.#body.length
  }

  /**
   * Takes the next bytes and delivers each frame that they complete; bodies are copies.
   * @throws FrameError at a header with an unknown kind or a length above its cap
   */
  push(chunk: Uint8Array): void {
    let at = 0
    while (at < chunk.length) {
      if (this.#headerLength < HEADER) {
        const part = chunk.subarray(at, at + HEADER - this.#headerLength)
        this.#header.set(part, this.#headerLength)
        this.#headerLength += part.length
        at += part.length
        if (this.#headerLength < HEADER) return
        this.#begin()
      } else {
        const part = chunk.subarray(at, at + this.#want - this.#bodyLength)
        this.#reserve(this.#bodyLength + part.length)
        this.#body.set(part, this.#bodyLength)
        this.#bodyLength += part.length
        at += part.length
      }
      if (this.#bodyLength === this.#want) this.#finish()
    }
  }

  #begin(): void {
    const kind = this.#header[0] ?? 0
    const length = new DataView(this.#header.buffer).getUint32(1)
    const cap = this.#caps(kind)
    if (cap === undefined) throw new FrameError('kind', `read frame: kind ${kind} is not spoken here`)
    if (length > cap)
      throw new FrameError('oversized', `read frame: ${length} bytes of kind ${kind}, at most ${cap}`)
    this.#want = length
    this.#bodyLength = 0
    this.#body = new Uint8Array(Math.min(length, FIRST_ROOM))
  }

  #reserve(length: number): void {
    if (length <= this.#body.length) return
    const grown = new Uint8Array(Math.min(this.#want, Math.max(length, 2 * this.#body.length)))
    grown.set(this.#body.subarray(0, this.#bodyLength))
    this.#body = grown
  }

  #finish(): void {
    const [kind, body] = [this.#header[0] ?? 0, this.#body]
    this.#headerLength = 0
    this.#body = new Uint8Array(0)
    this.#bodyLength = 0
    this.#want = 0
    this.#deliver(kind, body)
  }
}
