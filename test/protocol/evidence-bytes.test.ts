// Evidence byte by byte: every single changed byte makes a record convict nobody, and so does a committee that the accuser made up.
import assert from 'node:assert/strict'
import { before, test } from 'node:test'
import { ed25519Group, secp256k1Group } from '../../relayer/crypto/group.ts'
import { InputError } from '../../relayer/lib/errors.ts'
import { type TrustedState, verifyEvidence } from '../../relayer/protocol/evidence.ts'
import { type FaultCode, FaultError } from '../../relayer/protocol/faults.ts'
import { commitmentsHash, curveOf } from '../../relayer/protocol/keyshare.ts'
import { encodeBatch, decodeBatch, type NonceBatch } from '../../relayer/protocol/nonces.ts'
import {
  encodeSignEvidence,
  type SignEvidence,
  verifySignEvidence,
} from '../../relayer/protocol/signfault.ts'
import {
  decodeMessage,
  decodePackage,
  packageHash,
  sealPackage,
  shareDigest,
} from '../../relayer/protocol/signwire.ts'
import type { CeremonySpec } from '../../relayer/protocol/spec.ts'
import { gatherSamples, type Samples } from '../faults/fuzz-samples.ts'
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
import { type Cheat, rogue } from '../support/rogue.ts'
import { FROST_SCHEMES, SigningWorld } from '../support/signing.ts'

const signers = operators(1, 2, 3)
const committee = committeeOf(1, signers, 2)
const [cheater = '0x', , victim = '0x'] = committee.members
const keygen = specOf({ op: 'keygen', next: committee })
let samples: Samples
let born: Run
let refresh: CeremonySpec
let trusted: TrustedState

before(async () => {
  samples = await gatherSamples()
  born = await runCeremony({ spec: keygen, signers })
  const held = registered(preparedOf(born, victim))
  refresh = specOf({ op: 'refresh', old: committee, next: { ...committee, epoch: 2 }, held })
  trusted = { chainId: CHAIN_ID, bridge: BRIDGE, committees: [committee, refresh.next], keys: held }
})

/** The record that an honest member keeps of a cheat in a ceremony. */
async function recordOf(spec: CeremonySpec, cheat: Cheat): Promise<Uint8Array> {
  const run = await runCeremony({
    spec,
    signers,
    ...(spec.old === null ? {} : { held: sharesOf(born) }),
    rogues: new Map([[cheater, rogue(cheat)]]),
  })
  const { error } = run.endings.get(victim) ?? {}
  assert.ok(error instanceof FaultError, String(error))
  return error.evidence
}

/** Offsets of a record: all of a short one, every seventh of a long one, in a different phase each byte value. */
function offsets({ length }: Uint8Array): number[] {
  const step = length > 1500 ? 7 : 1
  return Array.from({ length: Math.ceil(length / step) }, (_, at) => at * step)
}

/** Each byte is changed once; whoever judges must find nothing. */
function assertBrittle(record: Uint8Array, convicts: (changed: Uint8Array) => boolean): void {
  assert.ok(convicts(record))
  for (const at of offsets(record)) {
    const changed = record.slice()
    changed[at] = (changed[at] ?? 0) ^ (1 << (at % 8))
    assert.equal(convicts(changed), false, `byte ${at} of ${record.length}`)
  }
}

function convictsUnder(known: TrustedState) {
  return (record: Uint8Array): boolean => {
    try {
      return verifyEvidence(record, known).culprits.length > 0
    } catch (error) {
      assert.ok(error instanceof InputError, String(error))
      return false
    }
  }
}

const wrongScalar = ([share]: Uint8Array[]) => {
  assert.ok(share)
  return [secp256k1Group.encodeScalar((secp256k1Group.decodeScalar(share) + 1n) % secp256k1Group.order)]
}
const CHEATS: readonly (readonly [FaultCode, Cheat])[] = [
  ['E_SHARE', { shares: (shares, to) => (to.address === victim ? wrongScalar(shares) : shares) }],
  ['E_COMMIT', { openings: (all) => all.map((each) => ({ ...each, blinding: new Uint8Array(32) })) }],
  ['E_LEN', { commitments: (all) => [...all, ...all] }],
  [
    'E_POK',
    {
      openings: (all) =>
        all.map(({ proof, ...rest }) => ({
          ...rest,
          proof: { ...proof, response: new Uint8Array(32).fill(1) },
        })),
    },
  ],
]

