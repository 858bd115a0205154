// The receive pipeline and every decoder: what is dropped and why, and that arbitrary bytes meet typed errors only.
import assert from 'node:assert/strict'
import { before, test } from 'node:test'
import fc from 'fast-check'
import { EncodingError } from '../../relayer/crypto/enc.ts'
import { type Address, concat, u32 } from '../../relayer/lib/bytes.ts'
import { type Attempt, attemptOf, termsOf } from '../../relayer/protocol/attempt.ts'
import { decodeAndVerifyCertificate, encodeCertificate } from '../../relayer/protocol/confirm.ts'
import {
  decodeFrame,
  type Envelope,
  encodeFrame,
  type SignedEnvelope,
  seal,
  startOfFrame,
} from '../../relayer/protocol/envelope.ts'
import { decodeEvidence } from '../../relayer/protocol/evidence.ts'
import { ContentError } from '../../relayer/protocol/faults.ts'
import { Inbox } from '../../relayer/protocol/inbox.ts'
import {
  ABORT,
  decodeAbort,
  decodeAcknowledgement,
  decodeCommitments,
  decodeOpenings,
  decodeShares,
  encodeAcknowledgement,
  largestBody,
  NOTICE,
  ROUND,
} from '../../relayer/protocol/messages.ts'
import type { Party } from '../../relayer/protocol/party.ts'
import { decodeProof } from '../../relayer/protocol/proof.ts'
import { decodeStart } from '../../relayer/protocol/spec.ts'
import { decodeSpec, encodeSpec } from '../../relayer/protocol/specwire.ts'
import {
  committeeOf,
  operators,
  preparedOf,
  type Run,
  registered,
  runCeremony,
  sharesOf,
  specOf,
} from '../support/ceremony-run.ts'
import { envelopeOf } from '../support/tamper.ts'

const signers = operators(1, 2, 3, 4)
const old = committeeOf(1, signers.slice(0, 3), 2)
const next = committeeOf(2, signers.slice(1), 2)
let run: Run
let attempt: Attempt
const frames: Uint8Array[] = []

before(async () => {
  const first = await runCeremony({ spec: specOf({ op: 'keygen', next: old }), signers })
  const held = registered(preparedOf(first, old.members[0] ?? '0x'))
  run = await runCeremony({
    spec: specOf({ op: 'reshare', old, next, held }),
    signers,
    held: sharesOf(first),
    prepare: (network) =>
      network.rule((packet) => {
        if (envelopeOf(packet) !== null) frames.push(packet.body)
        return 'pass'
      }),
  })
  attempt = attemptOf(run.spec, run.start.start)
})

const party = (role: 'old' | 'new', index: number): Party => {
  const found = attempt.parties.find((each) => each.role === role && each.index === index)
  assert.ok(found)
  return found
}
const signerOf = (address: Address) => {
  const signer = signers.find((each) => each.address === address)
  assert.ok(signer)
  return signer
}
const inbox = (owner: Party) => new Inbox(attempt, [owner])
const sealed = (by: Party, of: Partial<Envelope>): SignedEnvelope =>
  seal(signerOf(by.address), {
    sessionId: attempt.sessionId,
    round: ROUND.commit,
    from: by,
    to: null,
    body: new Uint8Array(8),
    ...of,
  })

