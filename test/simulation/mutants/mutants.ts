// Safeguards taken out one by one, as patches on a copy: each with the seed under which the simulation misses it.

/** A change of one file of the copy; `find` stands in it exactly once. */
export interface Patch {
  readonly file: string
  readonly find: string
  readonly replace: string
}

/** A build without a safeguard. */
export interface Mutant {
  /** The safeguards that are gone: more than one where the second would stand in for the first. */
  readonly without: string
  readonly patches: readonly Patch[]
  /** What it is there against, as scenarios name it; the hunt for a seed looks at those that have it. */
  readonly against?: readonly string[]
  /** A seed that shows it; of a few hundred, most safeguards have several. */
  readonly seed: number
  /** The invariant that does not hold then. */
  readonly breaks: string
}

export const MUTANTS: readonly Mutant[] = [
  {
    without: 'synced writes',
    patches: [{ file: 'relayer/store/level.ts', find: '{ sync: true }', replace: '{ sync: false }' }],
    seed: 1,
    breaks: 'every honest member of the activated epoch holds its share',
  },
  {
    without: 'the attempt marker',
    patches: [
      {
        file: 'relayer/store/ceremonies.ts',
        find: '  await records.commit(records.put(key, enc(sessionId)))\n  return true',
        replace: '  return enc(sessionId).length > 0',
      },
    ],
    seed: 1,
    breaks: 'the attempt marker is durable before the first byte',
  },
  {
    without: 'keeping prepared shares after an abort, and after their activation was signed for',
    patches: [
      {
        file: 'relayer/ceremony/attempt.ts',
        find: 'await run.confirm(prepared, readiness)',
        replace:
          'await run.confirm(prepared, readiness).catch(async (error) => {\n        await deps.store.retireBurned(prepared.epoch)\n        throw error\n      })',
      },
      {
        file: 'relayer/store/epochs.ts',
        find: '  if (await activationSeen(vault, epoch))\n    throw',
        replace: '  if (epoch < 0)\n    throw',
      },
    ],
    seed: 3,
    breaks: 'every honest member of the activated epoch holds its share',
  },
  {
    without: 'the own verification of an activation before promoting and erasing',
    patches: [
      {
        file: 'relayer/bridge/activation.ts',
        find: 'const doubt = activationDoubt({ place: chain, event, info, scheme, knownKey, prepared })\n  const unknown',
        replace: 'const doubt = null\n  const unknown',
      },
    ],
    against: ['lie'],
    seed: 8,
    breaks: 'an honest member is active in an attempt that is finally activated',
  },
  {
    without: 'the check of the constant term',
    patches: [
      {
        file: 'relayer/protocol/receiving.ts',
        find: '  if (of.key.registered === null) return []\n  const lambdas',
        replace: '  if (order > 0n) return []\n  const lambdas',
      },
    ],
    against: ['constant term shifted', 'constant term for other dealers'],
    seed: 13,
    breaks: 'every cheat gets its verdict',
  },
  {
    without: 'the exact number of coefficients',
    patches: [
      {
        file: 'relayer/protocol/messages.ts',
        find: 'listOf(list, attempt.spec.next.threshold)',
        replace: 'decList(list, 200)',
      },
    ],
    against: ['one commitment too many', 'one commitment too few'],
    seed: 74,
    breaks: 'an honest party ends a session by the rules',
  },
  {
    without: 'the proof of knowledge of the constant term',
    patches: [
      {
        file: 'relayer/protocol/receiving.ts',
        find: 'const claims = own.map((opening) => opening.claim)',
        replace: 'const claims = own.map((opening) => opening.claim).slice(own.length)',
      },
    ],
    against: ['proof of another secret', 'proof of another session'],
    seed: 5,
    breaks: 'every cheat gets its verdict',
  },
  {
    without: 'the proof of possession in the acknowledgement',
    patches: [
      {
        file: 'relayer/protocol/confirm.ts',
        find: 'perMember.flatMap((claims) => claims?.[at] ?? [])',
        replace: '[]',
      },
    ],
    against: ['forged proof of possession'],
    seed: 25,
    breaks: 'every cheat gets its verdict',
  },
  {
    without: 'the comparison of echo digests',
    patches: [
      {
        file: 'relayer/protocol/broadcast.ts',
        find: '  if (suspects.length === 0) return\n',
        replace: '  if (suspects.length >= 0) return\n',
      },
    ],
    against: ['wrong echo', 'two commitments'],
    seed: 56,
    breaks: 'every cheat gets its verdict',
  },
  {
    without: 'the role in the place of an envelope',
    patches: [
      {
        file: 'relayer/protocol/envelope.ts',
        find: '`${round}/${seatKey(from)}/',
        replace: '`${round}/${seatKey(from).slice(4)}/',
      },
    ],
    seed: 10,
    breaks: 'an honest party is never named culprit',
  },
  {
    without: 'the check that a stream belongs to the running or pending epoch',
    patches: [
      {
        file: 'relayer/bridge/membership.ts',
        find: 'new Set([...state.members, ...(pending?.members ?? [])])',
        replace:
          'new Set([...state.members, ...(pending?.members ?? []), ...closed.flatMap((info) => info.members)])',
      },
    ],
    seed: 1,
    breaks: 'only members of the running and pending committee are served',
  },
  {
    without: 'that prepared shares sign only their activation',
    patches: [
      {
        file: 'relayer/protocol/signcheck.ts',
        find: "  if ((request.payload.type === 'activation') === (at.state === 'active'))",
        replace: "  if (request.payload.type === 'activation' && at.state === 'active')",
      },
    ],
    against: ['prepared shares asked for a probe'],
    seed: 5,
    breaks: 'every cheat gets its verdict',
  },
  {
    without: "the activation's digest from the own prepared record, at its owner and at the signer",
    patches: [
      {
        file: 'relayer/ceremony/activations.ts',
        find: 'authorize: async () => {',
        replace: 'authorize: async ({ run }: { run: Uint8Array }) => {',
      },
      {
        file: 'relayer/ceremony/activations.ts',
        find: '        return digest\n',
        replace: '        return new Uint8Array([...run, ...run])\n',
      },
      {
        file: 'relayer/protocol/sign.ts',
        find: "state.kind === 'prepared' && !equal(digest, activationDigest",
        replace: "state.kind === 'prepared' && digest.length < 0 && !equal(digest, activationDigest",
      },
    ],
    seed: 1,
    breaks: 'the digest of an activation comes from the own prepared record',
  },
  {
    without: 'nonces that are drawn anew for each batch',
    patches: [
      {
        file: 'relayer/protocol/nonces.ts',
        find: 'key.commit(index, share, rng)',
        replace: 'key.commit(index, share, (n) => new Uint8Array(n).fill(drawn + 1))',
      },
    ],
    seed: 1,
    breaks: 'no nonce is used twice',
  },
  {
    without: 'the blame for bad openings, at every other member',
    patches: [
      {
        file: 'relayer/protocol/receiving.ts',
        find: 'import { ContentError, DisputeError, FaultError }',
        replace: 'import { ContentError, DisputeError, FaultError, SilenceError }',
      },
      {
        file: 'relayer/protocol/receiving.ts',
        find: '  if (!sound) throw blame(',
        replace:
          '  if (!sound && session.seats.some(({ index }) => index % 2 === 1)) throw new SilenceError(2, [])\n  if (!sound) throw blame(',
      },
    ],
    against: [
      'one commitment too many',
      'one commitment too few',
      'identity as a commitment',
      'opening of something else',
    ],
    seed: 2,
    breaks: 'every cheat gets its verdict',
  },
  {
    without: 'that a leader is convicted of two packages for one session',
    patches: [
      {
        file: 'relayer/protocol/sign.ts',
        find: "      this.#report({ kind: 'packages', first, second: message })\n",
        replace: '',
      },
    ],
    against: ['two packages for one session'],
    seed: 139,
    breaks: 'every cheat gets its verdict',
  },
  {
    without: 'telling others of evidence',
    patches: [
      {
        file: 'relayer/ceremony/evidence.ts',
        find: "    for (const member of members) network.tell(member, 'evidence', record)",
        replace:
          "    for (const member of members.slice(members.length)) network.tell(member, 'evidence', record)",
      },
    ],
    seed: 4,
    breaks: 'every cheat gets its verdict',
  },
  {
    without: 'waiting for the last signing session as for any other',
    patches: [
      {
        file: 'relayer/protocol/roast.ts',
        find: '      if (this.#sessions.length > before) empty = 0\n      else if (++empty',
        replace: '      if (++empty',
      },
    ],
    against: ['silent to leaders', 'no signature share'],
    seed: 4,
    breaks: 'once faults stop, a leader needs one attempt',
  },
]
