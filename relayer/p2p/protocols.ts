// The protocol ids that a node speaks, the tier that each one needs, and the kinds of frames that pass on them.
import { MAX_FRAME, TOPICS, type Topic } from '../protocol/channel.ts'

/** What an authenticated peer is to this node: everybody is `discovery`; see admit() in protocol/channel.ts for the others. */
export type Tier = 'discovery' | 'receipts' | 'committee'

/** First part of every protocol id. */
export const PREFIX = 'truss'

/** Discovery tier: served to everybody, under limits. */
export const DISCOVERY_PROTOCOLS = {
  identify: `/${PREFIX}/id/1.0.0`,
  ping: `/${PREFIX}/ping/1.0.0`,
  hello: `/${PREFIX}/hello/1.0.0`,
  kad: `/${PREFIX}/kad/1.0.0`,
} as const

/** Beyond discovery: a stream is answered by a welcome or by a refusal with its reason. */
export const CLOSED_PROTOCOLS = {
  session: `/${PREFIX}/session/1.0.0`,
  control: `/${PREFIX}/control/1.0.0`,
  receipt: `/${PREFIX}/receipt/1.0.0`,
} as const

export type ClosedProtocol = keyof typeof CLOSED_PROTOCOLS

/** Whether a tier is served a closed protocol. */
export function serves(tier: Tier, protocol: ClosedProtocol): boolean {
  return tier === 'committee' || (tier === 'receipts' && protocol === 'receipt')
}

/** Frame kinds. Requests are numbered per protocol, replies are common to all. */
export const KIND = { session: 1, hello: 1, welcome: 0xf0, refused: 0xf1, again: 0xf2 } as const

/** Bytes of a session id in front of each session frame. */
export const SESSION_ID = 32

/** Longest reason of a refusal, in bytes. */
export const MAX_REASON = 128

/** Largest hello, in bytes. */
export const MAX_HELLO = 512

/** The frame kind of each topic; numbers are never reused. */
const TOPIC_KIND: Record<Topic, number> = {
  announce: 1,
  start: 2,
  certificate: 3,
  activation: 4,
  sign: 5,
  receipt: 6,
  evidence: 7,
}

const BY_KIND = new Map(
  (Object.keys(TOPICS) as Topic[]).map((topic) => [TOPIC_KIND[topic], topic] as const), // CAST: the keys of TOPICS are Topic
)

/** The frame kind of a topic. */
export function kindOf(topic: Topic): number {
  return TOPIC_KIND[topic]
}

/** The topic of a frame kind, or undefined. */
export function topicOf(kind: number): Topic | undefined {
  return BY_KIND.get(kind)
}

/** On which closed protocol a topic travels. */
export function protocolOf(topic: Topic): 'control' | 'receipt' {
  return topic === 'receipt' ? 'receipt' : 'control'
}

/** Largest body in bytes of a frame of a kind, or undefined where that kind is not allowed. */
export type Caps = (kind: number) => number | undefined

/** What the receiver of a stream accepts on it. */
export function requestCaps(protocol: ClosedProtocol): Caps {
  if (protocol === 'session') return (kind) => (kind === KIND.session ? SESSION_ID + MAX_FRAME : undefined)
  return (kind) => {
    const topic = topicOf(kind)
    return topic !== undefined && protocolOf(topic) === protocol ? TOPICS[topic] : undefined
  }
}

/** What the opener of a stream accepts back. */
export const replyCaps: Caps = (kind) =>
  kind === KIND.welcome
    ? 0
    : kind === KIND.refused
      ? MAX_REASON
      : kind === KIND.again
        ? SESSION_ID
        : undefined
