// A bad subshare, or a false accusation of one, in the largest session there is: 8 keys of 100 members who all must sign.
import assert from 'node:assert/strict'
import { before, test } from 'node:test'
import { secp256k1Group as group } from '../../relayer/crypto/group.ts'
import { evaluate, type Polynomial, randomPolynomial } from '../../relayer/crypto/polynomial.ts'
import { publishPolynomial } from '../../relayer/crypto/vss.ts'
import type { Address } from '../../relayer/lib/bytes.ts'
import { Secret } from '../../relayer/lib/secret.ts'
import { wordsOf } from '../../relayer/protocol/accusation.ts'
import { partyAt } from '../../relayer/protocol/attempt.ts'
import { type Channel, TOPICS } from '../../relayer/protocol/channel.ts'
import { commitTo, deal, open, subshareOf } from '../../relayer/protocol/dealing.ts'
import { decodeFrame, encodeFrame, type SignedEnvelope, seal } from '../../relayer/protocol/envelope.ts'
import { verifyEvidence } from '../../relayer/protocol/evidence.ts'
import { DisputeError, FaultError } from '../../relayer/protocol/faults.ts'
import { commitmentsHash, type KeyShare } from '../../relayer/protocol/keyshare.ts'
import {
  ABORT,
  encodeAbort,
  encodeCommitments,
  encodeOpenings,
  encodeShares,
  MAX_PROOF,
  ROUND,
} from '../../relayer/protocol/messages.ts'
import { encodeProof, type Proof } from '../../relayer/protocol/proof.ts'
import { openSession, type Session } from '../../relayer/protocol/session.ts'
import { accusedByShort, shortened } from '../../relayer/protocol/shortproof.ts'
import type { CeremonySpec } from '../../relayer/protocol/spec.ts'
import { committeeOf, operators, specOf, startFor } from '../support/ceremony-run.ts'
import { seededRng } from '../support/seeded-rng.ts'

const MEMBERS = 100
const KEYS = 8
const numbers = Array.from({ length: MEMBERS }, (_, at) => at + 1)
const signers = operators(...numbers)
const committee = committeeOf(1, signers, MEMBERS)
const [dealer, accuser, witness] = committee.members
assert.ok(dealer && accuser && witness)
let keys: { public: KeyShare; polynomial: Polynomial }[] = []
let spec: CeremonySpec

before(() => {
  keys = Array.from({ length: KEYS }, (_, keyId) => {
    const polynomial = randomPolynomial(group, seededRng(`key ${keyId}`), { length: MEMBERS })
    const commitments = publishPolynomial(group, polynomial)
    const share = new Secret(group.encodeScalar(evaluate(group, polynomial, 1)))
    const groupKey = commitments[0]?.subarray(1) ?? new Uint8Array()
    const held = {
      keyId,
      scheme: 'frost-secp256k1-evm',
      groupKey,
      commitments,
      verificationShares: [],
      share,
    } as const
    return { public: held, polynomial }
  })
  spec = specOf({
    op: 'refresh',
    old: committee,
    next: { ...committee, epoch: 2 },
    held: keys.map(({ public: key }) => ({ ...key, commitmentsHash: commitmentsHash(key) })),
  })
})

/** Sessions of members on wires of their own: what each sends is kept, and comes to another only by `hear`. */
function sessionOf(address: Address): {
  session: Session
  sent: { to: Address; frame: Uint8Array }[]
  hear: (from: Address, frame: Uint8Array) => void
} {
  const sent: { to: Address; frame: Uint8Array }[] = []
  let hear: (from: Address, frame: Uint8Array) => void = () => {}
  const channel: Channel = {
    send: (to, frame) => sent.push({ to, frame }),
    onFrame: (receiver) => {
      hear = receiver
    },
    close: () => {},
  }
  const signer = signers.find((each) => each.address === address)
  assert.ok(signer)
  const never = new AbortController().signal
  const start = startFor(spec, signers, { seed: 'largest' })
  const session = openSession({
    spec,
    start,
    signer,
    channel,
    rng: seededRng(address),
    deadline: () => never,
  })
  return { session, sent, hear: (from, frame) => hear(from, frame) }
}

/** The dealer's messages to the accuser; the subshare of its last key is off by `off`. */
function dealt(off: bigint): { commit: Uint8Array; open: Uint8Array; share: Uint8Array } {
  assert.ok(dealer && accuser)
  const { session, sent } = sessionOf(dealer)
  const seat = session.seat('old')
  const to = partyAt(session.attempt, { role: 'new', index: 2 })
  assert.ok(seat && to)
  const dealings = deal(
    session,
    seat,
    keys.map((key) => key.public),
  )
  const echo = new Uint8Array(32).fill(1)
  session.sendToAll(seat, ROUND.commit, encodeCommitments(dealings.map((each) => commitTo(each, seat))))
  const openings = dealings.map((dealing) => open(session, seat, { dealing, echo }))
  session.sendToAll(seat, ROUND.open, encodeOpenings(echo, openings))
  const shares = dealings.map((dealing) => subshareOf(dealing, to.index))
  const last = group.decodeScalar(shares[KEYS - 1] ?? new Uint8Array())
  const bent = [...shares.slice(0, -1), group.encodeScalar((last + off) % group.order)]
  session.send(seat, to, { round: ROUND.open, body: encodeShares(echo, bent) })
  const own = sent.filter((each) => each.to === accuser).map(({ frame }) => frame)
  const [commit, opening, share] = own
  assert.ok(commit && opening && share && own.length === 3)
  return { commit, open: opening, share }
}