test('a frame is dropped for its size, sender, signature, receiver, session or round', () => {
  const [dealer, other, me, peer] = [party('old', 1), party('old', 2), party('new', 2), party('new', 3)]
  const dropped = (code: string, envelope: SignedEnvelope, carrier = dealer.address) =>
    assert.deepEqual(inbox(me).take(carrier, encodeFrame(envelope)), { kind: 'dropped', code })
  const good = sealed(dealer, {})
  assert.equal(inbox(me).take(dealer.address, encodeFrame(good)).kind, 'new')
  // Messages to all may come through others; private ones may not.
  assert.equal(inbox(me).take(peer.address, encodeFrame(good)).kind, 'new')
  const toMe = sealed(dealer, { round: ROUND.open, to: me })
  assert.equal(inbox(me).take(dealer.address, encodeFrame(toMe)).kind, 'new')
  dropped('E_SIG', toMe, peer.address)
  dropped('E_SIG', sealed(dealer, { round: ROUND.open, to: peer }))
  dropped('E_SIG', sealed(dealer, { from: other }))
  dropped('E_SIG', sealed(dealer, { from: { role: 'old', index: 3 } }))
  dropped('E_SIG', sealed(dealer, { from: { role: 'new', index: 9 } }))
  dropped('E_SIG', { ...good, body: new Uint8Array(9) })
  dropped('E_SIG', { ...good, signature: new Uint8Array(65) })
  dropped('E_SID_MISMATCH', sealed(dealer, { sessionId: new Uint8Array(32) }))
  const largest = largestBody(attempt, { role: 'old', round: ROUND.commit, toAll: true })
  dropped('E_SIZE', sealed(dealer, { body: new Uint8Array(largest + 1) }))
  for (const round of [0, 4, 0x7f, NOTICE, NOTICE + 3, 0xfe])
    assert.equal(
      inbox(me).take(dealer.address, encodeFrame(sealed(dealer, { round, body: new Uint8Array() }))).kind,
      'dropped',
    )
  dropped('E_ROUND', sealed(dealer, { round: ROUND.acknowledge, body: new Uint8Array() }))
  dropped('E_ROUND', sealed(me, { round: ROUND.commit, body: new Uint8Array() }), me.address)
  dropped('E_ROUND', sealed(dealer, { round: ROUND.acknowledge, to: me, body: new Uint8Array() }))
  assert.equal(inbox(me).take(dealer.address, encodeFrame(sealed(dealer, { round: ABORT }))).kind, 'new')
})

test('the first of a place wins; a copy is nothing, another body is a conflict', () => {
  const [dealer, me] = [party('old', 1), party('new', 2)]
  const box = inbox(me)
  const [one, two] = [sealed(dealer, {}), sealed(dealer, { body: new Uint8Array(9) })]
  assert.equal(box.take(dealer.address, encodeFrame(one)).kind, 'new')
  assert.equal(box.take(dealer.address, encodeFrame(one)).kind, 'repeated')
  const arrival = box.take(dealer.address, encodeFrame(two))
  assert.ok(arrival.kind === 'conflict')
  assert.deepEqual(
    arrival.envelopes.map(({ body }) => body),
    [one.body, two.body],
  )
  assert.deepEqual(box.at(ROUND.commit, dealer, null)?.body, one.body)
})

test('half of "to all" is refused, and so are role and index that no seat has', () => {
  const frame = encodeFrame(sealed(party('old', 1), {}))
  const header = 8
  for (const [at, byte] of [
    [0, 2],
    [34, 2],
    [37, 1],
    [38, 0],
    [39, 0],
  ] as const) {
    const bad = frame.slice()
    bad[header + at] = byte
    assert.throws(() => decodeFrame(bad), EncodingError)
  }
})

test('first-round frames carry the start message, others do not', () => {
  const rounds = new Set<number>()
  for (const frame of frames) {
    const { round } = decodeFrame(frame)
    rounds.add(round)
    assert.deepEqual(startOfFrame(frame), round === ROUND.commit ? run.start.bytes : null)
  }
  assert.deepEqual(
    [...rounds].sort((a, b) => a - b),
    [1, 2, 3],
  )
})

test('no frame is longer than the bound of its round, by half', () => {
  for (const frame of frames) {
    const { from, round, to, body } = decodeFrame(frame)
    assert.ok(2 * body.length <= largestBody(attempt, { role: from.role, round, toAll: to === null }))
  }
})

/** Bytes that are arbitrary, or a valid message with a stroke through it. */
function bytesLike(valid: readonly Uint8Array[]): fc.Arbitrary<Uint8Array> {
  const stroke = fc
    .tuple(fc.nat(valid.length - 1), fc.nat(), fc.uint8Array({ minLength: 1, maxLength: 8 }), fc.boolean())
    .map(([which, where, patch, cut]) => {
      const bytes = (valid[which] ?? new Uint8Array()).slice()
      const at = bytes.length === 0 ? 0 : where % bytes.length
      bytes.set(patch.subarray(0, bytes.length - at), at)
      return cut ? bytes.subarray(0, at) : concat(bytes, patch)
    })
  const list = fc
    .array(fc.uint8Array({ maxLength: 70 }), { maxLength: 6 })
    .map((parts) => concat(u32(parts.length), ...parts.flatMap((part) => [u32(part.length), part])))
  return fc.oneof(stroke, list, fc.uint8Array({ maxLength: 300 }))
}

