// Evidence bent against the honest: records that lie about what a ceremony was about, and batches read as another curve's.
import assert from 'node:assert/strict'
import { before, test } from 'node:test'
import { judgeEvidence } from '../../relayer/ceremony/evidence.ts'
import { InputError } from '../../relayer/lib/errors.ts'
import { attemptOf } from '../../relayer/protocol/attempt.ts'
import type { SignedEnvelope } from '../../relayer/protocol/envelope.ts'
import { encodeEvidence, verifyEvidence } from '../../relayer/protocol/evidence.ts'
import { FaultError } from '../../relayer/protocol/faults.ts'
import type { Scheme } from '../../relayer/protocol/keyshare.ts'
import { decodeBatch, encodeBatch } from '../../relayer/protocol/nonces.ts'
import { convicts, encodeProof, type Proof } from '../../relayer/protocol/proof.ts'
import { coordinateSignature } from '../../relayer/protocol/roast.ts'
import { encodeSignEvidence, verifySignEvidence } from '../../relayer/protocol/signfault.ts'
import { decodeMessage, encodeMessage } from '../../relayer/protocol/signwire.ts'
import { type CeremonySpec, contextOf } from '../../relayer/protocol/spec.ts'
import { assertAgreed } from '../support/blame.ts'
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
import { FROST_SCHEMES, SigningWorld } from '../support/signing.ts'
import { envelopeOf } from '../support/tamper.ts'

const signers = operators(1, 2, 3)
const committee = committeeOf(1, signers, 2)
let genesis: Run

before(async () => {
  genesis = await runCeremony({ spec: specOf({ op: 'keygen', next: committee }), signers })
})

/** A key addition without any cheat, and everything that was signed in it. */
async function addition(scheme: Scheme): Promise<{ spec: CeremonySpec; run: Run; said: SignedEnvelope[] }> {
  const said: SignedEnvelope[] = []
  const spec = specOf({
    op: 'addkey',
    old: committee,
    next: { ...committee, epoch: 2 },
    held: registered(preparedOf(genesis, committee.members[0] ?? '0x')),
    generated: [{ keyId: 1, scheme }],
  })
  const run = await runCeremony({
    spec,
    signers,
    held: sharesOf(genesis),
    prepare: (network) =>
      network.rule((packet) => {
        const envelope = envelopeOf(packet)
        if (envelope !== null) said.push(envelope)
        return 'pass'
      }),
  })
  assertAgreed(run)
  return { spec, run, said }
}

test('a record that takes the key that is added for the one that exists convicts no honest dealer', async () => {
  for (const scheme of ['frost-secp256k1-evm', 'frost-ed25519'] as const) {
    const { spec, run, said } = await addition(scheme)
    const [key] = spec.held
    assert.ok(key)
    const size = scheme === 'frost-ed25519' ? 32 : 64
    const lie: CeremonySpec = {
      ...spec,
      held: [{ ...key, keyId: 1, scheme, groupKey: new Uint8Array(size) }],
      generated: [{ keyId: 0, scheme: key.scheme }],
    }
    // The context says which keys exist, so that the lie has a session id under which nobody signed anything.
    assert.notDeepEqual(contextOf(lie), contextOf(spec))
    const bent = attemptOf(lie, { ...run.start.start, context: contextOf(lie) })
    for (const { from } of said.filter(({ round, to }) => round === 2 && to === null)) {
      const own = said.filter(
        (each) => each.from.role === from.role && each.from.index === from.index && each.round <= 2,
      )
      const [commit, open] = [1, 2].map((round) => own.find((each) => each.round === round && !each.to))
      assert.ok(commit && open)
      for (const code of ['E_LEN', 'E_COMMIT', 'E_POK', 'E_POINT'] as const) {
        const proof: Proof = { code, envelopes: [commit, open], transcript: [] }
        assert.equal(convicts(bent, proof), null)
        const record = encodeEvidence(bent, encodeProof(proof))
        assert.equal(judgeEvidence(record, spec), null, `${code} against ${from.role} ${from.index}`)
        const trusted = { chainId: CHAIN_ID, bridge: BRIDGE, committees: [committee, spec.next] }
        assert.throws(() => verifyEvidence(record, { ...trusted, keys: spec.held }), InputError)
        assert.throws(() => verifyEvidence(record, trusted), InputError)
      }
    }
  }
})

test('a batch of valid nonces convicts its member under no reading of its length', async () => {
  for (const [keyId, scheme] of FROST_SCHEMES.entries())
    for (const batchSize of [32, 33]) {
      const world = new SigningWorld({ t: 2, n: 3, schemes: FROST_SCHEMES, seed: `${scheme}/${batchSize}` })
      for (const { index } of world.members) world.reopen(index, { batchSize })
      const batches: Uint8Array[] = []
      world.network.rule((packet) => {
        const message = decodeMessage(packet.body)
        if (message.type === 'batch') batches.push(message.batch)
        return 'pass'
      })
      await world.probe(1, keyId)
      assert.ok(batches.length > 0)
      for (const batch of batches)
        assert.equal(verifySignEvidence(encodeSignEvidence({ kind: 'point', batch }), world.committee), null)
    }
})

test('a batch with an invalid nonce convicts its member whatever its length', async () => {
  for (const batchSize of [8, 32, 33]) {
    const world = new SigningWorld({ t: 2, n: 3, schemes: FROST_SCHEMES, seed: `bad/${batchSize}` })
    world.reopen(3, { batchSize })
    const { operator } = world.member(3)
    // The identity of edwards25519: a canonical encoding, and no nonce.
    const identity = Uint8Array.of(1, ...new Uint8Array(31))
    world.network.rule((packet) => {
      const message = decodeMessage(packet.body)
      if (message.type !== 'batch' || packet.from !== operator.address) return 'pass'
      const { ref, batch } = decodeBatch(message.batch, 32)
      const bent = encodeBatch(ref, { ...batch, points: [identity, ...batch.points.slice(1)] }, operator)
      return [{ ...packet, body: encodeMessage({ type: 'batch', batch: bent }) }]
    })
    await assert.rejects(coordinateSignature({ ...world.coordination(1, 2), include: [3] }), FaultError)
    assert.deepEqual(
      world.members.map(({ faults }) => faults.map(({ code, culprits }) => [code, culprits[0]?.index])),
      [[['E_POINT', 3]], [], []],
    )
    const { evidence = new Uint8Array() } = world.member(1).faults[0] ?? {}
    assert.equal(verifySignEvidence(evidence, world.committee)?.culprit.index, 3)
  }
})
