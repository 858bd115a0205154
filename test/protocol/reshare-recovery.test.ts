// Reshare when acknowledgements are withheld, attempts overlap, transcripts are replayed (rows 26, 27, 29, 30, 32, 33 and 34 of the table of malicious parties).
import assert from 'node:assert/strict'
import { before, test } from 'node:test'
import { FrostKey } from '../../relayer/crypto/frost.ts'
import { systemRng } from '../../relayer/crypto/rng.ts'
import { type Address, equal, toAddress, toHex } from '../../relayer/lib/bytes.ts'
import { decodeAndVerifyCertificate, encodeCertificate } from '../../relayer/protocol/confirm.ts'
import { AbortedError, RefusalError, SilenceError } from '../../relayer/protocol/faults.ts'
import type { KeyShare } from '../../relayer/protocol/keyshare.ts'
import { ROUND } from '../../relayer/protocol/messages.ts'
import { rankMembers } from '../../relayer/protocol/party.ts'
import {
  type CeremonySpec,
  checkSpec,
  contextOf,
  signStart,
  startFault,
  verifyStart,
} from '../../relayer/protocol/spec.ts'
import { assertAgreed, assertConvicted } from '../support/blame.ts'
import {
  committeeOf,
  operators,
  preparedOf,
  type Run,
  registered,
  runCeremony,
  sharesOf,
  specOf,
  startFor,
} from '../support/ceremony-run.ts'
import { interpolatedKey } from '../support/signable.ts'
import type { Packet } from '../support/sim-network.ts'
import { drop, envelopeOf } from '../support/tamper.ts'

const all = operators(1, 2, 3, 4, 5, 6)
const old = committeeOf(1, operators(1, 2, 3, 4), 2)
const next = committeeOf(2, operators(2, 3, 5, 6), 3)
const [withholder, second, third, fourth] = next.members
assert.ok(withholder && second && third && fourth)
let first: Run
let held: Map<Address, readonly KeyShare[]>
let spec: CeremonySpec

before(async () => {
  first = await runCeremony({ spec: specOf({ op: 'keygen', next: old }), signers: all })
  held = sharesOf(first)
  spec = specOf({ op: 'reshare', old, next, held: registered(preparedOf(first, old.members[0] ?? '0x')) })
})

const coordinator = (of: CeremonySpec, attempt = 0): Address =>
  rankMembers(contextOf(of), attempt, of.next.members)[0] ?? '0x'

test('26 a start message for another committee, bridge, chain, epoch or threshold is E_AUTH', () => {
  const { bytes } = startFor(spec, all)
  assert.deepEqual(verifyStart(spec, coordinator(spec), bytes).start.dealers, [1, 2])
  const others: CeremonySpec[] = [
    { ...spec, chainId: 1 },
    { ...spec, bridge: toAddress(`0x${'77'.repeat(20)}`) },
    { ...spec, next: { ...next, epoch: 3 } },
    { ...spec, next: { ...next, threshold: 4 } },
    { ...spec, next: committeeOf(2, operators(2, 3, 4, 6), 3) },
    { ...spec, old: committeeOf(1, operators(1, 2, 3, 5), 2) },
    { ...spec, triggerBlockHash: new Uint8Array(32) },
  ]
  for (const other of others)
    assert.throws(() => verifyStart(other, coordinator(spec), bytes), {
      name: 'RefusalError',
      code: 'E_AUTH',
    })
})

test('26 a start message that is malformed, or not the coordinator’s, is E_AUTH', () => {
  const signed = startFor(spec, all)
  const stranger = all.find(({ address }) => address !== coordinator(spec))
  assert.ok(stranger)
  for (const bytes of [
    signStart(stranger, signed.start).bytes,
    signStart(stranger, { ...signed.start, startNonce: new Uint8Array(32) }).bytes,
    signed.bytes.subarray(1),
    new Uint8Array(),
  ])
    assert.throws(() => verifyStart(spec, coordinator(spec), bytes), { name: 'RefusalError', code: 'E_AUTH' })
})

