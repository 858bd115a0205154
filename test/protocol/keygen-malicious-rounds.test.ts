// Keygen with corrupt members: what they tell one and not the other, accuse, withhold and sign (rows 9 to 20 of the table of malicious parties).
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { secp256k1Group as group } from '../../relayer/crypto/group.ts'
import type { Address } from '../../relayer/lib/bytes.ts'
import { type Dealing, open } from '../../relayer/protocol/dealing.ts'
import { AbortedError, SilenceError } from '../../relayer/protocol/faults.ts'
import {
  ABORT,
  decodeAbort,
  encodeCommitments,
  encodeOpenings,
  ROUND,
} from '../../relayer/protocol/messages.ts'
import { encodeProof } from '../../relayer/protocol/proof.ts'
import { assertAgreed, assertConvicted, assertSuspected, honestOf } from '../support/blame.ts'
import {
  committeeOf,
  operators,
  preparedOf,
  readinessOf,
  type Run,
  runCeremony,
  specOf,
} from '../support/ceremony-run.ts'
import { type Cheat, rogue } from '../support/rogue.ts'
import { assertSharesGood } from '../support/signable.ts'
import type { SimNetwork } from '../support/sim-network.ts'
import { edit, envelopeOf, reseal, selected } from '../support/tamper.ts'

const signers = operators(1, 2, 3, 4)
const next = committeeOf(1, signers, 3)
const [first, cheater, victim, last] = next.members
const spec = specOf({ op: 'keygen', next })
const signerAt = (address: Address) => {
  const signer = signers.find((each) => each.address === address)
  assert.ok(signer)
  return signer
}
assert.ok(first && cheater && victim && last)

/** A cheat that goes on to acknowledge like an honest member. */
function acknowledging(by: Address, cheat: Cheat): Cheat {
  return { readiness: (prepared) => readinessOf(spec, prepared, signerAt(by)), ...cheat }
}

async function withCheat(cheat: Cheat, prepare?: (network: SimNetwork) => void): Promise<Run> {
  assert.ok(cheater)
  const rogues = new Map([[cheater, rogue(cheat)]])
  return await runCeremony({ spec, signers, rogues, ...(prepare && { prepare }) })
}

test('9 different commitments to two halves are E_EQUIV', async () => {
  const signer = signerAt(cheater)
  const other = encodeCommitments([
    { commitment: new Uint8Array(32).fill(1), oldCommitments: new Uint8Array() },
  ])
  const run = await runCeremony({
    spec,
    signers,
    prepare: (network) =>
      network.rule(edit(signer, { round: ROUND.commit, toAll: true, to: [victim] }, () => ({ body: other }))),
  })
  assertConvicted(run, 'E_EQUIV', [cheater])
})

test('9 different openings to two halves, both of them valid, are E_EQUIV', async () => {
  let dealt: readonly Dealing[] = []
  let other = new Uint8Array()
  const cheat = acknowledging(cheater, {
    dealings: (dealings) => {
      dealt = dealings
      return dealings
    },
    openings: (openings, { session, echo, seat }) => {
      const again = dealt.map((dealing) => open(session, seat, { dealing, echo }))
      other = new Uint8Array(encodeOpenings(echo, again))
      return openings
    },
  })
  const run = await withCheat(cheat, (network) =>
    network.rule(
      edit(signerAt(cheater), { round: ROUND.open, toAll: true, to: [victim] }, () => ({ body: other })),
    ),
  )
  assertConvicted(run, 'E_EQUIV', [cheater])
})

test('10 a wrong echo digest is E_ECHO, and its sender the suspect', async () => {
  const run = await withCheat({ echo: () => new Uint8Array(32).fill(3) })
  assertSuspected(run, 'E_ECHO', { suspects: [cheater], corrupt: [cheater] })
})

test('11 one bad subshare is E_SHARE against its dealer', async () => {
  const run = await withCheat({
    shares: ([share], to) => {
      assert.ok(share)
      const wrong = group.encodeScalar((group.decodeScalar(share) + 1n) % group.order)
      return [to.address === victim ? wrong : share]
    },
  })
  assertConvicted(run, 'E_SHARE', [cheater])
})

test('12 an accusation that carries a valid subshare is E_FALSE against the accuser', async () => {
  const run = await withCheat({
    abort: (received) => {
      const entry = received.find(({ dealer }) => dealer.address === victim)
      assert.ok(entry !== undefined && entry.share !== null)
      const envelopes = [entry.commit, entry.open, entry.share]
      const proof = encodeProof({ code: 'E_SHARE', envelopes, transcript: [] })
      return { code: 'E_SHARE', round: 0, suspects: [entry.dealer], proof }
    },
  })
  assertConvicted(run, 'E_FALSE', [cheater])
})

test('12 an accusation whose proof is no proof is E_FALSE against the accuser', async () => {
  const run = await withCheat({
    abort: () => ({ code: 'E_POK', round: 0, suspects: [], proof: Uint8Array.of(1, 2, 3) }),
  })
  assertConvicted(run, 'E_FALSE', [cheater])
})

