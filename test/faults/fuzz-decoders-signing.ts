// The fuzzer's decoders of threshold signing and of plain mathematics: messages, packages, batches, points, signatures.
import assert from 'node:assert/strict'
import { dec, decList, EncodingError, enc } from '../../relayer/crypto/enc.ts'
import {
  ed25519Group,
  type Group,
  PointError,
  ScalarError,
  secp256k1Group,
} from '../../relayer/crypto/group.ts'
import { recover } from '../../relayer/crypto/identity.ts'
import { verifySignature } from '../../relayer/crypto/schnorr.ts'
import { fromHex, toAddress, toHex, u16, u64, utf8 } from '../../relayer/lib/bytes.ts'
import { decodeBatch, decodeRef, encodeRef } from '../../relayer/protocol/nonces.ts'
import { decodePayload, encodePayload } from '../../relayer/protocol/payload.ts'
import { isSignEvidence, verifySignEvidence } from '../../relayer/protocol/signfault.ts'
import {
  decodeMessage,
  decodePackage,
  encodeMessage,
  encodePackage,
} from '../../relayer/protocol/signwire.ts'
import type { Decoder } from './fuzz-engine.ts'
import type { Dice } from './fuzz-random.ts'
import type { Samples } from './fuzz-samples.ts'

const BRIDGE = toAddress(`0x${'b1'.repeat(20)}`)

export function signingDecoders({ signing, keygen }: Samples): Decoder[] {
  const said = signing.messages.map(decodeMessage)
  const transcript = new Uint8Array(32).fill(4)
  const committeeHash = new Uint8Array(32).fill(6)
  const ref = { keyId: 1, epoch: 2, attempt: 3, transcript, committeeHash }
  const hash = new Uint8Array(32).fill(5)
  const packages = said.flatMap((message) => (message.type === 'package' ? [message.body] : []))
  const batches = said.flatMap((message) => (message.type === 'batch' ? [message.batch] : []))
  return [
    {
      name: 'signing message',
      covers: ['protocol/signwire.ts#decodeMessage', 'protocol/nonces.ts#decodeRef'],
      weight: 4,
      samples: [
        ...signing.messages,
        encodeMessage({ type: 'refuse', hash, code: 'E_STATE', reason: 'not now' }),
        encodeMessage({ type: 'need', hash, indices: [1, 3] }),
        encodeMessage({ type: 'stale', ref, epoch: 9 }),
        encodeMessage({ type: 'ready', ref, boot: new Uint8Array(16) }),
      ],
      errors: [EncodingError, RangeError],
      run: (bytes) => {
        const message = decodeMessage(bytes)
        const again = encodeMessage(message)
        if (message.type !== 'refuse') return { again }
        // A reason shows its unprintable bytes as question marks.
        assert.deepEqual(decodeMessage(again), message)
        return { value: 'a refusal' }
      },
      reaches: [
        'taken',
        'a refusal',
        'RangeError: decode signing message: unknown type',
        'RangeError: decode need: indices',
        'RangeError: decode refusal',
        'RangeError: decode integer: above N^N-N',
        'EncodingError: decode: N parts instead of',
      ],
    },
    {
      name: 'signing package',
      covers: ['protocol/signwire.ts#decodePackage'],
      weight: 2,
      samples: packages,
      errors: [EncodingError, RangeError],
      run: (bytes) => ({ again: encodePackage(decodePackage(bytes)) }),
      reaches: [
        'taken',
        'RangeError: decode package: scheme',
        'RangeError: decode package: entry of N bytes',
        'RangeError: decode payload: unknown type',
        'EncodingError: decode: part N has',
      ],
    },
    {
      name: 'payload',
      covers: ['protocol/payload.ts#decodePayload'],
      weight: 2,
      samples: [
        encodePayload({ type: 'activation' }),
        encodePayload({ type: 'probe', probe: { keyId: 0, epoch: 7, text: 'are you there? – ja' } }),
        encodePayload({ type: 'probe', probe: { keyId: 0, epoch: 7, text: 'x'.repeat(250) } }),
        encodePayload({
          type: 'set-group-key',
          message: {
            scheme: 1,
            groupKey: `0x${'ab'.repeat(64)}`,
            destinationChainId: 10,
            destinationBridge: BRIDGE,
          },
        }),
      ],
      errors: [EncodingError, RangeError],
      run: (bytes) => ({ again: encodePayload(decodePayload(bytes)) }),
      reaches: [
        'taken',
        'RangeError: decode payload: unknown type',
        'RangeError: decode payload: probe',
        'RangeError: decode payload: no UTF-N',
      ],
    },
    ...[32, 33].map(
      (size): Decoder => ({
        name: `nonce batch of ${size}-byte points`,
        covers: ['protocol/nonces.ts#decodeBatch'],
        weight: 1,
        samples: batches,
        errors: [EncodingError, RangeError],
        run: (bytes) => {
          const { ref: name, batch } = decodeBatch(bytes, size)
          const { index, boot, leader, first, points } = batch
          const [signature = bytes] = dec(bytes, [-1, -1, -1, -1, -1, -1, -1, -1]).slice(-1)
          const parts = [encodeRef(name), u16(index), u64(boot.counter), boot.id, fromHex(leader), u64(first)]
          return { again: enc(...parts, Buffer.concat(points), signature) }
        },
        reaches: [
          'taken',
          'RangeError: decode batch: N bytes of points',
          'RangeError: decode integer: above',
        ],
      }),
    ),
    {
      name: 'name of a share',
      covers: ['protocol/nonces.ts#decodeRef'],
      weight: 0.5,
      samples: [encodeRef(ref)],
      structured: (dice) => dice.bytes(48),
      errors: [RangeError, EncodingError],
      run: (bytes) => {
        // Its callers cut exactly 48 bytes.
        const [cut = bytes] = dec(enc(bytes), [48])
        return { again: encodeRef(decodeRef(cut)) }
      },
      reaches: ['taken', 'RangeError: decode integer: above', 'EncodingError: decode: part N has'],
    },
    {
      name: 'signing evidence',
      covers: ['protocol/signfault.ts#verifySignEvidence', 'protocol/signfault.ts#isSignEvidence'],
      weight: 0.05,
      samples: signing.evidence,
      errors: [],
      run: (bytes) => {
        const verdict = verifySignEvidence(bytes, signing.committee)
        if (verdict !== null) throw new Error(`honest records bent convict ${verdict.culprit.address}`)
        return { value: isSignEvidence(bytes) ? 'proves nothing' : 'no record' }
      },
      reaches: ['proves nothing', 'no record'],
    },
    ...mathematics(keygen.prepared.keys[0]?.groupKey ?? new Uint8Array(64)),
  ]
}

