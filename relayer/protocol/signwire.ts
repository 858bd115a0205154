// The messages of threshold signing between a leader and the signers, and the digests that their signatures are over.
import { dec, decList, enc } from '../crypto/enc.ts'
import { H, preimage } from '../crypto/hash.ts'
import { type Signer, signedBy } from '../crypto/identity.ts'
import { TAG } from '../crypto/tags.ts'
import { type Address, concat, fromHex, toAddress, toUint, u8, u16, u64, utf8 } from '../lib/bytes.ts'
import { SCHEMES, type Scheme } from './keyshare.ts'
import { decodeRef, encodeRef, type NonceEntry, REF_BYTES, type ShareRef, safe } from './nonces.ts'
import { MAX_MEMBERS } from './party.ts'
import { decodePayload, encodePayload, type Payload } from './payload.ts'

/** What a leader asks to be signed. */
export interface SignRequest {
  readonly ref: ShareRef
  readonly payload: Payload
  /** 16 random bytes of this run: the same payload may be asked for again. */
  readonly run: Uint8Array
}

/** One session of a request: who signs, with which nonces. */
export interface SigningPackage {
  readonly request: SignRequest
  /** 1, 2, … within the run; at most n - t + 1. */
  readonly session: number
  readonly leader: Address
  readonly scheme: Scheme
  /** keccak256 of the key's commitments, 32 bytes: whoever signs a share answers for these verification shares. */
  readonly commitmentsHash: Uint8Array
  /** t entries in ascending order of index. */
  readonly entries: readonly NonceEntry[]
}

/** Why a signer refuses. */
export type RefusalCode = 'E_POLICY' | 'E_STATE' | 'E_B' | 'E_POINT' | 'E_EQUIV'
const REFUSALS: readonly RefusalCode[] = ['E_POLICY', 'E_STATE', 'E_B', 'E_POINT', 'E_EQUIV']

/** A message on the signing mailbox. */
export type SignMessage =
  /** Leader: are you there, and what nonces do you have for me? `boot` is that of the stock I hold, or zeros. */
  | { readonly type: 'ask'; readonly ref: ShareRef; readonly boot: Uint8Array }
  /** Signer: here, and your stock is still good. */
  | { readonly type: 'ready'; readonly ref: ShareRef; readonly boot: Uint8Array }
  /** Signer, or anyone who passes it on: a signed batch of nonces. */
  | { readonly type: 'batch'; readonly batch: Uint8Array }
  /** Leader: sign this. */
  | { readonly type: 'package'; readonly body: Uint8Array; readonly signature: Uint8Array }
  /** Signer: my signature share. */
  | {
      readonly type: 'share'
      readonly hash: Uint8Array
      readonly digest: Uint8Array
      readonly z: Uint8Array
      readonly signature: Uint8Array
    }
  /** Signer: no. */
  | {
      readonly type: 'refuse'
      readonly hash: Uint8Array
      readonly code: RefusalCode
      readonly reason: string
    }
  /** Signer: I do not know the nonces of these members. */
  | { readonly type: 'need'; readonly hash: Uint8Array; readonly indices: readonly number[] }
  /** Signer: you asked for a share that I do not sign with; mine is of this epoch. */
  | { readonly type: 'stale'; readonly ref: ShareRef; readonly epoch: number }

/** Longest reason of a refusal, in bytes. */
const MAX_REASON = 200

/** The message's wire form. */
export function encodeMessage(message: SignMessage): Uint8Array {
  switch (message.type) {
    case 'ask':
      return enc(u8(1), encodeRef(message.ref), message.boot)
    case 'ready':
      return enc(u8(2), encodeRef(message.ref), message.boot)
    case 'batch':
      return enc(u8(3), message.batch)
    case 'package':
      return enc(u8(4), message.body, message.signature)
    case 'share':
      return enc(u8(5), message.hash, message.digest, message.z, message.signature)
    case 'refuse': {
      const reason = utf8(message.reason).subarray(0, MAX_REASON)
      return enc(u8(6), message.hash, u8(REFUSALS.indexOf(message.code)), reason)
    }
    case 'need':
      return enc(u8(7), message.hash, concat(...message.indices.map(u16)))
    case 'stale':
      return enc(u8(8), encodeRef(message.ref), u64(message.epoch))
  }
}

