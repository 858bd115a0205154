// Reference model, part 5: keygen, reshare, refresh and key addition down to the bytes on the wire and the transcript (docs/protocols.md).
import assert from 'node:assert/strict'
import {
  bytesBE,
  type Curve,
  ed25519,
  encodeLong,
  inverse,
  mod,
  multiply,
  numberBE,
  secp256k1,
} from './curves.ts'
import { hashToScalar, join, keccak256, sha256 } from './hashes.ts'
import { keygen, lagrange, type Polynomial, reshare, type Sharing } from './shares.ts'

/** A committee; members as 20 bytes in ascending order. */
export interface ModelCommittee {
  readonly epoch: number
  readonly members: readonly Uint8Array[]
  readonly threshold: number
}

/** A key: one that exists has a sharing, one that comes into being has none. */
export interface ModelKey {
  readonly keyId: number
  readonly scheme: string
  readonly sharing: Sharing | null
}

/** One attempt, with the randomness of each member. */
export interface ModelCeremony {
  readonly op: 'keygen' | 'reshare' | 'refresh' | 'addkey'
  readonly chainId: number
  readonly bridge: Uint8Array
  /** Ascending keyId. */
  readonly keys: readonly ModelKey[]
  readonly old: ModelCommittee | null
  readonly next: ModelCommittee
  readonly trigger: Uint8Array
  readonly attempt: number
  readonly dealers: readonly number[]
  readonly startNonce: Uint8Array
  rngOf(member: Uint8Array): (length: number) => Uint8Array
}

/** What it comes to. */
export interface ModelResult {
  readonly sessionId: Uint8Array
  readonly transcript: Uint8Array
  /** Every key with its new sharing. */
  readonly keys: readonly (ModelKey & { readonly sharing: Sharing })[]
}

export const curveOf = (scheme: string): Curve => (scheme === 'frost-ed25519' ? ed25519 : secp256k1)
const u = (value: number, length: number) => bytesBE(BigInt(value), length)

/** The injective encoding. */
function enc(...parts: readonly Uint8Array[]): Uint8Array {
  return join(u(parts.length, 4), ...parts.flatMap((part) => [u(part.length, 4), part]))
}

function H(tag: string, ...parts: readonly Uint8Array[]): Uint8Array {
  const tau = sha256(`tssb/v1/${tag}`)
  return sha256(tau, tau, enc(...parts))
}

function Hs(tag: string, q: bigint, ...parts: readonly Uint8Array[]): bigint {
  return hashToScalar(enc(...parts), `tssb/v1/${tag}`, q)
}

function keyDigest({ chainId, bridge }: ModelCeremony, { keyId, scheme }: ModelKey): Uint8Array {
  const names = [curveOf(scheme).name, scheme, 'bridge'].map((name) => join(name))
  return H('keyid', ...names, u(keyId, 4), u(chainId, 8), bridge)
}

function committeeHash({ chainId, bridge }: ModelCeremony, committee: ModelCommittee | null): Uint8Array {
  if (committee === null) return new Uint8Array(32)
  const { epoch, members, threshold } = committee
  const words = [u(chainId, 32), join(new Uint8Array(12), bridge), u(epoch, 32), u(160, 32), u(threshold, 32)]
  return keccak256(
    ...words,
    u(members.length, 32),
    ...members.map((member) => join(new Uint8Array(12), member)),
  )
}

/** Of a key that exists: its digest, group key, and the hash of its commitments. */
function statedOnChain(ceremony: ModelCeremony, key: ModelKey): Uint8Array[] {
  const { scheme, sharing } = key
  if (sharing === null) return []
  const long = sharing.commitments.map((point) => encodeLong(curveOf(scheme), point))
  return [keyDigest(ceremony, key), groupKeyBytes(scheme, sharing), keccak256(...long)]
}

function sessionId(ceremony: ModelCeremony): Uint8Array {
  const { op, chainId, bridge, keys, old, next, trigger, attempt, dealers, startNonce } = ceremony
  const context = H(
    'ctx',
    join(op),
    u(chainId, 8),
    bridge,
    enc(...keys.flatMap((key) => statedOnChain(ceremony, key))),
    join(...keys.filter(({ sharing }) => sharing === null).map((key) => keyDigest(ceremony, key))),
    u(old?.epoch ?? 0, 8),
    u(next.epoch, 8),
    committeeHash(ceremony, old),
    committeeHash(ceremony, next),
    trigger,
  )
  return H('sid', context, u(attempt, 4), join(...dealers.map((index) => u(index, 2))), startNonce)
}

/** What a dealer publishes of a secret: on ed25519 an eighth of it. */
function publish(curve: Curve, secret: bigint): Uint8Array {
  const part = curve === ed25519 ? mod(secret * inverse(8n, curve.q), curve.q) : secret
  return encodeLong(curve, multiply(curve, curve.base, part))
}

