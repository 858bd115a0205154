// The desk of start messages: the first of an attempt counts, two different ones convict, the same words signed twice do not.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { secp256k1 } from '@noble/curves/secp256k1.js'
import { coordinatorOf, StartDesk } from '../../relayer/ceremony/starts.ts'
import { recover } from '../../relayer/crypto/identity.ts'
import { H } from '../../relayer/crypto/hash.ts'
import { TAG } from '../../relayer/crypto/tags.ts'
import { concat, equal, toHex, utf8 } from '../../relayer/lib/bytes.ts'
import {
  contextOf,
  encodeStart,
  type SignedStart,
  type StartMessage,
  signStart,
  startDigest,
} from '../../relayer/protocol/spec.ts'
import { committeeOf, operator, specOf } from '../support/ceremony-run.ts'

const signers = [1, 2, 3].map((number) => ({ number, ...operator(number) }))
const spec = specOf({ op: 'keygen', next: committeeOf(1, signers, 2) })
const context = contextOf(spec)
const at = { current: 0, lastJoined: null }
const leader = signers.find(({ address }) => address === coordinatorOf(spec, context, 0))
assert.ok(leader)

const start = (nonce: number): StartMessage => ({
  context,
  attempt: 0,
  dealers: [],
  startNonce: new Uint8Array(32).fill(nonce),
})

/** Signed with a nonce out of thin air, as a coordinator with another ECDSA library might. */
function signedAfresh(message: StartMessage): SignedStart {
  const key = H(TAG.rank, utf8(`operator ${leader?.number}`))
  const options = { prehash: false, format: 'recovered', extraEntropy: true } as const
  const made = secp256k1.sign(startDigest(message), key, options)
  const signature = concat(made.subarray(1), Uint8Array.of(27 + (made[0] ?? 0)))
  return { start: message, signature, bytes: encodeStart(message, signature) }
}

function desk() {
  const said: string[] = []
  return {
    said,
    desk: new StartDesk(spec, context, {
      equivocated: (first, second) =>
        said.push(`${toHex(first.start.startNonce)} ${toHex(second.start.startNonce)}`),
      refused: (reason) => said.push(reason),
    }),
  }
}

const joins = (of: StartDesk) => of.joinable(at, () => true)?.start.startNonce[0] ?? null

test('the same start message signed twice in different ways is one start: it is joined, and convicts nobody', () => {
  const { desk: starts, said } = desk()
  const [first, second] = [signedAfresh(start(1)), signedAfresh(start(1))]
  assert.equal(recover(startDigest(second.start), second.signature), leader.address)
  assert.equal(equal(first.bytes, second.bytes), false)
  assert.equal(starts.take(first.bytes, at), true)
  assert.equal(starts.take(second.bytes, at), false)
  assert.deepEqual([joins(starts), said], [1, []])
})

test('two different start messages of one attempt void it and are told of once', () => {
  const { desk: starts, said } = desk()
  for (const nonce of [1, 2, 3]) starts.take(signStart(leader, start(nonce)).bytes, at)
  assert.equal(joins(starts), null)
  assert.deepEqual(said, [`${'01'.repeat(32)} ${'02'.repeat(32)}`])
})

test('a malformed start message, one of somebody else and one against the rules are refused with E_AUTH', () => {
  const { desk: starts, said } = desk()
  const other = signers.find((signer) => signer !== leader)
  assert.ok(other)
  const refused = [
    new Uint8Array(9),
    signStart(other, start(1)).bytes,
    signStart(leader, { ...start(1), dealers: [1] }).bytes,
    signStart(leader, start(0)).bytes,
  ]
  for (const bytes of refused) assert.equal(starts.take(bytes, at), false)
  assert.equal(said.length, refused.length)
  for (const reason of said) assert.match(reason, /^E_AUTH: check start: /)
  assert.equal(joins(starts), null)
})
