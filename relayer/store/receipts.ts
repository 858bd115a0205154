// Signed deletion receipts, our own and those that other members sent: accountability for what was erased.
import { dec, enc } from '../crypto/enc.ts'
import { fromHex, type Hex, to0x, toAddress, u32, u64 } from '../lib/bytes.ts'
import { readable } from '../lib/errors.ts'
import type { DeletionReceipt } from '../protocol/typed.ts'
import { integer, own } from './codec.ts'
import { KEY, ofEpoch, PREFIX } from './layout.ts'
import type { Vault } from './shares.ts'

/** A receipt with its 65-byte signature r ‖ s ‖ v. Whoever stores one has checked the signature. */
export interface SignedReceipt extends DeletionReceipt {
  readonly signature: Hex
}

/** Stores a receipt; one that can be read is replaced only by one that names fewer outstanding backups. */
export async function putReceipt({ records }: Vault, receipt: SignedReceipt): Promise<void> {
  const key = KEY.receipt(receipt.epoch, receipt.relayer)
  const before = await readable(records.read(key, decodeReceipt))
  if (before !== null && before.outstandingBackups <= receipt.outstandingBackups) return
  await records.commit(records.put(key, encodeReceipt(receipt)))
}

/**
 * The receipts of one epoch, or all of them; ascending by epoch, then by address. One that cannot be read is none: its
 * owner signs another, or sends it again.
 */
export async function listReceipts({ records }: Vault, epoch?: number): Promise<SignedReceipt[]> {
  const prefix = epoch === undefined ? PREFIX.receipt : ofEpoch(PREFIX.receipt, epoch)
  return (await records.listReadable(prefix, decodeReceipt)).flatMap(([, receipt]) => receipt ?? [])
}

export function encodeReceipt(receipt: SignedReceipt): Uint8Array {
  return enc(
    u64(receipt.epoch),
    fromHex(receipt.relayer),
    u64(receipt.successorEpoch),
    u32(receipt.outstandingBackups),
    fromHex(receipt.signature),
  )
}

/** @throws EncodingError */
export function decodeReceipt(bytes: Uint8Array): SignedReceipt {
  const [epoch, relayer, successor, backups, signature] = dec(bytes, [8, 20, 8, 4, 65])
  return {
    epoch: integer(epoch),
    relayer: toAddress(own(relayer)),
    successorEpoch: integer(successor),
    outstandingBackups: integer(backups),
    signature: to0x(own(signature)),
  }
}