interface Dealt {
  readonly key: ModelKey
  readonly polynomial: Polynomial
  readonly published: readonly Uint8Array[]
  readonly blinding: Uint8Array
  readonly sidk: Uint8Array
}

interface Seat {
  readonly index: number
  readonly rng: (length: number) => Uint8Array
  readonly keys: readonly ModelKey[]
  /** Filled in round 1. */
  readonly dealt: Dealt[]
}

/** The seats that deal, old by index, then new by index; a member with two seats draws for the old one first. */
function seatsOf(ceremony: ModelCeremony): Seat[] {
  const { keys, old, next, dealers } = ceremony
  const generators = new Map<string, (length: number) => Uint8Array>()
  const rngOf = (member: Uint8Array) => {
    const name = Buffer.from(member).toString('hex')
    const rng = generators.get(name) ?? ceremony.rngOf(member)
    generators.set(name, rng)
    return rng
  }
  const held = keys.filter(({ sharing }) => sharing !== null)
  const fresh = keys.filter(({ sharing }) => sharing === null)
  const seat = (member: Uint8Array | undefined, index: number, own: readonly ModelKey[]): Seat => {
    assert.ok(member)
    return { index, rng: rngOf(member), keys: own, dealt: [] }
  }
  return [
    ...(old === null ? [] : dealers.map((index) => seat(old.members[index - 1], index, held))),
    ...(fresh.length === 0 ? [] : next.members.map((member, at) => seat(member, at + 1, fresh))),
  ]
}

/** Runs an attempt among honest members. */
export function run(ceremony: ModelCeremony): ModelResult {
  const { next, dealers, op } = ceremony
  const sid = sessionId(ceremony)
  const seats = seatsOf(ceremony)
  // A member's draws come seat by seat within a round, so that the order of seats here is the order there.
  const round1 = seats.map(({ index, rng, keys, dealt }) => {
    const parts = keys.map((key) => {
      const curve = curveOf(key.scheme)
      const draw = () => mod(numberBE(rng(48)), curve.q - 1n) + 1n
      const share = key.sharing?.shares[index - 1]
      const constant = share === undefined ? draw() : mod(lagrange(curve, dealers, index) * share, curve.q)
      const polynomial = [constant, ...Array.from({ length: next.threshold - 1 }, draw)]
      const published = polynomial.map((a) => publish(curve, a))
      const blinding = rng(32)
      const sidk = H('sidk', sid, keyDigest(ceremony, key))
      dealt.push({ key, polynomial, published, blinding, sidk })
      const com = H(key.sharing === null ? 'kg-com' : 'rs-com', sidk, u(index, 2), ...published, blinding)
      return enc(com, join(...(key.sharing?.commitments ?? []).map((point) => encodeLong(curve, point))))
    })
    return enc(...parts)
  })
  const h1 = H('echo', sid, u(1, 1), ...round1)
  const round2 = seats.map(({ index, rng, dealt }) => {
    const parts = dealt.map(({ key, polynomial, published, blinding, sidk }) => {
      const curve = curveOf(key.scheme)
      const k = mod(numberBE(rng(48)), curve.q - 1n) + 1n
      const U = publish(curve, k)
      const tag = key.sharing === null ? 'kg-pok' : 'rs-pok'
      const e = Hs(tag, curve.q, sidk, h1, u(index, 2), ...published, U)
      const z = mod(k + e * (polynomial[0] ?? 0n), curve.q)
      return enc(enc(...published), blinding, U, curve.scalarToBytes(z))
    })
    return enc(h1, ...parts)
  })
  const h2 = H('echo', sid, u(2, 1), ...round2)
  const keys = ceremony.keys.map((key) => {
    const polynomials = seats.flatMap(({ dealt }) =>
      dealt.filter((each) => each.key === key).map(({ polynomial }) => polynomial),
    )
    const curve = curveOf(key.scheme)
    if (key.sharing === null) return { ...key, sharing: keygen(curve, polynomials) }
    const tails = polynomials.map((polynomial) => polynomial.slice(1))
    return { ...key, sharing: reshare(curve, key.sharing, { set: dealers, tails, n: next.members.length }) }
  })
  const parts = keys.flatMap(({ scheme, sharing }) => {
    const curve = curveOf(scheme)
    const long = sharing.commitments.map((point) => encodeLong(curve, point))
    const group = op === 'keygen' ? [groupKeyBytes(scheme, sharing)] : []
    return [...group, ...long, ...sharing.verificationShares.map((point) => curve.encode(point))]
  })
  const transcript = H(op === 'keygen' ? 'kg-t' : 'rs-t', sid, h1, h2, ...parts)
  return { sessionId: sid, transcript, keys }
}

/** 64 bytes x ‖ y or 32. */
export function groupKeyBytes(scheme: string, sharing: Sharing): Uint8Array {
  const curve = curveOf(scheme)
  return encodeLong(curve, sharing.groupKey).slice(curve === ed25519 ? 0 : 1)
}
