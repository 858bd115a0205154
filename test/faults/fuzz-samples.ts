// Valid inputs for the fuzzer: everything that a keygen, a refresh with a cheat and a signing put on the wire.
import assert from 'node:assert/strict'
import { secp256k1Group as group } from '../../relayer/crypto/group.ts'
import type { Signer } from '../../relayer/crypto/identity.ts'
import { publishPolynomial } from '../../relayer/crypto/vss.ts'
import { type Attempt, attemptOf } from '../../relayer/protocol/attempt.ts'
import { encodeCertificate } from '../../relayer/protocol/certificate.ts'
import type { SignedEnvelope } from '../../relayer/protocol/envelope.ts'
import { startEquivocation } from '../../relayer/protocol/evidence.ts'
import { FaultError } from '../../relayer/protocol/faults.ts'
import { type Committee, type HashedCommittee, rankMembers } from '../../relayer/protocol/party.ts'
import type { Prepared } from '../../relayer/protocol/prepared.ts'
import { encodeSignEvidence } from '../../relayer/protocol/signfault.ts'
import { decodeMessage } from '../../relayer/protocol/signwire.ts'
import { type CeremonySpec, contextOf, signStart } from '../../relayer/protocol/spec.ts'
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
import { rogue } from '../support/rogue.ts'
import type { SimNetwork } from '../support/sim-network.ts'
import { FROST_SCHEMES, SigningWorld } from '../support/signing.ts'
import { envelopeOf } from '../support/tamper.ts'

/** One ceremony with what was sent in it. */
export interface Recorded {
  readonly spec: CeremonySpec
  readonly attempt: Attempt
  readonly prepared: Prepared
  readonly envelopes: readonly SignedEnvelope[]
  readonly frames: readonly Uint8Array[]
  readonly certificate: Uint8Array
}

/** Everything. */
export interface Samples {
  readonly signers: readonly Signer[]
  readonly committee: Committee
  readonly keygen: Recorded
  readonly refresh: Recorded
  /** Records against a dealer of bad shares, a coordinator with two start messages, and a dealer of another secret. */
  readonly evidence: readonly Uint8Array[]
  readonly signing: {
    readonly committee: HashedCommittee
    readonly messages: readonly Uint8Array[]
    readonly evidence: readonly Uint8Array[]
  }
}

/** Runs the ceremonies; about a second. The same at each call. */
export async function gatherSamples(): Promise<Samples> {
  const signers = operators(1, 2, 3)
  const committee = committeeOf(1, signers, 2)
  const first = recorder()
  const spec = specOf({ op: 'keygen', next: committee })
  const born = await runCeremony({ spec, signers, prepare: first.listen })
  const held = registered(preparedOf(born, committee.members[0] ?? '0x'))
  const moving = specOf({ op: 'refresh', old: committee, next: { ...committee, epoch: 2 }, held })
  const second = recorder()
  const from = sharesOf(born)
  const moved = await runCeremony({ spec: moving, signers, held: from, prepare: second.listen })
  return {
    signers,
    committee,
    keygen: first.taken(born),
    refresh: second.taken(moved),
    evidence: [
      await badShare(spec, signers),
      twoStarts(born, signers),
      await badConstant(moving, signers, from),
    ],
    signing: await signingSamples(),
  }
}

function recorder() {
  const envelopes: SignedEnvelope[] = []
  const frames: Uint8Array[] = []
  return {
    listen: (network: SimNetwork): void => {
      network.rule((packet) => {
        const envelope = envelopeOf(packet)
        if (envelope !== null) {
          envelopes.push(envelope)
          frames.push(packet.body.slice())
        }
        return 'pass'
      })
    },
    taken: (run: Run): Recorded => {
      const [member = '0x'] = run.spec.next.members
      const certificate = run.endings.get(member)?.certificate
      assert.ok(certificate)
      return {
        spec: run.spec,
        attempt: attemptOf(run.spec, run.start.start),
        prepared: preparedOf(run, member),
        envelopes,
        frames,
        certificate: encodeCertificate(certificate),
      }
    },
  }
}

async function badShare(spec: CeremonySpec, signers: readonly Signer[]): Promise<Uint8Array> {
  const [cheater = '0x', , victim = '0x'] = spec.next.members
  const run = await runCeremony({
    spec,
    signers,
    rogues: new Map([
      [
        cheater,
        rogue({
          shares: ([share], to) => {
            assert.ok(share)
            if (to.address !== victim) return [share]
            return [group.encodeScalar((group.decodeScalar(share) + 1n) % group.order)]
          },
        }),
      ],
    ]),
  })
  const { error } = run.endings.get(victim) ?? {}
  assert.ok(error instanceof FaultError)
  return error.evidence
}

/** A dealer of a reshare that adds one to what it deals. */
async function badConstant(
  spec: CeremonySpec,
  signers: readonly Signer[],
  held: ReturnType<typeof sharesOf>,
): Promise<Uint8Array> {
  const [cheater = '0x', victim = '0x'] = spec.next.members
  const cheat = rogue({
    dealings: (dealings) =>
      dealings.map((each) => {
        const polynomial = each.polynomial.with(0, ((each.polynomial[0] ?? 0n) + 1n) % group.order)
        return { ...each, polynomial, published: publishPolynomial(group, polynomial) }
      }),
  })
  const run = await runCeremony({ spec, signers, held, rogues: new Map([[cheater, cheat]]) })
  const { error } = run.endings.get(victim) ?? {}
  assert.ok(error instanceof FaultError)
  return error.evidence
}

function twoStarts({ spec, start }: Run, signers: readonly Signer[]): Uint8Array {
  const [coordinator] = rankMembers(contextOf(spec), start.start.attempt, spec.next.members)
  const signer = signers.find(({ address }) => address === coordinator)
  assert.ok(signer)
  const other = { ...start.start, startNonce: new Uint8Array(32).fill(2) }
  return startEquivocation(spec, start, signStart(signer, other))
}

async function signingSamples(): Promise<Samples['signing']> {
  const world = new SigningWorld({ t: 2, n: 3, schemes: FROST_SCHEMES, seed: 'fuzz' })
  const messages: Uint8Array[] = []
  world.network.rule((packet) => {
    messages.push(packet.body.slice())
    return 'pass'
  })
  for (const keyId of FROST_SCHEMES.keys()) await world.probe(1, keyId)
  const said = messages.map(decodeMessage)
  const batches = said.flatMap((message) => (message.type === 'batch' ? [message.batch] : []))
  const packages = said.flatMap((message) => (message.type === 'package' ? [message] : []))
  const [batch, other] = batches
  const [one, two] = packages
  assert.ok(batch && other && one && two)
  return {
    committee: world.committee,
    messages,
    evidence: [
      encodeSignEvidence({ kind: 'point', batch }),
      encodeSignEvidence({ kind: 'batches', first: batch, second: other }),
      encodeSignEvidence({ kind: 'nonce', package: one, batch }),
      encodeSignEvidence({ kind: 'packages', first: one, second: two }),
      encodeSignEvidence({
        kind: 'share',
        body: one.body,
        index: 2,
        digest: new Uint8Array(32),
        z: new Uint8Array(32),
        signature: new Uint8Array(65),
        commitments: world.member(1).shares[0]?.commitments ?? [],
      }),
    ],
  }
}
