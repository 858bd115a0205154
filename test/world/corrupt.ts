// The runner of a corrupt operator: in each attempt it does one thing out of its repertoire that fits, and else plays by the book.
import { inProcess, type Runner, type RunInput } from '../../relayer/ceremony/runner.ts'
import type { Address } from '../../relayer/lib/bytes.ts'
import { toHex } from '../../relayer/lib/bytes.ts'
import { addressesOf, type Attempt, attemptOf } from '../../relayer/protocol/attempt.ts'
import type { Channel } from '../../relayer/protocol/channel.ts'
import { decodeFrame, encodeFrame, seal, startOfFrame } from '../../relayer/protocol/envelope.ts'
import { openSession } from '../../relayer/protocol/session.ts'
import { sessionIdOf } from '../../relayer/protocol/spec.ts'
import type { Packet } from '../support/sim-network.ts'
import { rogue } from '../support/rogue.ts'
import { taping } from '../support/taping.ts'
import { ACKNOWLEDGEMENT_CHEATS, RECEIVER_CHEATS, readinessOf } from './acknowledging.ts'
import { DEALER_CHEATS, type SessionCheat, type Stage } from './cheats.ts'
import { type Collusion, COLLUSIONS, type Pair } from './collusions.ts'
import { Draw } from './draw.ts'
import { FRAME_CHEATS, type FrameCheat, type Taped } from './frames.ts'
import { REDEALING_CHEATS } from './redealing.ts'
import { OPENING_CHEATS } from './replays.ts'
import type { Trials } from './trials.ts'
import { ownSeat } from './watched.ts'

/** What a corrupt operator has to do with. */
export interface Conspiracy {
  readonly seed: number
  readonly behaviours: readonly string[]
  /** All corrupt operators that know a behaviour. */
  readonly accomplices: (behaviour: string) => readonly Address[]
  readonly trials: Trials
  readonly innocent: (address: Address) => boolean
  /** Puts a packet on the wire in so many blocks. */
  readonly later: (packet: Packet, blocks: number) => void
  /** Puts a packet of an old session on the wire, in the name of a behaviour. */
  readonly replay: (behaviour: string, packet: Packet) => void
  readonly windowBlocks: number
}

/** What is done in a session, and with whom. */
interface Plan {
  readonly cheat: SessionCheat | FrameCheat
  readonly victim: Address
  readonly together?: Pair
}

/** Frames that a tape holds. */
const TAPE = 60

type Tape = { readonly session: string; readonly frames: Taped[] }

const CHEATS: readonly (SessionCheat | FrameCheat)[] = [
  ...DEALER_CHEATS,
  ...REDEALING_CHEATS,
  ...RECEIVER_CHEATS,
  ...ACKNOWLEDGEMENT_CHEATS,
  ...FRAME_CHEATS,
  ...OPENING_CHEATS,
]

export function corrupted(plot: Conspiracy): Runner {
  let tape: Tape = { session: '', frames: [] }
  return (input) => {
    const session = toHex(sessionIdOf(input.start.start))
    const old = tape.session === session ? [] : tape.frames
    tape = { session, frames: [] }
    const { frames } = tape
    const channel = taping(input.channel, (frame) => {
      if (frames.length < TAPE) frames.push({ session, frame })
    })
    const plan = planOf(plot, input, old.length)
    if (plan === null) return inProcess({ ...input, channel })
    const { cheat, victim, together } = plan
    const stage: Stage = {
      attempt: attemptOf(input.spec, input.start.start),
      self: input.signer.address,
      victim,
      note: (sent) => {
        const { name, expected } = cheat
        const cheating = {
          name,
          culprit: input.signer.address,
          expected,
          victims: cheat.aimed ? [victim] : null,
        }
        plot.trials.cheated(session, together === undefined ? cheating : { ...cheating, together }, sent)
      },
    }
    if ('cheat' in cheat) return cheating({ ...input, channel }, cheat, stage)
    begin(input, cheat, { stage, plot, tape: old })
    return inProcess({ ...input, channel: tampered({ ...input, channel }, cheat, { stage, plot, session }) })
  }
}