test('decoders of arbitrary bytes throw typed errors only', () => {
  const bodies = frames.map((frame) => decodeFrame(frame).body)
  const decoders: readonly ((bytes: Uint8Array) => unknown)[] = [
    decodeFrame,
    startOfFrame,
    decodeStart,
    decodeSpec,
    decodeProof,
    decodeEvidence,
    (body) => decodeAbort({ body }),
    (body) => decodeCommitments(attempt, 'old', body),
    (body) => decodeOpenings(attempt, 'old', body),
    (body) => decodeShares(attempt, 'old', body),
    (body) => decodeAcknowledgement(attempt.keys, body),
  ]
  const valid = [...frames, ...bodies, run.start.bytes, encodeSpec(run.spec)]
  fc.assert(
    fc.property(bytesLike(valid), (bytes) => {
      for (const decode of decoders) {
        try {
          decode(bytes)
        } catch (error) {
          assert.ok(error instanceof EncodingError || error instanceof ContentError, String(error))
        }
      }
    }),
    { numRuns: 8_000 },
  )
})

test('arbitrary frames are dropped by a session’s inbox, and nothing is thrown', () => {
  const box = inbox(party('new', 1))
  fc.assert(
    fc.property(bytesLike(frames), (bytes) => {
      assert.notEqual(box.take(party('old', 1).address, bytes).kind, 'conflict')
    }),
    { numRuns: 3_000 },
  )
})

test('a spec survives its encoding', () => {
  assert.deepEqual(decodeSpec(encodeSpec(run.spec)), run.spec)
})

test('a certificate of fewer, others or changed acknowledgements is none', () => {
  const member = next.members[0] ?? '0x'
  const prepared = preparedOf(run, member)
  const { certificate } = run.endings.get(member) ?? {}
  assert.ok(certificate)
  const of = { spec: run.spec, prepared }
  const verify = (changed: typeof certificate) => decodeAndVerifyCertificate(encodeCertificate(changed), of)
  assert.deepEqual(verify(certificate), certificate)
  const [one, two, three] = certificate.acks
  assert.ok(one && two && three)
  for (const acks of [[one, two], [one, two, two], [two, one, three], [one, two, three, three], []])
    assert.equal(verify({ ...certificate, acks }), null)
  for (const at of [60, 120, 150, 180, 260, 320]) {
    const bent: Uint8Array = two.slice()
    bent[at] = (bent[at] ?? 0) ^ 1
    assert.equal(verify({ ...certificate, acks: [one, bent, three] }), null)
  }
  assert.equal(verify({ ...certificate, transcript: new Uint8Array(32) }), null)
  assert.equal(decodeAndVerifyCertificate(new Uint8Array(7), of), null)
  const elsewhere = { ...run.spec, chainId: 1 }
  assert.equal(
    decodeAndVerifyCertificate(encodeCertificate(certificate), { spec: elsewhere, prepared }),
    null,
  )
})

test('a certificate with a member in it that did not prove its share is none, however well it signed', () => {
  const [member = '0x', cheat = '0x'] = next.members
  const prepared = preparedOf(run, member)
  const { certificate } = run.endings.get(member) ?? {}
  const signer = signers.find(({ address }) => address === cheat)
  const [one, two, three] = certificate?.acks ?? []
  assert.ok(certificate && signer && one && two && three)
  const terms = termsOf(run.spec, prepared.sessionId)
  const envelope = decodeFrame(two)
  const { proofs, ...rest } = decodeAcknowledgement(terms, envelope.body)
  const others = decodeAcknowledgement(terms, decodeFrame(three).body).proofs
  const signedWith = (changed: typeof proofs) => {
    const body = encodeAcknowledgement({ ...rest, proofs: changed })
    const acks = [one, encodeFrame(seal(signer, { ...envelope, body })), three]
    return decodeAndVerifyCertificate(encodeCertificate({ ...certificate, acks }), {
      spec: run.spec,
      prepared,
    })
  }
  assert.notEqual(signedWith(proofs), null, 'signed again as it was')
  const bent = (bytes: Uint8Array) => bytes.with(bytes.length - 1, (bytes.at(-1) ?? 0) ^ 1)
  assert.equal(signedWith(proofs.map((proof) => ({ ...proof, response: bent(proof.response) }))), null)
  assert.equal(signedWith(others), null, 'the proof of another member')
  assert.equal(signedWith([]), null)
})
