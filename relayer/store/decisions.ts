// What the operator decided about pending changes, each bound to its epoch and the hash of its committee; and other bridges watched.
import { dec, EncodingError, enc } from '../crypto/enc.ts'
import { type Address, u64, utf8 } from '../lib/bytes.ts'
import { StoreError } from '../lib/errors.ts'
import { integer, oneOf, own, text } from './codec.ts'
import { KEY, numbersOf, PREFIX } from './layout.ts'
import type { Vault } from './shares.ts'

/** approved: this node deals whatever its rules say. vetoed: it takes no part, whatever they say. */
export const VERDICTS = ['approved', 'vetoed'] as const
export type OperatorVerdict = (typeof VERDICTS)[number]

/** A decision about one pending change. */
export interface Decision {
  readonly epoch: number
  /** Of the pending committee, 32 bytes; a change under the same number with another committee is another change. */
  readonly committeeHash: Uint8Array
  readonly verdict: OperatorVerdict
}

export function encodeDecision({ epoch, committeeHash, verdict }: Decision): Uint8Array {
  return enc(u64(epoch), committeeHash, utf8(verdict))
}

/** @throws EncodingError */
export function decodeDecision(bytes: Uint8Array): Decision {
  const [epoch, hash, verdict] = dec(bytes, [8, 32, -1])
  return { epoch: integer(epoch), committeeHash: own(hash), verdict: oneOf(VERDICTS, text(verdict)) }
}

/** Replaces what was decided about an epoch. */
export async function putDecision({ records }: Vault, decision: Decision): Promise<void> {
  await records.commit(records.put(KEY.decision(decision.epoch), encodeDecision(decision)))
}

/** The decision about an epoch, or null. @throws StoreError for one that cannot be read or stands under another epoch */
export async function readDecision({ records }: Vault, epoch: number): Promise<Decision | null> {
  const found = (await records.read(KEY.decision(epoch), decodeDecision)) ?? null
  if (found !== null && found.epoch !== epoch)
    throw new StoreError(`read record ${KEY.decision(epoch)}: damaged (of epoch ${found.epoch})`)
  return found
}

/** The epochs that were decided about, ascending, whether their records can be read or not. */
export async function decidedEpochs({ records }: Vault): Promise<number[]> {
  return (await records.keys(PREFIX.decision)).map((key) => numbersOf(key).epoch)
}

/** Forgets decisions about epochs that are activated or burned. */
export async function dropDecisions({ records }: Vault, epochs: readonly number[]): Promise<void> {
  if (epochs.length > 0) await records.commit(...epochs.map((epoch) => records.del(KEY.decision(epoch))))
}

/** The block from which another bridge is watched: the one given at its first call, ever after. */
export async function watchedFrom(
  { records }: Vault,
  { chainId, bridge }: { chainId: number; bridge: Address },
  block: number,
): Promise<number> {
  const key = KEY.watched(chainId, bridge)
  const found = await records.read(key, decodeBlock)
  if (found !== undefined) return found
  await records.commit(records.put(key, enc(u64(block))))
  return block
}

function decodeBlock(bytes: Uint8Array): number {
  const [block] = dec(bytes, [8])
  if (block === undefined) throw new EncodingError('decode: a part is missing')
  return integer(block)
}
