// Reference model, part 4: FROST signing and plain verification for each suite, straight from RFC 9591, BIP-340 and docs/protocols.md.
import assert from 'node:assert/strict'
import {
  type Affine,
  bytesBE,
  type Curve,
  ed25519,
  liftX,
  mod,
  multiply,
  negate,
  numberBE,
  same,
  secp256k1,
} from './curves.ts'
import { hashToScalar, join, keccak256, sha256, sha512 } from './hashes.ts'
import { lagrange } from './shares.ts'

/** What differs between suites. */
export interface Suite {
  readonly curve: Curve
  /** H1, H3: to a scalar under a label. */
  scalar(label: 'rho' | 'nonce', message: Uint8Array): bigint
  /** H4, H5. */
  digest(label: 'msg' | 'com', message: Uint8Array): Uint8Array
  challenge(R: Affine, key: Affine, message: Uint8Array): bigint
  /** Whether only points with an even y stand for keys and nonces. */
  readonly even: boolean
  /** The signature's encoding. */
  encode(R: Affine, z: bigint): Uint8Array
}

function onSecp(context: string): Pick<Suite, 'curve' | 'scalar' | 'digest'> {
  return {
    curve: secp256k1,
    scalar: (label, message) => hashToScalar(message, context + label, secp256k1.q),
    digest: (label, message) => sha256(context + label, message),
  }
}

const x32 = (point: Affine) => bytesBE(point?.x ?? 0n, 32)
const odd = (point: Affine) => point !== null && (point.y & 1n) === 1n

/** The address of a point, as Ethereum makes it. */
export function addressOf(point: Affine): Uint8Array {
  assert.ok(point)
  return keccak256(x32(point), bytesBE(point.y, 32)).subarray(12)
}

const RFC = 'FROST-secp256k1-SHA256-v1'
const ED = 'FROST-ED25519-SHA512-v1'
const little = (bytes: Uint8Array) => mod(numberBE(bytes.slice().reverse()), ed25519.q)

/** FROST(secp256k1, SHA-256) of RFC 9591: no scheme of ours, but the oracle has figures for it. */
export const RFC_SECP256K1: Suite = {
  ...onSecp(RFC),
  challenge: (R, key, message) =>
    hashToScalar(join(secp256k1.encode(R), secp256k1.encode(key), message), `${RFC}chal`, secp256k1.q),
  even: false,
  encode: (R, z) => join(secp256k1.encode(R), bytesBE(z, 32)),
}

/** The suites of our schemes. */
export const SUITES: Record<'frost-secp256k1-evm' | 'frost-secp256k1-bip340' | 'frost-ed25519', Suite> = {
  'frost-secp256k1-evm': {
    ...onSecp('FROST-secp256k1-EVM-v1'),
    challenge: (R, key, message) => evmChallenge(key, addressOf(R), message),
    even: false,
    encode: (R, z) => join(bytesBE(z, 32), addressOf(R)),
  },
  'frost-secp256k1-bip340': {
    ...onSecp('FROST-secp256k1-SHA256-TR-v1'),
    challenge: (R, key, message) => bip340Challenge(R, key, message),
    even: true,
    encode: (R, z) => join(x32(R), bytesBE(z, 32)),
  },
  'frost-ed25519': {
    curve: ed25519,
    scalar: (label, message) => little(sha512(ED, label, message)),
    digest: (label, message) => sha512(ED, label, message),
    challenge: (R, key, message) => little(sha512(ed25519.encode(R), ed25519.encode(key), message)),
    even: false,
    encode: (R, z) => join(ed25519.encode(R), ed25519.scalarToBytes(z)),
  },
}

function evmChallenge(key: Affine, nonceAddress: Uint8Array, message: Uint8Array): bigint {
  const domain = join('TSS-EVM-SCHNORR-v1', new Uint8Array(14))
  return mod(
    numberBE(keccak256(domain, x32(key), Uint8Array.of(odd(key) ? 28 : 27), nonceAddress, message)),
    secp256k1.q,
  )
}

