// Cheats with control messages: start messages, announcements, signing, receipts, gossip; a corrupt operator's own packets, changed as they leave.
import { enc } from '../../relayer/crypto/enc.ts'
import type { Signer } from '../../relayer/crypto/identity.ts'
import { type Address, u8 } from '../../relayer/lib/bytes.ts'
import { decodeStart, signStart } from '../../relayer/protocol/spec.ts'
import { decodeMessage, encodeMessage, shareDigest } from '../../relayer/protocol/signwire.ts'
import { decodePackage, sealPackage } from '../../relayer/protocol/signwire.ts'
import type { Packet } from '../support/sim-network.ts'
import type { Draw } from './draw.ts'

/** One packet that leaves a corrupt operator. */
export interface Leaving {
  readonly packet: Packet
  readonly signer: Signer
  readonly draw: Draw
  /** The new committee of the ceremony that is pending, and dealers for it; null without one. */
  readonly pending: { readonly members: readonly Address[]; readonly dealers: readonly number[] } | null
  /** Says that it is being done; the receiver will look at it. */
  readonly note: () => void
}

/** A way to cheat with control messages: what leaves instead, or null for the packet as it is. */
export interface WireCheat {
  readonly name: string
  /** Whether what it sends are start messages that no honest member may join. */
  readonly forbidden?: boolean
  readonly change: (leaving: Leaving) => readonly Packet[] | null
}

/** Changes packets of one topic. */
function on(
  topic: NonNullable<Packet['topic']>,
  change: (leaving: Leaving) => readonly Packet[] | null,
): WireCheat['change'] {
  return (leaving) => (leaving.packet.topic === topic ? change(leaving) : null)
}

/** Sends other bytes instead. */
function bytes({ packet, note }: Leaving, body: Uint8Array): readonly Packet[] {
  note()
  return [{ ...packet, body }]
}

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

export const WIRE_CHEATS: readonly WireCheat[] = [
  {
    name: 'two start messages',
    change: on('start', (leaving) =>
      leaving.draw.chance(500) ? restarted(leaving, (dealers) => dealers) : null,
    ),
  },
  {
    name: 'start message against the rules',
    forbidden: true,
    change: on('start', (leaving) => restarted(leaving, (dealers) => [...dealers, ...dealers, 1])),
  },
  { name: 'no announcement', change: on('announce', ({ note }) => (note(), [])) },
  {
    name: 'garbled control messages',
    change: (leaving) =>
      leaving.packet.topic !== null && leaving.draw.chance(500)
        ? bytes(leaving, flipped(leaving.packet.body, leaving.draw.below(leaving.packet.body.length)))
        : null,
  },
  {
    name: 'wrong signature share',
    change: on('sign', (leaving) => {
      const message = decoded(leaving.packet.body)
      if (message?.type !== 'share') return null
      const z = new Uint8Array(32).fill(1).with(31, 0)
      const signature = leaving.signer.sign(shareDigest(message.hash, message.digest, z))
      return bytes(leaving, encodeMessage({ ...message, z, signature }))
    }),
  },
  {
    name: 'no signature share',
    change: on('sign', ({ packet, note }) => (decoded(packet.body)?.type === 'share' ? (note(), []) : null)),
  },
  {
    name: 'nonces asked for twice',
    change: on('sign', (leaving) => repackaged(leaving, (text) => `${text} and more`)),
  },
  {
    name: 'prepared shares asked for a probe',
    change: on('sign', (leaving) => {
      const signing = packaged(leaving.packet.body)
      if (signing === null) return null
      const { ref } = signing.request
      if (signing.request.payload.type !== 'activation') return null
      const probe = { keyId: ref.keyId, epoch: ref.epoch, text: 'a transfer' }
      const request = { ...signing.request, payload: { type: 'probe', probe } as const }
      return bytes(leaving, encodeMessage(sealPackage({ ...signing, request }, leaving.signer)))
    }),
  },
  {
    name: 'active shares asked for an activation',
    change: on('sign', (leaving) => {
      const signing = packaged(leaving.packet.body)
      if (signing === null) return null
      if (signing.request.payload.type !== 'probe') return null
      const request = { ...signing.request, payload: { type: 'activation' } as const }
      return bytes(leaving, encodeMessage(sealPackage({ ...signing, request }, leaving.signer)))
    }),
  },
  {
    name: 'forged receipt',
    change: on('receipt', (leaving) =>
      bytes(leaving, flipped(leaving.packet.body, leaving.packet.body.length - 20)),
    ),
  },
  {
    name: 'forged evidence',
    change: on('announce', ({ packet, note }) => {
      note()
      // In the form of a record, with nothing in it that anybody signed.
      const none = new Uint8Array(64)
      return [packet, { ...packet, topic: 'evidence', body: enc(u8(1), none, packet.body, none) }]
    }),
  },
  {
    name: 'forged activation',
    change: on('activation', (leaving) =>
      bytes(leaving, flipped(leaving.packet.body, leaving.packet.body.length - 10)),
    ),
  },
  {
    name: 'forged certificate',
    change: on('certificate', (leaving) =>
      bytes(leaving, flipped(leaving.packet.body, leaving.packet.body.length - 10)),
    ),
  },
]

/** The package as it is, and once more with the same nonces for another message. */
function repackaged(leaving: Leaving, change: (text: string) => string): readonly Packet[] | null {
  const signing = packaged(leaving.packet.body)
  if (signing === null) return null
  const { payload } = signing.request
  const other =
    payload.type === 'probe'
      ? { type: 'probe' as const, probe: { ...payload.probe, text: change(payload.probe.text) } }
      : payload
  const request = { ...signing.request, payload: other, run: flipped(signing.request.run, 0) }
  const second = encodeMessage(sealPackage({ ...signing, request }, leaving.signer))
  leaving.note()
  return [leaving.packet, { ...leaving.packet, body: second }]
}

function decoded(body: Uint8Array) {
  try {
    return decodeMessage(body)
  } catch {
    return null
  }
}

/** The package in a message, unless another cheat has garbled it before. */
function packaged(body: Uint8Array) {
  const message = decoded(body)
  try {
    return message?.type === 'package' ? decodePackage(message.body) : null
  } catch {
    return null
  }
}
