// Frames: cut anywhere, refused by their header alone, and never more room than bytes came.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { concat, u32, u8 } from '../../../relayer/lib/bytes.ts'
import { encodeFrame, FrameError, FrameReader } from '../../../relayer/p2p/framing.ts'
import { KIND, requestCaps, SESSION_ID } from '../../../relayer/p2p/protocols.ts'
import { MAX_FRAME, TOPICS } from '../../../relayer/protocol/channel.ts'

const caps = (kind: number) => (kind === 1 ? 100_000 : kind === 2 ? 3 : undefined)

test('frames come out as they went in, however the bytes are cut', () => {
  const frame = fc.uint8Array({ maxLength: 9000 })
  fc.assert(
    fc.property(
      fc.array(frame, { maxLength: 5 }),
      fc.array(fc.integer({ min: 1, max: 5000 })),
      (sent, cuts) => {
        const bytes = concat(...sent.map((body) => encodeFrame(1, body)))
        const got: Uint8Array[] = []
        const reader = new FrameReader(caps, (_, body) => got.push(body))
        let at = 0
        for (const cut of cuts) {
          reader.push(bytes.subarray(at, at + cut))
          at += cut
        }
        reader.push(bytes.subarray(at))
        assert.deepEqual(got, sent)
      },
    ),
    { numRuns: 100 },
  )
})

test('one byte at a time is enough', () => {
  const got: number[] = []
  const reader = new FrameReader(caps, (_, body) => got.push(body.length))
  for (const byte of concat(encodeFrame(2, new Uint8Array(3)), encodeFrame(1, new Uint8Array(0))))
    reader.push(Uint8Array.of(byte))
  assert.deepEqual(got, [3, 0])
})

test('an oversized frame is refused by its header, before anything is reserved for it', () => {
  const reader = new FrameReader(caps, () => assert.fail('delivered'))
  assert.throws(
    () => reader.push(concat(u8(2), u32(4))),
    (error: unknown) => error instanceof FrameError && error.reason === 'oversized',
  )
  assert.equal(reader.reserved, 0)
  const largest = new FrameReader(caps, () => assert.fail('delivered'))
  assert.throws(() => largest.push(concat(u8(1), u32(0xffffffff))), FrameError)
  assert.equal(largest.reserved, 0)
})

test('an unknown kind is refused by its header', () => {
  const reader = new FrameReader(caps, () => assert.fail('delivered'))
  assert.throws(
    () => reader.push(concat(u8(3), u32(0))),
    (error: unknown) => error instanceof FrameError && error.reason === 'kind',
  )
})

test('a header that promises much reserves little until the bytes come', () => {
  const reader = new FrameReader(caps, () => assert.fail('delivered'))
  reader.push(concat(u8(1), u32(100_000)))
  assert.ok(reader.reserved <= 4096)
  reader.push(new Uint8Array(10_000))
  assert.ok(reader.reserved <= 20_000)
})

test('each protocol takes its own kinds with their own caps', () => {
  const [session, control, receipt] = [requestCaps('session'), requestCaps('control'), requestCaps('receipt')]
  assert.equal(session(KIND.session), SESSION_ID + MAX_FRAME)
  const kinds = Array.from({ length: 256 }, (_, kind) => kind)
  assert.equal(kinds.filter((kind) => session(kind) !== undefined).length, 1)
  assert.equal(kinds.filter((kind) => receipt(kind) !== undefined).length, 1)
  assert.deepEqual(
    kinds.flatMap((kind) => control(kind) ?? []).sort((a, b) => a - b),
    Object.entries(TOPICS)
      .flatMap(([topic, cap]) => (topic === 'receipt' ? [] : [cap]))
      .sort((a, b) => a - b),
  )
})
