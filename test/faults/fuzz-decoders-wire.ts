// The fuzzer's decoders of the network layer and of control messages: frames on streams, hellos, announcements, multiaddrs.
import assert from 'node:assert/strict'
import { decode, encode, rfc8949EncodeOptions } from 'cborg'
import { decodeAnnouncement, encodeAnnouncement } from '../../relayer/ceremony/announcement.ts'
import { EncodingError, enc } from '../../relayer/crypto/enc.ts'
import { signerOf } from '../../relayer/crypto/identity.ts'
import { concat, toAddress, toHex, u16, u32, u8, utf8 } from '../../relayer/lib/bytes.ts'
import { Secret } from '../../relayer/lib/secret.ts'
import { addressIn } from '../../relayer/p2p/book.ts'
import { encodeFrame, FrameError, FrameReader } from '../../relayer/p2p/framing.ts'
import { decodeHello, encodeHello, HelloError } from '../../relayer/p2p/hello.ts'
import { addressOfPeerText, peerIdOf } from '../../relayer/p2p/identity.ts'
import { KIND, replyCaps, requestCaps } from '../../relayer/p2p/protocols.ts'
import type { Decoder } from './fuzz-engine.ts'
import type { Dice } from './fuzz-random.ts'
import { bentValue } from './fuzz-structure.ts'

const KEY = new Secret(new Uint8Array(32).fill(9))
const SIGNER = signerOf(KEY)
const NETWORK = { chainId: 31337, bridge: toAddress(`0x${'ab'.repeat(20)}`) }
const HELLO = {
  protocolVersion: 1,
  softwareVersion: '0.1.0',
  head: 100,
  epoch: 3,
  bootCounter: 4,
  bootId: toHex(new Uint8Array(16).fill(1)),
}

export function wireDecoders(): Decoder[] {
  const context = new Uint8Array(32).fill(3)
  const announcement = {
    context,
    attempt: 3,
    protocolVersion: 1,
    softwareVersion: '0.1.0',
    deals: true,
    vetoes: false,
    refusal: '',
  }
  const hello = encodeHello(HELLO, NETWORK, SIGNER)
  // CAST: an encoded hello is an array
  const fields = decode(hello) as unknown[]
  const peer = `/ip4/127.0.0.1/tcp/9700/p2p/${peerIdOf(KEY)}`
  return [
    {
      name: 'announcement',
      covers: ['ceremony/announcement.ts#decodeAnnouncement'],
      weight: 2,
      samples: [
        // One text longer than its sender may make it.
        enc(context, u32(3), u16(1), utf8('0.1.0'), u8(0), new Uint8Array(129).fill(65)),
        encodeAnnouncement(announcement),
        encodeAnnouncement({
          ...announcement,
          deals: false,
          vetoes: true,
          refusal: 'its rules forbid the change'.repeat(4),
        }),
      ],
      errors: [EncodingError],
      run: (bytes) => {
        // Texts of others end up on terminals: what is not plain in them comes out as question marks, once.
        const said = decodeAnnouncement(bytes)
        const again = encodeAnnouncement(said)
        assert.deepEqual(decodeAnnouncement(again), said)
        return again.length === bytes.length ? { value: 'taken' } : { again }
      },
      reaches: [
        'taken',
        'EncodingError: decode announcement: whether it deals',
        'EncodingError: decode announcement: length of a text',
        'EncodingError: decode: N parts',
      ],
    },
    {
      name: 'hello',
      covers: ['p2p/hello.ts#decodeHello'],
      weight: 0.15,
      samples: [hello],
      structured: (dice) => {
        const bent = bentValue(dice, fields)
        return dice.oneIn(8)
          ? encode(bent, { ...rfc8949EncodeOptions, float64: true })
          : encode(bent, rfc8949EncodeOptions)
      },
      errors: [HelloError],
      run: (bytes) => {
        const { hello: said, network } = decodeHello(bytes, SIGNER.address)
        // The signature is the sender's own: any of its is good, and the rest must encode as it came.
        const again = encodeHello(said, network, { ...SIGNER, sign: () => bytes.subarray(-65) })
        return { again }
      },
      reaches: [
        'taken',
        'HelloError: decode hello: too long',
        'HelloError: decode hello: no strict CBOR',
        'HelloError: decode hello: not the canonical encoding',
        'HelloError: decode hello: not its nine fields',
        'HelloError: decode hello: a number is out of range',
        'HelloError: decode hello: the software version is no short plain text',
        'HelloError: decode hello: not a string of N bytes',
        'HelloError: decode hello: not signed by its sender',
      ],
    },
    ...(['session', 'control', 'receipt', 'reply'] as const).map(frames),
    {
      name: 'multiaddr and PeerId',
      covers: ['p2p/book.ts#addressIn', 'p2p/identity.ts#addressOfPeerText'],
      weight: 0.03,
      samples: [peer, '/dns4/relayer.example.org/tcp/9700/p2p/x', peerIdOf(KEY)].map(utf8),
      structured: (dice) =>
        utf8(
          Array.from({ length: 1 + dice.below(4) }, () =>
            dice.pick(['/ip4/1.2.3.4', '/tcp/1', `/p2p/${peerIdOf(KEY)}`, '/p2p-circuit', '/udp/99999', '/']),
          ).join(''),
        ),
      errors: [],
      run: (bytes) => {
        const text = Buffer.from(bytes).toString('utf8')
        const [inside, whole] = [addressIn(text), addressOfPeerText(text)]
        return { value: inside ?? whole ?? 'nobody' }
      },
      reaches: ['nobody', SIGNER.address],
    },
  ]
}

