// Cheats at the beginning of a session: a dealer that nobody chose, and the tape of the attempt before.
import { enc } from '../../relayer/crypto/enc.ts'
import { addressesOf } from '../../relayer/protocol/attempt.ts'
import { encodeFrame, seal } from '../../relayer/protocol/envelope.ts'
import { ROUND } from '../../relayer/protocol/messages.ts'
import type { FrameCheat, Outgoing } from './frames.ts'

const byTheBook = (_: unknown, { to, frame, send }: Outgoing) => send(to, frame)

/** What is sent before anything else. */
export const OPENING_CHEATS: readonly FrameCheat[] = [
  {
    name: 'dealing of one outside the set of dealers',
    expected: { verdict: 'drop', codes: ['E_SIG'], stage: 'prepare' },
    fits: ({ attempt: { spec, start }, self }) => {
      const index = (spec.old?.members.indexOf(self) ?? -1) + 1
      return index > 0 && !start.dealers.includes(index)
    },
    begin: ({ attempt, self, note }, { signer, start, send }) => {
      const index = (attempt.spec.old?.members.indexOf(self) ?? -1) + 1
      const from = { role: 'old', index } as const
      const body = enc(...attempt.keys.map(() => enc(new Uint8Array(32).fill(4), new Uint8Array())))
      const envelope = { sessionId: attempt.sessionId, round: ROUND.commit, from, to: null, body }
      const frame = encodeFrame(seal(signer, envelope), start)
      for (const to of addressesOf(attempt).filter((address) => address !== self)) {
        note({ to, frame })
        send(to, frame)
      }
    },
    send: byTheBook,
  },
  {
    name: 'transcript replayed into the next session',
    expected: {
      verdict: 'drop',
      // Of its own messages the session is another's; those of others it may not carry, or nobody sits there any more.
      codes: ['E_SID_MISMATCH', 'E_SIG', 'E_SIZE', 'E_ROUND'],
      stage: 'prepare',
    },
    fits: (_, __, taped) => taped > 0,
    begin: ({ attempt, self, note }, { tape, send }) => {
      for (const to of addressesOf(attempt).filter((address) => address !== self))
        for (const { frame } of tape) {
          note({ to, frame })
          send(to, frame)
        }
    },
    send: byTheBook,
  },
  {
    name: 'transcript replayed into its own session',
    // It comes to those who have run that attempt, and do not run it again.
    expected: { verdict: 'harmless', codes: ['E_SID_REUSE'], stage: 'prepare' },
    fits: (_, __, taped) => taped > 0,
    begin: ({ attempt, self }, { tape, again }) => {
      for (const taped of tape)
        for (const address of addressesOf(attempt)) if (address !== self) again(address, taped)
    },
    send: byTheBook,
  },
]