/** The message of a wire form. @throws EncodingError or RangeError if it is not one */
export function decodeMessage(bytes: Uint8Array): SignMessage {
  const type = decList(bytes, 5)[0]
  const none = new Uint8Array()
  switch (type?.length === 1 ? type[0] : 0) {
    case 1:
    case 2: {
      const [, ref = none, boot = none] = dec(bytes, [1, REF_BYTES, 16])
      return { type: type?.[0] === 1 ? 'ask' : 'ready', ref: decodeRef(ref), boot }
    }
    case 3: {
      const [, batch = none] = dec(bytes, [1, -1])
      return { type: 'batch', batch }
    }
    case 4: {
      const [, body = none, signature = none] = dec(bytes, [1, -1, 65])
      return { type: 'package', body, signature }
    }
    case 5: {
      const [, hash = none, digest = none, z = none, signature = none] = dec(bytes, [1, 32, 32, 32, 65])
      return { type: 'share', hash, digest, z, signature }
    }
    case 6: {
      const [, hash = none, at = none, reason = none] = dec(bytes, [1, 32, 1, -1])
      const code = REFUSALS[toUint(at)]
      if (code === undefined || reason.length > MAX_REASON)
        throw new RangeError('decode refusal: code or length')
      return { type: 'refuse', hash, code, reason: printable(reason) }
    }
    case 7: {
      const [, hash = none, flat = none] = dec(bytes, [1, 32, -1])
      if (flat.length === 0 || flat.length % 2 !== 0 || flat.length > 2 * MAX_MEMBERS)
        throw new RangeError('decode need: indices')
      const indices = Array.from({ length: flat.length / 2 }, (_, at) =>
        toUint(flat.subarray(2 * at, 2 * at + 2)),
      )
      return { type: 'need', hash, indices }
    }
    case 8: {
      const [, ref = none, epoch = none] = dec(bytes, [1, REF_BYTES, 8])
      return { type: 'stale', ref: decodeRef(ref), epoch: safe(epoch) }
    }
    default:
      throw new RangeError('decode signing message: unknown type')
  }
}

/** The wire form of a package, which its leader signs and signers sign their shares against. */
export function encodePackage(signing: SigningPackage): Uint8Array {
  const { request, session, leader, scheme, commitmentsHash, entries } = signing
  return enc(
    encodeRef(request.ref),
    encodePayload(request.payload),
    request.run,
    u16(session),
    fromHex(leader),
    u8(SCHEMES.indexOf(scheme)),
    commitmentsHash,
    enc(
      ...entries.map((entry) =>
        concat(u16(entry.index), entry.batch, entry.boot, u64(entry.counter), entry.hiding, entry.binding),
      ),
    ),
  )
}

/**
 * The package of a wire form; the signer set is not judged here.
 * @throws EncodingError or RangeError if it is not one
 */
export function decodePackage(body: Uint8Array): SigningPackage {
  const none = new Uint8Array()
  const parts = dec(body, [REF_BYTES, -1, 16, 2, 20, 1, 32, -1])
  const [ref = none, payload = none, run = none, session = none, leader = none, tag = none, hash = none] =
    parts
  const scheme = SCHEMES[toUint(tag)]
  if (scheme === undefined) throw new RangeError('decode package: scheme')
  return {
    request: { ref: decodeRef(ref), payload: decodePayload(payload), run },
    session: toUint(session),
    leader: toAddress(leader),
    scheme,
    commitmentsHash: hash,
    entries: decList(parts[7] ?? none, MAX_MEMBERS).map(decodeEntry),
  }
}

function decodeEntry(bytes: Uint8Array): NonceEntry {
  const pointLength = (bytes.length - 58) / 2
  if (pointLength !== 33 && pointLength !== 32)
    throw new RangeError(`decode package: entry of ${bytes.length} bytes`)
  return {
    index: toUint(bytes.subarray(0, 2)),
    batch: bytes.subarray(2, 34),
    boot: bytes.subarray(34, 50),
    counter: safe(bytes.subarray(50, 58)),
    hiding: bytes.subarray(58, 58 + pointLength),
    binding: bytes.subarray(58 + pointLength),
  }
}

/** The hash by which messages name a package; the leader's signature is over it. */
export function packageHash(body: Uint8Array): Uint8Array {
  return H(TAG.signPackage, body)
}

/** Names a run: the same for all its sessions. */
export function requestId(request: SignRequest): Uint8Array {
  return H(TAG.request, encodeRef(request.ref), encodePayload(request.payload), request.run)
}

/** What a signer signs about its share: the package, the digest that it computed itself, and z_i. */
export function shareDigest(hash: Uint8Array, digest: Uint8Array, z: Uint8Array): Uint8Array {
  return H(TAG.signShare, hash, digest, z)
}

/** Whether an address signed a share. */
export function shareIsFrom(
  address: Address,
  share: { hash: Uint8Array; digest: Uint8Array; z: Uint8Array; signature: Uint8Array },
): boolean {
  return signedBy(address, preimage(TAG.signShare, share.hash, share.digest, share.z), share.signature)
}

/** Whether an address signed a package. */
export function packageIsFrom(
  address: Address,
  signed: { readonly body: Uint8Array; readonly signature: Uint8Array },
): boolean {
  return signedBy(address, preimage(TAG.signPackage, signed.body), signed.signature)
}

/** A signed package, ready to send. */
export function sealPackage(signing: SigningPackage, signer: Signer): SignMessage & { type: 'package' } {
  const body = encodePackage(signing)
  return { type: 'package', body, signature: signer.sign(packageHash(body)) }
}

function printable(bytes: Uint8Array): string {
  return new TextDecoder().decode(bytes).replaceAll(/[^\x20-\x7e]/g, '?')
}
