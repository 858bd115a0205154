// Aborts and notices as weapons: said too early, to one alone, too long or at the last moment, they frame nobody and hide nobody.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { enc } from '../../relayer/crypto/enc.ts'
import { type Address, toHex } from '../../relayer/lib/bytes.ts'
import { type Dealing, open } from '../../relayer/protocol/dealing.ts'
import { type Envelope, encodeFrame, seal } from '../../relayer/protocol/envelope.ts'
import { AbortedError, SilenceError } from '../../relayer/protocol/faults.ts'
import {
  ABORT,
  encodeAbort,
  encodeCommitments,
  encodeOpenings,
  MAX_ABORT,
  MAX_PROOF,
  NOTICE,
  ROUND,
} from '../../relayer/protocol/messages.ts'
import { sessionIdOf, type StartMessage } from '../../relayer/protocol/spec.ts'
import { assertAgreed, assertConvicted, assertSuspected, honestOf } from '../support/blame.ts'
import {
  committeeOf,
  operators,
  preparedOf,
  readinessOf,
  registered,
  type Run,
  runCeremony,
  sharesOf,
  specOf,
} from '../support/ceremony-run.ts'
import { rogue } from '../support/rogue.ts'
import type { Packet, SimNetwork } from '../support/sim-network.ts'
import { edit, envelopeOf, selected } from '../support/tamper.ts'

const signers = operators(1, 2, 3, 4)
const next = committeeOf(1, signers, 3)
const spec = specOf({ op: 'keygen', next })
const [first, cheater, victim, last] = next.members
assert.ok(first && cheater && victim && last)
const signer = signers.find(({ address }) => address === cheater)
assert.ok(signer)

/** A frame in which the cheater says something to all, for one receiver. */
function saying(start: StartMessage, to: Address, message: Pick<Envelope, 'round' | 'body'>): Packet {
  assert.ok(cheater && signer)
  const sessionId = sessionIdOf(start)
  const role = start.dealers.length === 0 ? 'new' : 'old'
  const from = { role, index: next.members.indexOf(cheater) + 1 } as const
  const body = encodeFrame(seal(signer, { sessionId, from, to: null, ...message }))
  return { from: cheater, to, kind: 'frame', session: toHex(sessionId), topic: null, body }
}

/** Holds what somebody says to all in a round until nothing else is under way, and does something else instead. */
function hold(
  network: SimNetwork,
  of: { by: Address; round: number },
  instead: (packet: Packet) => void,
): void {
  network.rule((packet) => {
    if (selected(packet, { ...of, toAll: true }) === null) return 'pass'
    instead(packet)
    return 'hold'
  })
  network.onIdle(() => network.release())
}

/** Whether a packet carries what somebody else signed. */
function isRelayed(packet: Packet): boolean {
  const envelope = envelopeOf(packet)
  return envelope !== null && next.members[envelope.from.index - 1] !== packet.from
}

/** Every honest party knows who aborted, and convicts nobody. */
function assertAbortedBy(run: Run, by: Address): void {
  for (const address of honestOf(run, [by])) {
    const error: unknown = run.endings.get(address)?.error
    assert.ok(error instanceof AbortedError, `${address}: ${String(error)}`)
    assert.equal(error.by.address, by)
  }
}

const otherCommit = encodeCommitments([
  { commitment: new Uint8Array(32).fill(1), oldCommitments: new Uint8Array() },
])
const twoCommits = edit(signer, { round: ROUND.commit, toAll: true, to: [victim] }, () => ({
  body: otherCommit,
}))

test('a view that is asked for before it is whole does not hide the equivocator of that round', async () => {
  const run = await runCeremony({
    spec,
    signers,
    prepare: (network, start) => {
      network.rule(twoCommits)
      hold(network, { by: cheater, round: ROUND.commit }, ({ to }) =>
        network.inject(saying(start, to, { round: NOTICE + ROUND.commit, body: new Uint8Array(128) })),
      )
    },
  })
  assertConvicted(run, 'E_EQUIV', [cheater])
})

test('nor does one that is asked for in the round before', async () => {
  let other = new Uint8Array()
  let dealt: readonly Dealing[] = []
  const cheat = rogue({
    readiness: (prepared) => readinessOf(spec, prepared, signer),
    dealings: (dealings) => {
      dealt = dealings
      return dealings
    },
    openings: (openings, { session, echo, seat }) => {
      other = new Uint8Array(
        encodeOpenings(
          echo,
          dealt.map((dealing) => open(session, seat, { dealing, echo })),
        ),
      )
      return openings
    },
  })
  const run = await runCeremony({
    spec,
    signers,
    rogues: new Map([[cheater, cheat]]),
    prepare: (network, start) => {
      network.rule(edit(signer, { round: ROUND.open, toAll: true, to: [victim] }, () => ({ body: other })))
      hold(network, { by: cheater, round: ROUND.commit }, ({ to }) =>
        network.inject(saying(start, to, { round: NOTICE + ROUND.open, body: new Uint8Array(128) })),
      )
    },
  })
  assertConvicted(run, 'E_EQUIV', [cheater])
})

