// The runner of a corrupt operator: in each attempt it does one thing out of its repertoire, if that fits, and else plays by the book.
import { inProcess, type Runner, type RunInput } from '../../relayer/ceremony/runner.ts'
import type { Address } from '../../relayer/lib/bytes.ts'
import { toHex } from '../../relayer/lib/bytes.ts'
import { addressesOf, attemptOf } from '../../relayer/protocol/attempt.ts'
import type { Channel } from '../../relayer/protocol/channel.ts'
import { decodeFrame } from '../../relayer/protocol/envelope.ts'
import { openSession } from '../../relayer/protocol/session.ts'
import { sessionIdOf } from '../../relayer/protocol/spec.ts'
import type { Packet } from '../support/sim-network.ts'
import { rogue } from '../support/rogue.ts'
import { ACKNOWLEDGEMENT_CHEATS, RECEIVER_CHEATS, readinessOf } from './acknowledging.ts'
import { DEALER_CHEATS, type SessionCheat, type Stage } from './cheats.ts'
import { Draw } from './draw.ts'
import { FRAME_CHEATS, type FrameCheat } from './frames.ts'
import type { Trials } from './trials.ts'
import { ownSeat } from './watched.ts'

/** What a corrupt operator has to do with. */
export interface Conspiracy {
  readonly seed: number
  readonly behaviours: readonly string[]
  readonly trials: Trials
  readonly innocent: (address: Address) => boolean
  /** Puts a packet on the wire in so many blocks. */
  readonly later: (packet: Packet, blocks: number) => void
  readonly windowBlocks: number
}

const SESSION_CHEATS = [...DEALER_CHEATS, ...RECEIVER_CHEATS, ...ACKNOWLEDGEMENT_CHEATS]

export function corrupted(plot: Conspiracy): Runner {
  return (input) => {
    const attempt = attemptOf(input.spec, input.start.start)
    const self = input.signer.address
    const draw = new Draw(`${plot.seed} ${self} ${input.spec.next.epoch} ${attempt.start.attempt}`)
    const honest = addressesOf(attempt).filter(plot.innocent)
    const name = draw.of(plot.behaviours)
    // Without a first key there is nothing to reshare: mostly they let that one pass.
    const patient = input.spec.op === 'keygen' ? 700 : 150
    if (honest.length === 0 || draw.chance(patient)) return inProcess(input)
    const id = toHex(sessionIdOf(input.start.start))
    const at = { attempt, self, victim: draw.of(honest) }
    const cheat = SESSION_CHEATS.find((each) => each.name === name)
    const tampering = FRAME_CHEATS.find((each) => each.name === name)
    const stage = (of: SessionCheat | FrameCheat): Stage => ({
      ...at,
      note: () => {
        const { expected } = of
        plot.trials.cheated(id, { name, culprit: self, expected, victims: of.aimed ? [at.victim] : null })
      },
    })
    if (cheat?.fits(at)) return cheating(input, cheat, stage(cheat))
    if (tampering?.fits(at, honest.length))
      return inProcess({
        ...input,
        channel: tampered(input, tampering, { stage: stage(tampering), plot, id }),
      })
    return inProcess(input)
  }
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

function tampered(
  { channel, signer, spec }: RunInput,
  cheat: FrameCheat,
  { stage, plot, id }: { stage: Stage; plot: Conspiracy; id: string },
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
        send: (address, bytes) => channel.send(address, bytes),
        later: (address, body) => {
          const packet: Packet = {
            from: signer.address,
            to: address,
            kind: 'frame',
            session: id,
            topic: null,
            body,
          }
          plot.later(packet, plot.windowBlocks)
        },
      })
    },
    onFrame: (receiver) => channel.onFrame(receiver),
    close: () => channel.close(),
  }
}
