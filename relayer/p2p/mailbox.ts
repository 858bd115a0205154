// Frames of sessions that are not open yet, bounded per peer, with counts of what did not fit.
import { type Address, equal } from '../lib/bytes.ts'
import type { Limits } from './limits.ts'

interface Kept {
  readonly frames: Uint8Array[]
  bytes: number
}

interface Box {
  readonly sessions: Map<string, Kept>
  /** Sessions of which something was dropped, the oldest first. */
  readonly incomplete: Set<string>
}

const INCOMPLETE_AT_MOST = 64

/** One box per peer: what one peer sends can only push out what the same peer sent. */
export class Mailbox {
  readonly #limits: Limits
  readonly #dropped: (reason: 'unopened' | 'unopened-session') => void
  readonly #boxes = new Map<Address, Box>()

  constructor(limits: Limits, dropped: (reason: 'unopened' | 'unopened-session') => void) {
    this.#limits = limits
    this.#dropped = dropped
  }

  /** Keeps a frame if there is room; the oldest session of that peer makes way for a new one. */
  keep(from: Address, session: string, frame: Uint8Array): void {
    const { unopenedSessions, unopenedFrames, unopenedBytes } = this.#limits
    const box = this.#box(from)
    let kept = box.sessions.get(session)
    if (kept === undefined) {
      if (box.sessions.size >= unopenedSessions) this.#evictOldest(box)
      kept = { frames: [], bytes: 0 }
      box.sessions.set(session, kept)
    }
    if (kept.frames.some((known) => equal(known, frame))) return
    const bytes = [...box.sessions.values()].reduce((sum, each) => sum + each.bytes, 0)
    if (kept.frames.length >= unopenedFrames || bytes + frame.length > unopenedBytes) {
      markIncomplete(box, session)
      this.#dropped('unopened')
      return
    }
    kept.frames.push(frame)
    kept.bytes += frame.length
  }

  /**
   * Takes out what peers sent for a session, in the order in which each sent it.
   * @returns the frames, and the peers of which some were dropped and must be asked again
   */
  take(
    session: string,
    peers: ReadonlySet<Address>,
  ): { frames: { from: Address; frame: Uint8Array }[]; incomplete: Address[] } {
    const frames: { from: Address; frame: Uint8Array }[] = []
    const incomplete: Address[] = []
    for (const [from, box] of this.#boxes) {
      const kept = box.sessions.get(session)
      box.sessions.delete(session)
      if (peers.has(from)) frames.push(...(kept?.frames ?? []).map((frame) => ({ from, frame })))
      if (box.incomplete.delete(session) && peers.has(from)) incomplete.push(from)
    }
    return { frames, incomplete }
  }

  /** Throws away what a peer sent. */
  forget(address: Address): void {
    this.#boxes.delete(address)
  }

  /** Bytes kept for a peer. */
  bytes(address: Address): number {
    return [...(this.#boxes.get(address)?.sessions.values() ?? [])].reduce((sum, each) => sum + each.bytes, 0)
  }

  #box(from: Address): Box {
    const box = this.#boxes.get(from) ?? { sessions: new Map(), incomplete: new Set() }
    this.#boxes.set(from, box)
    return box
  }

  #evictOldest(box: Box): void {
    const [oldest] = box.sessions.keys()
    if (oldest === undefined) return
    box.sessions.delete(oldest)
    markIncomplete(box, oldest)
    this.#dropped('unopened-session')
  }
}

function markIncomplete(box: Box, session: string): void {
  box.incomplete.add(session)
  const [oldest] = box.incomplete
  if (box.incomplete.size > INCOMPLETE_AT_MOST && oldest !== undefined) box.incomplete.delete(oldest)
}
