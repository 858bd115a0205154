// The hello that peers exchange on a connection: versions, head, epoch and a signed boot counter, in strict CBOR.
import { decode, encode, rfc8949EncodeOptions } from 'cborg'
import { recover, type Signer } from '../crypto/identity.ts'
import { H } from '../crypto/hash.ts'
import { TAG } from '../crypto/tags.ts'
import { type Address, concat, equal, fromHex, toHex, u64 } from '../lib/bytes.ts'
import type { PeerHello } from '../protocol/channel.ts'
import { MAX_HELLO } from './protocols.ts'

export { PROTOCOL_VERSION } from '../protocol/channel.ts'

/** The bridge that a node serves; a bootnode serves none. */
export interface BridgeId {
  readonly chainId: number
  readonly bridge: Address
}

/** Stands for "no bridge" on the wire. */
export const NO_BRIDGE: BridgeId = { chainId: 0, bridge: `0x${'00'.repeat(20)}` }

/** A hello that is no hello: the reason is for a counter. */
export class HelloError extends Error {
  override name = 'HelloError'
}

/** H("hello", u64 chainId, bridge, u64 boot counter, boot id): what the sender's key signs. */
export function helloDigest({ chainId, bridge }: BridgeId, hello: PeerHello): Uint8Array {
  return H(TAG.hello, u64(chainId), fromHex(bridge), u64(hello.bootCounter), fromHex(hello.bootId))
}

/**
 * [protocol version, software version, chain id, bridge, head, epoch, boot counter, boot id, signature], at most 512 bytes.
 * @throws RangeError if a text is too long
 */
export function encodeHello(hello: PeerHello, network: BridgeId, signer: Signer): Uint8Array {
  const bytes = encode(
    [
      hello.protocolVersion,
      hello.softwareVersion,
      network.chainId,
      fromHex(network.bridge),
      hello.head,
      hello.epoch,
      hello.bootCounter,
      fromHex(hello.bootId),
      signer.sign(helloDigest(network, hello)),
    ],
    rfc8949EncodeOptions,
  )
  if (bytes.length > MAX_HELLO || !softwareText(hello.softwareVersion) || hello.bootId.length !== 32)
    throw new RangeError('encode hello: software version or boot id is not of the right size')
  return bytes
}

/** What a connection has shown of its peer's start: each of its hellos says the same, so one signature is looked at. */
export interface BootMemo {
  /** The boot that its peer signed, once that is known. */
  known: string | null
  /** How many more signatures of this connection are looked at. */
  looks: number
}

/** Of a new connection. One look is enough for whoever speaks the truth. */
export function newBootMemo(): BootMemo {
  return { known: null, looks: 2 }
}

/**
 * A hello, signed by the peer behind the connection.
 * @param memo of the connection; without one, as many signatures are looked at as come
 * @throws HelloError unless the bytes are the one encoding of a valid hello by `from`
 */
export function decodeHello(
  bytes: Uint8Array,
  from: Address,
  memo?: BootMemo,
): { hello: PeerHello; network: BridgeId } {
  const fields = decodeStrict(bytes)
  if (!Array.isArray(fields) || fields.length !== 9) throw new HelloError('decode hello: not its nine fields')
  const [protocolVersion, softwareVersion, chainId, bridge, head, epoch, bootCounter, bootId, signature] =
    fields as unknown[] // CAST: each element is checked below
  const hello: PeerHello = {
    protocolVersion: count(protocolVersion),
    softwareVersion: text(softwareVersion),
    head: count(head),
    epoch: count(epoch),
    bootCounter: count(bootCounter),
    bootId: toHex(bytesOf(bootId, 16)),
  }
  const network: BridgeId = { chainId: count(chainId), bridge: `0x${toHex(bytesOf(bridge, 20))}` }
  if (!isSigned(concat(helloDigest(network, hello), bytesOf(signature, 65)), from, memo))
    throw new HelloError('decode hello: not signed by its sender')
  return { hello, network }
}

/** Whether two nodes serve the same bridge, or one of them none. */
export function sameBridge(a: BridgeId, b: BridgeId): boolean {
  if (a.chainId === 0 || b.chainId === 0) return true
  return a.chainId === b.chainId && a.bridge === b.bridge
}

const recovered = new Map<string, Address | null>()
const RECOVERED_AT_MOST = 1024

/**
 * Recovers a boot's signature once: the same boot is signed alike in each hello, and recovery takes a millisecond. A
 * connection that shows one boot after another is not looked at for long.
 */
function isSigned(boot: Uint8Array, from: Address, memo: BootMemo | undefined): boolean {
  const key = toHex(boot)
  if (memo?.known === key) return true
  let address = recovered.get(key)
  if (address === undefined) {
    if (memo?.looks === 0) throw new HelloError('decode hello: too many boots on one connection')
    if (memo !== undefined) memo.looks -= 1
    address = recover(boot.subarray(0, 32), boot.subarray(32))
    if (recovered.size >= RECOVERED_AT_MOST) recovered.clear()
    recovered.set(key, address)
  }
  if (memo !== undefined && address === from) memo.known = key
  return address === from
}

/** The value of a strict, canonical CBOR string: what it decodes to must encode to the same bytes. */
function decodeStrict(bytes: Uint8Array): unknown {
  if (bytes.length > MAX_HELLO) throw new HelloError('decode hello: too long')
  try {
    const value: unknown = decode(bytes, {
      strict: true,
      rejectDuplicateMapKeys: true,
      allowIndefinite: false,
      allowNaN: false,
      allowInfinity: false,
      allowUndefined: false,
      allowBigInt: false,
      useMaps: true,
    })
    if (equal(encode(value, rfc8949EncodeOptions), bytes)) return value
  } catch (error) {
    throw new HelloError('decode hello: no strict CBOR', { cause: error })
  }
  throw new HelloError('decode hello: not the canonical encoding')
}

function count(value: unknown): number {
  if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < 0)
    throw new HelloError('decode hello: a number is out of range')
  return value
}

function text(value: unknown): string {
  if (typeof value !== 'string' || !softwareText(value))
    throw new HelloError('decode hello: the software version is no short plain text')
  return value
}

function softwareText(value: string): boolean {
  return /^[\x21-\x7e]{1,32}$/.test(value)
}

function bytesOf(value: unknown, length: number): Uint8Array {
  if (!(value instanceof Uint8Array) || value.length !== length)
    throw new HelloError(`decode hello: not a string of ${length} bytes`)
  return value
}
