// Start messages that nobody may join: of another ceremony, with wrong fields, or of one who does not coordinate.
import { decodeAnnouncement } from '../../relayer/ceremony/announcement.ts'
import { rankMembers } from '../../relayer/protocol/party.ts'
import { decodeStart, type StartMessage, signStart } from '../../relayer/protocol/spec.ts'
import type { Packet } from '../support/sim-network.ts'
import type { Leaving, WireCheat } from './wires.ts'

/** The coordinator's own start message, changed and signed again. */
function changed(name: string, change: (start: StartMessage) => Partial<StartMessage> | null): WireCheat {
  return {
    name,
    forbidden: true,
    change: ({ packet, signer }) => {
      const signed = packet.topic === 'start' ? decodeStart(packet.body) : null
      const other = signed === null ? null : change(signed.start)
      if (signed === null || other === null) return null
      return [{ ...packet, body: signStart(signer, { ...signed.start, ...other }).bytes }]
    },
  }
}

/** A start message in good form beside an announcement, unless this operator is the one to send it. */
function usurped({ packet, signer, pending }: Leaving): readonly Packet[] | null {
  if (packet.topic !== 'announce') return null
  const announced = announcementIn(packet.body)
  if (announced === null || pending === null) return null
  const { context, attempt } = announced
  if (rankMembers(context, attempt, pending.members)[0] === signer.address) return null
  const start = { context, attempt, dealers: pending.dealers, startNonce: new Uint8Array(32).fill(8) }
  return [packet, { ...packet, topic: 'start', body: signStart(signer, start).bytes }]
}

/** What an announcement says, unless another cheat has garbled it before. */
function announcementIn(body: Uint8Array) {
  try {
    return decodeAnnouncement(body)
  } catch {
    return null
  }
}

/** Each is E_AUTH: honest members join none of them. */
export const START_CHEATS: readonly WireCheat[] = [
  changed('start message of another ceremony', ({ context }) => ({
    context: context.with(0, (context[0] ?? 0) ^ 1),
  })),
  changed('start message without a nonce', () => ({ startNonce: new Uint8Array(32) })),
  changed('start message with a dealer missing', ({ dealers }) =>
    dealers.length === 0 ? null : { dealers: dealers.slice(1) },
  ),
  changed('start message with dealers out of order', ({ dealers }) =>
    dealers.length < 2 ? null : { dealers: dealers.toReversed() },
  ),
  { name: 'start message of one who does not coordinate', forbidden: true, change: usurped },
]