function mathematics(groupKey: Uint8Array): Decoder[] {
  const digest = new Uint8Array(32).fill(7)
  const sized = (dice: Dice) => dice.bytes(dice.pick([32, 33, 52, 64, 65]))
  const schemes = [
    { scheme: 'frost-secp256k1-evm', key: groupKey },
    { scheme: 'frost-secp256k1-bip340', key: groupKey },
    { scheme: 'frost-ed25519', key: groupKey.subarray(0, 32) },
    { scheme: 'ecdsa-secp256k1', key: groupKey },
  ] as const
  return [
    {
      name: 'enc',
      covers: ['crypto/enc.ts#dec', 'crypto/enc.ts#decList'],
      weight: 4,
      samples: [enc(), enc(digest), enc(enc(digest, digest), new Uint8Array())],
      errors: [EncodingError],
      run: (bytes) => ({ again: enc(...decList(bytes, 8)) }),
      reaches: [
        'taken',
        'EncodingError: decode: shorter than its count',
        'EncodingError: decode: N parts, at most N allowed',
        'EncodingError: decode: cut short in a length',
        'EncodingError: decode: cut short in a part',
        'EncodingError: decode: bytes left over',
      ],
    },
    ...[secp256k1Group, ed25519Group].flatMap(groupDecoders),
    {
      name: 'recoverable signature',
      covers: ['crypto/identity.ts#recover'],
      weight: 0.05,
      samples: [new Uint8Array(65).fill(27)],
      structured: (dice) => Uint8Array.of(...dice.bytes(64), 27 + dice.below(3)),
      errors: [],
      run: (bytes) => ({ value: recover(digest, bytes) === null ? 'nobody' : 'somebody' }),
      reaches: ['nobody', 'somebody'],
    },
    ...schemes.map(
      ({ scheme, key }): Decoder => ({
        name: `signature ${scheme}`,
        covers: ['crypto/schnorr.ts#verifySignature'],
        weight: 0.02,
        samples: [new Uint8Array(52), new Uint8Array(64), new Uint8Array(65).fill(27)],
        structured: sized,
        errors: [],
        run: (bytes) => {
          if (verifySignature({ scheme, groupKey: key }, digest, bytes)) throw new Error('forged')
          return { value: 'invalid' }
        },
        reaches: ['invalid'],
      }),
    ),
    {
      name: 'hex and address',
      covers: ['lib/bytes.ts#fromHex', 'lib/bytes.ts#toAddress'],
      weight: 1,
      samples: ['0x', `0x${'ab'.repeat(20)}`, 'cafe'].map(utf8),
      structured: (dice) => utf8(`0x${toHex(dice.bytes(dice.pick([0, 1, 20, 32])))}`),
      errors: [RangeError],
      run: (bytes) => {
        const text = Buffer.from(bytes).toString('latin1')
        if (text.length !== 42) return { value: `${fromHex(text).length > 0}` }
        return { value: toAddress(text).slice(0, 2) }
      },
      reaches: [
        '0x',
        'true',
        'RangeError: parse hex: not an even number of hex digits',
        'RangeError: parse address: not N',
      ],
    },
  ]
}

