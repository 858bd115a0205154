// Erasure at twice the finality depth, and the deletion receipts that every member of a closed epoch owes.
import type { EpochInfo } from '../chain/chain.ts'
import { to0x } from '../lib/bytes.ts'
import { type DeletionReceipt, receiptDigest } from '../protocol/typed.ts'
import type { RetiredRecord } from '../store/epochs.ts'
import type { SignedReceipt } from '../store/receipts.ts'
import type { Store } from '../store/store.ts'
import type { Sight } from './follower.ts'
import type { Desk } from './parts.ts'

/**
 * Erases what is marked and deep enough, marks what a deep burn left behind, and signs the receipts that are due.
 * Everything in here is idempotent and resumed at the next look. Gives the receipts that are new.
 */
export async function eraseDue(desk: Desk, sight: Sight): Promise<SignedReceipt[]> {
  const { store } = desk
  await retireBurned(desk, sight)
  const fresh: SignedReceipt[] = []
  let erased = 0
  for (const [epoch, records] of byEpoch(await store.retired())) {
    const due = await dueOf(desk, sight, { epoch, records })
    if (due.length === 0) continue
    const info = deepInfo(sight, epoch)
    const all = due.length === records.length && (await unmarked(store, epoch)) === 0
    const receipt = isClosed(info) && all ? sign(desk, info) : null
    for (const [at, record] of due.entries()) {
      const last = at === due.length - 1
      await store.erase(record, last ? receipt : null)
      erased += 1
      desk.log.info({ epoch, attempt: record.attempt, reason: record.reason }, 'share erased')
    }
    if (receipt !== null) fresh.push(receipt)
  }
  const running = await store.running()
  if (erased > 0 && running !== null) await store.sweepKeyFiles(running.epoch)
  return [...fresh, ...(await signOwed(desk, sight))]
}

/** A burn carries no signature: it counts at twice the depth, and not at all once the activation was signed for. */
async function retireBurned({ store, problems }: Desk, sight: Sight): Promise<void> {
  const running = (await store.running())?.epoch ?? 0
  const kept: number[] = []
  for (const epoch of await store.epochsHeld()) {
    if (epoch <= running || deepInfo(sight, epoch)?.status !== 'burned') continue
    if (await store.activationSeen(epoch)) kept.push(epoch)
    else if ((await unmarked(store, epoch)) > 0) await store.retireBurned(epoch)
  }
  problems.set(
    'burned',
    kept.length === 0
      ? null
      : {
          severity: 'warning',
          message: `shares of burned epoch ${kept.join(', ')} are kept, unused: their activation was signed`,
          remedy: 'nothing to do: they are erased after the next verified activation',
        },
  )
}

/** How many share sets of an epoch are not marked for erasure, whether they can be read or not. */
async function unmarked(store: Store, epoch: number): Promise<number> {
  const of = (slots: readonly { readonly epoch: number }[]) => slots.filter((slot) => slot.epoch === epoch)
  return of(await store.slots()).length - of(await store.retired()).length
}

/** The marked share sets of one epoch whose reason lies twice as deep as finality. */
async function dueOf(
  { store }: Desk,
  sight: Sight,
  { epoch, records }: { epoch: number; records: readonly RetiredRecord[] },
): Promise<readonly RetiredRecord[]> {
  const running = await store.running()
  // The activation that superseded them, or chose another attempt, is that of the running epoch or of an earlier one.
  const deepEnough = running !== null && sight.deepEpoch >= running.epoch
  const burned = deepInfo(sight, epoch)?.status === 'burned'
  // A burn that was undone has left its marks, which then wait for the activation like all others.
  const passed = deepEnough && epoch <= running.epoch
  // No step of ours marks the active share: whatever bytes say so, it is not erased.
  const active = (attempt: number) =>
    running?.held === true && running.epoch === epoch && running.attempt === attempt
  return records.filter(
    ({ reason, attempt }) => !active(attempt) && (passed || (reason === 'burned' && burned)),
  )
}

/** Receipts for closed epochs of which this member holds nothing (any more), or never did. */
async function signOwed(desk: Desk, sight: Sight): Promise<SignedReceipt[]> {
  const { store, self } = desk
  const fresh: SignedReceipt[] = []
  const held = new Set(await store.epochsHeld())
  for (const info of sight.closedDeep) {
    if (!isClosed(info) || !info.members.includes(self) || held.has(info.epoch)) continue
    const signed = (await store.receipts(info.epoch)).some(({ relayer }) => relayer === self)
    if (signed || info.receipts.includes(self)) continue
    const receipt = sign(desk, info)
    await store.putReceipt(receipt)
    fresh.push(receipt)
  }
  return fresh
}

function sign({ signer, self, chain }: Desk, info: EpochInfo): SignedReceipt {
  const receipt: DeletionReceipt = {
    epoch: info.epoch,
    relayer: self,
    successorEpoch: info.successor,
    outstandingBackups: 0,
  }
  return { ...receipt, signature: to0x(signer.sign(receiptDigest(chain, receipt))) }
}

function deepInfo(sight: Sight, epoch: number): EpochInfo | undefined {
  return sight.closedDeep.find((info) => info.epoch === epoch)
}

function isClosed(info: EpochInfo | undefined): info is EpochInfo {
  return info !== undefined && (info.status === 'superseded' || info.status === 'burned')
}

function byEpoch(records: readonly RetiredRecord[]): Map<number, RetiredRecord[]> {
  const map = new Map<number, RetiredRecord[]>()
  for (const record of records) map.set(record.epoch, [...(map.get(record.epoch) ?? []), record])
  return map
}
