// Dealers whose messages agree with each other in everything but one point, so that only the check of that point can catch them.
import assert from 'node:assert/strict'
import { before, test } from 'node:test'
import { ed25519Group, type Point, secp256k1Group as group } from '../../relayer/crypto/group.ts'
import type { Address } from '../../relayer/lib/bytes.ts'
import { attemptOf, dealersOf } from '../../relayer/protocol/attempt.ts'
import type { SignedEnvelope } from '../../relayer/protocol/envelope.ts'
import { DisputeError, RefusalError } from '../../relayer/protocol/faults.ts'
import { decodeOpenings, encodeOpenings, type Opening, ROUND } from '../../relayer/protocol/messages.ts'
import { parseOpenings } from '../../relayer/protocol/inspect.ts'
import { compareSeats } from '../../relayer/protocol/party.ts'
import { combine } from '../../relayer/protocol/receiving.ts'
import { type StartMessage, signStart, verifyStart } from '../../relayer/protocol/spec.ts'
import { assertConvicted } from '../support/blame.ts'
import {
  committeeOf,
  operators,
  preparedOf,
  type Run,
  readinessOf,
  registered,
  runCeremony,
  sharesOf,
  specOf,
  startFor,
} from '../support/ceremony-run.ts'
import { type Cheat, rogue } from '../support/rogue.ts'
import type { Packet } from '../support/sim-network.ts'
import { envelopeOf, reseal, selected } from '../support/tamper.ts'

const signers = operators(1, 2, 3)
const next = committeeOf(1, signers, 3)
const spec = specOf({ op: 'keygen', next })
const [victim, cheater, other] = next.members
assert.ok(victim && cheater && other)
const signer = signers.find(({ address }) => address === cheater)
assert.ok(signer)
let genesis: Run

before(async () => {
  genesis = await runCeremony({ spec, signers })
})

/** The opening that a member sent in the run of seed 0, and would send again. */
async function openingOf(by: Address): Promise<Opening> {
  const bodies: Uint8Array[] = []
  const run = await runCeremony({
    spec,
    signers,
    prepare: (network) =>
      network.rule((packet) => {
        const envelope = selected(packet, { by, round: ROUND.open, toAll: true })
        if (envelope !== null) bodies.push(envelope.body)
        return 'pass'
      }),
  })
  const [body = new Uint8Array()] = bodies
  const [opening] = decodeOpenings(attemptOf(spec, run.start.start), 'new', body).openings
  assert.ok(opening)
  return opening
}

test('4 a second encoding of a point of large order is E_POINT, not a matter of shares', async () => {
  // y = p + k for the small k: as 32 bytes, 0xed + k and then the bytes of p.
  const encodings = Array.from({ length: 19 }, (_, k) =>
    Uint8Array.of(0xed + k, ...new Uint8Array(30).fill(0xff), 0x7f),
  )
  const canonical = (k: number) => Uint8Array.of(k, ...new Uint8Array(31))
  const large = encodings.filter((_, k) => {
    try {
      return !ed25519Group.decodePublished(canonical(k)).is0()
    } catch {
      return false
    }
  })
  assert.ok(large.length > 0)
  const generated = [{ keyId: 0, scheme: 'frost-ed25519' }] as const
  for (const bytes of large) {
    const cheat: Cheat = {
      dealings: (dealings) => dealings.map((each) => ({ ...each, published: each.published.with(2, bytes) })),
    }
    const run = await runCeremony({
      spec: { ...spec, generated },
      signers,
      rogues: new Map([[cheater, rogue(cheat)]]),
    })
    assertConvicted(run, 'E_POINT', [cheater])
  }
})

test('6 the proof that a victim gives in this very session, copied with its commitments, is E_POK', async () => {
  const { commitments } = await openingOf(victim)
  let copied: Opening | undefined
  const waiting: Packet[] = []
  const run = await runCeremony({
    spec,
    signers,
    rogues: new Map([
      [
        cheater,
        rogue({
          dealings: (dealings) => dealings.map((dealing) => ({ ...dealing, published: commitments })),
        }),
      ],
    ]),
    prepare: (network, start) => {
      const attempt = attemptOf(spec, start)
      network.rule((packet) => {
        const seen = selected(packet, { by: victim, round: ROUND.open, toAll: true })
        if (seen !== null) copied = decodeOpenings(attempt, 'new', seen.body).openings[0]
        if (selected(packet, { by: cheater, round: ROUND.open, toAll: true }) === null) return 'pass'
        waiting.push(packet)
        return 'drop'
      })
      network.onIdle(() => {
        for (const packet of waiting) {
          const envelope = selected(packet, { by: cheater, round: ROUND.open, toAll: true })
          assert.ok(envelope && copied)
          const { echo, openings } = decodeOpenings(attempt, 'new', envelope.body)
          const proof = copied.proof
          const body = encodeOpenings(
            echo,
            openings.map((opening) => ({ ...opening, proof })),
          )
          network.inject({ ...packet, body: reseal(signer, packet, { ...envelope, body }) })
        }
      })
    },
  })
  assert.ok(copied)
  assertConvicted(run, 'E_POK', [cheater])
})

