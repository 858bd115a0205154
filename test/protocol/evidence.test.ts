// Evidence: it convicts whom it must and nobody else, survives the journey, and cannot be bent against the honest.
import assert from 'node:assert/strict'
import { before, test } from 'node:test'
import fc from 'fast-check'
import { secp256k1Group as group } from '../../relayer/crypto/group.ts'
import { toAddress } from '../../relayer/lib/bytes.ts'
import { InputError } from '../../relayer/lib/errors.ts'
import { type Attempt, attemptOf } from '../../relayer/protocol/attempt.ts'
import type { SignedEnvelope } from '../../relayer/protocol/envelope.ts'
import { startEquivocation, type TrustedState, verifyEvidence } from '../../relayer/protocol/evidence.ts'
import { FAULT_CODES, FaultError } from '../../relayer/protocol/faults.ts'
import { ABORT, encodeAbort } from '../../relayer/protocol/messages.ts'
import { convicts, decodeProof, encodeProof } from '../../relayer/protocol/proof.ts'
import { contextOf, decodeStart, signStart } from '../../relayer/protocol/spec.ts'
import { rankMembers } from '../../relayer/protocol/party.ts'
import { seal } from '../../relayer/protocol/envelope.ts'
import {
  BRIDGE,
  CHAIN_ID,
  committeeOf,
  operators,
  preparedOf,
  registered,
  runCeremony,
  sharesOf,
  specOf,
  startFor,
} from '../support/ceremony-run.ts'
import { honestOf } from '../support/blame.ts'
import { rogue } from '../support/rogue.ts'
import { envelopeOf } from '../support/tamper.ts'

const signers = operators(1, 2, 3)
const next = committeeOf(1, signers, 2)
const spec = specOf({ op: 'keygen', next })
const [cheater, victim] = [next.members[0] ?? '0x', next.members[2] ?? '0x']
const trusted: TrustedState = { chainId: CHAIN_ID, bridge: BRIDGE, committees: [next] }
let evidence: Uint8Array
let attempt: Attempt
const honest: SignedEnvelope[] = []
const badDealer = rogue({
  shares: ([share], to) => {
    assert.ok(share)
    const wrong = group.encodeScalar((group.decodeScalar(share) + 1n) % group.order)
    return [to.address === victim ? wrong : share]
  },
})

before(async () => {
  const bad = await runCeremony({
    spec,
    signers,
    rogues: new Map([[cheater, badDealer]]),
  })
  const { error } = bad.endings.get(victim) ?? {}
  assert.ok(error instanceof FaultError)
  evidence = error.evidence
  const seen = new Set<string>()
  const good = await runCeremony({
    spec,
    signers,
    prepare: (network) =>
      network.rule((packet) => {
        const envelope = envelopeOf(packet)
        if (envelope !== null && !seen.has(String(packet.body))) honest.push(envelope)
        seen.add(String(packet.body))
        return 'pass'
      }),
  })
  attempt = attemptOf(spec, good.start.start)
})

test('a record convinces a stranger who knows the committee, and nobody who knows another', () => {
  const verdict = verifyEvidence(evidence, trusted)
  assert.equal(verdict.code, 'E_SHARE')
  assert.deepEqual(
    verdict.culprits.map(({ address }) => address),
    [cheater],
  )
  for (const other of [
    { ...trusted, chainId: 1 },
    { ...trusted, bridge: toAddress(`0x${'11'.repeat(20)}`) },
    { ...trusted, committees: [] },
    { ...trusted, committees: [{ ...next, threshold: 3 }] },
    { ...trusted, committees: [{ ...next, epoch: 2 }] },
    { ...trusted, committees: [committeeOf(1, operators(1, 2, 4), 2)] },
  ])
    assert.throws(() => verifyEvidence(evidence, other), InputError)
})

test('a changed record convicts the same or nobody', () => {
  const { length } = evidence
  fc.assert(
    fc.property(fc.nat(length - 1), fc.integer({ min: 1, max: 255 }), fc.nat(40), (at, flip, cut) => {
      const changed = evidence.slice(0, cut === 0 ? at : length)
      changed[at] = (changed[at] ?? 0) ^ flip
      try {
        const verdict = verifyEvidence(changed, trusted)
        assert.deepEqual(
          verdict.culprits.map(({ address }) => address),
          [cheater],
        )
      } catch (error) {
        assert.ok(error instanceof InputError, String(error))
      }
    }),
    { numRuns: 400 },
  )
})

