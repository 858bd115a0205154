// Share sets on disk: the prepared ones made durable before they are acknowledged, and their secret part taken out again.
import { basePointTimes } from '../crypto/basepoint.ts'
import { dec, decList, EncodingError, enc } from '../crypto/enc.ts'
import { equal, u32 } from '../lib/bytes.ts'
import { InputError, StoreError } from '../lib/errors.ts'
import type { Secret } from '../lib/secret.ts'
import { curveOf, type KeyPublic, type KeyShare } from '../protocol/keyshare.ts'
import { indexOf } from '../protocol/party.ts'
import type { Prepared } from '../protocol/prepared.ts'
import type { CeremonySpec } from '../protocol/spec.ts'
import { decodeShareRecord, encodeShareRecord, integer, own, type ShareRecord } from './codec.ts'
import type { KeyFiles } from './database.ts'
import { KEY, keyFileName, numbersOf, ofEpoch, PREFIX } from './layout.ts'
import { type Records, UNREADABLE } from './records.ts'
import type { Identity, Sealer, Slot } from './sealing.ts'

/** Most prepared share sets that one epoch may leave behind; then the node waits for governance. */
export const MAX_PREPARED = 64
const MAX_KEYS = 1024

/** What every topic of the store works on. */
export interface Vault {
  readonly records: Records
  readonly keyFiles: KeyFiles
  readonly sealer: Sealer
  readonly identity: Identity
}

/** Step 3 of the durable order: the data key's file first, then the sealed shares with their public record in one batch. */
export async function savePrepared(vault: Vault, spec: CeremonySpec, prepared: Prepared): Promise<void> {
  if (prepared.shares.length === 0) return
  const record = recordOf(vault.identity, spec, prepared)
  const { records, keyFiles, sealer } = vault
  const kept = await records.keys(ofEpoch(PREFIX.share, record.epoch))
  if (kept.includes(KEY.share(record.epoch, record.attempt)))
    throw new StoreError(`save prepared share: epoch ${record.epoch} attempt ${record.attempt} has one`)
  if (kept.length >= MAX_PREPARED)
    throw new StoreError(`save prepared share: epoch ${record.epoch} has ${kept.length} of them already`, {
      hint: 'governance must cancel this change or replace the member that keeps it from completing',
    })
  const dataKey = sealer.newDataKey()
  try {
    await keyFiles.write(keyFileName(record.epoch, record.attempt), sealer.wrap(dataKey, record))
    const sealed = prepared.shares.map((key) =>
      enc(u32(key.keyId), sealer.sealShare(dataKey, key.share, { key, slot: record })),
    )
    await records.commit(
      records.put(KEY.sealed(record.epoch, record.attempt), enc(...sealed)),
      records.put(KEY.share(record.epoch, record.attempt), encodeShareRecord(record)),
    )
  } finally {
    dataKey.wipe()
  }
}

/** The share sets of an epoch that are neither active nor marked for erasure, ascending by attempt. @throws StoreError */
export async function listShares(vault: Vault, epoch: number): Promise<ShareRecord[]> {
  return Promise.all((await slotsOfEpoch(vault, epoch)).map((slot) => readShareRecord(vault, slot)))
}

/** Where they are, without a look at them. */
export async function slotsOfEpoch({ records }: Vault, epoch: number): Promise<Slot[]> {
  const retired = new Set(
    (await records.keys(ofEpoch(PREFIX.retired, epoch))).map((key) => numbersOf(key).attempt),
  )
  // What is marked is not even read: a damaged record would keep its epoch from being erased.
  return (await records.keys(ofEpoch(PREFIX.share, epoch)))
    .map(numbersOf)
    .filter(({ attempt }) => !retired.has(attempt))
}

/**
 * One share set's public record.
 * @throws StoreError if it is unreadable, or was there once and is gone
 */
export async function readShareRecord({ records }: Vault, slot: Slot): Promise<ShareRecord> {
  const key = KEY.share(slot.epoch, slot.attempt)
  const record = await records.read(key, decodeShareRecord)
  if (record === undefined) throw new StoreError(`read record ${key}: it is missing`, { hint: UNREADABLE })
  if (record.epoch !== slot.epoch || record.attempt !== slot.attempt)
    throw new StoreError(`read record ${key}: it speaks of another share`, { hint: UNREADABLE })
  return record
}

