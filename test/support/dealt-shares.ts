// A trusted dealer for tests of what comes after a keygen: real shares of random keys, in the form in which keygen gives them.
import { ed25519 } from '@noble/curves/ed25519.js'
import { secp256k1 } from '@noble/curves/secp256k1.js'
import { systemRng } from '../../relayer/crypto/rng.ts'
import { type Address, toAddress } from '../../relayer/lib/bytes.ts'
import { Secret } from '../../relayer/lib/secret.ts'
import { curveOf, type KeyPublic, type KeyShare, type Scheme } from '../../relayer/protocol/keyshare.ts'
import type { Committee } from '../../relayer/protocol/party.ts'
import type { Prepared } from '../../relayer/protocol/prepared.ts'
import type { CeremonySpec } from '../../relayer/protocol/spec.ts'

/** The chain and the bridge of these tests. */
export const CHAIN = { chainId: 31337, bridge: toAddress(`0x${'b1'.repeat(20)}`) } as const

/** Three members; the second is `OPERATOR`. */
export const MEMBERS: readonly Address[] = ['11', '22', '33'].map((byte) => toAddress(`0x${byte.repeat(20)}`))
export const OPERATOR = toAddress(`0x${'22'.repeat(20)}`)

/** What each member of a committee would have prepared, by address. */
export interface Dealt {
  readonly spec: CeremonySpec
  readonly prepared: ReadonlyMap<Address, Prepared>
}

/** Deals random keys of the given schemes to a committee, as the attempt of a keygen. */
export function deal(options: {
  epoch: number
  attempt?: number
  members?: readonly Address[]
  threshold?: number
  schemes?: readonly Scheme[]
}): Dealt {
  const { epoch, attempt = 0, members = MEMBERS, threshold = 2, schemes = ['frost-secp256k1-evm'] } = options
  const next: Committee = { epoch, members: [...members].sort(), threshold }
  const keys = schemes.map((scheme, keyId) => dealKey(scheme, keyId, next))
  const spec: CeremonySpec = {
    op: 'keygen',
    ...CHAIN,
    held: [],
    generated: schemes.map((scheme, keyId) => ({ keyId, scheme })),
    old: null,
    next,
    triggerBlockHash: new Uint8Array(32).fill(7),
  }
  const common = { sessionId: systemRng(32), epoch, attempt, transcript: systemRng(32) }
  const prepared = next.members.map((member, at) => {
    const shares = keys.map((key) => ({
      ...key.public,
      share: new Secret(key.shares[at] ?? new Uint8Array()),
    }))
    return [member, { ...common, keys: keys.map((key) => key.public), shares }] as const
  })
  return { spec, prepared: new Map(prepared) }
}

/** The prepared result of one member. */
export function preparedOf(dealt: Dealt, member: Address): Prepared {
  const prepared = dealt.prepared.get(member)
  if (prepared === undefined) throw new Error(`no member ${member}`)
  return prepared
}

/** The first share of a prepared result. */
export function firstShare(prepared: Prepared): KeyShare {
  const share = prepared.shares[0]
  if (share === undefined) throw new Error('no share')
  return share
}

function dealKey(
  scheme: Scheme,
  keyId: number,
  committee: Committee,
): { public: KeyPublic; shares: Uint8Array[] } {
  const onSecp = curveOf(scheme) === 'secp256k1'
  const { Point } = onSecp ? secp256k1 : ed25519
  const Fn = Point.Fn
  const coefficients = Array.from({ length: committee.threshold }, () =>
    Fn.create(BigInt(`0x${Buffer.from(systemRng(31)).toString('hex')}`)),
  )
  const at = (x: bigint) => coefficients.reduceRight((sum, c) => Fn.add(Fn.mul(sum, x), c), 0n)
  const scalars = committee.members.map((_, index) => at(BigInt(index + 1)))
  const points = coefficients.map((c) => Point.BASE.multiply(c))
  const group = points[0]
  if (group === undefined) throw new Error('no coefficients')
  return {
    public: {
      keyId,
      scheme,
      groupKey: onSecp ? group.toBytes(false).subarray(1) : group.toBytes(),
      commitments: points.map((point) => point.toBytes(false)),
      verificationShares: scalars.map((scalar) => Point.BASE.multiply(scalar).toBytes(true)),
    },
    shares: scalars.map((scalar) => Fn.toBytes(scalar)),
  }
}
