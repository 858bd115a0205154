// The one encoding of lists: different lists never meet, and nothing but an encoding decodes.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { dec, decList, EncodingError, enc } from '../../relayer/crypto/enc.ts'
import { concat, toHex } from '../../relayer/lib/bytes.ts'

/** Few values, so that parts are often the same bytes cut in another way. */
const part = fc.uint8Array({ maxLength: 6, max: 4 })
const list = fc.array(part, { maxLength: 5 })

test('different lists have different encodings, and only encodings decode', () => {
  fc.assert(
    fc.property(list, list, (one, other) => {
      const same = JSON.stringify(one.map(toHex)) === JSON.stringify(other.map(toHex))
      assert.equal(toHex(enc(...one)) === toHex(enc(...other)), same)
      assert.deepEqual(
        decList(enc(...one), one.length).map((bytes) => [...bytes]),
        one.map((bytes) => [...bytes]),
      )
    }),
    { numRuns: 2000 },
  )
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 40, max: 6 }), (bytes) => {
      try {
        assert.deepEqual([...enc(...decList(bytes, 100))], [...bytes])
      } catch (error) {
        assert.ok(error instanceof EncodingError, String(error))
      }
    }),
    { numRuns: 5000 },
  )
})

test('what hashing without lengths would confuse is told apart', () => {
  const [a, b, ab] = [Uint8Array.of(1), Uint8Array.of(2), Uint8Array.of(1, 2)]
  const lists = [[a, b], [ab], [ab, new Uint8Array()], [new Uint8Array(), ab], [enc(a, b)], [a, enc(b)]]
  assert.equal(new Set(lists.map((each) => toHex(enc(...each)))).size, lists.length)
})

test('other shapes than the one asked for, counts that promise too much and bytes left over are refused', () => {
  const good = enc(Uint8Array.of(1), Uint8Array.of(2, 3))
  assert.equal(dec(good, [1, -1]).length, 2)
  for (const [bytes, lengths] of [
    [good, [1]],
    [good, [1, 2, 0]],
    [good, [2, 1]],
    [good.subarray(0, -1), [1, 2]],
    [concat(good, Uint8Array.of(0)), [1, 2]],
    [Uint8Array.of(0xff, 0xff, 0xff, 0xff), [1, 2]],
    [Uint8Array.of(0, 0, 0, 2, 0xff, 0xff, 0xff, 0xff, 1), [1, 2]],
    [new Uint8Array(3), []],
  ] as const)
    assert.throws(() => dec(bytes, lengths), EncodingError)
})