test('26 a spec that breaks a rule is E_AUTH', () => {
  const broken: CeremonySpec[] = [
    { ...spec, next: { ...next, threshold: 1 } },
    { ...spec, next: { ...next, threshold: 5 } },
    { ...spec, next: { ...next, members: next.members.toReversed() } },
    { ...spec, next: { ...next, epoch: 1 } },
    { ...spec, held: [] },
    { ...spec, held: [...spec.held, ...spec.held] },
    { ...spec, generated: [{ keyId: 1, scheme: 'frost-ed25519' }] },
    { ...spec, op: 'keygen' },
    specOf({ op: 'keygen', next, generated: [{ keyId: 0, scheme: 'ecdsa-secp256k1' }] }),
  ]
  checkSpec(spec)
  for (const each of broken) assert.throws(() => checkSpec(each), { name: 'RefusalError', code: 'E_AUTH' })
})

test('27 a start message that names t - 1 dealers, or one twice, or a stranger, starts nothing', () => {
  const good = startFor(spec, all)
  const leader = all.find(({ address }) => address === coordinator(spec))
  assert.ok(leader)
  for (const dealers of [[1], [1, 1], [2, 1], [0, 1], [1, 5], [1, 2, 3]]) {
    const signed = signStart(leader, { ...good.start, dealers })
    assert.match(startFault(spec, coordinator(spec), signed) ?? '', /^E_AUTH: check start: .*dealers/)
  }
})

test('29 an acknowledgement to one half only: the certificate of that half convinces the other', async () => {
  const rule = drop({ by: withholder, round: ROUND.acknowledge, toAll: true, to: [third, fourth] })
  const run = await runCeremony({ spec, signers: all, held, prepare: (network) => network.rule(rule) })
  const certificate = run.endings.get(second)?.certificate
  assert.ok(certificate)
  for (const address of [third, fourth]) {
    const { error } = run.endings.get(address) ?? {}
    assert.ok(error instanceof SilenceError)
    assert.deepEqual(
      error.suspects.map((suspect) => suspect.address),
      [withholder],
    )
    const prepared = preparedOf(run, address)
    assert.deepEqual(
      decodeAndVerifyCertificate(encodeCertificate(certificate), { spec, prepared }),
      certificate,
    )
  }
})

test('30 a certificate of attempt 1 that is revealed after attempt 2 fits attempt 1 alone', async () => {
  const rule = drop({ by: withholder, round: ROUND.acknowledge, toAll: true })
  const one = await runCeremony({
    spec,
    signers: all,
    held,
    attempt: 1,
    prepare: (network) => network.rule(rule),
  })
  const two = await runCeremony({ spec, signers: all, held, attempt: 2, seed: 'again' })
  assertAgreed(two)
  const late = one.endings.get(withholder)?.certificate
  assert.ok(late)
  for (const address of next.members) {
    const of = (run: Run) => ({ spec, prepared: preparedOf(run, address) })
    assert.ok(decodeAndVerifyCertificate(encodeCertificate(late), of(one)))
    assert.equal(decodeAndVerifyCertificate(encodeCertificate(late), of(two)), null)
  }
  // Shares of both attempts are of the same key, and never combine.
  const share = (run: Run, at: number) => {
    const [found] = preparedOf(run, next.members[at] ?? '0x').shares
    assert.ok(found)
    return { index: at + 1, share: found }
  }
  const key = toHex(share(one, 0).share.groupKey)
  assert.equal(interpolatedKey([share(one, 0), share(one, 1), share(one, 2)]), key)
  assert.equal(interpolatedKey([share(two, 0), share(two, 1), share(two, 2)]), key)
  assert.notEqual(interpolatedKey([share(one, 0), share(two, 1), share(two, 2)]), key)
})

