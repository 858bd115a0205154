// The Network port: authenticated messages between relayers. Implementations: libp2p (p2p/) and the simulated one (test/support).
import type { Address } from '../lib/bytes.ts'

/** Control messages outside protocol sessions; the number is the largest body in bytes. All but `receipt` are committee tier. */
export const TOPICS = {
  /** "I am ready for (ceremony, attempt)", to every participant. */
  announce: 512,
  /** The coordinator's signed start message. */
  start: 4096,
  /** A certificate (acknowledgements and readiness of all of the new committee), gossiped to old and new. */
  certificate: 262_144,
  /** An activation with its group signature, gossiped to old and new. */
  activation: 65_536,
  /** Signing packages, nonce batches and signature shares. */
  sign: 65_536,
  /** A signed deletion receipt; the one topic that former members may still use. */
  receipt: 512,
  /** An evidence record: that of a short accusation holds more than a frame does. */
  evidence: 262_144,
} as const

export type Topic = keyof typeof TOPICS

/** Largest frame of a protocol session, in bytes. */
export const MAX_FRAME = 65_536

/** Version of everything on the wire; the members of one committee must run the same to start a ceremony. */
export const PROTOCOL_VERSION = 1

/** What a peer last said of itself, on its authenticated connection. */
export interface PeerHello {
  readonly protocolVersion: number
  readonly softwareVersion: string
  /** Latest block of the governance chain that it sees; 0 for a bootnode or a visitor. */
  readonly head: number
  /** Running epoch as it sees it; 0 before the first. */
  readonly epoch: number
  /** How often it has started; 0 if it does not count. */
  readonly bootCounter: number
  /** Hex of the 16 bytes drawn at that start. */
  readonly bootId: string
}

/** A peer as this node sees it now. */
export interface PeerView {
  readonly address: Address
  /** Null as long as it was never met. */
  readonly peerId: string | null
  /** `committee` and `receipts` as admitted; `discovery` is everybody else with a connection. */
  readonly tier: 'committee' | 'receipts' | 'discovery'
  readonly connected: boolean
  /** Who dialled; null if not connected. */
  readonly direction: 'inbound' | 'outbound' | null
  /** Last ping, in ms; null before the first. */
  readonly latencyMs: number | null
  /** The last hello of this connection; null before it. */
  readonly hello: PeerHello | null
  /** Why it refuses our committee streams, in its words; null if it does not, or was not asked. */
  readonly refusedUs: string | null
}

/** One session's frames. */
export interface Channel {
  /**
   * Queues a frame for a peer and returns at once. Delivery is at least once while the channel is open and the peer is
   * reachable: frames are kept and sent again after a reconnection. Never throws for an unreachable peer: that is silence.
   */
  send(to: Address, frame: Uint8Array): void
  /** Registers the one receiver; frames that came before it are delivered first. `from` is authenticated. */
  onFrame(receiver: (from: Address, frame: Uint8Array) => void): void
  /** Drops the queues. Idempotent. */
  close(): void
}

/** The network as one relayer sees it. */
export interface Network {
  readonly self: Address
  /**
   * Opens the channel of a session. Frames of that session that came before (bounded per peer) are delivered to it.
   * @param sessionId 32 bytes
   * @param peers the only addresses whose frames are accepted, and to whom frames may go; may contain `self`
   */
  open(sessionId: Uint8Array, peers: readonly Address[]): Channel
  /**
   * Calls back for each frame of a session that is not open (it is kept, bounded, for a later `open`): a node that missed
   * the start message joins by the first envelope that carries it. Returns the unsubscriber.
   */
  onUnopened(listener: (from: Address, sessionId: Uint8Array, frame: Uint8Array) => void): () => void
  /** Queues one control message, best effort: it is dropped if the peer cannot be reached soon. Never throws for that. */
  tell(to: Address, topic: Topic, body: Uint8Array): void
  /** Registers a handler of a topic; `from` is authenticated and admitted to the topic's tier. Returns the unsubscriber. */
  onTell(topic: Topic, handler: (from: Address, body: Uint8Array) => void): () => void
  /** Who is served: `committee` all protocols, `receipts` the receipt topic only. Connections of others are closed. */
  admit(members: { committee: readonly Address[]; receipts: readonly Address[] }): void
  /** Whether an authenticated connection to the address stands now. */
  connected(address: Address): boolean
}
