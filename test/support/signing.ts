// A committee that signs over the simulated network: dealt keys of every FROST scheme, a ShareSigner each, and any of them leading.
import { signerOf, type Signer } from '../../relayer/crypto/identity.ts'
import { type Address, toAddress } from '../../relayer/lib/bytes.ts'
import { Secret } from '../../relayer/lib/secret.ts'
import type { FaultError } from '../../relayer/protocol/faults.ts'
import type { KeyShare, Scheme } from '../../relayer/protocol/keyshare.ts'
import { type Mailbox, withLoopback } from '../../relayer/protocol/mailbox.ts'
import type { ShareRef } from '../../relayer/protocol/nonces.ts'
import { type HashedCommittee, hashedCommittee } from '../../relayer/protocol/party.ts'
import type { Payload } from '../../relayer/protocol/payload.ts'
import { coordinateSignature } from '../../relayer/protocol/roast.ts'
import type { Coordination, GroupSignature } from '../../relayer/protocol/coordination.ts'
import { ShareSigner, type ShareSignerOptions } from '../../relayer/protocol/sign.ts'
import { type Domain, probeDigest } from '../../relayer/protocol/typed.ts'
import { ed25519, encodeLong, secp256k1 } from './reference/curves.ts'
import { share as dealShares } from './reference/shares.ts'
import { seededRng } from './seeded-rng.ts'
import { settle } from './fake-clock.ts'
import { type Packet, SimNetwork } from './sim-network.ts'

export const DOMAIN: Domain = { chainId: 31_337, bridge: toAddress(`0x${'b1'.repeat(20)}`) }
export const FROST_SCHEMES = ['frost-secp256k1-evm', 'frost-secp256k1-bip340', 'frost-ed25519'] as const

/** One member with its keys, its signer and its door to the network. */
export interface Signatory {
  readonly index: number
  readonly operator: Signer
  readonly shares: readonly KeyShare[]
  readonly mailbox: Mailbox
  readonly faults: FaultError[]
  signer: ShareSigner
}

/** How a member differs from the honest default. */
export type Overrides = Partial<Omit<ShareSignerOptions, 'operator' | 'mailbox'>>

/** The digest that an honest member computes for a probe; other payloads are against its policy. */
export function probeOnly({ payload }: { payload: Payload }): Uint8Array {
  if (payload.type !== 'probe') throw new Error(`no policy for ${payload.type}`)
  return probeDigest(DOMAIN, payload.probe)
}

/** Keys of the schemes dealt by the reference model from a seed; shares by member, in order. */
export function dealKeys(options: {
  seed: string
  t: number
  n: number
  schemes: readonly Scheme[]
}): KeyShare[][] {
  const members: KeyShare[][] = Array.from({ length: options.n }, () => [])
  options.schemes.forEach((scheme, keyId) => {
    const curve = scheme === 'frost-ed25519' ? ed25519 : secp256k1
    const rng = seededRng(`${options.seed}/${keyId}`)
    const polynomial = Array.from({ length: options.t }, () =>
      BigInt(`0x${Buffer.from(rng(31)).toString('hex')}`),
    )
    const dealt = dealShares(curve, polynomial, options.n)
    const common = {
      keyId,
      scheme,
      groupKey: encodeLong(curve, dealt.groupKey).slice(curve === ed25519 ? 0 : 1),
      commitments: dealt.commitments.map((point) => encodeLong(curve, point)),
      verificationShares: dealt.verificationShares.map((point) => curve.encode(point)),
    }
    dealt.shares.forEach((s, at) =>
      members[at]?.push({ ...common, share: new Secret(curve.scalarToBytes(s)) }),
    )
  })
  return members
}

/** A committee of n with threshold t. */
export class SigningWorld {
  readonly network: SimNetwork
  readonly committee: HashedCommittee
  readonly members: readonly Signatory[]
  readonly seed: string
  readonly common: Omit<ShareRef, 'keyId'>
  #boots = 0
  #runs = 0

