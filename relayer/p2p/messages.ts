// Meters the messages within one stream: a service of libp2p's own answers as many as come, each of which may cost it a search.
import type { Stream, StreamMessageEvent } from '@libp2p/interface'

/** Longest message of the DHT that is let through, in bytes; the library itself would buffer megabytes. */
const MAX_MESSAGE = 16_384
const MAX_PREFIX = 7 * 4

/** Follows messages with a length in front, as protobuf streams have them: a varint, low bits first. */
export class MessageCounter {
  #prefix = 0
  #shift = 0
  #left = 0

  /** How many messages begin in the next bytes of the stream; null if one is longer than is let through. */
  push(bytes: Uint8Array): number | null {
    let begun = 0
    for (let at = 0; at < bytes.length; ) {
      if (this.#left > 0) {
        const skipped = Math.min(this.#left, bytes.length - at)
        this.#left -= skipped
        at += skipped
        continue
      }
      const byte = bytes[at] ?? 0
      at += 1
      this.#prefix |= (byte & 0x7f) << this.#shift
      this.#shift += 7
      if (byte >= 0x80 && this.#shift < MAX_PREFIX) continue
      if (byte >= 0x80 || this.#prefix > MAX_MESSAGE) return null
      this.#left = this.#prefix
      this.#prefix = 0
      this.#shift = 0
      begun += 1
    }
    return begun
  }
}

/**
 * Ends a stream on which a message comes that is too long, or one more than allowed. Call it before the service listens.
 * @param allow asked for each message after the first, which the stream itself stands for
 */
export function meterMessages(stream: Stream, allow: () => boolean): void {
  const counter = new MessageCounter()
  let seen = 0
  const onMessage = ({ data }: StreamMessageEvent) => {
    const begun = counter.push(data instanceof Uint8Array ? data : data.subarray())
    for (let at = 0; at < (begun ?? 0); at++) {
      seen += 1
      if (seen > 1 && !allow()) return cut()
    }
    if (begun === null) cut()
  }
  const cut = () => {
    stream.removeEventListener('message', onMessage)
    stream.abort(new Error('too many messages'))
  }
  stream.addEventListener('message', onMessage)
}
