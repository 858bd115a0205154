// The parts of signing one by one: payloads and messages on the wire, nonce pools, and the book of published nonces.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { FrostKey } from '../../relayer/crypto/frost.ts'
import { signerOf } from '../../relayer/crypto/identity.ts'
import { to0x, toAddress } from '../../relayer/lib/bytes.ts'
import { Secret } from '../../relayer/lib/secret.ts'
import { NonceBook } from '../../relayer/protocol/noncebook.ts'
import { decodeBatch, encodeBatch, NoncePool } from '../../relayer/protocol/nonces.ts'
import { decodePayload, encodePayload, type Payload } from '../../relayer/protocol/payload.ts'
import {
  decodeMessage,
  decodePackage,
  encodeMessage,
  encodePackage,
  type SignMessage,
  type SigningPackage,
} from '../../relayer/protocol/signwire.ts'
import { seededChooser, seededRng } from '../support/seeded-rng.ts'
import { dealKeys } from '../support/signing.ts'

const rng = seededRng('signing wire')
const leader = toAddress(`0x${'aa'.repeat(20)}`)
const other = toAddress(`0x${'bb'.repeat(20)}`)
const ref = { keyId: 2, epoch: 5, attempt: 7, transcript: rng(32), committeeHash: rng(32) }

const PAYLOADS: Payload[] = [
  { type: 'activation' },
  { type: 'probe', probe: { keyId: 2, epoch: 5, text: '\ufeffgrüß Gott' } },
  {
    type: 'set-group-key',
    message: {
      scheme: 1,
      groupKey: to0x(rng(64)),
      destinationChainId: Number.MAX_SAFE_INTEGER,
      destinationBridge: leader,
    },
  },
]
const entry = { index: 3, batch: rng(32), boot: rng(16), counter: 2 ** 40, hiding: rng(33), binding: rng(33) }
const SIGNING: SigningPackage = {
  request: { ref, payload: { type: 'activation' }, run: rng(16) },
  session: 2,
  leader,
  scheme: 'frost-secp256k1-evm',
  commitmentsHash: rng(32),
  entries: [entry, { ...entry, index: 9, hiding: rng(32), binding: rng(32) }],
}
const MESSAGES: SignMessage[] = [
  { type: 'ask', ref, boot: rng(16) },
  { type: 'ready', ref, boot: rng(16) },
  { type: 'batch', batch: rng(300) },
  { type: 'package', body: encodePackage(SIGNING), signature: rng(65) },
  { type: 'share', hash: rng(32), digest: rng(32), z: rng(32), signature: rng(65) },
  { type: 'refuse', hash: rng(32), code: 'E_POLICY', reason: 'not before noon' },
  { type: 'need', hash: rng(32), indices: [1, 65_535] },
]

void test('payloads, packages and messages survive the wire', () => {
  for (const payload of PAYLOADS) assert.deepEqual(decodePayload(encodePayload(payload)), payload)
  assert.deepEqual(decodePackage(encodePackage(SIGNING)), SIGNING)
  for (const message of MESSAGES) assert.deepEqual(decodeMessage(encodeMessage(message)), message)
})

void test('a mangled message is refused or means exactly what its bytes say', () => {
  const choose = seededChooser('mangle')
  for (let round = 0; round < 20_000; round++) {
    const message = MESSAGES[choose(MESSAGES.length)]
    assert.ok(message)
    const bytes = encodeMessage(message)
    const bent = choose(2) === 0 ? bytes.slice(0, choose(bytes.length)) : bytes.slice()
    if (bent.length > 0) bent[choose(bent.length)] = choose(256)
    let decoded: SignMessage
    try {
      decoded = decodeMessage(bent)
    } catch {
      continue
    }
    // A reason shows its unprintable bytes as question marks; everything else is canonical.
    if (decoded.type !== 'refuse') assert.deepEqual(encodeMessage(decoded), bent)
  }
})