function bip340Challenge(R: Affine, key: Affine, message: Uint8Array): bigint {
  const tag = sha256('BIP0340/challenge')
  return mod(numberBE(sha256(tag, tag, x32(R), x32(key), message)), secp256k1.q)
}

/** nonce_generate: H3(random ‖ share). */
export function nonce(suite: Suite, random: Uint8Array, share: bigint): bigint {
  return suite.scalar('nonce', join(random, suite.curve.scalarToBytes(share)))
}

/** One signer's secrets for one signature. */
export interface ReferenceSigner {
  readonly index: number
  readonly share: bigint
  readonly hiding: bigint
  readonly binding: bigint
}

/** Everything that a signing comes to, for comparison step by step. */
export interface ReferenceSigning {
  readonly bindingFactorInputs: readonly Uint8Array[]
  readonly bindingFactors: readonly bigint[]
  readonly shares: readonly bigint[]
  readonly R: Affine
  readonly signature: Uint8Array
}

/** Signs with all signers at once; they come in ascending order. */
export function sign(
  suite: Suite,
  groupKey: Affine,
  signers: readonly ReferenceSigner[],
  message: Uint8Array,
): ReferenceSigning {
  const { curve } = suite
  const flipKey = suite.even && odd(groupKey)
  const key = flipKey ? negate(curve, groupKey) : groupKey
  const id = (index: number) => curve.scalarToBytes(BigInt(index))
  const points = signers.map(({ hiding, binding }) => ({
    D: multiply(curve, curve.base, hiding),
    E: multiply(curve, curve.base, binding),
  }))
  const list = join(
    ...signers.flatMap(({ index }, at) => [
      id(index),
      curve.encode(points[at]?.D ?? null),
      curve.encode(points[at]?.E ?? null),
    ]),
  )
  const prefix = join(curve.encode(key), suite.digest('msg', message), suite.digest('com', list))
  const bindingFactorInputs = signers.map(({ index }) => join(prefix, id(index)))
  const bindingFactors = bindingFactorInputs.map((input) => suite.scalar('rho', input))
  const sum = points.reduce<Affine>(
    (R, { D, E }, at) => curve.add(R, curve.add(D, multiply(curve, E, bindingFactors[at] ?? 0n))),
    curve.neutral,
  )
  const flipNonce = suite.even && odd(sum)
  const R = flipNonce ? negate(curve, sum) : sum
  const c = suite.challenge(R, key, message)
  const set = signers.map(({ index }) => index)
  const shares = signers.map(({ index, share, hiding, binding }, at) => {
    const r = hiding + binding * (bindingFactors[at] ?? 0n)
    const x = lagrange(curve, set, index) * share * c
    return mod((flipNonce ? -r : r) + (flipKey ? -x : x), curve.q)
  })
  const z = shares.reduce((total, share) => mod(total + share, curve.q), 0n)
  return { bindingFactorInputs, bindingFactors, shares, R, signature: suite.encode(R, z) }
}

/** Plain verification from the group key alone. */
export function verify(
  scheme: keyof typeof SUITES,
  groupKey: Affine,
  message: Uint8Array,
  signature: Uint8Array,
): boolean {
  const suite = SUITES[scheme]
  const { curve } = suite
  const G = curve.base
  if (scheme === 'frost-secp256k1-evm') {
    const [z, a] = [numberBE(signature.subarray(0, 32)), signature.subarray(32)]
    const e = evmChallenge(groupKey, a, message)
    const R = curve.add(multiply(curve, G, z), multiply(curve, negate(curve, groupKey), e))
    return z < curve.q && Buffer.compare(addressOf(R), a) === 0
  }
  const z = curve.scalarFromBytes(signature.subarray(32))
  const nonceBytes = signature.subarray(0, 32)
  const even = scheme === 'frost-secp256k1-bip340'
  const R = even ? liftX(numberBE(nonceBytes), false) : curve.decode(nonceBytes)
  const key = even && odd(groupKey) ? negate(curve, groupKey) : groupKey
  const right = curve.add(R, multiply(curve, key, suite.challenge(R, key, message)))
  return z < curve.q && same(multiply(curve, G, z), right)
}
