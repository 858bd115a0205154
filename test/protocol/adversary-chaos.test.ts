// A corrupt member that says anything at all: signed bytes at random, to some or to all, early, twice, or not at all.
import assert from 'node:assert/strict'
import { before, test } from 'node:test'
import type { Address } from '../../relayer/lib/bytes.ts'
import { attemptOf } from '../../relayer/protocol/attempt.ts'
import { encodeFrame, type SignedEnvelope, seal } from '../../relayer/protocol/envelope.ts'
import { verifyEvidence } from '../../relayer/protocol/evidence.ts'
import {
  AbortedError,
  DisputeError,
  FaultError,
  ProtocolError,
  SilenceError,
} from '../../relayer/protocol/faults.ts'
import type { KeyShare } from '../../relayer/protocol/keyshare.ts'
import { ABORT, encodeAbort, NOTICE } from '../../relayer/protocol/messages.ts'
import type { CeremonySpec } from '../../relayer/protocol/spec.ts'
import { honestOf } from '../support/blame.ts'
import {
  BRIDGE,
  CHAIN_ID,
  committeeOf,
  operators,
  preparedOf,
  type Run,
  registered,
  runCeremony,
  sharesOf,
  specOf,
} from '../support/ceremony-run.ts'
import { seededChooser } from '../support/seeded-rng.ts'
import type { Packet, SimNetwork } from '../support/sim-network.ts'
import { envelopeOf, reseal } from '../support/tamper.ts'

const signers = operators(1, 2, 3, 4)
const committee = committeeOf(1, signers, 3)
const cheater = committee.members[1] ?? '0x'
const signer = signers.find(({ address }) => address === cheater)
assert.ok(signer)
let specs: CeremonySpec[]
let shares: Map<Address, readonly KeyShare[]>

before(async () => {
  const genesis = await runCeremony({ spec: specOf({ op: 'keygen', next: committee }), signers })
  shares = sharesOf(genesis)
  const held = registered(preparedOf(genesis, cheater))
  const next = { ...committee, epoch: 2 }
  specs = [
    specOf({ op: 'keygen', next: committee }),
    specOf({ op: 'reshare', old: committee, next: committeeOf(2, signers.slice(0, 3), 2), held }),
    specOf({ op: 'refresh', old: committee, next, held }),
    specOf({ op: 'addkey', old: committee, next, held, generated: [{ keyId: 1, scheme: 'frost-ed25519' }] }),
  ]
})

