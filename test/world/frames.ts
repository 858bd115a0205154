// Cheats on the wire of a session: a corrupt party that runs the protocol by the book sends its frames changed, twice, late or to whom it pleases.
import { dec, decList, enc } from '../../relayer/crypto/enc.ts'
import type { Signer } from '../../relayer/crypto/identity.ts'
import type { Address } from '../../relayer/lib/bytes.ts'
import { dealersOf } from '../../relayer/protocol/attempt.ts'
import type { Envelope } from '../../relayer/protocol/envelope.ts'
import { ROUND } from '../../relayer/protocol/messages.ts'
import { type Stage, toVictim } from './cheats.ts'
import type { Expected } from './judge.ts'

/** A frame on its way out of a corrupt party. */
export interface Outgoing {
  readonly to: Address
  readonly frame: Uint8Array
  readonly envelope: Envelope
  readonly signer: Signer
  /** Sends it, or another one. */
  readonly send: (to: Address, frame: Uint8Array) => void
  /** The frame with another envelope, signed again by its sender. */
  readonly reseal: (change: Partial<Envelope>) => Uint8Array
  /** Sends it when the attempt is over. */
  readonly later: (to: Address, frame: Uint8Array) => void
}

/** A frame that was sent or heard in an earlier session. */
export interface Taped {
  /** Hex of the session id. */
  readonly session: string
  readonly frame: Uint8Array
}

/** What a corrupt party has to begin a session with. */
export interface Beginning {
  readonly signer: Signer
  /** The signed start message. */
  readonly start: Uint8Array
  /** Everything of its last session, if that was another. */
  readonly tape: readonly Taped[]
  readonly send: (to: Address, frame: Uint8Array) => void
  /** Sends a frame into the session in which it was taped. */
  readonly again: (to: Address, taped: Taped) => void
}

/** A way to cheat with frames. */
export interface FrameCheat {
  readonly name: string
  readonly expected: Expected
  /** @param taped how many frames of another session this party has */
  readonly fits: (stage: Omit<Stage, 'note'>, honest: number, taped: number) => boolean
  readonly aimed?: boolean
  /** Before the first frame. */
  readonly begin?: (stage: Stage, beginning: Beginning) => void
  readonly send: (stage: Stage, out: Outgoing) => void
}

const deals = ({ attempt, self }: Omit<Stage, 'note'>) =>
  dealersOf(attempt).some(({ address }) => address === self)
const receives = ({ attempt, self }: Omit<Stage, 'note'>) =>
  attempt.receivers.some(({ address }) => address === self)
const drop = (...codes: string[]): Expected => ({ verdict: 'drop', codes, stage: 'prepare' })

/** Sends the frame, and one more that is changed. */
function besides(
  change: (stage: Stage, envelope: Envelope, to: Address) => Partial<Envelope> | null,
): FrameCheat['send'] {
  return (stage, out) => {
    const extra = change(stage, out.envelope, out.to)
    if (extra !== null) {
      const frame = out.reseal(extra)
      stage.note({ to: out.to, frame })
      out.send(out.to, frame)
    }
    out.send(out.to, out.frame)
  }
}

/** Sends one body to the victim and another to all others. */
function twoBodies(round: number, change: (body: Uint8Array) => Uint8Array): FrameCheat['send'] {
  return (stage, out) => {
    const { envelope, to } = out
    if (envelope.round !== round || envelope.to !== null || to !== stage.victim)
      return out.send(to, out.frame)
    stage.note()
    out.send(to, out.reseal({ body: change(envelope.body) }))
  }
}

function otherCommitment(body: Uint8Array): Uint8Array {
  const parts = decList(body, 16).map((part) => enc(new Uint8Array(32).fill(1), decList(part, 2)[1] ?? part))
  return enc(...parts)
}

function otherBlinding(body: Uint8Array): Uint8Array {
  const [echo = body, ...openings] = decList(body, 17)
  const changed = openings.map((opening) => {
    const [list = opening, , nonce = opening, response = opening] = dec(opening, [-1, -1, -1, -1])
    return enc(list, new Uint8Array(32).fill(2), nonce, response)
  })
  return enc(echo, ...changed)
}

export const FRAME_CHEATS: readonly FrameCheat[] = [
  {
    name: 'two commitments',
    expected: { verdict: 'fault', codes: ['E_EQUIV', 'E_ECHO', 'E_COMMIT'], stage: 'confirm', divides: true },
    // To anybody: whoever is seated and receives nothing deals, and shows in round 2 what it saw.
    fits: (at, honest) => deals(at) && honest > 1,
    send: twoBodies(ROUND.commit, otherCommitment),
  },
  {
    name: 'two openings',
    expected: { verdict: 'fault', codes: ['E_EQUIV', 'E_COMMIT', 'E_CERT'], stage: 'confirm', divides: true },
    // To one that receives: a dealer that leaves acknowledges nothing, and the others agree on what they saw.
    fits: (at, honest) => toVictim(at) && honest > 1,
    send: twoBodies(ROUND.open, otherBlinding),
  },
  {
    name: 'message from the seat of another',
    // A seat that deals nothing has no room for a dealing, which is seen before its signature.
    expected: drop('E_SIG', 'E_SIZE'),
    fits: deals,
    send: besides(({ attempt, victim }, { round, to }) => {
      const seat = attempt.parties.find(({ address }) => address === victim)
      return round === ROUND.commit && to === null && seat !== undefined
        ? { from: { role: seat.role, index: seat.index } }
        : null
    }),
  },
  {
    name: 'subshare of another handed on',
    expected: drop('E_SIG'),
    fits: (at, honest) => deals(at) && honest > 1,
    send: ({ attempt, note, victim }, { to, frame, envelope, send }) => {
      const seated = attempt.receivers.find(({ address }) => address === to)
      if (envelope.to !== null && to !== victim && seated !== undefined) {
        note({ to: victim, frame })
        send(victim, frame)
      }
      send(to, frame)
    },
  },
  {
    name: 'message of another session',
    expected: drop('E_SID_MISMATCH'),
    fits: (at) => deals(at) || receives(at),
    send: besides(() => ({ sessionId: new Uint8Array(32).fill(9) })),
  },
  {
    name: 'message out of round',
    expected: drop('E_ROUND'),
    fits: (at) => deals(at) || receives(at),
    send: besides(({ attempt }, { round, from }, to) => {
      const seat = attempt.parties.find(({ address }) => address === to)
      return round === ROUND.commit && from.role === 'new' && seat !== undefined
        ? { to: { role: seat.role, index: seat.index }, body: new Uint8Array() }
        : null
    }),
  },
  {
    name: 'oversized message',
    expected: drop('E_SIZE'),
    fits: (at) => deals(at) || receives(at),
    send: besides((_, { round }) => ({ round: round + 20, body: new Uint8Array(9000) })),
  },
  {
    name: 'acknowledgement to half',
    expected: { verdict: 'suspect', codes: ['E_TIMEOUT'], stage: 'confirm', onlyVictims: true },
    aimed: true,
    fits: (at, honest) => receives(at) && honest > 1,
    send: ({ note, victim }, { to, frame, envelope, send }) => {
      if (envelope.round !== ROUND.acknowledge || to !== victim) return send(to, frame)
      note()
    },
  },
  {
    name: 'acknowledgement a window late',
    expected: { verdict: 'suspect', codes: ['E_TIMEOUT'], stage: 'confirm' },
    fits: receives,
    send: ({ note }, { to, frame, envelope, send, later }) => {
      if (envelope.round !== ROUND.acknowledge) return send(to, frame)
      note()
      later(to, frame)
    },
  },
]