test('8 a rogue constant term with subshares that fit at every receiver is E_POK', async () => {
  // Of t = n = 3 members two are honest: the cheater chooses their subshares and computes the commitments from these.
  const [wanted, one, two] = [12345n, 777n, 888n].map((scalar) => group.baseUnsafe(scalar))
  assert.ok(wanted && one && two)
  const indices = [victim, other].map((address) => next.members.indexOf(address) + 1)
  const commitments = interpolated([0, ...indices], [wanted, one, two])
  const published = group.encode(commitments)
  const chosen = new Map([
    [victim, 777n],
    [other, 888n],
  ])
  const cheat: Cheat = {
    dealings: (dealings) => dealings.map((dealing) => ({ ...dealing, published })),
    shares: (shares, { address }) => shares.map(() => group.encodeScalar(chosen.get(address) ?? 1n)),
    readiness: (prepared) => readinessOf(spec, prepared, signer),
  }
  const run = await runCeremony({ spec, signers, rogues: new Map([[cheater, rogue(cheat)]]) })
  assertConvicted(run, 'E_POK', [cheater])
})

/** The commitments of the polynomial of degree 2 through three points in the exponent. */
function interpolated(xs: readonly number[], points: readonly Point[]): Point[] {
  const q = group.order
  const inverse = (value: bigint) => power(((value % q) + q) % q, q - 2n)
  const scalars = xs.map((x) => {
    const [a = 0n, b = 0n] = xs.filter((each) => each !== x).map(BigInt)
    const scale = inverse((BigInt(x) - a) * (BigInt(x) - b))
    return [a * b * scale, -(a + b) * scale, scale].map((scalar) => ((scalar % q) + q) % q)
  })
  return [0, 1, 2].map((k) =>
    group.sumUnsafe(
      points,
      scalars.map((each) => each[k] ?? 0n),
    ),
  )
}

function power(base: bigint, exponent: bigint): bigint {
  let [result, square] = [1n, base]
  for (let rest = exponent; rest > 0n; rest >>= 1n) {
    if (rest & 1n) result = (result * square) % group.order
    square = (square * square) % group.order
  }
  return result
}

test('28 old commitments with the right group key, and another coefficient, are E_STATE', async () => {
  const moving = specOf({
    op: 'reshare',
    old: next,
    next: committeeOf(2, operators(1, 2, 3, 4), 2),
    held: registered(preparedOf(genesis, victim)),
  })
  const [bytes] = group.encode([group.baseUnsafe(5n)])
  assert.ok(bytes)
  const run = await runCeremony({
    spec: moving,
    signers: operators(1, 2, 3, 4),
    held: sharesOf(genesis),
    rogues: new Map([
      [
        cheater,
        rogue({
          commitments: (all) =>
            all.map((each) => {
              const oldCommitments = each.oldCommitments.slice()
              oldCommitments.set(bytes, oldCommitments.length - bytes.length)
              return { ...each, oldCommitments }
            }),
        }),
      ],
    ]),
  })
  assertConvicted(run, 'E_STATE', [cheater])
})

test('26 a start message whose nonce is all zeros is E_AUTH, though its coordinator signed it', () => {
  const { start } = startFor(spec, signers)
  const [coordinator] = signers.filter(({ address }) => {
    const signed = signStart(signers.find((each) => each.address === address) ?? signer, start)
    try {
      return verifyStart(spec, address, signed.bytes).start.attempt === start.attempt
    } catch {
      return false
    }
  })
  assert.ok(coordinator)
  const zeros: StartMessage = { ...start, startNonce: new Uint8Array(32) }
  assert.throws(
    () => verifyStart(spec, coordinator.address, signStart(coordinator, zeros).bytes),
    (error) => error instanceof RefusalError && error.code === 'E_AUTH' && /nonce/.test(error.message),
  )
})

test('22 a sum of constant terms that is another group key leaves no reshare', async () => {
  const held = registered(preparedOf(genesis, victim))
  const moving = specOf({ op: 'refresh', old: next, next: { ...next, epoch: 2 }, held })
  const said: SignedEnvelope[] = []
  const run = await runCeremony({
    spec: moving,
    signers,
    held: sharesOf(genesis),
    prepare: (network) =>
      network.rule((packet) => {
        const envelope = envelopeOf(packet)
        if (envelope !== null && envelope.to === null) said.push(envelope)
        return 'pass'
      }),
  })
  const attempt = attemptOf(moving, run.start.start)
  const openings = dealersOf(attempt).flatMap((dealer) => {
    const [commit, opening] = [ROUND.commit, ROUND.open].map((round) =>
      said.find(({ from, round: at }) => at === round && compareSeats(from, dealer) === 0),
    )
    assert.ok(commit && opening)
    return parseOpenings(attempt, dealer, { commit: commit.body, open: opening.body })
  })
  const [key] = attempt.keys
  assert.ok(key?.registered)
  assert.deepEqual(combine(attempt, key, openings).groupKey, held[0]?.groupKey)
  const other = { ...key, registered: { ...key.registered, groupKey: new Uint8Array(64).fill(4) } }
  const moved = openings.map((opening) => ({ ...opening, key: other }))
  assert.throws(
    () => combine(attempt, other, moved),
    (error) => error instanceof DisputeError && error.code === 'E_CONST' && error.suspects.length === 0,
  )
})
