// Lies about lies: one record of a corrupt member as deep as its topic has room, and the depth at which judging ends.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Docket, judgeEvidence, MOST_RECORDS } from '../../relayer/ceremony/evidence.ts'
import type { Signer } from '../../relayer/crypto/identity.ts'
import { toHex } from '../../relayer/lib/bytes.ts'
import { verdictOf } from '../../relayer/protocol/accusation.ts'
import { type Attempt, attemptOf } from '../../relayer/protocol/attempt.ts'
import { TOPICS } from '../../relayer/protocol/channel.ts'
import { seal, type SignedEnvelope } from '../../relayer/protocol/envelope.ts'
import { encodeEvidence } from '../../relayer/protocol/evidence.ts'
import { ABORT, encodeAbort, MAX_PROOF } from '../../relayer/protocol/messages.ts'
import { convicts, encodeProof, MOST_NESTED } from '../../relayer/protocol/proof.ts'
import { contextOf } from '../../relayer/protocol/spec.ts'
import { committeeOf, operators, specOf, startFor } from '../support/ceremony-run.ts'
import { CeremonySim } from '../support/ceremony-sim.ts'

const accusation = (abort: SignedEnvelope) => ({
  code: 'E_FALSE' as const,
  envelopes: [abort],
  transcript: [],
})

/** An abort of a member with that proof. */
function abortOf(attempt: Attempt, author: Signer, proof: Uint8Array): SignedEnvelope {
  const seat = attempt.parties.find(({ address }) => address === author.address)
  assert.ok(seat)
  const body = encodeAbort({ code: 'E_FALSE', round: 0, suspects: [], proof })
  const from = { role: seat.role, index: seat.index }
  return seal(author, { sessionId: attempt.sessionId, round: ABORT, from, to: null, body })
}

/** An abort that holds so many accusations of false accusation, one inside the other; each author in turn. */
function nested(attempt: Attempt, authors: readonly Signer[], depth: number): SignedEnvelope {
  const author = (at: number) => authors[at % authors.length] as Signer // CAST: the authors are not empty
  let abort = abortOf(attempt, author(0), Uint8Array.of(1))
  for (let at = 1; at <= depth; at++) abort = abortOf(attempt, author(at), encodeProof(accusation(abort)))
  return abort
}

/** The deepest proof of one liar that fits so many bytes. */
function deepest(attempt: Attempt, liar: Signer, most: number): Uint8Array {
  let proof: Uint8Array = Uint8Array.of(1)
  for (;;) {
    const next = encodeProof(accusation(abortOf(attempt, liar, proof)))
    if (encodeEvidence(attempt, next).length > most) return proof
    proof = next
  }
}

test('a record of lies about lies, as deep as its topic has room, ends no process and convicts nobody', async () => {
  const sim = await CeremonySim.of('nested', 3)
  const spec = sim.keygen(sim.committee(1, 2, 0, 1, 2))
  const [victim, flooder] = sim.relayers
  assert.ok(victim && flooder)
  sim.net.rule(({ topic }) => (topic === 'announce' ? 'drop' : 'pass'))
  await sim.begin(spec)
  await sim.mine()
  // The attacker makes the session up: no coordinator has to have signed it.
  const start = { context: contextOf(spec), attempt: 0, dealers: [], startNonce: new Uint8Array(32).fill(1) }
  const attempt = attemptOf(spec, start)
  const unhandled: unknown[] = []
  const note = (error: unknown) => void unhandled.push(error)
  process.on('unhandledRejection', note)
  for (const most of [TOPICS.evidence, MAX_PROOF])
    sim.net.inject({
      from: flooder.address,
      to: victim.address,
      kind: 'tell',
      session: '',
      topic: 'evidence',
      body: encodeEvidence(attempt, deepest(attempt, flooder.signer, most)),
    })
  await sim.quiet()
  await new Promise((resolve) => setImmediate(resolve))
  process.off('unhandledRejection', note)
  assert.deepEqual(unhandled.map(String), [])
  assert.deepEqual(await victim.store.evidence(), [])
  assert.equal(victim.view?.halted, null)
  await sim.stop()
})

test('up to a depth each lie about a lie convicts its author, and everybody draws the line in the same place', () => {
  const signers = operators(1, 2, 3)
  const spec = specOf({ op: 'keygen', next: committeeOf(1, signers, 2) })
  const attempt = attemptOf(spec, startFor(spec, signers).start)
  const [one, two] = signers
  assert.ok(one && two)
  // The innermost word accuses with no proof at all, so its author lies; who says so is right; who denies that lies again.
  for (let depth = 0; depth <= MOST_NESTED + 3; depth++) {
    const abort = nested(attempt, [one, two], depth)
    const author: Signer = depth % 2 === 0 ? one : two
    const lies = depth % 2 === 0
    const verdict = verdictOf(attempt, abort)
    const record = encodeEvidence(attempt, encodeProof(accusation(abort)))
    const judged = judgeEvidence(record, spec)
    const convicted = convicts(attempt, accusation(abort))
    if (depth > MOST_NESTED) {
      assert.equal(verdict.proof, null, `depth ${depth}: words without proof`)
      assert.equal(judged, null)
      assert.equal(convicted, null)
      continue
    }
    assert.ok(verdict.proof !== null)
    assert.equal(verdict.culprits === null, lies, `depth ${depth}`)
    assert.deepEqual(judged?.culprits ?? null, lies ? [author.address] : null)
    assert.deepEqual(convicted?.map(({ address }) => address) ?? null, lies ? [author.address] : null)
  }
})

test('an honest accusation at the line is words to the others, and convicts nobody that made it', () => {
  const signers = operators(1, 2, 3)
  const spec = specOf({ op: 'keygen', next: committeeOf(1, signers, 2) })
  const attempt = attemptOf(spec, startFor(spec, signers).start)
  const [one, two, honest] = signers
  assert.ok(one && two && honest)
  const lie = nested(attempt, [one, two], MOST_NESTED)
  assert.notEqual(convicts(attempt, accusation(lie)), null)
  const said = abortOf(attempt, honest, encodeProof(accusation(lie)))
  assert.equal(verdictOf(attempt, said).proof, null)
  assert.equal(convicts(attempt, accusation(said)), null)
  // Of several accusers in one proof nobody is convicted: each lie is a proof of its own.
  const both = { ...accusation(lie), envelopes: [lie, nested(attempt, [two], 0)] }
  assert.equal(convicts(attempt, both), null, toHex(encodeProof(both)).slice(0, 16))
})

test('of one that lies again and again some records are kept, and room is left for what is proven of others', () => {
  const signers = operators(1, 2, 3)
  const spec = specOf({ op: 'keygen', next: committeeOf(1, signers, 2) })
  const attempt = attemptOf(spec, startFor(spec, signers).start)
  const [liar, other] = signers
  assert.ok(liar && other)
  const record = (author: Signer, byte: number) =>
    encodeEvidence(attempt, encodeProof(accusation(abortOf(attempt, author, Uint8Array.of(byte)))))
  const docket = new Docket(spec)
  const judged = Array.from({ length: 200 }, (_, byte) => docket.judge(record(liar, byte), null))
  assert.equal(judged.filter((each) => each !== 'known').length, MOST_RECORDS)
  assert.equal(docket.judge(record(liar, 201), other.address), 'known', 'what others bring adds nothing')
  assert.notEqual(docket.judge(record(other, 1), liar.address), 'known')
  assert.equal(docket.judge(record(other, 2), liar.address), 'known', 'one is enough of what others bring')
  assert.notEqual(docket.judge(record(other, 3), null), 'known')
})