const proofOf = (...frames: Uint8Array[]): Proof => ({
  code: 'E_SHARE',
  envelopes: frames.map(decodeFrame),
  transcript: [],
})

/** How a witness that waits for the second round comes out of what it hears. */
async function ending(heard: readonly { from: Address; frame: Uint8Array }[]): Promise<unknown> {
  assert.ok(witness)
  const { session, hear } = sessionOf(witness)
  const ended = session.gather(ROUND.acknowledge, session.attempt.receivers).then(
    () => null,
    (error: unknown) => error,
  )
  for (const { from, frame } of heard) hear(from, frame)
  session.close()
  return await ended
}

function accusation(proof: Proof | null): SignedEnvelope {
  const signer = signers.find((each) => each.address === accuser)
  assert.ok(signer)
  const { session } = sessionOf(signer.address)
  const from = { role: 'new', index: 2 } as const
  const body = encodeAbort({ code: 'E_SHARE', round: 0, suspects: [], proof: proof && encodeProof(proof) })
  return seal(signer, { sessionId: session.attempt.sessionId, round: ABORT, from, to: null, body })
}

const trusted = () => ({
  chainId: spec.chainId,
  bridge: spec.bridge,
  committees: [committee, spec.next],
  keys: spec.held,
})

test('a bad subshare in the largest session convicts its dealer at everybody, by an accusation that fits a message', async () => {
  assert.ok(dealer && accuser)
  const { commit, open: opening, share } = dealt(1n)
  const own = sessionOf(accuser)
  const seat = partyAt(own.session.attempt, { role: 'old', index: 1 })
  assert.ok(seat)
  const whole = proofOf(commit, opening, share)
  assert.ok(encodeProof(whole).length > MAX_PROOF)
  const fault = own.session.fault(whole, [seat])
  const { shown, abort } = wordsOf(fault)
  assert.ok(abort?.proof && abort.proof.length < 1024)
  const frames = [...shown, accusation(shortened(whole))].map((envelope) => encodeFrame(envelope))
  const told = frames.map((frame) => ({ from: accuser, frame }))
  const fromDealer = [commit, opening].map((frame) => ({ from: dealer, frame }))
  // In whatever order it comes, and whether or not the dealer itself told the witness.
  for (const heard of [told, [...told].reverse(), [...fromDealer, ...told.slice(-1)]]) {
    const error = await ending(heard)
    assert.ok(error instanceof FaultError, String(error))
    assert.deepEqual([error.code, error.culprits.map(({ address }) => address)], ['E_SHARE', [dealer]])
    const verdict = verifyEvidence(error.evidence, trusted())
    assert.deepEqual([verdict.code, verdict.culprits.map(({ address }) => address)], ['E_SHARE', [dealer]])
  }
})

test('a short accusation over a good subshare convicts its author, with evidence that holds offline', async () => {
  assert.ok(dealer && accuser)
  const { commit, open: opening, share } = dealt(0n)
  const short = shortened(proofOf(commit, opening, share))
  const fromDealer = [commit, opening].map((frame) => ({ from: dealer, frame }))
  const error = await ending([...fromDealer, { from: accuser, frame: encodeFrame(accusation(short)) }])
  assert.ok(error instanceof FaultError, String(error))
  assert.deepEqual([error.code, error.culprits.map(({ address }) => address)], ['E_FALSE', [accuser]])
  assert.deepEqual(
    verifyEvidence(error.evidence, trusted()).culprits.map(({ address }) => address),
    [accuser],
  )
})

test('a short accusation that names messages nobody has is words, and one where the whole has room is a lie', async () => {
  assert.ok(dealer && accuser)
  const { commit, open: opening, share } = dealt(0n)
  const whole = proofOf(commit, opening, share)
  const short = shortened(whole)
  assert.ok(short)
  const { attempt } = sessionOf(accuser).session
  const other: Proof = { ...short, transcript: short.transcript.map(() => new Uint8Array(32)) }
  assert.equal(accusedByShort(attempt, other)?.address, dealer)
  const frames = [commit, opening].map((frame) => ({ from: dealer, frame }))
  const words = await ending([...frames, { from: accuser, frame: encodeFrame(accusation(other)) }])
  assert.ok(words instanceof DisputeError, String(words))
  const small = {
    ...attempt,
    spec: { ...attempt.spec, held: spec.held.slice(0, 1) },
    keys: attempt.keys.slice(0, 1),
  }
  assert.equal(accusedByShort(small, short), null)
})

test('a lie told to one alone, while the others hear another word, comes to all as a record that fits a message', async () => {
  assert.ok(dealer && accuser)
  const { commit, open: opening, share } = dealt(0n)
  const lie = encodeFrame(accusation(shortened(proofOf(commit, opening, share))))
  const words = encodeFrame(accusation(null))
  const fromDealer = [commit, opening].map((frame) => ({ from: dealer, frame }))
  // The others fail by the words, and what the deceived one relays comes too late for them.
  const other = await ending([...fromDealer, { from: accuser, frame: words }, { from: accuser, frame: lie }])
  assert.ok(!(other instanceof FaultError))
  const deceived = await ending([...fromDealer, { from: accuser, frame: lie }])
  assert.ok(deceived instanceof FaultError)
  assert.ok(deceived.evidence.length <= TOPICS.evidence, `${deceived.evidence.length} bytes`)
})
