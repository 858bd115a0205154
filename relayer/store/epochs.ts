// From prepared to active to erased: the active pointer, the marks of what is to be erased, and the erasure itself.
import { dec, enc } from '../crypto/enc.ts'
import { u8, u32, u64, utf8 } from '../lib/bytes.ts'
import { StoreError } from '../lib/errors.ts'
import {
  type ActivationArgs,
  decodeActivation,
  encodeActivation,
  integer,
  oneOf,
  type ShareRecord,
  text,
} from './codec.ts'
import type { Op } from './database.ts'
import { KEY, keyFileName, numbersOf, ofEpoch, PREFIX } from './layout.ts'
import { encodeReceipt, type SignedReceipt } from './receipts.ts'
import type { Records } from './records.ts'
import type { Slot } from './sealing.ts'
import { readShareRecord, type Vault } from './shares.ts'

/** Why a share set is to be erased: its epoch was superseded or burned, or another attempt of its epoch was activated. */
export const RETIREMENTS = ['superseded', 'burned', 'other-attempt'] as const
export type Retirement = (typeof RETIREMENTS)[number]

/** A share set that is to be erased. */
export interface RetiredRecord extends Slot {
  /** Null for a mark that cannot be read: what it marks waits for the next verified activation, as every mark may. */
  readonly reason: Retirement | null
}

/** The highest activation that this node has verified; `held`: with a share of its own. */
export interface Running extends Slot {
  readonly held: boolean
}

/** The active pointer, or null before the first activation. */
export async function readRunning({ records }: Vault): Promise<Running | null> {
  const running = await records.read(KEY.running, (body) => {
    const [epoch, attempt, held] = dec(body, [8, 4, 1])
    return { epoch: integer(epoch), attempt: integer(attempt), held: integer(held) === 1 }
  })
  return running ?? null
}

/** @throws StoreError for an epoch that is not above the running one: what is prepared for it nobody would ever erase */
export async function checkAhead(vault: Vault, epoch: number): Promise<void> {
  const running = await readRunning(vault)
  if (running !== null && running.epoch >= epoch)
    throw new StoreError(
      `save prepared share: epoch ${running.epoch} is active, and this one is of epoch ${epoch}`,
    )
}

/**
 * The share set that the active pointer names; null if this node holds none of the running epoch, or declared it lost.
 * @throws StoreError if it should be there and is missing or unreadable
 */
export async function readActiveShare(vault: Vault): Promise<ShareRecord | null> {
  const running = await readRunning(vault)
  if (running === null || !running.held) return null
  if ((await vault.records.read(KEY.lost(running.epoch), () => true)) === true) return null
  return readShareRecord(vault, running)
}

/**
 * Step 4 of the durable order, after the activation was verified: one batch that moves the active pointer to exactly that
 * attempt and marks every other share set of this and lower epochs for erasure. Repeating it changes nothing.
 * @throws StoreError rather than go back to a lower epoch, or to another attempt of the same one
 */
export async function promote(vault: Vault, args: ActivationArgs): Promise<void> {
  const { records } = vault
  const { epoch, attempt } = args.activation
  const running = await readRunning(vault)
  if (running !== null && (running.epoch > epoch || (running.epoch === epoch && running.attempt !== attempt)))
    throw new StoreError(
      `promote epoch ${epoch} attempt ${attempt}: epoch ${running.epoch} attempt ${running.attempt} is active`,
      { hint: 'the chain shows a past that this node has left behind: check its RPC endpoints' },
    )
  const stored = await records.keys(PREFIX.share)
  const own = KEY.share(epoch, attempt)
  const marks = stored.filter((key) => key !== own && numbersOf(key).epoch <= epoch)
  const marked = new Set(await records.keys(PREFIX.retired))
  const ops: Op[] = []
  for (const slot of marks.map(numbersOf)) {
    if (marked.has(KEY.retired(slot.epoch, slot.attempt))) continue
    ops.push(retire(records, slot, slot.epoch === epoch ? 'other-attempt' : 'superseded'))
  }
  // A burn that was undone may have marked it.
  if (marked.has(KEY.retired(epoch, attempt))) ops.push(records.del(KEY.retired(epoch, attempt)))
  const below = async (prefix: string, end: number) =>
    (await records.keys(prefix)).filter((key) => numbersOf(key).epoch < end).map((key) => records.del(key))
  await records.commit(
    ...ops,
    ...(await below(PREFIX.seen, epoch + 1)),
    ...(await below(PREFIX.activation, epoch)),
    records.put(KEY.running, enc(u64(epoch), u32(attempt), u8(stored.includes(own) ? 1 : 0))),
    records.put(KEY.activation(epoch), encodeActivation(await fullest(vault, args))),
  )
}

/** The full arguments of the running epoch's activation, or null before the first. */
export async function readActivation(vault: Vault): Promise<ActivationArgs | null> {
  const running = await readRunning(vault)
  if (running === null) return null
  return (await vault.records.read(KEY.activation(running.epoch), decodeActivation)) ?? null
}