test('13 a subshare that is not below the group order, or zero, is E_SCALAR', async () => {
  for (const bad of [new Uint8Array(32).fill(0xff), new Uint8Array(32), new Uint8Array(31)]) {
    const run = await withCheat({ shares: (shares, to) => (to.address === victim ? [bad] : shares) })
    assertConvicted(run, 'E_SCALAR', [cheater])
  }
})

test('14 a withheld subshare is E_TIMEOUT, and nobody publishes anything', async () => {
  const published: Uint8Array[] = []
  const run = await withCheat(
    acknowledging(cheater, { shares: (shares, to) => (to.address === victim ? null : shares) }),
    (network) =>
      network.rule((packet) => {
        const envelope = envelopeOf(packet)
        const proof = envelope?.round === ABORT ? decodeAbort(envelope).proof : null
        if (proof !== null) published.push(proof)
        return 'pass'
      }),
  )
  assertSuspected(run, 'E_TIMEOUT', { suspects: [cheater], corrupt: [cheater] })
  assert.ok(run.endings.get(victim)?.error instanceof SilenceError)
  assert.ok(run.endings.get(first)?.error instanceof AbortedError)
  assert.deepEqual(published, [])
})

test('14 a member that says nothing at all is E_TIMEOUT at everybody', async () => {
  const run = await runCeremony({
    spec,
    signers,
    prepare: (network) => network.rule((packet) => (packet.from === cheater ? 'drop' : 'pass')),
  })
  assertSuspected(run, 'E_TIMEOUT', { suspects: [cheater], corrupt: [cheater] })
})

test('15 an acknowledgement of another transcript makes no certificate', async () => {
  const run = await withCheat(
    acknowledging(cheater, {
      acknowledgement: (said) => ({ ...said, transcript: new Uint8Array(32).fill(7) }),
    }),
  )
  assertSuspected(run, 'E_CERT', { suspects: [cheater], corrupt: [cheater] })
})

test('16 a forged proof of possession is E_POS', async () => {
  const run = await withCheat(
    acknowledging(cheater, {
      acknowledgement: (said) => ({
        ...said,
        proofs: said.proofs.map((proof) => ({ ...proof, response: group.encodeScalar(5n) })),
      }),
    }),
  )
  assertConvicted(run, 'E_POS', [cheater])
})

test('16 a readiness signature of somebody else is E_CERT against its sender', async () => {
  const run = await withCheat({ readiness: (prepared) => readinessOf(spec, prepared, signerAt(first)) })
  assertConvicted(run, 'E_CERT', [cheater])
})

test('17 a message from a seat that its signer does not hold is dropped', async () => {
  const signer = signerAt(cheater)
  const run = await runCeremony({
    spec,
    signers,
    prepare: (network) =>
      network.rule((packet) => {
        const envelope = selected(packet, { by: cheater, round: ROUND.commit, toAll: true })
        if (envelope === null) return 'pass'
        const forged = { ...envelope, from: { role: 'new', index: 1 } as const }
        return [packet, { ...packet, body: reseal(signer, packet, forged) }]
      }),
  })
  assertAgreed(run)
  assert.ok((run.sessions.get(victim)?.drops.E_SIG ?? 0) > 0)
})

test('18 a subshare for another, replayed to me, is dropped', async () => {
  const run = await runCeremony({
    spec,
    signers,
    prepare: (network) =>
      network.rule((packet) => {
        const envelope = envelopeOf(packet)
        return envelope === null || envelope.to === null ? 'pass' : [{ ...packet, to: last }, { ...packet }]
      }),
  })
  assertAgreed(run)
  assert.ok((run.sessions.get(last)?.drops.E_SIG ?? 0) > 0)
})

test('20 errors of two dealers that cancel are accepted, and the shares sign', async () => {
  const easy = specOf({ op: 'keygen', next: committeeOf(1, signers, 2) })
  const shifted = (by: Address, error: bigint) =>
    rogue(
      acknowledging(by, {
        readiness: (prepared) => readinessOf(easy, prepared, signerAt(by)),
        shares: ([share], to) => {
          assert.ok(share)
          const wrong = group.encodeScalar((group.decodeScalar(share) + error) % group.order)
          return [to.address === victim ? wrong : share]
        },
      }),
    )
  const corrupt = [first, cheater]
  const rogues = new Map([
    [first, shifted(first, 77n)],
    [cheater, shifted(cheater, group.order - 77n)],
  ])
  const run = await runCeremony({ spec: easy, signers, rogues })
  assertAgreed(run, corrupt)
  assertSharesGood(
    honestOf(run, corrupt).flatMap((address) => {
      const [share] = preparedOf(run, address).shares
      return share ? [{ index: easy.next.members.indexOf(address) + 1, share }] : []
    }),
  )
})

test('an abort without proof ends the attempt and convicts nobody; its sender and its suspects are known', async () => {
  for (const suspects of [[], [{ role: 'new', index: 1 } as const]]) {
    const run: Run = await withCheat({ abort: () => ({ code: 'E_ECHO', round: 1, suspects, proof: null }) })
    for (const address of honestOf(run, [cheater])) {
      const error: unknown = run.endings.get(address)?.error
      assert.ok(error instanceof AbortedError)
      assert.equal(error.by.address, cheater)
      assert.equal(error.accusation.suspects.length, suspects.length)
    }
  }
})
