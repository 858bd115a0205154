// Protocol sessions over the lanes: channels, what each peer must be sent (again) until a channel closes, and early frames.
import { type Address, concat, fromHex, toHex } from '../lib/bytes.ts'
import { type Channel, MAX_FRAME } from '../protocol/channel.ts'
import type { Counters } from './counters.ts'
import { encodeFrame } from './framing.ts'
import type { Outgoing } from './lane.ts'
import type { Limits } from './limits.ts'
import { Mailbox } from './mailbox.ts'
import { KIND, SESSION_ID } from './protocols.ts'

/** What the sessions work with. */
export interface SessionsParts {
  readonly self: Address
  readonly limits: Limits
  readonly counters: Counters
  /** There is something new for a peer. */
  readonly wake: (to: Address) => void
  /** Asks a peer to send the frames of a session once more. */
  readonly askAgain: (from: Address, sessionId: Uint8Array) => void
}

type Receiver = (from: Address, frame: Uint8Array) => void
type UnopenedListener = (from: Address, sessionId: Uint8Array, frame: Uint8Array) => void

const CLOSED_AT_MOST = 1024
/** How often a peer may have one session's frames repeated on one stream. */
const AGAIN_AT_MOST = 8

/** All sessions of this node. */
export class Sessions {
  readonly #parts: SessionsParts
  readonly #mailbox: Mailbox
  readonly #channels = new Map<string, OpenChannel>()
  readonly #closed = new Set<string>()
  readonly #outboxes = new Map<Address, Outbox>()
  readonly #listeners = new Set<UnopenedListener>()

  constructor(parts: SessionsParts) {
    this.#parts = parts
    this.#mailbox = new Mailbox(parts.limits, (reason) => parts.counters.drop('session', reason))
  }

  /** See Network.open. @throws RangeError unless the id has 32 bytes */
  open(sessionId: Uint8Array, peers: readonly Address[]): Channel {
    if (sessionId.length !== SESSION_ID)
      throw new RangeError(`open session: its id has ${sessionId.length} bytes instead of ${SESSION_ID}`)
    const session = toHex(sessionId)
    const allowed = new Set(peers)
    this.#channels.get(session)?.close()
    this.#closed.delete(session)
    const { frames, incomplete } = this.#mailbox.take(session, allowed)
    const channel = new OpenChannel({
      peers: allowed,
      early: frames,
      send: (to, frame) => this.#send(session, to, frame),
      closed: () => this.#close(session, channel),
      dropped: () => this.#parts.counters.drop('session', 'unread'),
    })
    this.#channels.set(session, channel)
    for (const from of incomplete) this.#parts.askAgain(from, sessionId)
    return channel
  }

