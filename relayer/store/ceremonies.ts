// What governance asked for, as records that move with the cursor, and the markers of the attempts that were joined.
import { dec, enc } from '../crypto/enc.ts'
import { fromHex, type Hex, to0x, u32, u64, utf8 } from '../lib/bytes.ts'
import { InputError, readable } from '../lib/errors.ts'
import { integer, oneOf, own, text } from './codec.ts'
import { KEY, numbersOf, ofEpoch, PREFIX } from './layout.ts'
import type { Slot } from './sealing.ts'
import type { Vault } from './shares.ts'

/** A final block that was followed. */
export interface Cursor {
  readonly number: number
  readonly hash: Hex
}

/** One ceremony as the chain started it. */
export interface CeremonyRecord {
  readonly epoch: number
  readonly kind: 'keygen' | 'reshare' | 'refresh' | 'addkey'
  readonly predecessor: number
  readonly startBlock: number
  readonly startBlockHash: Hex
  readonly windowBlocks: number
}

const KINDS: readonly CeremonyRecord['kind'][] = ['keygen', 'reshare', 'refresh', 'addkey']

/** The last final block that was followed, or null before the first. @throws StoreError if it cannot be read */
export async function readCursor({ records }: Vault): Promise<Cursor | null> {
  const cursor = await records.read(KEY.cursor, (body) => {
    const [number, hash] = dec(body, [8, 32])
    return { number: integer(number), hash: to0x(own(hash)) }
  })
  return cursor ?? null
}

/**
 * Step 1 of the durable order: the cursor and the records that its blocks created, in one batch. In place of a cursor that
 * cannot be read stands this one.
 * @throws InputError for a cursor below the one that is stored
 */
export async function advance(
  vault: Vault,
  cursor: Cursor,
  ceremonies: readonly CeremonyRecord[],
): Promise<void> {
  const { records } = vault
  const before = await readable(readCursor(vault))
  if (before !== null && cursor.number < before.number)
    throw new InputError(`advance cursor: from block ${before.number} back to ${cursor.number}`)
  await records.commit(
    ...ceremonies.map((ceremony) => records.put(KEY.ceremony(ceremony.epoch), encodeCeremony(ceremony))),
    records.put(KEY.cursor, enc(u64(cursor.number), fromHex(cursor.hash))),
  )
}

/** Every ceremony that was followed, ascending by epoch. */
export async function listCeremonies({ records }: Vault): Promise<CeremonyRecord[]> {
  return (await records.list(PREFIX.ceremony, decodeCeremony)).map(([, ceremony]) => ceremony)
}

/**
 * Step 2 of the durable order, before the first byte of an attempt leaves. False: this attempt was joined before, whatever
 * its session id was, and must not run again.
 */
export async function markAttempt({ records }: Vault, slot: Slot, sessionId: Uint8Array): Promise<boolean> {
  const key = KEY.marker(slot.epoch, slot.attempt)
  if ((await records.keys(key)).includes(key)) return false
  await records.commit(records.put(key, enc(sessionId)))
  return true
}

/** The highest attempt of an epoch that was joined, or null. */
export async function lastJoined({ records }: Vault, epoch: number): Promise<number | null> {
  const last = (await records.keys(ofEpoch(PREFIX.marker, epoch))).at(-1)
  return last === undefined ? null : numbersOf(last).attempt
}

function encodeCeremony(ceremony: CeremonyRecord): Uint8Array {
  return enc(
    u64(ceremony.epoch),
    utf8(ceremony.kind),
    u64(ceremony.predecessor),
    u64(ceremony.startBlock),
    fromHex(ceremony.startBlockHash),
    u32(ceremony.windowBlocks),
  )
}

function decodeCeremony(bytes: Uint8Array): CeremonyRecord {
  const [epoch, kind, predecessor, startBlock, hash, window] = dec(bytes, [8, -1, 8, 8, 32, 4])
  return {
    epoch: integer(epoch),
    kind: oneOf(KINDS, text(kind)),
    predecessor: integer(predecessor),
    startBlock: integer(startBlock),
    startBlockHash: to0x(own(hash)),
    windowBlocks: integer(window),
  }
}
