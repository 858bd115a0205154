// Operators who were removed and go on signing: they offer shares to the committee that they no longer belong to.
import { encodeMessage, shareDigest } from '../../relayer/protocol/signwire.ts'
import type { FakeChain } from '../support/fake-chain.ts'
import type { Packet, SimNetwork } from '../support/sim-network.ts'
import type { Charges } from './charges.ts'
import type { Member } from './member.ts'
import type { Scenario } from './scenario.ts'

/** The network hears none of them. */
export const OUTSIDER = 'removed, and signs on'

/** Blocks between two tries. */
const EVERY = 5

interface Parts {
  readonly chain: FakeChain
  readonly network: SimNetwork
  readonly charges: Charges
  readonly members: readonly Member[]
  readonly scenario: Scenario
}

/** The removed operators of one world. */
export class Outsiders {
  readonly #of: Parts

  constructor(of: Parts) {
    this.#of = of
  }

  /** Whoever was a member and is none now sends a signature share to everybody who is. */
  tick(): void {
    const { chain, members, scenario } = this.#of
    const { running, pending, epochs } = chain.head.state
    if (running === 0 || chain.head.ref.number % EVERY !== 0) return
    const now = epochs[running]?.members ?? []
    const next = epochs[pending?.epoch ?? 0]?.members ?? []
    const before = new Set(Object.values(epochs).flatMap((epoch) => epoch.members))
    for (const { operator, behaviours } of scenario.corrupt) {
      const member = members[operator]
      if (member === undefined || !behaviours.includes(OUTSIDER)) continue
      const { address } = member
      if (!before.has(address) || now.includes(address) || next.includes(address)) continue
      for (const to of now) this.#offer(member, to)
    }
  }

  #offer({ address, signer }: Member, to: Packet['to']): void {
    const { charges, network } = this.#of
    const [hash, digest, z] = [1, 2, 3].map((byte) => new Uint8Array(32).fill(byte))
    if (hash === undefined || digest === undefined || z === undefined) return
    const signature = signer.sign(shareDigest(hash, digest, z))
    const body = encodeMessage({ type: 'share', hash, digest, z, signature })
    const packet: Packet = { from: address, to, kind: 'tell', session: '', topic: 'sign', body }
    const charge = { name: OUTSIDER, culprit: address, verdict: { unserved: true }, hashes: [] } as const
    network.inject(charges.sends(packet, charge))
  }
}
