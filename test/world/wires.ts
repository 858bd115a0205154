// Cheats with control messages: start messages, announcements, signing, receipts, gossip; a corrupt operator's own packets, changed as they leave.
import { enc } from '../../relayer/crypto/enc.ts'
import { type Address, u8 } from '../../relayer/lib/bytes.ts'
import { decodeFrame } from '../../relayer/protocol/envelope.ts'
import { ROUND } from '../../relayer/protocol/messages.ts'
import { decodeStart, signStart } from '../../relayer/protocol/spec.ts'
import { REFUSED_START, type Verdict } from './verdict.ts'
import type { Line } from './hearing.ts'
import { bytes, type Leaving, on, type WireCheat } from './leaving.ts'
import { OUTSIDER } from './outsiders.ts'
import { PACKAGE_CHEATS } from './packages.ts'
import { SHARE_CHEATS } from './shares.ts'

export type { Leaving, WireCheat } from './leaving.ts'

function flipped(body: Uint8Array, at: number): Uint8Array {
  return body.with(at, (body[at] ?? 0) ^ 1)
}

/** A start message of its own, changed and signed again. */
function restarted(leaving: Leaving, change: (dealers: readonly number[]) => readonly number[]) {
  const signed = decodeStart(leaving.packet.body)
  if (signed === null) return null
  const start = {
    ...signed.start,
    dealers: change(signed.start.dealers),
    startNonce: new Uint8Array(32).fill(6),
  }
  return bytes(leaving, signStart(leaving.signer, start).bytes)
}

/** A member says in its log that it refuses what this sender sent, and must not say that it took it. */
const refusing = (what: string, takes?: string): Verdict => ({
  line: ({ msg, from }, culprit) => msg === `${what} refused` && from === culprit,
  ...(takes === undefined
    ? {}
    : { taken: ({ msg, from }: Line, culprit: Address) => msg === takes && from === culprit }),
})

const GARBLED = ['announcement', 'evidence', 'activation', 'certificate', 'receipt']

export const WIRE_CHEATS: readonly WireCheat[] = [
  {
    name: 'two start messages',
    verdict: {
      line: ({ msg }) => msg === 'the coordinator signed two start messages',
      pair: true,
      within: 5,
    },
    change: on('start', (leaving) =>
      leaving.draw.chance(500) ? restarted(leaving, (dealers) => dealers) : null,
    ),
  },
  {
    name: 'start message against the rules',
    forbidden: true,
    verdict: REFUSED_START,
    change: on('start', (leaving) => restarted(leaving, (dealers) => [...dealers, ...dealers, 1])),
  },
  {
    name: 'no announcement',
    verdict: {
      line: ({ msg, members }, culprit) => msg === 'attempt failed' && members?.includes(culprit) === true,
      within: 40,
    },
    change: on('announce', () => []),
  },
  {
    name: 'garbled control messages',
    verdict: {
      line: ({ msg, from }, culprit) =>
        msg === 'start message refused' ||
        (from === culprit && GARBLED.some((what) => msg === `${what} refused`)),
    },
    change: (leaving) =>
      leaving.packet.topic !== null && leaving.draw.chance(500)
        ? bytes(leaving, flipped(leaving.packet.body, leaving.draw.below(leaving.packet.body.length)))
        : null,
  },
  {
    name: 'forged receipt',
    verdict: refusing('receipt', 'receipt received'),
    change: on('receipt', (leaving) =>
      bytes(leaving, flipped(leaving.packet.body, leaving.packet.body.length - 20)),
    ),
  },
  {
    name: 'forged evidence',
    // What is kept is judged in court.
    verdict: { ...refusing('evidence'), loud: true },
    change: on('announce', ({ packet }) => {
      // In the form of a record, with nothing in it that anybody signed.
      const none = new Uint8Array(64)
      return [packet, { ...packet, topic: 'evidence', body: enc(u8(1), none, packet.body, none) }]
    }),
  },
  {
    name: 'forged activation',
    verdict: refusing('activation', 'activation signed'),
    change: on('activation', (leaving) =>
      bytes(leaving, flipped(leaving.packet.body, leaving.packet.body.length - 10)),
    ),
  },
  {
    name: 'forged certificate',
    verdict: refusing('certificate', 'certificate received'),
    change: (leaving) => {
      const { packet } = leaving
      if (packet.topic === 'certificate') return bytes(leaving, flipped(packet.body, packet.body.length - 10))
      if (packet.kind !== 'frame' || !isAcknowledgement(packet.body)) return null
      // Before the others have collected their own, with one acknowledgement in it.
      const body = enc(new Uint8Array(32).fill(4), enc(packet.body))
      return [packet, { ...packet, kind: 'tell', session: '', topic: 'certificate', body }]
    },
  },
  ...PACKAGE_CHEATS,
  ...SHARE_CHEATS,
  // Done by the world, since nothing of theirs leaves any more (outsiders.ts).
  { name: OUTSIDER, verdict: { unserved: true }, change: () => null },
]

function isAcknowledgement(frame: Uint8Array): boolean {
  try {
    return decodeFrame(frame).round === ROUND.acknowledge
  } catch {
    return false
  }
}
