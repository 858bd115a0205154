// The door of the closed protocols: each stream is checked against its sender's tier when it opens and again at each frame.
import type { Connection, Stream } from '@libp2p/interface'
import { type Address, utf8 } from '../lib/bytes.ts'
import type { Clock } from '../lib/clock.ts'
import type { Counters } from './counters.ts'
import { encodeFrame, FrameError, FrameReader } from './framing.ts'
import { addressOfPeer } from './identity.ts'
import { Bucket, Buckets, type Limits } from './limits.ts'
import type { Links } from './links.ts'
import type { Membership } from './membership.ts'
import { type ClosedProtocol, KIND, MAX_REASON, requestCaps, serves } from './protocols.ts'
import { type Frame, readFrames, untilClosed } from './streams.ts'

/** What the door works with. */
export interface DoorParts {
  readonly membership: Membership
  readonly links: Links
  readonly limits: Limits
  readonly counters: Counters
  readonly clock: Clock
  /** A frame of an admitted peer. */
  readonly deliver: (protocol: ClosedProtocol, from: Address, frame: Frame) => void
  /** An admitted peer opened a stream to us. */
  readonly opened: (from: Address) => void
}

interface Guest {
  readonly stream: Stream
  readonly protocol: ClosedProtocol
  readonly from: Address
}

/** How long a refused peer has to read why. */
const REFUSAL_MS = 300
const NOT_ADMITTED = 'not a member that this node admits'
const REMOVED = 'no longer a member that this node admits'

/** Inbound streams of the closed protocols. */
export class Door {
  readonly #parts: DoorParts
  readonly #guests = new Set<Guest>()
  readonly #frames: Buckets<Address>
  readonly #bytes: Buckets<Address>
  readonly #receipts: Buckets<Address>
  readonly #refusals = new WeakMap<Connection, Bucket>()

  constructor(parts: DoorParts) {
    const { clock, limits } = parts
    this.#parts = parts
    this.#frames = new Buckets(clock, { rate: limits.framesPerSecond, burst: 8 * limits.framesPerSecond })
    this.#bytes = new Buckets(clock, { rate: limits.bytesPerSecond, burst: 8 * limits.bytesPerSecond })
    this.#receipts = new Buckets(clock, {
      rate: limits.receiptsPerMinute / 60,
      burst: limits.receiptsPerMinute,
    })
  }

  /** Serves or refuses a stream that a peer opened. */
  enter(protocol: ClosedProtocol, stream: Stream, connection: Connection): void {
    const { membership, counters, opened } = this.#parts
    const from = addressOfPeer(connection.remotePeer)
    const tier = membership.tierOf(from)
    if (from === null || !serves(tier, protocol)) {
      counters.refuse(protocol, tier === 'receipts' ? 'receipts-tier' : 'stranger')
      this.#meterRefusal(connection)
      void refuse(stream, { reason: NOT_ADMITTED, clock: this.#parts.clock })
      return
    }
    const guest: Guest = { stream, protocol, from }
    this.#guests.add(guest)
    stream.addEventListener('close', () => this.#guests.delete(guest), { once: true })
    stream.addEventListener('remoteCloseWrite', () => void stream.close().catch(() => {}), { once: true })
    this.#read(guest, connection)
    // What it owes it owes on every stream and connection: the meters of a member outlive them.
    this.#meter(guest, { frames: 0, bytes: 0 })
    stream.send(encodeFrame(KIND.welcome))
    opened(from)
  }

  /** Refuses the open streams of a peer whose tier no longer serves them. */
  recheck(address: Address): void {
    const tier = this.#parts.membership.tierOf(address)
    for (const guest of [...this.#guests]) {
      if (guest.from === address && !serves(tier, guest.protocol)) this.#remove(guest)
    }
  }

  /** Asks a peer on its open session streams to send the frames of a session again. */
  askAgain(from: Address, sessionId: Uint8Array): void {
    for (const guest of this.#guests) {
      if (guest.from === from && guest.protocol === 'session' && guest.stream.status === 'open')
        guest.stream.send(encodeFrame(KIND.again, sessionId))
    }
  }

  #read(guest: Guest, connection: Connection): void {
    const { counters, deliver, membership } = this.#parts
    const { stream, protocol, from } = guest
    let stop = () => {}
    const reader = new FrameReader(requestCaps(protocol), (kind, body) => {
      if (!this.#guests.has(guest)) return
      if (!serves(membership.tierOf(from), protocol)) {
        this.#remove(guest)
        stop()
      } else if (
        protocol !== 'receipt' ||
        membership.tierOf(from) === 'committee' ||
        this.#receipts.of(from).take()
      ) {
        this.#meter(guest, { frames: 1, bytes: body.length })
        deliver(protocol, from, { kind, body })
      } else {
        counters.drop(protocol, 'rate')
      }
    })
    stop = readFrames(stream, reader, (error) => {
      counters.drop(protocol, error instanceof FrameError ? error.reason : 'malformed')
      this.#guests.delete(guest)
      this.#meterRefusal(connection)
      stream.abort(new Error('malformed frame'))
    })
  }

  /** Stops reading from a peer above its rate until it is below again; the stream's window holds the sender back. */
  #meter({ stream, from }: Guest, { frames, bytes }: { frames: number; bytes: number }): void {
    const ms = Math.max(this.#frames.of(from).charge(frames), this.#bytes.of(from).charge(bytes))
    if (ms === 0 || stream.readStatus !== 'readable') return
    this.#parts.counters.drop('session', 'slowed')
    stream.pause()
    void this.#parts.clock.sleep(ms).then(() => {
      if (stream.status === 'open' && stream.readStatus === 'paused') stream.resume()
    })
  }

  #remove(guest: Guest): void {
    this.#guests.delete(guest)
    this.#parts.counters.refuse(guest.protocol, 'removed')
    void refuse(guest.stream, { reason: REMOVED, clock: this.#parts.clock })
  }

  #meterRefusal(connection: Connection): void {
    const { clock, limits, counters } = this.#parts
    let bucket = this.#refusals.get(connection)
    if (bucket === undefined) {
      bucket = new Bucket(clock, { rate: limits.refusalsPerMinute / 60, burst: limits.refusalsPerMinute })
      this.#refusals.set(connection, bucket)
    }
    if (bucket.take()) return
    counters.refuse('connection', 'refusals')
    connection.abort(new Error('too many refused streams'))
  }
}

/** Says why, then ends both halves; a peer that goes on sending is cut off. */
async function refuse(stream: Stream, { reason, clock }: { reason: string; clock: Clock }): Promise<void> {
  try {
    stream.send(encodeFrame(KIND.refused, utf8(reason).subarray(0, MAX_REASON)))
    await stream.closeRead()
    await stream.close({ signal: AbortSignal.timeout(REFUSAL_MS) })
    await Promise.race([untilClosed(stream), clock.sleep(REFUSAL_MS)])
  } catch {
    // The peer has gone before it heard us.
  }
  stream.abort(new Error('refused'))
}
