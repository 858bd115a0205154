// What a corrupt operator can do on the wire: change and sign again what its own node sends, to all or to some.
import { EncodingError } from '../../relayer/crypto/enc.ts'
import type { Signer } from '../../relayer/crypto/identity.ts'
import type { Address } from '../../relayer/lib/bytes.ts'
import {
  decodeFrame,
  type Envelope,
  encodeFrame,
  isSealedBy,
  type SignedEnvelope,
  seal,
  startOfFrame,
} from '../../relayer/protocol/envelope.ts'
import type { Packet, Rule } from './sim-network.ts'

/** The envelope of a packet, or null for a packet that is no session frame. */
export function envelopeOf(packet: Packet): SignedEnvelope | null {
  if (packet.kind !== 'frame') return null
  try {
    return decodeFrame(packet.body)
  } catch (error) {
    if (error instanceof EncodingError) return null
    throw error
  }
}

/** Which messages a rule is about: those that this sender signed itself, of a round, to all or to one. */
export interface Selection {
  readonly by: Address
  readonly round: number
  readonly toAll: boolean
  /** Receivers; by default every one. */
  readonly to?: readonly Address[]
}

/** The envelope of a packet that is selected, else null. */
export function selected(packet: Packet, of: Selection): SignedEnvelope | null {
  const envelope = envelopeOf(packet)
  if (envelope === null || packet.from !== of.by || !isSealedBy(of.by, envelope)) return null
  const wanted = of.to === undefined || of.to.includes(packet.to)
  return wanted && envelope.round === of.round && (envelope.to === null) === of.toAll ? envelope : null
}

/** Changes selected messages of a corrupt operator and signs them again; null drops the message. */
export function edit(
  signer: Signer,
  of: Omit<Selection, 'by'>,
  change: (envelope: SignedEnvelope) => Partial<Envelope> | null,
): Rule {
  return (packet) => {
    const envelope = selected(packet, { ...of, by: signer.address })
    if (envelope === null) return 'pass'
    const changed = change(envelope)
    return changed === null
      ? 'drop'
      : [{ ...packet, body: reseal(signer, packet, { ...envelope, ...changed }) }]
  }
}

/** Drops selected messages. */
export function drop(of: Selection): Rule {
  return (packet) => (selected(packet, of) === null ? 'pass' : 'drop')
}

/** A frame with another envelope and the same start message. */
export function reseal(signer: Signer, packet: Packet, envelope: Envelope): Uint8Array {
  return encodeFrame(seal(signer, envelope), startOfFrame(packet.body) ?? undefined)
}