for (const op of ['keygen', 'refresh'] as const)
  for (const [code, cheat] of CHEATS)
    void test(`a record of ${code} in a ${op} loses its force with any byte`, async () => {
      const record = await recordOf(op === 'keygen' ? keygen : refresh, cheat)
      assert.equal(verifyEvidence(record, trusted).code, code)
      assertBrittle(record, convictsUnder(trusted))
    })

void test('a record against a coordinator with two start messages loses its force with any byte', () => {
  const [, record] = samples.evidence
  assert.ok(record)
  assertBrittle(record, convictsUnder(trusted))
})

void test('a committee that the accuser made up is refused, however well its members signed', async () => {
  const puppets = operators(11, 12, 13)
  const made = committeeOf(1, puppets, 2)
  const [guilty = '0x', , other = '0x'] = made.members
  const run = await runCeremony({
    spec: specOf({ op: 'keygen', next: made }),
    signers: puppets,
    rogues: new Map([
      [guilty, rogue({ shares: (shares, to) => (to.address === other ? wrongScalar(shares) : shares) })],
    ]),
  })
  const { error } = run.endings.get(other) ?? {}
  assert.ok(error instanceof FaultError)
  assert.ok(convictsUnder({ ...trusted, committees: [made] })(error.evidence))
  assert.throws(() => verifyEvidence(error.evidence, trusted), /of a committee that is not known here/)
  assert.equal(convictsUnder({ ...trusted, committees: [] })(error.evidence), false)
})

for (const [keyId, scheme] of FROST_SCHEMES.entries())
  void test(`records of ${scheme} signing lose their force with any byte, and under another committee`, async () => {
    const world = new SigningWorld({ t: 2, n: 3, schemes: FROST_SCHEMES, seed: `bytes/${scheme}` })
    const records = await signingRecords(world, keyId)
    const strangers = { ...world.committee, members: committee.members }
    for (const evidence of records) {
      const record = encodeSignEvidence(evidence)
      assertBrittle(record, (changed) => verifySignEvidence(changed, world.committee) !== null)
      assert.equal(verifySignEvidence(record, strangers), null)
    }
  })

/** One record of each kind, made of what a probe put on the wire, with the cheat signed by the member's own key. */
async function signingRecords(world: SigningWorld, keyId: number): Promise<SignEvidence[]> {
  const said: Uint8Array[] = []
  world.network.rule((packet) => {
    said.push(packet.body)
    return 'pass'
  })
  for (const { index } of world.members) world.reopen(index, { batchSize: 2 })
  await world.probe(1, keyId)
  const messages = said.map(decodeMessage)
  const sealed = messages.find((message) => message.type === 'package')
  assert.ok(sealed?.type === 'package')
  const signing = decodePackage(sealed.body)
  const [entry] = signing.entries
  const [leader, signer] = [world.member(1), world.member(entry?.index ?? 1)]
  const key = leader.shares[keyId]
  assert.ok(entry && key)
  const group = curveOf(key.scheme) === 'ed25519' ? ed25519Group : secp256k1Group
  const batches = messages.flatMap((message) => (message.type === 'batch' ? [message.batch] : []))
  const opened = batches.map((bytes) => ({ bytes, ...decodeBatch(bytes, group.shortBytes) }))
  const named = opened.find(({ digest }) => Buffer.compare(digest, entry.batch) === 0)
  assert.ok(named)
  const again = (batch: NonceBatch) => encodeBatch(named.ref, batch, signer.operator)
  const swapped = named.batch.points.toReversed()
  const bad = new Uint8Array(group.shortBytes).fill(0xff)
  const [digest, z] = [new Uint8Array(32).fill(1), group.encodeScalar(5n)]
  const other = { ...signing, entries: signing.entries.map((each) => ({ ...each, hiding: each.binding })) }
  const resigned = sealPackage(other, leader.operator)
  assert.deepEqual(commitmentsHash(key), signing.commitmentsHash)
  return [
    {
      kind: 'share',
      body: sealed.body,
      index: signer.index,
      digest,
      z,
      signature: signer.operator.sign(shareDigest(packageHash(sealed.body), digest, z)),
      commitments: key.commitments,
    },
    { kind: 'point', batch: again({ ...named.batch, points: [bad, ...named.batch.points.slice(1)] }) },
    { kind: 'batches', first: named.bytes, second: again({ ...named.batch, points: swapped }) },
    { kind: 'nonce', package: resigned, batch: named.bytes },
    { kind: 'packages', first: sealed, second: resigned },
  ]
}
