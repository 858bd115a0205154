// The fuzzer's decoders of ceremonies: frames, bodies of rounds, start messages, certificates and evidence.
import { dec, EncodingError, enc } from '../../relayer/crypto/enc.ts'
import { judgeEvidence } from '../../relayer/ceremony/evidence.ts'
import { InputError } from '../../relayer/lib/errors.ts'
import { verdictOf } from '../../relayer/protocol/accusation.ts'
import { keysDealtBy } from '../../relayer/protocol/attempt.ts'
import { decodeAndVerifyCertificate, encodeCertificate } from '../../relayer/protocol/certificate.ts'
import { decodeFrame, encodeFrame, type Envelope, startOfFrame } from '../../relayer/protocol/envelope.ts'
import { decodeEvidence, verifyEvidence } from '../../relayer/protocol/evidence.ts'
import { ContentError } from '../../relayer/protocol/faults.ts'
import { decodeSubshare, oldCommitments, parseOpenings } from '../../relayer/protocol/inspect.ts'
import {
  ABORT,
  decodeAbort,
  MAX_ABORT,
  decodeAcknowledgement,
  decodeCommitments,
  decodeOpenings,
  decodeShares,
  encodeAbort,
  encodeAcknowledgement,
  encodeCommitments,
  encodeOpenings,
  encodeShares,
  ROUND,
} from '../../relayer/protocol/messages.ts'
import { decodeProof, encodeProof } from '../../relayer/protocol/proof.ts'
import { decodeStart, encodeStart, verifyStart } from '../../relayer/protocol/spec.ts'
import { RefusalError } from '../../relayer/protocol/faults.ts'
import { decodeSpec, encodeSpec } from '../../relayer/protocol/specwire.ts'
import type { Decoder } from './fuzz-engine.ts'
import type { Recorded, Samples } from './fuzz-samples.ts'

const CUT = [
  'EncodingError: decode: shorter than its count',
  'EncodingError: decode: N parts',
  'EncodingError: decode: part N has',
  'EncodingError: decode: cut short in a length',
  'EncodingError: decode: cut short in a part',
  'EncodingError: decode: bytes left over',
]

export function sessionDecoders(samples: Samples): Decoder[] {
  const { keygen, refresh } = samples
  const starts = [keygen, refresh].map(({ frames }) => frames.flatMap((frame) => startOfFrame(frame) ?? []))
  const [coordinator = '0x'] = keygen.spec.next.members
  return [
    {
      name: 'frame',
      covers: ['protocol/envelope.ts#decodeFrame', 'protocol/envelope.ts#startOfFrame'],
      weight: 4,
      samples: [...keygen.frames, ...refresh.frames],
      errors: [EncodingError],
      run: (bytes) => ({ again: encodeFrame(decodeFrame(bytes), startOfFrame(bytes) ?? new Uint8Array()) }),
      reaches: [
        ...CUT,
        'taken',
        'EncodingError: decode frame: version',
        'EncodingError: decode frame: half of "to all"',
        'EncodingError: decode frame: seat',
      ],
    },
    {
      name: 'start message',
      covers: ['protocol/spec.ts#decodeStart', 'protocol/spec.ts#verifyStart'],
      weight: 2,
      samples: starts.flat(),
      errors: [RefusalError],
      run: (bytes) => {
        const signed = decodeStart(bytes)
        if (signed !== null) return { again: encodeStart(signed.start, signed.signature) }
        verifyStart(keygen.spec, coordinator, bytes)
        return { value: 'malformed and joined' }
      },
      reaches: ['taken', 'RefusalError: E_AUTH: check start: malformed'],
    },
    {
      name: 'ceremony spec',
      covers: ['protocol/specwire.ts#decodeSpec'],
      weight: 2,
      samples: [keygen, refresh].map(({ spec }) => encodeSpec(spec)),
      errors: [EncodingError],
      run: (bytes) => ({ again: encodeSpec(decodeSpec(bytes)) }),
      reaches: [
        ...CUT,
        'taken',
        'EncodingError: decode spec: op',
        'EncodingError: decode spec: scheme',
        'EncodingError: decode spec: committee',
        'EncodingError: decode spec: integer',
      ],
    },
    ...bodies(keygen, 'keygen'),
    ...bodies(refresh, 'refresh'),
    ...accusations(samples),
  ]
}