function groupDecoders(group: Group): Decoder[] {
  const points = [3n, 77n].map((scalar) => group.baseUnsafe(scalar))
  const long = group.encode(points)
  // Of ed25519: the identity, and points of order 4 and 2.
  const small = [
    Uint8Array.of(1, ...new Uint8Array(31)),
    new Uint8Array(32),
    Uint8Array.of(0xec, ...new Uint8Array(30).fill(0xff), 0x7f),
  ]
  const prefixed = (size: number) => (dice: Dice) => {
    const bytes = dice.bytes(size)
    if (size > 32) bytes[0] = dice.pick([2, 3, 4])
    return dice.oneIn(8) ? dice.pick(small) : bytes
  }
  return [
    {
      name: `${group.curve} point`,
      covers: ['crypto/group.ts#Group.decode', 'crypto/group.ts#Group.decodePublished'],
      weight: 0.3,
      samples: long,
      structured: prefixed(group.pointBytes),
      errors: [PointError],
      run: (bytes) => {
        const [again = bytes] = group.encode([group.decode(bytes)])
        group.decodePublished(bytes)
        return { again }
      },
      reaches: [
        'taken',
        'PointError: decode point: N bytes',
        'PointError: decode point: not canonical or not on the curve',
        ...(group.curve === 'ed25519'
          ? ['PointError: decode point: identity', 'PointError: decode point: small order']
          : []),
      ],
    },
    {
      name: `${group.curve} short point`,
      covers: ['crypto/group.ts#Group.decodeShort'],
      weight: 0.1,
      samples: group.encodeShort(points),
      structured: prefixed(group.shortBytes),
      errors: [PointError],
      run: (bytes) => ({ again: group.encodeShort([group.decodeShort(bytes)])[0] ?? bytes }),
      reaches: ['taken', 'PointError: decode point: N bytes', 'PointError: decode point: not canonical'],
    },
    {
      name: `${group.curve} scalar`,
      covers: ['crypto/group.ts#Group.decodeScalar'],
      weight: 1,
      samples: [3n, group.order - 1n].map((scalar) => group.encodeScalar(scalar)),
      structured: (dice) => (dice.oneIn(5) ? new Uint8Array(32).fill(dice.pick([0, 0xff])) : dice.bytes(32)),
      errors: [ScalarError],
      run: (bytes) => ({ again: group.encodeScalar(group.decodeScalar(bytes, true)) }),
      reaches: [
        'taken',
        'ScalarError: decode scalar: N bytes',
        'ScalarError: decode scalar: not below the group order',
        'ScalarError: decode scalar: zero',
      ],
    },
  ]
}