/** Changes what the cheater's node sends, by a seed. */
function chaos(
  network: SimNetwork,
  of: { spec: CeremonySpec; run: Parameters<typeof attemptOf>[1]; seed: number },
): void {
  assert.ok(signer)
  const choose = seededChooser(`chaos/${of.seed}`)
  const attempt = attemptOf(of.spec, of.run)
  const seats = attempt.parties.filter(({ address }) => address === cheater)
  const told = new Map<string, Uint8Array>()
  const bent = (body: Uint8Array): Uint8Array => {
    const out = body.slice()
    const kind = choose(4)
    if (kind === 0 && out.length > 0) out[choose(out.length)] = choose(256)
    if (kind === 1) return out.subarray(0, choose(out.length + 1))
    if (kind === 2) return new Uint8Array([...out, choose(256)])
    return out
  }
  const stray = (packet: Packet): Packet => {
    const from = seats[choose(seats.length)]
    assert.ok(from)
    const round = [ABORT, NOTICE + 1, NOTICE + 2, 1, 2, 3][choose(6)] ?? 1
    const suspects = attempt.parties.filter(() => choose(3) === 0)
    const codes = ['E_TIMEOUT', 'E_STATE', 'E_SHARE'] as const
    const known = [...told.values()]
    const body =
      round === ABORT
        ? encodeAbort({
            code: codes[choose(3)] ?? 'E_STATE',
            round: choose(4),
            suspects,
            proof: choose(3) === 0 ? (known[choose(known.length)] ?? null) : null,
          })
        : (known[choose(known.length)] ?? new Uint8Array(32))
    const envelope = { sessionId: attempt.sessionId, round, from, to: null, body }
    return { ...packet, body: encodeFrame(seal(signer, envelope)) }
  }
  // Every other run, all receivers are told the same lies.
  const same = new Map<string, { act: number; body: Uint8Array }>()
  const one = (packet: Packet, envelope: SignedEnvelope): Packet[] => {
    told.set(String(told.size), envelope.body)
    const place = `${envelope.round}/${envelope.from.role}/${envelope.to === null}`
    if (of.seed % 8 >= 4 && envelope.to === null) {
      const known = same.get(place) ?? { act: choose(3), body: bent(envelope.body) }
      same.set(place, known)
      if (known.act === 0) return [packet]
      return [{ ...packet, body: reseal(signer, packet, { ...envelope, body: known.body }) }]
    }
    switch (choose(12)) {
      case 0:
        return []
      case 1:
        return [{ ...packet, body: reseal(signer, packet, { ...envelope, body: bent(envelope.body) }) }]
      case 2:
        return [
          packet,
          { ...packet, body: reseal(signer, packet, { ...envelope, body: bent(envelope.body) }) },
        ]
      case 3:
        return [packet, stray(packet)]
      case 4:
        return [stray(packet), packet]
      default:
        return [packet]
    }
  }
  network.rule((packet) => {
    const envelope = envelopeOf(packet)
    if (packet.from !== cheater || envelope === null || committee.members[0] === undefined) return 'pass'
    if (!seats.some(({ role, index }) => role === envelope.from.role && index === envelope.from.index))
      return 'pass'
    return one(packet, envelope)
  })
}

/** Whatever happens: typed errors only, nobody honest convicted, evidence that holds, one transcript. */
function assertSound(run: Run, seed: number, tally: Map<string, number>): void {
  const { old, next, held } = run.spec
  const committees = old === null ? [next] : [old, next]
  const transcripts = new Set<string>()
  for (const address of honestOf(run, [cheater])) {
    const { error, certificate } = run.endings.get(address) ?? {}
    const note = (what: string) => tally.set(what, (tally.get(what) ?? 0) + 1)
    if (certificate) {
      transcripts.add(String(certificate.transcript))
      note('certificate')
      continue
    }
    assert.ok(error instanceof ProtocolError, `seed ${seed}, ${run.spec.op}: ${String(error)}`)
    if (error instanceof FaultError) {
      note(`fault ${error.code}`)
      assert.deepEqual(
        [...new Set(error.culprits.map((party) => party.address))],
        [cheater],
        `seed ${seed}, ${run.spec.op}: ${error.message}`,
      )
      const trusted = { chainId: CHAIN_ID, bridge: BRIDGE, committees, keys: held }
      assert.equal(verifyEvidence(error.evidence, trusted).code, error.code)
    } else if (error instanceof SilenceError || error instanceof DisputeError) {
      note(`${error.name} ${error.code}`)
      assert.ok(
        error.suspects.some((party) => party.address === cheater),
        `seed ${seed}, ${run.spec.op}: ${error.message}`,
      )
    } else if (error instanceof AbortedError)
      note(`aborted ${error.by.address === cheater ? 'by cheater' : 'by honest'}`)
    else note(`${String(error).slice(0, 60)}`)
  }
  assert.ok(transcripts.size <= 1, `seed ${seed}`)
}

test('whatever a corrupt member says, nobody honest is convicted and all that is certified is one transcript', async () => {
  const tally = new Map<string, number>()
  for (let seed = 0; seed < 32; seed++) {
    const spec = specs[seed % specs.length]
    assert.ok(spec)
    const run = await runCeremony({
      spec,
      signers,
      seed,
      held: shares,
      prepare: (network, start) => chaos(network, { spec, run: start, seed }),
    })
    assertSound(run, seed, tally)
  }
  const faults = [...tally.keys()].filter((what) => what.startsWith('fault'))
  assert.ok(faults.length >= 3 && tally.has('certificate'), [...tally.keys()].join())
})