/** Bodies of the rounds of one ceremony. */
function bodies({ attempt, envelopes }: Recorded, op: string): Decoder[] {
  const role = op === 'keygen' ? 'new' : 'old'
  const of = (round: number, toAll: boolean) =>
    envelopes.filter((each) => each.round === round && (each.to === null) === toAll).map(({ body }) => body)
  const [commits, opens] = [of(ROUND.commit, true), of(ROUND.open, true)]
  const dealer = attempt.parties.find((party) => party.role === role)
  const listen = 'ContentError: E_LEN: decode body: not exactly N parts'
  const common = { weight: 2, errors: [ContentError] }
  return [
    {
      ...common,
      name: `${op}: commitments`,
      covers: ['protocol/messages.ts#decodeCommitments'],
      samples: commits,
      run: (bytes) => ({ again: encodeCommitments(decodeCommitments(attempt, role, bytes)) }),
      reaches: ['taken', listen, 'ContentError: E_LEN: decode body: size of a part'],
    },
    {
      ...common,
      name: `${op}: openings`,
      covers: ['protocol/messages.ts#decodeOpenings'],
      samples: opens,
      run: (bytes) => {
        const { echo, openings } = decodeOpenings(attempt, role, bytes)
        return { again: encodeOpenings(echo, openings) }
      },
      reaches: [
        'taken',
        listen,
        'ContentError: E_LEN: decode opening: echo',
        'ContentError: E_LEN: decode opening: blinding',
        'ContentError: E_POINT: decode opening: size of a point',
        'ContentError: E_SCALAR: decode opening: size of the response',
      ],
    },
    {
      ...common,
      name: `${op}: subshares`,
      covers: ['protocol/messages.ts#decodeShares', 'protocol/inspect.ts#decodeSubshare'],
      samples: of(ROUND.open, false),
      run: (bytes) => {
        const { echo, shares } = decodeShares(attempt, role, bytes)
        for (const [at, key] of keysDealtBy(attempt, role).entries())
          decodeSubshare(key, shares[at] ?? new Uint8Array())
        return { again: encodeShares(echo, shares) }
      },
      reaches: [
        'taken',
        listen,
        'ContentError: E_LEN: decode share: echo',
        'ContentError: E_SCALAR: decode share: size',
        'ContentError: E_SCALAR: decode scalar: zero',
        'ContentError: E_SCALAR: decode scalar: not below the group order',
      ],
    },
    {
      ...common,
      name: `${op}: acknowledgement`,
      covers: ['protocol/messages.ts#decodeAcknowledgement'],
      samples: of(ROUND.acknowledge, true),
      run: (bytes) => ({ again: encodeAcknowledgement(decodeAcknowledgement(attempt.keys, bytes)) }),
      reaches: [
        'taken',
        listen,
        'ContentError: E_LEN: decode acknowledgement: transcript or readiness',
        'ContentError: E_LEN: decode body: size of a part',
      ],
    },
    {
      name: `${op}: a dealer's two messages`,
      covers: ['protocol/inspect.ts#parseOpenings', 'protocol/inspect.ts#oldCommitments'],
      weight: 0.5,
      samples: commits.flatMap((commit) => opens.map((open) => enc(commit, open))),
      errors: [ContentError, EncodingError],
      run: (bytes) => {
        const [commit = bytes, open = bytes] = dec(bytes, [-1, -1])
        if (dealer === undefined) return { value: 'no dealer' }
        const openings = parseOpenings(attempt, dealer, { commit, open })
        if (role === 'old')
          for (const [at, key] of keysDealtBy(attempt, role).entries())
            oldCommitments(
              key,
              decodeCommitments(attempt, role, commit)[at]?.oldCommitments ?? new Uint8Array(),
            )
        return { value: `${openings.length} keys` }
      },
      reaches: [
        '1 keys',
        'ContentError: E_COMMIT: open commitment: it was to something else',
        'ContentError: E_POINT: decode point: not canonical or not on the curve',
        ...(role === 'old'
          ? ['ContentError: E_STATE: check old commitments: not those that the contract stored']
          : []),
      ],
    },
  ]
}