/** Before a signature share for an activation leaves, or when a valid signature of it was seen: a burn no longer erases. */
export async function noteActivationSeen({ records }: Vault, slot: Slot): Promise<void> {
  await records.commit(records.put(KEY.seen(slot.epoch, slot.attempt), enc()))
}

/** Whether an activation of this epoch was signed for or seen signed. */
export async function activationSeen({ records }: Vault, epoch: number): Promise<boolean> {
  return (await records.keys(ofEpoch(PREFIX.seen, epoch))).length > 0
}

/**
 * Marks the share sets of a burned epoch for erasure; gives how many there are.
 * @throws StoreError for the active epoch, or for one whose activation was signed for or seen signed
 */
export async function retireBurned(vault: Vault, epoch: number): Promise<number> {
  const running = await readRunning(vault)
  if (running?.epoch === epoch) throw new StoreError(`retire burned epoch ${epoch}: it is the active one`)
  if (await activationSeen(vault, epoch))
    throw new StoreError(`retire burned epoch ${epoch}: its activation was signed, so its shares are kept`)
  const { records } = vault
  const slots = (await records.keys(ofEpoch(PREFIX.share, epoch))).map(numbersOf)
  if (slots.length > 0) await records.commit(...slots.map((slot) => retire(records, slot, 'burned')))
  return slots.length
}

/** What is marked for erasure, ascending; the marks of unreadable share sets are here too, and marks that are unreadable. */
export async function listRetired({ records }: Vault): Promise<RetiredRecord[]> {
  const found = await records.listReadable(PREFIX.retired, (body) =>
    oneOf(RETIREMENTS, text(dec(body, [-1])[0])),
  )
  return found.map(([key, reason]) => ({ ...numbersOf(key), reason }))
}

/**
 * Step 5 of the durable order. The key file goes first: from then on the sealed bytes are noise. Then the record leaves
 * the database's files, and last, in one batch, the mark, with the signed receipt in its place. Every part can be
 * repeated, and is after a crash, because the mark goes last.
 * @param receipt null for another attempt of an epoch that is active, which owes none
 */
export async function erase(vault: Vault, slot: Slot, receipt: SignedReceipt | null): Promise<void> {
  const { records, keyFiles } = vault
  const { epoch, attempt } = slot
  const mark = KEY.retired(epoch, attempt)
  if (!(await records.keys(mark)).includes(mark))
    throw new StoreError(`erase share of epoch ${epoch} attempt ${attempt}: it is not marked for erasure`)
  const running = await readRunning(vault)
  if (running?.held === true && running.epoch === epoch && running.attempt === attempt)
    throw new StoreError(`erase share of epoch ${epoch} attempt ${attempt}: it is the active one`)
  await keyFiles.destroy(keyFileName(epoch, attempt))
  // LevelDB drops a value only from files that it compacts after the deletion, and only if it was compacted before.
  await records.compact(PREFIX.sealed)
  await records.commit(records.del(KEY.sealed(epoch, attempt)))
  await records.compact(PREFIX.sealed)
  await records.commit(
    records.del(KEY.share(epoch, attempt)),
    records.del(mark),
    ...(receipt === null
      ? []
      : [records.put(KEY.receipt(receipt.epoch, receipt.relayer), encodeReceipt(receipt))]),
  )
}

/** Whether any share set of the epoch, marked or not, is still on the disk. */
export async function holdsAny({ records }: Vault, epoch: number): Promise<boolean> {
  return (await records.keys(ofEpoch(PREFIX.share, epoch))).length > 0
}

/** The epochs of which any share set, marked or not, is on the disk; ascending. */
export async function epochsHeld({ records }: Vault): Promise<number[]> {
  return [...new Set((await records.keys(PREFIX.share)).map((key) => numbersOf(key).epoch))]
}

/** Every share set on the disk, marked or not, readable or not; ascending. */
export async function listSlots({ records }: Vault): Promise<Slot[]> {
  return (await records.keys(PREFIX.share)).map(numbersOf)
}

function retire(records: Records, slot: Slot, reason: Retirement): Op {
  return records.put(KEY.retired(slot.epoch, slot.attempt), enc(utf8(reason)))
}

/** Readiness signatures that an earlier call brought are kept when this one brings none. */
async function fullest({ records }: Vault, args: ActivationArgs): Promise<ActivationArgs> {
  if (args.readiness.length > 0) return args
  const before = await records.read(KEY.activation(args.activation.epoch), decodeActivation)
  return before === undefined ? args : { ...args, readiness: before.readiness }
}

/** Key files of epochs up to this one without a share set: left by a crash between the file and its record. */
export async function sweepKeyFiles({ records, keyFiles }: Vault, upTo: number): Promise<void> {
  const named = new Set(
    (await records.keys(PREFIX.share))
      .map(numbersOf)
      .map(({ epoch, attempt }) => keyFileName(epoch, attempt)),
  )
  for (const name of await keyFiles.list())
    if (Number(name.split('-')[0]) <= upTo && !named.has(name)) await keyFiles.destroy(name)
}