/**
 * The shares of a set, every key, ascending keyId; each one times G is its verification share.
 * @throws StoreError if any part is missing, damaged, sealed for another place, or does not match: never "no share"
 */
export async function loadShares(vault: Vault, slot: Slot): Promise<KeyShare[]> {
  const record = await readShareRecord(vault, slot)
  const name = `share of epoch ${slot.epoch} attempt ${slot.attempt}`
  const unreadable = (why: string) => new StoreError(`load ${name}: ${why}`, { hint: UNREADABLE })
  const file = await vault.keyFiles.read(keyFileName(slot.epoch, slot.attempt))
  if (file === undefined) throw unreadable('its key file is missing')
  const dataKey = vault.sealer.unwrap(file, slot)
  if (dataKey === null) throw unreadable('its key file is damaged, or was written with another operator key')
  try {
    const sealed = await vault.records.read(KEY.sealed(slot.epoch, slot.attempt), decodeSealed)
    if (sealed === undefined) throw unreadable('its sealed record is missing')
    return record.keys.map((key) => {
      const box = sealed.get(key.keyId)
      if (box === undefined) throw unreadable(`key ${key.keyId} is missing`)
      const share = vault.sealer.openShare(dataKey, box, { key, slot })
      if (share === null) throw unreadable(`key ${key.keyId} is damaged or was sealed for another place`)
      if (!belongs(share, key, record.index))
        throw unreadable(`key ${key.keyId} does not belong to its verification share`)
      return { ...key, share }
    })
  } finally {
    dataKey.wipe()
  }
}

/** Overwrites shares that were loaded and are no longer needed. */
export function wipeShares(shares: readonly { readonly share: Secret }[]): void {
  for (const { share } of shares) share.wipe()
}

/** Whether share * G is the verification share of that index. */
function belongs(share: Secret, key: KeyPublic, index: number): boolean {
  const point = basePointTimes(curveOf(key.scheme), share)
  const want = key.verificationShares[index - 1]
  return point !== null && want !== undefined && equal(point, want)
}

function decodeSealed(body: Uint8Array): Map<number, Uint8Array> {
  const boxes = decList(body, MAX_KEYS).map((part) => {
    const [keyId, box] = dec(part, [4, -1])
    return [integer(keyId), own(box)] as const
  })
  const byKey = new Map(boxes)
  if (byKey.size !== boxes.length) throw new EncodingError('decode: a key twice')
  return byKey
}

function recordOf(identity: Identity, spec: CeremonySpec, prepared: Prepared): ShareRecord {
  if (spec.chainId !== identity.chainId || spec.bridge !== identity.bridge)
    throw new InputError('save prepared share: it belongs to another chain or bridge')
  if (spec.next.epoch !== prepared.epoch)
    throw new InputError(`save prepared share: epoch ${prepared.epoch} in a ceremony for ${spec.next.epoch}`)
  const index = indexOf(spec.next, identity.operator)
  if (index === null) throw new InputError(`save prepared share: no member of epoch ${prepared.epoch}`)
  const matching = prepared.keys.every((key, at) => {
    const share = prepared.shares[at]
    return share !== undefined && share.keyId === key.keyId && equal(share.groupKey, key.groupKey)
  })
  if (!matching || prepared.shares.length !== prepared.keys.length)
    throw new InputError('save prepared share: shares and keys do not match')
  return {
    op: spec.op,
    sessionId: prepared.sessionId,
    epoch: prepared.epoch,
    attempt: prepared.attempt,
    transcript: prepared.transcript,
    committee: spec.next,
    index,
    predecessor: spec.old?.epoch ?? 0,
    keys: prepared.keys.map(({ keyId, scheme, groupKey, commitments, verificationShares }) => ({
      keyId,
      scheme,
      groupKey,
      commitments,
      verificationShares,
    })),
  }
}