/** Aborts, proofs, records and certificates: what convicts, and what must never convict the wrong one. */
function accusations({ keygen, refresh, evidence, committee }: Samples): Decoder[] {
  const { chainId, bridge } = keygen.spec
  const trusted = { chainId, bridge, committees: [committee, refresh.spec.next] }
  const proofs = evidence.map((record) => decodeEvidence(record).proof).filter(({ length }) => length > 0)
  const [envelope] = keygen.envelopes
  const suspects = [{ role: 'new' as const, index: 2 }]
  const tooLong = new Uint8Array(MAX_ABORT)
  const aborts = [null, tooLong, ...proofs].map((proof) =>
    encodeAbort({ code: 'E_SHARE', round: 2, suspects, proof }),
  )
  const asAbort = (body: Uint8Array): Envelope => ({
    sessionId: keygen.attempt.sessionId,
    round: ABORT,
    from: { role: 'new', index: 1 },
    to: null,
    body,
  })
  return [
    {
      name: 'abort',
      covers: ['protocol/messages.ts#decodeAbort', 'protocol/accusation.ts#verdictOf'],
      weight: 0.3,
      samples: aborts,
      errors: [EncodingError],
      run: (bytes) => {
        const signature = envelope?.signature ?? new Uint8Array(65)
        const verdict = verdictOf(keygen.attempt, { ...asAbort(bytes), signature })
        if (verdict.proof !== null && verdict.proof.envelopes.length === 0)
          throw new Error('a proof of nothing')
        return { again: encodeAbort(decodeAbort({ body: bytes })) }
      },
      reaches: [
        ...CUT,
        'taken',
        'EncodingError: decode abort: parts',
        'EncodingError: decode abort: role',
        'EncodingError: decode abort: N bytes',
      ],
    },
    {
      name: 'proof',
      covers: ['protocol/proof.ts#decodeProof'],
      weight: 1,
      samples: proofs,
      errors: [EncodingError],
      run: (bytes) => ({ again: encodeProof(decodeProof(bytes)) }),
      reaches: ['taken', 'EncodingError: decode proof: code', 'EncodingError: decode frame: version'],
    },
    {
      name: 'evidence record',
      covers: ['protocol/evidence.ts#decodeEvidence'],
      weight: 2,
      samples: evidence,
      errors: [EncodingError],
      run: (bytes) => {
        const { spec, start, proof, second } = decodeEvidence(bytes)
        const kind = Uint8Array.of(second === null ? 0 : 1)
        return { again: enc(kind, encodeSpec(spec), start.bytes, second?.bytes ?? proof) }
      },
      reaches: [
        ...CUT,
        'taken',
        'EncodingError: decode evidence: parts',
        'EncodingError: decode evidence: kind',
      ],
    },
    {
      name: 'evidence verdict',
      covers: ['protocol/evidence.ts#verifyEvidence', 'ceremony/evidence.ts#judgeEvidence'],
      weight: 0.05,
      samples: evidence,
      errors: [InputError],
      run: (bytes) => {
        judgeEvidence(bytes, keygen.spec)
        const { code, culprits } = verifyEvidence(bytes, trusted)
        return { value: `${code} by ${culprits.length}` }
      },
      reaches: [
        'E_SHARE by 1',
        'E_EQUIV by 1',
        'InputError: verify evidence: it proves nothing',
        'InputError: verify evidence: of another bridge',
        'InputError: verify evidence: of keys that are not known',
        'InputError: verify evidence: decode',
        'InputError: verify evidence: E_AUTH',
      ],
    },
    {
      name: 'certificate',
      covers: ['protocol/certificate.ts#decodeAndVerifyCertificate'],
      weight: 0.03,
      samples: [refresh.certificate],
      errors: [],
      run: (bytes) => {
        const found = decodeAndVerifyCertificate(bytes, refresh)
        return found === null ? { value: 'none' } : { again: encodeCertificate(found) }
      },
      reaches: ['none', 'taken'],
    },
  ]
}
