// What the operator declares lost: from then on the node takes part in the next reshare as a receiver only.
import { enc } from '../crypto/enc.ts'
import { StoreError } from '../lib/errors.ts'
import { KEY, numbersOf, PREFIX } from './layout.ts'
import type { Vault } from './shares.ts'

/**
 * Declares the share of an epoch lost. A record of the running epoch that cannot be read either is dropped: the node finds it
 * out from the chain again. The sealed share itself stays until its epoch is superseded, and is then erased with a receipt.
 */
export async function declareLost({ records }: Vault, epoch: number): Promise<void> {
  const damaged = await isDamaged(records.read(KEY.running, () => true))
  const dropped = damaged ? [records.del(KEY.running)] : []
  await records.commit(records.put(KEY.lost(epoch), enc()), ...dropped)
}

/** The epochs whose share was declared lost, ascending. */
export async function listLost({ records }: Vault): Promise<number[]> {
  return (await records.keys(PREFIX.lost)).map((key) => numbersOf(key).epoch)
}

async function isDamaged(reading: Promise<unknown>): Promise<boolean> {
  try {
    await reading
    return false
  } catch (error) {
    if (error instanceof StoreError) return true
    throw error
  }
}
