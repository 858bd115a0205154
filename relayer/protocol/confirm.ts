// The last round of keygen and reshare: all of the new committee prove their shares and sign one transcript (docs/protocols.md, Keygen, round 4).
import { PointError, ScalarError } from '../crypto/group.ts'
import { allHold, type Proof, prove } from '../crypto/proofs.ts'
import { equal } from '../lib/bytes.ts'
import { InputError } from '../lib/errors.ts'
import { acknowledgementFault, readinessTest, posContext, possessionClaims } from './acknowledgement.ts'
import { dealersOf, type KeyTerms } from './attempt.ts'
import { echoOf, requireSameView } from './broadcast.ts'
import type { Certificate } from './certificate.ts'
import { encodeFrame, type SignedEnvelope } from './envelope.ts'
import { ContentError, DisputeError } from './faults.ts'
import { type Acknowledgement, decodeAcknowledgement, encodeAcknowledgement, ROUND } from './messages.ts'
import type { Party } from './party.ts'
import type { Prepared } from './prepared.ts'
import type { Session } from './session.ts'
import { transcriptOf, transcriptParts } from './transcript.ts'

export { type Certificate, decodeAndVerifyCertificate, encodeCertificate } from './certificate.ts'

/**
 * Exchanges the acknowledgements. Call it only once the prepared result is durable, and keep that whatever this throws.
 * @param readiness this member's Readiness signature, 65 bytes; null for a dealer that leaves
 * @throws FaultError, DisputeError, SilenceError or AbortedError
 */
export async function confirm(
  session: Session,
  prepared: Prepared,
  readiness: Uint8Array | null,
): Promise<Certificate> {
  const { attempt } = session
  const own = session.seat('new')
  if ((own === null) !== (readiness === null))
    throw new InputError('confirm: a readiness signature is what new members, and only they, send')
  return await session.run(async () => {
    const dealers = dealersOf(attempt)
    const [commits, opens] = [
      await session.gather(ROUND.commit, dealers),
      await session.gather(ROUND.open, dealers),
    ]
    const echoes = [echoOf(attempt, ROUND.commit, commits), echoOf(attempt, ROUND.open, opens)] as const
    const transcript = transcriptParts(attempt, { echoes, keys: prepared.keys })
    if (!equal(transcriptOf(attempt, transcript), prepared.transcript))
      throw new InputError('confirm: the prepared result is not of this session')

    // Round 4: prove possession of every share, sign the transcript.
    if (own !== null && readiness !== null) {
      const proofs = attempt.keys.map((key) => provePossession(session, own, { key, prepared }))
      const body = encodeAcknowledgement({ transcript: prepared.transcript, readiness, proofs })
      session.sendToAll(own, ROUND.acknowledge, body)
    }
    const acks = await session.gather(ROUND.acknowledge, attempt.receivers)
    const read = acks.map((ack) => readAcknowledgement(attempt.keys, ack))

    // Everybody signed the same transcript.
    const claims = attempt.receivers.flatMap((by, at) => {
      const digest = read[at]?.transcript
      return digest === undefined ? [] : [{ by, digest }]
    })
    await requireSameView(session, { round: ROUND.open, own: prepared.transcript, claims })
    // Everybody holds its share and is ready.
    if (!allProven(session, prepared, read)) throw blame(session, { acks, transcript })
    return {
      transcript: prepared.transcript,
      acks: acks.map((ack) => encodeFrame(ack)),
      readiness: read.flatMap((each) => each?.readiness ?? []),
    }
  })
}

function provePossession(session: Session, own: Party, of: { key: KeyTerms; prepared: Prepared }): Proof {
  const { key, prepared } = of
  const held = prepared.shares.find(({ keyId }) => keyId === key.keyId)
  const share = held?.verificationShares[own.index - 1]
  if (held === undefined || share === undefined)
    throw new InputError(`confirm: no prepared share of key ${key.keyId}`)
  const secret = key.group.decodeScalar(held.share.expose(), true)
  const context = posContext(key, { transcript: prepared.transcript, index: own.index, share })
  return prove(key.group, secret, { ...context, rng: session.rng })
}

/** Null for a body without shape, which is judged with the proofs. */
function readAcknowledgement(keys: readonly KeyTerms[], ack: SignedEnvelope): Acknowledgement | null {
  try {
    return decodeAcknowledgement(keys, ack.body)
  } catch (error) {
    if (error instanceof ContentError) return null
    throw error
  }
}

function allProven(session: Session, prepared: Prepared, read: readonly (Acknowledgement | null)[]): boolean {
  const { attempt } = session
  const isReady = readinessTest(attempt.spec, prepared)
  try {
    const perMember = attempt.receivers.map((party, at) => {
      const acknowledgement = read[at]
      const ready = acknowledgement && isReady(party.address, acknowledgement.readiness)
      return ready
        ? possessionClaims(attempt.keys, { index: party.index, acknowledgement, keys: prepared.keys })
        : null
    })
    return (
      !perMember.includes(null) &&
      attempt.keys.every((key, at) =>
        allHold(
          key.group,
          perMember.flatMap((claims) => claims?.[at] ?? []),
          { rng: session.rng },
        ),
      )
    )
  } catch (error) {
    if (error instanceof PointError || error instanceof ScalarError) return false
    throw error
  }
}

function blame(
  session: Session,
  of: { acks: readonly SignedEnvelope[]; transcript: readonly Uint8Array[] },
): Error {
  const { attempt } = session
  const found = attempt.receivers.flatMap((party, at) => {
    const envelope = of.acks[at]
    const code = envelope && acknowledgementFault(attempt, { party, envelope, transcript: of.transcript })
    return code ? [{ party, envelope, code }] : []
  })
  const [first] = found
  if (first === undefined)
    return new DisputeError('E_POS', {
      suspects: [],
      message: 'verify acknowledgements: the batch fails although each passes',
    })
  const guilty = found.filter(({ code }) => code === first.code)
  return session.fault(
    { code: first.code, envelopes: guilty.map(({ envelope }) => envelope), transcript: of.transcript },
    guilty.map(({ party }) => party),
  )
}
