// Cheats of leaders: packages that ask for what they must not, or with nonces that are not what they should be.
import { toHex } from '../../relayer/lib/bytes.ts'
import type { NonceEntry } from '../../relayer/protocol/nonces.ts'
import type { RefusalCode, SigningPackage } from '../../relayer/protocol/signwire.ts'
import {
  decodeMessage,
  decodePackage,
  encodeMessage,
  packageHash,
  sealPackage,
} from '../../relayer/protocol/signwire.ts'
import type { Packet } from '../support/sim-network.ts'
import { convicts } from './hearing.ts'
import type { Leaving, WireCheat } from './leaving.ts'

/** What a packet says on the signing topic; null for another topic, or if a cheat has garbled it before. */
export function messageIn({ topic, body }: Packet) {
  if (topic !== 'sign') return null
  try {
    return decodeMessage(body)
  } catch {
    return null
  }
}

/** The package in a packet, if it is one. */
export function packageIn(packet: Packet): SigningPackage | null {
  const message = messageIn(packet)
  try {
    return message?.type === 'package' ? decodePackage(message.body) : null
  } catch {
    return null
  }
}

/** The hash by which a signer answers the package in a packet, hex; null if it is none. */
export function packageHashOf(packet: Packet): string | null {
  const message = messageIn(packet)
  return message?.type === 'package' ? toHex(packageHash(message.body)) : null
}

/** The package of a receiver among others. */
interface Asked {
  readonly signing: SigningPackage
  readonly own: NonceEntry
  readonly other: NonceEntry
  readonly leaving: Leaving
}

/** A package to one signer, with this changed. */
function asking(change: (asked: Asked) => Partial<SigningPackage> | null): WireCheat['change'] {
  return (leaving) => {
    const changed = changedPackage(leaving, change)
    return changed && [changed]
  }
}

function changedPackage(
  leaving: Leaving,
  change: (asked: Asked) => Partial<SigningPackage> | null,
): Packet | null {
  const { packet, signer, signing: watch } = leaving
  const signing = packageIn(packet)
  // Not always: whoever knows several ways to cheat comes to all of them.
  if (signing === null || leaving.draw.chance(300)) return null
  const index = watch.committee(signing.request.ref.epoch).indexOf(packet.to) + 1
  const own = signing.entries.find((entry) => entry.index === index)
  const other = signing.entries.find((entry) => entry.index !== index)
  const changes = own && other ? change({ signing, own, other, leaving }) : null
  if (changes === null) return null
  return { ...packet, body: encodeMessage(sealPackage({ ...signing, ...changes }, signer)) }
}

/** Entries with some changed. */
function entries(
  change: (entry: NonceEntry, asked: Asked) => NonceEntry,
): (asked: Asked) => Partial<SigningPackage> {
  return (asked) => ({ entries: asked.signing.entries.map((entry) => change(entry, asked)) })
}

/** A cheat that a signer answers with this refusal. */
const refused = (
  name: string,
  answer: RefusalCode,
  change: (asked: Asked) => Partial<SigningPackage> | null,
): WireCheat => ({ name, verdict: { answer }, change: asking(change) })

/** The same with the next nonce that another signer published: as good as the one that all others are told. */
function otherNonce({ signing, other, leaving }: Asked): Partial<SigningPackage> | null {
  const next = leaving.signing.after(other)
  return next && { entries: signing.entries.map((entry) => (entry === other ? next : entry)) }
}

const anotherPayload = ({ signing: { request } }: Asked) => {
  const { payload } = request
  return payload.type === 'probe'
    ? { type: 'probe' as const, probe: { ...payload.probe, text: `${payload.probe.text} and more` } }
    : payload
}

/** The package as it is, and another one beside it. */
function twice(change: (asked: Asked) => Partial<SigningPackage> | null): WireCheat['change'] {
  return (leaving) => {
    const second = changedPackage(leaving, change)
    return second && [leaving.packet, second]
  }
}

export const PACKAGE_CHEATS: readonly WireCheat[] = [
  {
    name: 'nonces asked for twice',
    verdict: { answer: 'E_B', pair: true },
    change: twice((asked) => {
      const { request } = asked.signing
      const run = request.run.with(0, (request.run[0] ?? 0) ^ 1)
      return { request: { ...request, payload: anotherPayload(asked), run } }
    }),
  },
  refused('prepared shares asked for a probe', 'E_STATE', ({ signing: { request } }) => {
    const { ref, payload } = request
    const probe = { keyId: ref.keyId, epoch: ref.epoch, text: 'a transfer' }
    return payload.type === 'activation'
      ? { request: { ...request, payload: { type: 'probe', probe } } }
      : null
  }),
  refused('active shares asked for an activation', 'E_STATE', ({ signing: { request } }) =>
    request.payload.type === 'probe' ? { request: { ...request, payload: { type: 'activation' } } } : null,
  ),
  refused('probe of another epoch', 'E_POLICY', ({ signing: { request } }) => {
    const { payload } = request
    if (payload.type !== 'probe') return null
    const probe = { ...payload.probe, epoch: payload.probe.epoch + 7 }
    return { request: { ...request, payload: { type: 'probe', probe } } }
  }),
  refused('one session too many', 'E_POLICY', () => ({ session: 200 })),
  refused(
    'nonce that is not in the pool',
    'E_B',
    entries((entry, { own }) => (entry === own ? { ...entry, counter: entry.counter + 1000 } : entry)),
  ),
  refused(
    'nonce of an earlier boot',
    'E_B',
    entries((entry, { own }) => (entry === own ? { ...entry, boot: new Uint8Array(16).fill(7) } : entry)),
  ),
  refused(
    'signer set with one of them twice',
    'E_B',
    entries((_, { own }) => own),
  ),
  refused('signer set out of order', 'E_B', ({ signing }) => ({ entries: signing.entries.toReversed() })),
  refused(
    'signer set with index 0',
    'E_B',
    entries((entry, { other }) => (entry === other ? { ...entry, index: 0 } : entry)),
  ),
  refused('signer set with index n + 1', 'E_B', ({ signing, other, leaving }) => {
    const index = leaving.signing.committee(signing.request.ref.epoch).length + 1
    return { entries: signing.entries.map((entry) => (entry === other ? { ...entry, index } : entry)) }
  }),
  {
    name: 'identity in place of a nonce',
    verdict: { line: (line, culprit) => convicts(line, culprit, ['E_B', 'E_POINT']) },
    change: asking(
      entries((entry, { other }) =>
        entry === other ? { ...entry, hiding: identity(entry.hiding.length) } : entry,
      ),
    ),
  },
  {
    name: 'nonce that its owner did not publish',
    verdict: { line: (line, culprit) => convicts(line, culprit, ['E_B']) },
    change: asking(
      entries((entry, { other }) => (entry === other ? { ...entry, hiding: entry.binding } : entry)),
    ),
  },
  {
    name: 'two packages for one session',
    verdict: { answer: 'E_EQUIV', exact: true, convicts: 'E_EQUIV', pair: true },
    change: twice(otherNonce),
  },
  {
    name: 'different nonces to different signers',
    verdict: { stranger: true },
    change: asking(otherNonce),
  },
]

/** Of ed25519 in its own form; of secp256k1, which has none of 33 bytes, the nearest thing. */
export function identity(length: number): Uint8Array {
  return length === 32 ? new Uint8Array(32).with(0, 1) : new Uint8Array(length)
}