/** What this operator does in this attempt; null for what the protocol says. */
function planOf(plot: Conspiracy, { spec, start, signer }: RunInput, taped: number): Plan | null {
  const attempt = attemptOf(spec, start.start)
  const honest = addressesOf(attempt).filter(plot.innocent)
  if (honest.length === 0) return null
  const name = `${spec.next.epoch} ${start.start.attempt}`
  // Without a first key there is nothing to reshare: mostly they let that one pass.
  const patient = spec.op === 'keygen' ? 700 : 100
  const joint = collusionOf(plot, attempt, { honest, draw: new Draw(`${plot.seed} ${name}`), patient })
  if (joint?.together.includes(signer.address)) {
    const { together, victim, part } = joint
    return { cheat: part(together[0] === signer.address ? 1n : -1n), victim, together }
  }
  const draw = new Draw(`${plot.seed} ${signer.address} ${name}`)
  if (draw.chance(patient)) return null
  const at = { attempt, self: signer.address, victim: draw.of(honest) }
  const able = CHEATS.filter(
    (cheat) => plot.behaviours.includes(cheat.name) && cheat.fits(at, honest.length, taped),
  )
  return able.length === 0 ? null : { cheat: draw.of(able), victim: at.victim }
}

/** What two of them do together: each works it out for itself, with the same result. */
function collusionOf(
  plot: Conspiracy,
  attempt: Attempt,
  of: { honest: readonly Address[]; draw: Draw; patient: number },
): { together: Pair; victim: Address; part: Collusion['part'] } | null {
  const { honest, draw, patient } = of
  const seated = addressesOf(attempt)
  const victims = honest.filter((address) => attempt.receivers.some((party) => party.address === address))
  const able = COLLUSIONS.flatMap(({ name, fits, part }) => {
    const [one, other] = plot.accomplices(name).filter((address) => seated.includes(address))
    if (one === undefined || other === undefined || !fits(attempt, [one, other])) return []
    return [{ part, together: [one, other] as const }]
  })
  if (able.length === 0 || victims.length === 0 || draw.chance(patient)) return null
  return { ...draw.of(able), victim: draw.of(victims) }
}

/** A cheat in place of the protocol; what it would have prepared is thrown away. */
function cheating(input: RunInput, cheat: SessionCheat, stage: Stage): ReturnType<Runner> {
  const session = openSession(input)
  const work = rogue({ readiness: (prepared) => readinessOf(input, prepared), ...cheat.cheat(stage) })
  return {
    prepare: async () => {
      await work(session, input.held)
      throw new Error('corrupt: it has done what it came for')
    },
    confirm: () => Promise.reject(new Error('corrupt: it prepares nothing')),
    close: () => session.close(),
  }
}

/** What goes before the protocol. */
function begin(
  { channel, signer, start }: RunInput,
  cheat: FrameCheat,
  { stage, plot, tape }: { stage: Stage; plot: Conspiracy; tape: readonly Taped[] },
): void {
  cheat.begin?.(stage, {
    signer,
    start: start.bytes,
    tape,
    send: (to, frame) => channel.send(to, frame),
    again: (to, { session, frame }) =>
      plot.replay(cheat.name, packetOf({ from: signer.address, to, session, body: frame })),
  })
}

function tampered(
  { channel, signer, spec }: RunInput,
  cheat: FrameCheat,
  { stage, plot, session }: { stage: Stage; plot: Conspiracy; session: string },
): Channel {
  return {
    send: (to, frame) => {
      const envelope = decodeFrame(frame)
      if (!ownSeat({ spec, signer }, envelope)) return channel.send(to, frame)
      cheat.send(stage, {
        to,
        frame,
        envelope,
        signer,
        reseal: (change) =>
          encodeFrame(seal(signer, { ...envelope, ...change }), startOfFrame(frame) ?? undefined),
        send: (address, bytes) => channel.send(address, bytes),
        later: (address, body) =>
          plot.later(packetOf({ from: signer.address, to: address, session, body }), plot.windowBlocks),
      })
    },
    onFrame: (receiver) => channel.onFrame(receiver),
    close: () => channel.close(),
  }
}

function packetOf(of: Pick<Packet, 'from' | 'to' | 'session' | 'body'>): Packet {
  return { ...of, kind: 'frame', topic: null }
}
