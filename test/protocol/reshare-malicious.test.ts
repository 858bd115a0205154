// Reshare with corrupt dealers (rows 19, 21 to 25 and 28 of the table of malicious parties).
import assert from 'node:assert/strict'
import { before, test } from 'node:test'
import { secp256k1Group as group } from '../../relayer/crypto/group.ts'
import { lagrangeAtZero, type Polynomial, randomPolynomial } from '../../relayer/crypto/polynomial.ts'
import { publishPolynomial } from '../../relayer/crypto/vss.ts'
import type { Address } from '../../relayer/lib/bytes.ts'
import type { Dealing } from '../../relayer/protocol/dealing.ts'
import type { KeyShare } from '../../relayer/protocol/keyshare.ts'
import { ROUND } from '../../relayer/protocol/messages.ts'
import type { Party } from '../../relayer/protocol/party.ts'
import type { Session } from '../../relayer/protocol/session.ts'
import type { CeremonySpec } from '../../relayer/protocol/spec.ts'
import { assertAgreed, assertConvicted, assertSuspected } from '../support/blame.ts'
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
import { type Cheat, rogue } from '../support/rogue.ts'
import { envelopeOf, reseal } from '../support/tamper.ts'

const all = operators(1, 2, 3, 4, 5, 6)
const old = committeeOf(1, operators(1, 2, 3, 4), 2)
const next = committeeOf(2, operators(3, 4, 5, 6), 3)
const [cheater, accomplice] = old.members
assert.ok(cheater && accomplice)
let held: Map<Address, readonly KeyShare[]>
let spec: CeremonySpec

before(async () => {
  const run = await runCeremony({ spec: specOf({ op: 'keygen', next: old }), signers: all })
  held = sharesOf(run)
  spec = specOf({ op: 'reshare', old, next, held: registered(preparedOf(run, cheater)) })
})

async function withCheats(...cheats: readonly (readonly [Address, Cheat])[]): Promise<Run> {
  const rogues = new Map(cheats.map(([address, cheat]) => [address, rogue(cheat)]))
  return await runCeremony({ spec, signers: all, held, rogues })
}

/** Deals other polynomials, with commitments and proofs that fit them. */
function dealing(change: (polynomial: Polynomial, session: Session, seat: Party) => Polynomial): Cheat {
  return {
    dealings: (dealings, session, seat) =>
      dealings.map((each): Dealing => {
        const polynomial = change(each.polynomial, session, seat)
        return { ...each, polynomial, published: publishPolynomial(group, polynomial) }
      }),
  }
}

/** Adds to one coefficient. */
function plus(amount: bigint, at = 0): Cheat {
  return dealing((polynomial) =>
    polynomial.with(at, ((polynomial[at] ?? 0n) + amount + group.order) % group.order),
  )
}

test('19 top coefficients that cancel are E_DEGREE, which names nobody', async () => {
  const run = await withCheats(
    [cheater, dealing((polynomial) => polynomial.with(2, 7n))],
    [accomplice, dealing((polynomial) => polynomial.with(2, group.order - 7n))],
  )
  assertSuspected(run, 'E_DEGREE', { suspects: [], corrupt: [cheater, accomplice] })
})

test('21 a constant term other than λ V is E_CONST', async () => {
  assertConvicted(await withCheats([cheater, plus(1n)]), 'E_CONST', [cheater])
})

test('22 constant terms of two dealers that sum to the group key are E_CONST against both', async () => {
  const run = await withCheats([cheater, plus(5n)], [accomplice, plus(-5n)])
  assertConvicted(run, 'E_CONST', [cheater, accomplice])
})

test('23 a constant term with the λ of other dealers is E_CONST', async () => {
  const share = held.get(cheater)?.[0]
  assert.ok(share)
  const [lambda] = lagrangeAtZero(group, [1, 3])
  const secret = group.decodeScalar(share.share.expose())
  const cheat = dealing((polynomial) => polynomial.with(0, (secret * (lambda ?? 0n)) % group.order))
  assertConvicted(await withCheats([cheater, cheat]), 'E_CONST', [cheater])
})

test('24 a dealer that raises or lowers the new threshold is convicted of E_LEN', async () => {
  for (const length of [2, 4]) {
    const cheat = dealing((polynomial, { rng }) =>
      randomPolynomial(group, rng, { length, constant: polynomial[0] ?? 1n }),
    )
    assertConvicted(await withCheats([cheater, cheat]), 'E_LEN', [cheater])
  }
})

test('25 a dealer outside the set of dealers is not heard', async () => {
  const [, , outsider] = old.members
  const signer = all.find(({ address }) => address === outsider)
  assert.ok(outsider && signer)
  const run = await runCeremony({
    spec,
    signers: all,
    held,
    dealers: [1, 2],
    prepare: (network) =>
      network.rule((packet) => {
        const envelope = envelopeOf(packet)
        if (envelope === null || envelope.round !== ROUND.commit) return 'pass'
        const forged = { ...envelope, from: { role: 'old', index: 3 } as const }
        return [packet, { ...packet, body: reseal(signer, packet, forged) }]
      }),
  })
  assertAgreed(run)
  for (const session of run.sessions.values()) assert.ok(session.drops.E_SIG > 0)
})

test('28 old commitments other than those on chain are E_STATE against the dealer that sent them', async () => {
  const foreign = randomPolynomial(group, (length) => new Uint8Array(length).fill(9), { length: 2 })
  const points = publishPolynomial(group, foreign)
  const cheat: Cheat = {
    commitments: (commitments) =>
      commitments.map((each) => ({
        ...each,
        oldCommitments: new Uint8Array(points.flatMap((bytes) => [...bytes])),
      })),
  }
  assertConvicted(await withCheats([cheater, cheat]), 'E_STATE', [cheater])
})

test('a bad subshare of a reshare is E_SHARE against its dealer', async () => {
  const bad = await withCheats([
    cheater,
    {
      shares: ([share], to) => {
        assert.ok(share)
        const wrong = group.encodeScalar((group.decodeScalar(share) + 1n) % group.order)
        return [to.index === 4 ? wrong : share]
      },
    },
  ])
  assertConvicted(bad, 'E_SHARE', [cheater])
})