test('32 a refresh that changes threshold or members is E_AUTH', () => {
  const same = { ...old, epoch: 2 }
  checkSpec({ ...spec, op: 'refresh', next: same })
  for (const changed of [{ ...same, threshold: 3 }, next, { ...same, members: same.members.slice(1) }])
    assert.throws(
      () => checkSpec({ ...spec, op: 'refresh', next: changed }),
      (error) => error instanceof RefusalError && error.code === 'E_AUTH',
    )
})

test('33 the whole transcript of an attempt, replayed into the next, is dropped', async () => {
  const taped: Packet[] = []
  const one = await runCeremony({
    spec,
    signers: all,
    held,
    attempt: 3,
    prepare: (network) =>
      network.rule((packet) => {
        taped.push(packet)
        return 'pass'
      }),
  })
  assertAgreed(one)
  const two = await runCeremony({
    spec,
    signers: all,
    held,
    attempt: 4,
    seed: 'fresh',
    prepare: (network) =>
      network.rule((packet) => {
        const replayed = taped.splice(0).map((each) => ({ ...each, session: packet.session }))
        return [...replayed, packet]
      }),
  })
  assertAgreed(two)
  for (const session of two.sessions.values()) assert.ok(session.drops.E_SID_MISMATCH > 0)
})

test('33 a dealer that joins one attempt twice convicts itself: hence the marker', async () => {
  const dealer = old.members[0] ?? '0x'
  const taped: Packet[] = []
  const tape = (packet: Packet) => {
    if (packet.from === dealer && envelopeOf(packet)?.round === ROUND.commit) taped.push(packet)
    return 'pass' as const
  }
  await runCeremony({ spec, signers: all, held, prepare: (network) => network.rule(tape) })
  const again = await runCeremony({
    spec,
    signers: all.map((signer) => signer),
    held,
    startSeed: 0,
    seed: 'restarted',
    prepare: (network) => network.rule((packet) => [packet, ...taped.splice(0)]),
  })
  assertConvicted(again, 'E_EQUIV', [dealer])
})

test('34 a removed member that signs with its old share fails against the new verification shares', async () => {
  const run = await runCeremony({ spec, signers: all, held })
  const shares = next.members.map((address) => preparedOf(run, address).shares[0])
  const removed = held.get(old.members.find((member) => !next.members.includes(member)) ?? '0x')?.[0]
  const [own] = shares
  assert.ok(removed && own && own.scheme !== 'ecdsa-secp256k1')
  const key = new FrostKey({ ...own, scheme: own.scheme })
  const message = new Uint8Array(32).fill(1)
  const drawn = [1, 2, 3].map((index) => {
    const share = shares[index - 1]
    assert.ok(share)
    return { index, share, ...key.commit(index, share.share, systemRng) }
  })
  const list = drawn.map(({ commitment }) => commitment)
  const z = drawn.map(({ index, share, secrets }) => {
    const used = index === 1 ? removed.share : share.share
    return { index, z: key.signShare({ index, share: used, nonces: secrets }, list, message) }
  })
  assert.deepEqual(
    z.map((each) => key.verifyShare(list, message, each)),
    [false, true, true],
  )
  assert.ok(!equal(removed.share.expose(), own.share.expose()))
})

test('a dealer without the share of its epoch and index refuses, and says nothing that could convict it', async () => {
  const [dealer, other] = old.members
  assert.ok(dealer && other)
  const stale = (await runCeremony({ spec: first.spec, signers: all, seed: 'elsewhere' })).endings
  for (const wrong of [held.get(other), [], stale.get(dealer)?.prepared?.shares]) {
    assert.ok(wrong)
    const run = await runCeremony({ spec, signers: all, held: new Map([...held, [dealer, wrong]]) })
    for (const [address, { error }] of run.endings) {
      if (address === dealer) assert.ok(error instanceof RefusalError && error.code === 'E_STATE')
      else assert.ok(error instanceof AbortedError && error.by.address === dealer, String(error))
    }
  }
})