/** Bytes in chunks as a stream brings them; what is reserved must follow what came, not what a header promises. */
function frames(protocol: 'session' | 'control' | 'receipt' | 'reply'): Decoder {
  const caps = protocol === 'reply' ? replyCaps : requestCaps(protocol)
  const kinds = [...Array(8).keys(), ...Object.values(KIND)].filter((kind) => caps(kind) !== undefined)
  const good = (dice: Dice) => {
    const kind = dice.pick(kinds)
    return encodeFrame(kind, dice.bytes(Math.min(caps(kind) ?? 0, dice.below(100))))
  }
  const first = kinds[0] ?? 1
  const size = Math.min(caps(first) ?? 0, 40)
  return {
    name: `${protocol} stream`,
    covers: ['p2p/framing.ts#FrameReader', 'p2p/protocols.ts#requestCaps'],
    weight: 1,
    samples: [encodeFrame(first, new Uint8Array(size)), concat(encodeFrame(first), encodeFrame(first))],
    structured: (dice) => {
      const list = Array.from({ length: dice.below(4) }, () => good(dice))
      const cap = caps(first) ?? 0
      if (dice.oneIn(3)) list.push(concat(u8(dice.below(256)), u32(dice.edge()), dice.bytes(dice.below(40))))
      if (dice.oneIn(6)) list.push(concat(u8(first), u32(cap + dice.below(2)), dice.bytes(dice.below(40))))
      return concat(...list)
    },
    errors: [FrameError],
    run: (bytes) => {
      const out: Uint8Array[] = []
      const reader = new FrameReader(caps, (kind, body) => out.push(encodeFrame(kind, body)))
      for (let at = 0, step = 1 + (bytes.length % 13); at < bytes.length; at += step) {
        reader.push(bytes.subarray(at, at + step))
        if (reader.reserved > Math.max(4096, 2 * bytes.length)) throw new Error(`reserves ${reader.reserved}`)
      }
      const whole = concat(...out)
      return { again: concat(whole, bytes.subarray(whole.length)) }
    },
    reaches: [
      'taken',
      'FrameError: read frame: kind N is not spoken here',
      'FrameError: read frame: N bytes of kind',
    ],
  }
}
