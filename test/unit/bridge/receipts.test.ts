// Which stored receipts go on chain together: as many as one transaction takes, and none that would have it revert.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Sight } from '../../../relayer/bridge/follower.ts'
import type { Desk } from '../../../relayer/bridge/parts.ts'
import { ReceiptDesk } from '../../../relayer/bridge/receipts.ts'
import type { EpochInfo } from '../../../relayer/chain/chain.ts'
import type { Address } from '../../../relayer/lib/bytes.ts'
import type { SignedReceipt } from '../../../relayer/store/receipts.ts'
import { member } from '../../support/numbered.ts'

const MEMBERS = Array.from({ length: 100 }, (_, at) => member(at + 1))
const SELF = member(1)

const receiptOf = (relayer: Address, epoch: number, successorEpoch: number): SignedReceipt => ({
  epoch,
  relayer,
  successorEpoch,
  outstandingBackups: 0,
  signature: `0x${'11'.repeat(65)}`,
})

const closed = [1, 2, 3].map((epoch) => {
  const known: Partial<EpochInfo> = { epoch, members: MEMBERS, receipts: [], successor: 4 }
  return known as EpochInfo // CAST: all that receipts look at
})

/** What is sent when everybody's receipts are stored, and those of the first member name `successor`. */
async function sentWith(successor: number): Promise<readonly SignedReceipt[][]> {
  const sent: SignedReceipt[][] = []
  const work: Promise<void>[] = []
  const parts = {
    self: SELF,
    network: { tell() {} },
    problems: { set() {} },
    log: { info() {} },
    store: {
      receipts: async (epoch: number) =>
        MEMBERS.map((member) => receiptOf(member, epoch, member === SELF ? successor : 4)),
    },
    chain: {
      recordDeletions: async (receipts: readonly SignedReceipt[]) => {
        sent.push([...receipts])
        return { kind: 'already-done' }
      },
    },
    background: (_: string, run: (signal: AbortSignal) => Promise<void>) => {
      work.push(run(new AbortController().signal))
    },
  }
  const desk = new ReceiptDesk(parts as unknown as Desk) // CAST: all that receipts use
  for (let head = 0; sent.length === 0; head += 4) {
    const sight = { head: { number: head }, closed, state: { epoch: 4, members: MEMBERS } }
    await desk.settle(sight as unknown as Sight, []) // CAST: all that receipts look at
    await Promise.all(work)
  }
  return sent
}

test('three hundred missing receipts do not go into one transaction, which no block would take', async () => {
  const [first] = await sentWith(4)
  assert.equal(first?.length, 128)
})

test('a stored receipt that names another successor than the chain does not spoil the transaction of all others', async () => {
  const [first] = await sentWith(5)
  assert.ok(first && first.length > 0)
  assert.deepEqual(
    first.filter(({ relayer }) => relayer === SELF),
    [],
  )
})
