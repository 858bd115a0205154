// Cheats of a member of the new committee: what it accuses others of, and what it acknowledges.
import type { RunInput } from '../../relayer/ceremony/runner.ts'
import type { Prepared } from '../../relayer/protocol/prepared.ts'
import { activationHash, activationOf, readinessDigest } from '../../relayer/protocol/typed.ts'
import type { Cheat } from '../support/rogue.ts'
import { dealersOf } from '../../relayer/protocol/attempt.ts'
import { encodeProof } from '../../relayer/protocol/proof.ts'
import { fault, receives, type SessionCheat } from './cheats.ts'

/** What this member would sign if it were ready. */
export function readinessOf({ spec, signer }: RunInput, prepared: Prepared): Uint8Array {
  return signer.sign(readinessDigest(spec, activationHash(activationOf(spec, prepared)), signer.address))
}

/** Cheats in the last round; `readiness` is filled in by whoever runs them. */
export const ACKNOWLEDGEMENT_CHEATS: readonly SessionCheat[] = [
  {
    name: 'acknowledgement of another transcript',
    expected: { verdict: 'suspect', codes: ['E_CERT'], stage: 'confirm' },
    fits: receives,
    cheat: ({ note }): Cheat => ({
      acknowledgement: (said) => {
        note()
        return { ...said, transcript: new Uint8Array(32).fill(7) }
      },
    }),
  },
  {
    name: 'forged proof of possession',
    expected: { verdict: 'fault', codes: ['E_POS'], stage: 'confirm' },
    fits: receives,
    cheat: ({ note }): Cheat => ({
      acknowledgement: (said) => {
        note()
        const proofs = said.proofs.map((proof) => ({
          ...proof,
          response: new Uint8Array(32).fill(1).with(31, 0),
        }))
        return { ...said, proofs }
      },
    }),
  },
  {
    name: 'readiness for something else',
    expected: { verdict: 'fault', codes: ['E_CERT'], stage: 'confirm' },
    fits: receives,
    cheat: ({ note }): Cheat => ({
      acknowledgement: (said) => {
        note()
        return { ...said, readiness: said.readiness.with(5, (said.readiness[5] ?? 0) ^ 1) }
      },
    }),
  },
]

/** The cheats of those who receive: what they accuse others of, and acknowledge. */
export const RECEIVER_CHEATS: readonly SessionCheat[] = [
  {
    name: 'accusation of an honest dealer',
    expected: fault('E_FALSE', 'confirm'),
    fits: (at) => receives(at) && dealersOf(at.attempt).some(({ address }) => address === at.victim),
    cheat: ({ note, victim }) => ({
      abort: (received) => {
        const entry = received.find(({ dealer }) => dealer.address === victim)
        if (entry === undefined || entry.share === null) return null
        note()
        const envelopes = [entry.commit, entry.open, entry.share]
        const proof = encodeProof({ code: 'E_SHARE', envelopes, transcript: [] })
        return { code: 'E_SHARE', round: 0, suspects: [entry.dealer], proof }
      },
    }),
  },
  {
    name: 'accusation without form',
    expected: fault('E_FALSE', 'confirm'),
    fits: receives,
    cheat: ({ note }) => ({
      abort: () => {
        note()
        return { code: 'E_POK', round: 0, suspects: [], proof: Uint8Array.of(1, 2, 3) }
      },
    }),
  },
  {
    name: 'abort without proof',
    expected: { verdict: 'suspect', codes: ['E_ECHO'], stage: 'confirm' },
    fits: receives,
    cheat: ({ note }) => ({
      abort: () => {
        note()
        return { code: 'E_ECHO', round: 1, suspects: [], proof: null }
      },
    }),
  },
  {
    name: 'no acknowledgement',
    expected: { verdict: 'suspect', codes: ['E_TIMEOUT'], stage: 'confirm' },
    fits: receives,
    cheat: ({ note }) => ({
      abort: () => {
        note()
        throw new Error('corrupt: it does not acknowledge')
      },
    }),
  },
]
