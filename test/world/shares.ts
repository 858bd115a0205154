// Cheats of signers: nonces and signature shares that are not what they should be, or do not come.
import { decodeBatch, encodeBatch, type NonceBatch } from '../../relayer/protocol/nonces.ts'
import { encodeMessage, shareDigest } from '../../relayer/protocol/signwire.ts'
import type { Packet } from '../support/sim-network.ts'
import { convicts, type Line } from './hearing.ts'
import { identity, messageIn } from './packages.ts'
import { bytes, type Leaving, on, type WireCheat } from './leaving.ts'

/** A signed batch of the operator's own, with other points, signed again. */
function republished(
  { packet, signer }: Leaving,
  change: (points: readonly Uint8Array[]) => readonly Uint8Array[],
): Packet | null {
  const message = messageIn(packet)
  if (message?.type !== 'batch') return null
  for (const length of [33, 32])
    try {
      const decoded = decodeBatch(message.batch, length)
      if (!decoded.isFrom(signer.address)) continue
      const other: NonceBatch = { ...decoded.batch, points: change(decoded.batch.points) }
      const batch = encodeBatch(decoded.ref, other, signer)
      return { ...packet, body: encodeMessage({ type: 'batch', batch }) }
    } catch {
      // Points of the other curve.
    }
  return null
}

/** A run that failed says for whom it waited. */
const waited = ({ msg, error }: Line, culprit: string) =>
  (msg === 'signing attempt failed' || msg.startsWith('activation not signed')) &&
  error?.includes(culprit) === true

/** Of an operator with a keeper. */
export const OLD_SHARE = 'share of an earlier epoch'

export const SHARE_CHEATS: readonly WireCheat[] = [
  {
    name: 'wrong signature share',
    verdict: { line: (line, culprit) => convicts(line, culprit, ['E_ZSHARE']), share: true, within: 6 },
    change: (leaving) => {
      const message = messageIn(leaving.packet)
      if (message?.type !== 'share') return null
      const z = new Uint8Array(32).fill(1).with(31, 0)
      const signature = leaving.signer.sign(shareDigest(message.hash, message.digest, z))
      return bytes(leaving, encodeMessage({ ...message, z, signature }))
    },
  },
  {
    name: 'no signature share',
    verdict: { passedOver: true, line: waited, within: 40 },
    change: ({ packet }) => (messageIn(packet)?.type === 'share' ? [] : null),
  },
  {
    name: 'silent to leaders',
    verdict: { passedOver: true, line: waited, within: 40 },
    change: ({ packet }) =>
      ['share', 'batch', 'ready', 'refuse'].includes(messageIn(packet)?.type ?? '') ? [] : null,
  },
  {
    name: 'nonces that are no points',
    verdict: { line: (line, culprit) => convicts(line, culprit, ['E_POINT']), within: 40 },
    change: on('sign', (leaving) => {
      const other = republished(leaving, (points) => points.map(({ length }) => identity(length)))
      return other && [other]
    }),
  },
  {
    name: 'two nonces under one counter',
    verdict: { line: (line, culprit) => convicts(line, culprit, ['E_EQUIV']), pair: true },
    change: on('sign', (leaving) => {
      const other = republished(leaving, (points) => points.toReversed())
      return other && [leaving.packet, other]
    }),
  },
  {
    name: OLD_SHARE,
    verdict: { line: (line, culprit) => convicts(line, culprit, ['E_ZSHARE']), share: true, within: 6 },
    // The signer of this operator is handed the old share (keeper.ts): what leaves is what it says.
    change: ({ packet, signing }) => {
      const message = messageIn(packet)
      if (message?.type !== 'share' || !signing.withOldShare(packet.from, message.hash)) return null
      return [{ ...packet }]
    },
  },
]