  /** See Network.onUnopened. */
  onUnopened(listener: UnopenedListener): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  /** Takes a session frame of an authenticated member: 32 bytes of session id, then the frame. */
  receive(from: Address, body: Uint8Array): void {
    const { counters } = this.#parts
    if (body.length < SESSION_ID) {
      counters.drop('session', 'malformed')
      return
    }
    const sessionId = body.slice(0, SESSION_ID)
    const frame = body.slice(SESSION_ID)
    const session = toHex(sessionId)
    const channel = this.#channels.get(session)
    if (channel !== undefined) {
      if (!channel.receive(from, frame)) counters.drop('session', 'not-in-session')
    } else if (this.#closed.has(session)) {
      counters.drop('session', 'closed')
    } else {
      this.#mailbox.keep(from, session, frame)
      for (const listener of [...this.#listeners]) listener(from, sessionId, frame.slice())
    }
  }

  /** What waits for a peer; made on first use. */
  outbox(to: Address): Outbox {
    let outbox = this.#outboxes.get(to)
    if (outbox === undefined) {
      outbox = new Outbox(this.#parts.limits.outboxBytes)
      this.#outboxes.set(to, outbox)
    }
    return outbox
  }

  /** Throws away early frames of a peer that is no longer admitted. */
  forget(address: Address): void {
    this.#mailbox.forget(address)
  }

  /** Bytes of early frames kept for a peer. */
  unopenedBytes(from: Address): number {
    return this.#mailbox.bytes(from)
  }

  /** Closes every channel. */
  closeAll(): void {
    for (const channel of [...this.#channels.values()]) channel.close()
  }

  #send(session: string, to: Address, frame: Uint8Array): void {
    if (frame.length > MAX_FRAME)
      throw new RangeError(`send frame: ${frame.length} bytes, at most ${MAX_FRAME}`)
    if (to === this.#parts.self) {
      const body = concat(fromHex(session), frame)
      setImmediate(() => this.#channels.has(session) && this.receive(to, body))
    } else if (this.outbox(to).add(session, encodeFrame(KIND.session, fromHex(session), frame))) {
      this.#parts.wake(to)
    } else {
      this.#parts.counters.drop('session', 'outbox')
    }
  }

  #close(session: string, channel: OpenChannel): void {
    if (this.#channels.get(session) !== channel) return
    this.#channels.delete(session)
    this.#closed.add(session)
    const [oldest] = this.#closed
    if (this.#closed.size > CLOSED_AT_MOST && oldest !== undefined) this.#closed.delete(oldest)
    for (const outbox of this.#outboxes.values()) outbox.remove(session)
  }
}

/** Every frame of the open sessions for one peer, sent from the beginning on each new stream. */
export class Outbox implements Outgoing {
  readonly #most: number
  readonly #sessions = new Map<string, { frames: Uint8Array[]; next: number; again: number }>()
  #bytes = 0

  constructor(most: number) {
    this.#most = most
  }

  /** @returns false if there is no room for the frame */
  add(session: string, frame: Uint8Array): boolean {
    if (this.#bytes + frame.length > this.#most) return false
    const entry = this.#sessions.get(session) ?? { frames: [], next: 0, again: 0 }
    this.#sessions.set(session, entry)
    entry.frames.push(frame)
    this.#bytes += frame.length
    return true
  }

  remove(session: string): void {
    const entry = this.#sessions.get(session)
    this.#sessions.delete(session)
    this.#bytes -= entry?.frames.reduce((sum, frame) => sum + frame.length, 0) ?? 0
  }

  waiting(): boolean {
    return this.#sessions.size > 0
  }

  begin(): void {
    for (const entry of this.#sessions.values()) {
      entry.next = 0
      entry.again = 0
    }
  }

  next(): Uint8Array | null {
    for (const entry of this.#sessions.values()) {
      const frame = entry.frames[entry.next]
      if (frame !== undefined) {
        entry.next += 1
        return frame
      }
    }
    return null
  }

  again(sessionId: Uint8Array): void {
    const entry = this.#sessions.get(toHex(sessionId))
    if (entry === undefined || entry.again >= AGAIN_AT_MOST) return
    entry.again += 1
    entry.next = 0
  }
}

interface ChannelParts {
  readonly peers: ReadonlySet<Address>
  readonly early: { from: Address; frame: Uint8Array }[]
  readonly send: (to: Address, frame: Uint8Array) => void
  readonly closed: () => void
  readonly dropped: () => void
}

const UNREAD_AT_MOST = 4096

class OpenChannel implements Channel {
  readonly #parts: ChannelParts
  #receiver: Receiver | null = null
  #open = true

  constructor(parts: ChannelParts) {
    this.#parts = parts
  }

  send(to: Address, frame: Uint8Array): void {
    if (this.#open && this.#parts.peers.has(to)) this.#parts.send(to, frame.slice())
  }

  onFrame(receiver: Receiver): void {
    this.#receiver = receiver
    for (const { from, frame } of this.#parts.early.splice(0)) receiver(from, frame)
  }

  close(): void {
    if (!this.#open) return
    this.#open = false
    this.#receiver = null
    this.#parts.early.splice(0)
    this.#parts.closed()
  }

  /** @returns false if the sender has no part in this session */
  receive(from: Address, frame: Uint8Array): boolean {
    if (!this.#parts.peers.has(from)) return false
    if (this.#receiver !== null) this.#receiver(from, frame)
    else if (this.#parts.early.length < UNREAD_AT_MOST) this.#parts.early.push({ from, frame })
    else this.#parts.dropped()
    return true
  }
}