void test('a reason cannot bring control characters into a log', () => {
  const message = { type: 'refuse', hash: rng(32), code: 'E_B', reason: 'x\u001b[31m\nred' } as const
  const decoded = decodeMessage(encodeMessage(message))
  assert.ok(decoded.type === 'refuse' && /^x\?\[31m\?red$/.test(decoded.reason))
})

/** A pool of member 1 of 2-of-3, and books of its committee. */
function pool(seed: string) {
  const operator = signerOf(new Secret(seededRng(`${seed}/operator`)(32)))
  const [share] = dealKeys({ seed, t: 2, n: 3, schemes: ['frost-secp256k1-evm'] })[0] ?? []
  assert.ok(share)
  const key = new FrostKey({ ...share, scheme: 'frost-secp256k1-evm' })
  const boot = { counter: 4, id: seededRng(`${seed}/boot`)(16) }
  const own = { key, ref, index: 1, share: share.share, boot, rng: seededRng(seed), signer: operator }
  const committee = { epoch: 5, members: [operator.address, leader, other], threshold: 2 }
  return { pool: new NoncePool(own), book: new NonceBook(ref, committee, key.scheme), operator, boot, own }
}

void test('a nonce is taken once, by its own leader only, and nothing is left after destroy', () => {
  const { pool: nonces, book, operator } = pool('once')
  assert.equal(book.add(nonces.batch(leader, 3), operator.address), null)
  const first = book.next(1, leader)
  assert.ok(first && !('bad' in first))
  assert.equal(nonces.take(first, other), null)
  assert.equal(nonces.take({ ...first, boot: new Uint8Array(16) }, leader), null)
  const secrets = nonces.take(first, leader)
  assert.ok(secrets)
  assert.equal(nonces.take(first, leader), null)
  assert.equal(nonces.unspent(leader), 2)
  nonces.destroy()
  assert.equal(nonces.unspent(leader), 0)
})

void test('a leader holds at most 64 unspent nonces of a member: the oldest are wiped', () => {
  const { pool: nonces, book, operator } = pool('cap')
  book.add(nonces.batch(leader, 2), operator.address)
  const oldest = book.next(1, leader)
  nonces.batch(leader, 64)
  nonces.batch(other, 5)
  assert.equal(nonces.unspent(leader), 64)
  assert.equal(nonces.unspent(other), 5)
  assert.ok(oldest && !('bad' in oldest) && !nonces.has(oldest, leader))
  for (const bad of [0, 65, 1.5]) assert.throws(() => nonces.batch(leader, bad), RangeError)
})

void test('pools of one boot use different counters, so that no member contradicts itself', () => {
  const { book, operator, own } = pool('promoted')
  const prepared = new NoncePool(own)
  const active = new NoncePool({ ...own, active: true, rng: seededRng('after activation') })
  assert.equal(book.add(prepared.batch(leader, 64), operator.address), null)
  const batch = active.batch(leader, 64)
  assert.equal(book.add(batch, operator.address), null)
  // Neither convicts; the leader draws on the latest alone, those of the active share whatever the first counters are.
  assert.equal(book.stock(1, leader).count, 64)
  const next = book.next(1, leader)
  assert.ok(next && !('bad' in next))
  assert.deepEqual(next.batch, decodeBatch(batch, 33).digest)
})

void test('a leader that asks again is offered the same batch until it spends some of it', () => {
  const { pool: nonces, book, operator } = pool('again')
  assert.equal(nonces.untouched(leader), null)
  const batch = nonces.batch(leader, 3)
  assert.equal(nonces.untouched(leader), batch)
  assert.equal(nonces.untouched(other), null)
  book.add(batch, operator.address)
  const entry = book.next(1, leader)
  assert.ok(entry && !('bad' in entry) && nonces.take(entry, leader))
  assert.equal(nonces.untouched(leader), null)
})

void test('a thousand nonces are all different', () => {
  const { pool: nonces } = pool('different')
  const seen = new Set<string>()
  for (let round = 0; round < 8; round++)
    for (const point of decodeBatch(nonces.batch(leader, 64), 33).batch.points)
      seen.add(Buffer.from(point).toString('hex'))
  assert.equal(seen.size, 8 * 128)
})

void test('the book takes only what a member signed for this share, and the newest boot', () => {
  const { pool: nonces, book, operator, boot, own } = pool('book')
  const batch = nonces.batch(leader, 2)
  for (let twice = 0; twice < 2; twice++) {
    assert.equal(book.add(batch, operator.address), null)
    assert.equal(book.stock(1, leader).count, 2)
  }
  const { batch: parts } = decodeBatch(batch, 33)
  const stranger = signerOf(new Secret(rng(32)))
  const drops = [
    batch.slice(0, -1),
    encodeBatch(ref, parts, stranger),
    encodeBatch({ ...ref, attempt: 8 }, parts, operator),
    encodeBatch(ref, { ...parts, index: 2 }, operator),
    encodeBatch(ref, { ...parts, index: 9 }, operator),
    encodeBatch(ref, { ...parts, boot: { ...boot, counter: 3 } }, operator),
    encodeBatch(ref, { ...parts, boot: { ...boot, id: new Uint8Array(16) } }, operator),
  ]
  for (const [at, bytes] of drops.entries()) {
    assert.equal(book.add(bytes, operator.address), null)
    assert.equal(book.stock(1, leader).count + book.stock(2, leader).count, 2, `case ${at}`)
  }
  const contradicting = encodeBatch(ref, { ...parts, points: [...parts.points].reverse() }, operator)
  const conflict = { first: batch, second: contradicting }
  assert.equal(book.conflictOf(1), null)
  assert.deepEqual(book.add(contradicting, operator.address), conflict)
  assert.deepEqual(book.conflictOf(1), conflict)
  assert.equal(book.add(contradicting, operator.address), null)
  assert.equal(book.stock(1, other).count, 0)
  const next = new NoncePool({ ...own, boot: { counter: 5, id: rng(16) } })
  assert.equal(book.add(next.batch(leader, 1), operator.address), null)
  assert.equal(book.stock(1, leader).count, 1)
})