  constructor(options: { t: number; n: number; schemes?: readonly Scheme[]; seed?: string }) {
    const { t, n, schemes = ['frost-secp256k1-evm'], seed = 'signing' } = options
    this.seed = seed
    this.network = new SimNetwork(seed)
    const operators = Array.from({ length: n }, (_, at) =>
      signerOf(new Secret(seededRng(`${seed}/operator/${at}`)(32))),
    ).sort((a, b) => (a.address < b.address ? -1 : 1))
    const members = operators.map(({ address }) => address)
    this.committee = hashedCommittee(DOMAIN, { epoch: 3, members, threshold: t })
    const { epoch, hash: committeeHash } = this.committee
    this.common = { epoch, attempt: 1, transcript: new Uint8Array(32).fill(0x77), committeeHash }
    const shares = dealKeys({ seed, t, n, schemes })
    this.members = operators.map((operator, at) => {
      const node = this.network.join(operator.address)
      node.admit({ committee: this.committee.members, receipts: [] })
      const mailbox = withLoopback(
        {
          send: (to, body) => node.tell(to, 'sign', body),
          onMessage: (handler) => node.onTell('sign', handler),
        },
        operator.address,
      )
      const member = { index: at + 1, operator, shares: shares[at] ?? [], mailbox, faults: [] }
      return Object.assign(member, { signer: this.open(member) })
    })
  }

  /** A signer for a member: what a restarted process, or one with other options, would run. */
  open(member: Omit<Signatory, 'signer'>, overrides: Overrides = {}): ShareSigner {
    this.#boots += 1
    return new ShareSigner({
      state: { kind: 'active' },
      ...this.common,
      shares: member.shares,
      committee: this.committee,
      operator: member.operator,
      mailbox: member.mailbox,
      boot: { counter: this.#boots, id: new Uint8Array(16).fill(this.#boots) },
      rng: seededRng(`${this.seed}/${member.index}/${this.#boots}`),
      authorize: probeOnly,
      onFault: (fault) => member.faults.push(fault),
      ...overrides,
    })
  }

  /** Closes a member's signer and opens another in its place. */
  reopen(index: number, overrides: Overrides = {}): void {
    const member = this.member(index)
    member.signer.close()
    member.signer = this.open(member, overrides)
  }

  member(index: number): Signatory {
    const member = this.members[index - 1]
    if (member === undefined) throw new Error(`no member ${index}`)
    return member
  }

  address(index: number): Address {
    return this.member(index).operator.address
  }

  /** A signing message on its way from one member to another. */
  packet(from: number, to: number, body: Uint8Array): Packet {
    return {
      from: this.address(from),
      to: this.address(to),
      kind: 'tell',
      session: '',
      topic: 'sign',
      body,
    }
  }

  /** What a leader passes to coordinateSignature for a probe with a key; its patience is over when nothing moves. */
  coordination(leader: number, keyId = 0, text = 'are you there?'): Coordination {
    const member = this.member(leader)
    const key = member.shares.find((share) => share.keyId === keyId)
    const book = member.signer.book(keyId)
    if (key === undefined || book === undefined) throw new Error(`no key ${keyId}`)
    const probe = { keyId, epoch: this.common.epoch, text }
    this.#runs += 1
    return {
      payload: { type: 'probe', probe },
      digest: probeDigest(DOMAIN, probe),
      key,
      committee: this.committee,
      book,
      operator: member.operator,
      mailbox: member.mailbox,
      rng: seededRng(`${this.seed}/run/${this.#runs}`),
      patience: async () => {
        await settle()
        await this.network.idle()
      },
      signal: new AbortController().signal,
      onFault: (fault) => member.faults.push(fault),
    }
  }

  /** Has a probe signed. */
  probe(leader: number, keyId = 0, text?: string): Promise<GroupSignature> {
    return coordinateSignature(this.coordination(leader, keyId, text))
  }
}