test('a notice that lies about a round makes nobody pass that round on to anybody but the liar, and stalls nothing', async () => {
  const passed = new Map<string, number>()
  const run = await runCeremony({
    spec,
    signers,
    prepare: (network, start) => {
      for (const round of [ROUND.commit, ROUND.open])
        for (const to of [first, victim, last])
          network.inject(saying(start, to, { round: NOTICE + round, body: new Uint8Array(128) }))
      network.rule((packet) => {
        if (isRelayed(packet)) passed.set(packet.to, (passed.get(packet.to) ?? 0) + 1)
        return 'pass'
      })
    },
  })
  assertAgreed(run)
  assert.deepEqual([...passed.keys()], [cheater])
  const most = 2 * 3 * 3
  assert.ok((passed.get(cheater) ?? 0) <= most, 'of two rounds, each of three members, what others dealt')
})

test('an equivocator that speaks at the last moment is found after the time of all rounds', async () => {
  let late = false
  const run = await runCeremony({
    spec,
    signers,
    prepare: (network) => {
      network.rule(twoCommits)
      network.rule((packet) => {
        const envelope = envelopeOf(packet)
        return !late && (isRelayed(packet) || envelope?.round === NOTICE + ROUND.commit) ? 'hold' : 'pass'
      })
    },
    fallen: (round, network) => {
      late = round === 3
      if (late) network.release()
    },
  })
  assertConvicted(run, 'E_EQUIV', [cheater])
})

test('who calls others silent before the time is over is itself the one that aborted', async () => {
  const suspects = [{ role: 'new', index: next.members.indexOf(first) + 1 } as const]
  const abort = encodeAbort({ code: 'E_TIMEOUT', round: ROUND.commit, suspects, proof: null })
  const run = await runCeremony({
    spec,
    signers,
    prepare: (network, start) => {
      let said = false
      hold(network, { by: first, round: ROUND.commit }, () => {
        if (said) return
        said = true
        for (const to of [first, victim, last])
          network.inject(saying(start, to, { round: ABORT, body: abort }))
      })
    },
  })
  assertAbortedBy(run, cheater)
})

test('who calls others silent before the time is over, and is right, changes nothing', async () => {
  const suspects = [{ role: 'new', index: next.members.indexOf(first) + 1 } as const]
  const abort = encodeAbort({ code: 'E_TIMEOUT', round: ROUND.commit, suspects, proof: null })
  const run = await runCeremony({
    spec,
    signers,
    prepare: (network, start) => {
      for (const to of [victim, last])
        network.onIdle(() => network.inject(saying(start, to, { round: ABORT, body: abort })))
      network.rule((packet) => (packet.from === first ? 'drop' : 'pass'))
    },
  })
  assertSuspected(run, 'E_TIMEOUT', { suspects: [first], corrupt: [first] })
  for (const address of [victim, last]) assert.ok(run.endings.get(address)?.error instanceof SilenceError)
})

test('an abort that is said to one alone makes nobody else look silent', async () => {
  const abort = { code: 'E_STATE', round: 0, suspects: [], proof: null } as const
  for (let seed = 0; seed < 4; seed++) {
    const run = await runCeremony({
      spec,
      signers,
      seed,
      rogues: new Map([[cheater, rogue({ abort: () => abort })]]),
      prepare: (network) =>
        network.rule((packet) =>
          selected(packet, { by: cheater, round: ABORT, toAll: true }) !== null && packet.to !== victim
            ? 'drop'
            : 'pass',
        ),
    })
    assertAbortedBy(run, cheater)
  }
})

test('a false accusation too long for another abort, said to one alone, convicts its sender at everybody', async () => {
  const proof = enc(Uint8Array.of(0), enc(), new Uint8Array(MAX_ABORT - 64))
  assert.ok(proof.length > MAX_PROOF)
  for (let seed = 0; seed < 4; seed++) {
    const run = await runCeremony({
      spec,
      signers,
      seed,
      rogues: new Map([
        [cheater, rogue({ abort: () => ({ code: 'E_SHARE', round: 0, suspects: [], proof }) })],
      ]),
      prepare: (network) =>
        network.rule((packet) =>
          selected(packet, { by: cheater, round: ABORT, toAll: true }) !== null && packet.to !== victim
            ? 'drop'
            : 'pass',
        ),
    })
    assertConvicted(run, 'E_FALSE', [cheater])
  }
})

/** The cheater gives up when nothing is missing but the acknowledgement of another, which then comes. */
function givesUp(network: SimNetwork, start: StartMessage, of: { late: Address; to: readonly Address[] }) {
  const body = encodeAbort({ code: 'E_STATE', round: 0, suspects: [], proof: null })
  let said = false
  hold(network, { by: of.late, round: ROUND.acknowledge }, () => {
    if (!said)
      network.onIdle(() => {
        for (const to of of.to) network.inject(saying(start, to, { round: ABORT, body }))
      })
    said = true
  })
}

test('who has said all that is needed of it, and gives up, takes nothing back', async () => {
  const run = await runCeremony({
    spec,
    signers,
    prepare: (network, start) => givesUp(network, start, { late: last, to: [first, victim, last] }),
  })
  assertAgreed(run)
})

test('nor does a dealer that leaves, once it has dealt', async () => {
  const born = await runCeremony({ spec, signers })
  const newcomers = operators(5, 6, 7)
  const { members } = committeeOf(2, newcomers, 2)
  const run = await runCeremony({
    spec: specOf({
      op: 'reshare',
      old: next,
      next: { epoch: 2, members, threshold: 2 },
      held: registered(preparedOf(born, first)),
    }),
    signers: [...signers, ...newcomers],
    held: sharesOf(born),
    prepare: (network, start) =>
      givesUp(network, start, { late: members[0] ?? '0x', to: [first, victim, ...members] }),
  })
  assertAgreed(run)
})
