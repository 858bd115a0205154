// Keygen with corrupt members: what they open, prove and commit to (rows 1 to 8 of the table of malicious parties).
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { secp256k1Group } from '../../relayer/crypto/group.ts'
import { randomPolynomial } from '../../relayer/crypto/polynomial.ts'
import { prove } from '../../relayer/crypto/proofs.ts'
import { publishPolynomial } from '../../relayer/crypto/vss.ts'
import { type Address, fromHex } from '../../relayer/lib/bytes.ts'
import type { Dealing } from '../../relayer/protocol/dealing.ts'
import type { FaultCode } from '../../relayer/protocol/faults.ts'
import { pokContext } from '../../relayer/protocol/inspect.ts'
import type { Scheme } from '../../relayer/protocol/keyshare.ts'
import { decodeOpenings, type Opening, ROUND } from '../../relayer/protocol/messages.ts'
import { attemptOf } from '../../relayer/protocol/attempt.ts'
import { assertConvicted } from '../support/blame.ts'
import { committeeOf, operators, type Run, runCeremony, specOf } from '../support/ceremony-run.ts'
import { type Cheat, rogue } from '../support/rogue.ts'
import type { SimNetwork } from '../support/sim-network.ts'
import { selected } from '../support/tamper.ts'

const signers = operators(1, 2, 3, 4)
const next = committeeOf(1, signers, 3)
const [cheater, victim] = [next.members[1] ?? '0x', next.members[2] ?? '0x']

async function withCheat(
  cheat: Cheat,
  of: { scheme?: Scheme; prepare?: (network: SimNetwork) => void } = {},
): Promise<Run> {
  const generated = [{ keyId: 0, scheme: of.scheme ?? 'frost-secp256k1-evm' }]
  const spec = specOf({ op: 'keygen', next, generated })
  const rogues = new Map([[cheater, rogue(cheat)]])
  return await runCeremony({ spec, signers, rogues, ...(of.prepare && { prepare: of.prepare }) })
}

async function convicted(code: FaultCode, cheat: Cheat, scheme?: Scheme): Promise<void> {
  assertConvicted(await withCheat(cheat, scheme === undefined ? {} : { scheme }), code, [cheater])
}

/** Deals polynomials of another length, consistent in everything else. */
function ofLength(length: number): Cheat {
  return {
    dealings: (dealings, { rng }) =>
      dealings.map((dealing): Dealing => {
        const { group } = dealing.key
        const polynomial = randomPolynomial(group, rng, { length })
        return { ...dealing, polynomial, published: publishPolynomial(group, polynomial) }
      }),
  }
}

/** Publishes these bytes for one coefficient, and commits to them. */
function publishing(bytes: Uint8Array, at = 1): Cheat {
  return {
    dealings: (dealings) =>
      dealings.map((dealing) => ({ ...dealing, published: dealing.published.with(at, bytes) })),
  }
}

/** The opening that an honest member sends in a run of this seed; the same seed gives it again. */
async function openingOf(by: Address): Promise<Opening> {
  const seen: Uint8Array[] = []
  const run = await withCheat(
    {},
    {
      prepare: (network) =>
        network.rule((packet) => {
          const envelope = selected(packet, { by, round: ROUND.open, toAll: true })
          if (envelope !== null) seen.push(envelope.body)
          return 'pass'
        }),
    },
  )
  const [opening] = decodeOpenings(
    attemptOf(run.spec, run.start.start),
    'new',
    seen[0] ?? new Uint8Array(),
  ).openings
  assert.ok(opening)
  return opening
}

test('1 a dealer of t + 1 commitments is convicted of E_LEN', () => convicted('E_LEN', ofLength(4)))

test('2 a dealer of t - 1 commitments is convicted of E_LEN', () => convicted('E_LEN', ofLength(2)))

test('3 a commitment that is the identity, or of small order, is E_POINT', async () => {
  const identity = new Uint8Array(65)
  identity[0] = 4
  await convicted('E_POINT', publishing(identity))
  const one = fromHex(`01${'00'.repeat(31)}`)
  await convicted('E_POINT', publishing(one, 0), 'frost-ed25519')
  const minusOne = fromHex(`ec${'ff'.repeat(30)}7f`)
  await convicted('E_POINT', publishing(minusOne, 2), 'frost-ed25519')
})

test('4 a commitment off the curve, hybrid, compressed or not canonical is E_POINT', async () => {
  const [good] = secp256k1Group.encode([secp256k1Group.baseUnsafe(7n)])
  const [short] = secp256k1Group.encodeShort([secp256k1Group.baseUnsafe(7n)])
  assert.ok(good && short)
  const hybrid = good.slice()
  hybrid[0] = 6 + ((good[64] ?? 0) & 1)
  const off = good.slice()
  off[64] = (off[64] ?? 0) ^ 1
  for (const bytes of [hybrid, off, short]) await convicted('E_POINT', publishing(bytes))
  // y = p + 1, a second encoding of y = 1 that strict decoding refuses.
  await convicted('E_POINT', publishing(fromHex(`ee${'ff'.repeat(30)}7f`)), 'frost-ed25519')
})

test('5 an opening that is not what was committed to is E_COMMIT', () =>
  convicted('E_COMMIT', {
    commitments: (commitments) =>
      commitments.map((each) => ({ ...each, commitment: new Uint8Array(32).fill(5) })),
  }))

test('6 copied commitments with their copied proof are E_POK', async () => {
  const copied = await openingOf(victim)
  await convicted('E_POK', {
    dealings: (dealings) => dealings.map((dealing) => ({ ...dealing, published: copied.commitments })),
    openings: (openings) => openings.map((opening) => ({ ...opening, proof: copied.proof })),
  })
})

let held: readonly Dealing[] = []
test('7 a proof made for another session is E_POK', () =>
  convicted('E_POK', {
    dealings: (dealings) => {
      held = dealings
      return dealings
    },
    openings: (openings, { session, echo, seat }) =>
      openings.map((opening, at) => {
        const dealing = held[at]
        const [secret] = dealing?.polynomial ?? []
        assert.ok(dealing !== undefined && secret !== undefined)
        const key = { ...dealing.key, sessionId: new Uint8Array(32).fill(9) }
        const context = pokContext(key, seat, { echo, commitments: opening.commitments })
        return { ...opening, proof: prove(key.group, secret, { ...context, rng: session.rng }) }
      }),
  }))

test('8 a constant term chosen so that the sum is a wanted key is E_POK', async () => {
  const others = await Promise.all(next.members.filter((member) => member !== cheater).map(openingOf))
  const group = secp256k1Group
  const wanted = group.baseUnsafe(12345n)
  await convicted('E_POK', {
    dealings: (dealings) =>
      dealings.map((dealing) => {
        const constants = others.map(({ commitments: [bytes] }) => group.decode(bytes ?? new Uint8Array()))
        const chosen = constants.reduce((rest, constant) => rest.subtract(constant), wanted)
        const [bytes] = group.encode([chosen])
        assert.ok(bytes)
        return { ...dealing, published: dealing.published.with(0, bytes) }
      }),
  })
})
