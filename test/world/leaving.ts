// A corrupt operator's own packet as it leaves, and what a cheat makes of it.
import type { Signer } from '../../relayer/crypto/identity.ts'
import type { Address } from '../../relayer/lib/bytes.ts'
import type { Packet } from '../support/sim-network.ts'
import type { Verdict } from './verdict.ts'
import type { Draw } from './draw.ts'
import type { SignWatch } from './signwatch.ts'

/** One packet that leaves a corrupt operator. */
export interface Leaving {
  readonly packet: Packet
  readonly signer: Signer
  readonly draw: Draw
  /** The new committee of the ceremony that is pending, and dealers for it; null without one. */
  readonly pending: { readonly members: readonly Address[]; readonly dealers: readonly number[] } | null
  /** What has been said on the signing topic so far. */
  readonly signing: SignWatch
}

/** A way to cheat with control messages: what leaves instead, or null for the packet as it is. */
export interface WireCheat {
  readonly name: string
  /** Whether what it sends are start messages that no honest member may join. */
  readonly forbidden?: boolean
  /** What an honest member that takes it must make of it. */
  readonly verdict?: Verdict
  readonly change: (leaving: Leaving) => readonly Packet[] | null
}

/** Changes packets of one topic. */
export function on(
  topic: NonNullable<Packet['topic']>,
  change: (leaving: Leaving) => readonly Packet[] | null,
): WireCheat['change'] {
  return (leaving) => (leaving.packet.topic === topic ? change(leaving) : null)
}

/** Sends other bytes instead. */
export function bytes({ packet }: Leaving, body: Uint8Array): readonly Packet[] {
  return [{ ...packet, body }]
}