test('what honest members signed convicts nobody of anything', () => {
  const pairs = honest.flatMap((one, at) => honest.slice(at).map((other) => [one, other]))
  const triples = honest
    .filter(({ to }) => to !== null)
    .map((share) => [
      ...honest.filter((each) => each.to === null && each.round <= 2 && sameSender(each, share)),
      share,
    ])
  for (const envelopes of [...pairs, ...triples, honest]) {
    const chosen = [...new Set(envelopes)]
    for (const code of FAULT_CODES)
      assert.equal(convicts(attempt, { code, envelopes: chosen, transcript: [] }), null)
  }
})

test('a lie of a lie convicts the second liar', () => {
  const [one, two] = [signers[0], signers[1]]
  assert.ok(one && two)
  const seat = (signer: typeof one) =>
    attempt.parties.find(({ address }) => address === signer.address) ?? { role: 'new' as const, index: 1 }
  const abort = (signer: typeof one, proof: Uint8Array) =>
    seal(signer, {
      sessionId: attempt.sessionId,
      round: ABORT,
      from: seat(signer),
      to: null,
      body: encodeAbort({ code: 'E_SHARE', round: 0, suspects: [], proof }),
    })
  const accuse = (envelope: SignedEnvelope) =>
    encodeProof({ code: 'E_FALSE', envelopes: [envelope], transcript: [] })
  const who = (proof: Uint8Array) =>
    convicts(attempt, decodeProof(proof))?.map(({ address }) => address) ?? null
  const lie = abort(one, encodeProof({ code: 'E_POK', envelopes: honest.slice(0, 2), transcript: [] }))
  assert.deepEqual(who(accuse(lie)), [one.address])
  // Two says rightly that one lied; to say that of two is a lie again.
  const truth = abort(two, accuse(lie))
  assert.equal(who(accuse(truth)), null)
  const second = abort(one, accuse(truth))
  assert.deepEqual(who(accuse(second)), [one.address])
})

test('a coordinator that signs two start messages for one attempt convicts itself', () => {
  const context = contextOf(spec)
  const coordinator = signers.find(({ address }) => address === rankMembers(context, 0, next.members)[0])
  const stranger = signers.find(({ address }) => address !== coordinator?.address)
  assert.ok(coordinator && stranger)
  const first = startFor(spec, signers)
  const other = { ...first.start, startNonce: new Uint8Array(32).fill(2) }
  const verdict = verifyEvidence(startEquivocation(spec, first, signStart(coordinator, other)), trusted)
  assert.equal(verdict.code, 'E_EQUIV')
  assert.deepEqual(
    verdict.culprits.map(({ address }) => address),
    [coordinator.address],
  )
  assert.deepEqual(decodeStart(first.bytes), first)
  for (const second of [
    first,
    signStart(coordinator, first.start),
    signStart(stranger, other),
    signStart(coordinator, { ...other, attempt: 1 }),
    signStart(coordinator, { ...other, context: new Uint8Array(32) }),
  ])
    assert.throws(() => verifyEvidence(startEquivocation(spec, first, second), trusted), InputError)
})

test('evidence about a constant term needs the keys that the chain states', async () => {
  const run = await runCeremony({ spec, signers })
  const held = registered(preparedOf(run, victim))
  const moving = specOf({ op: 'refresh', old: next, next: { ...next, epoch: 2 }, held })
  const bad = await runCeremony({
    spec: moving,
    signers,
    held: sharesOf(run),
    rogues: new Map([
      [
        cheater,
        rogue({
          commitments: (all) => all.map((each) => ({ ...each, oldCommitments: new Uint8Array(130) })),
        }),
      ],
    ]),
  })
  const { error } = bad.endings.get(victim) ?? {}
  assert.ok(error instanceof FaultError && error.code === 'E_STATE')
  const both = { ...trusted, committees: [next, moving.next] }
  assert.throws(() => verifyEvidence(error.evidence, both), InputError)
  assert.throws(() => verifyEvidence(error.evidence, { ...both, keys: [] }), InputError)
  assert.equal(verifyEvidence(error.evidence, { ...both, keys: held }).code, 'E_STATE')
})

test('a cheat is convicted under the largest chain id that can be configured', async () => {
  const chainId = Number.MAX_SAFE_INTEGER
  const run = await runCeremony({
    spec: { ...spec, chainId },
    signers,
    rogues: new Map([[cheater, badDealer]]),
  })
  for (const address of honestOf(run, [cheater])) {
    const { error } = run.endings.get(address) ?? {}
    assert.ok(error instanceof FaultError, `${address}: ${String(error)}`)
    assert.equal(verifyEvidence(error.evidence, { ...trusted, chainId }).code, 'E_SHARE')
  }
})

function sameSender(one: SignedEnvelope, other: SignedEnvelope): boolean {
  return one.from.role === other.from.role && one.from.index === other.from.index
}
