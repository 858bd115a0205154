// What a Bridge takes and answers, as the contract tests write and read it: integers read are bigint.
import type { Address, Hex } from '../../relayer/lib/bytes.ts'

export interface KeyRecord {
  keyId: number
  groupKey: Hex
  commitmentsHash: Hex
}
export interface Activation {
  epoch: number
  attempt: number
  committeeHash: Hex
  keys: KeyRecord[]
  transcriptHash: Hex
}
export interface DeletionReceipt {
  epoch: number
  relayer: Address
  successorEpoch: number
  outstandingBackups: number
}
export type ActivateArgs = [Activation, Hex[], Hex]

/** An event by name with its arguments. */
export interface Log {
  readonly name: string
  readonly args: readonly unknown[]
}
export interface Receipt {
  readonly gasUsed: number
  readonly block: number
  readonly logs: readonly Log[]
}

/** `committeeState()`, decoded. */
export interface State {
  phase: bigint
  epoch: bigint
  members: string[]
  threshold: bigint
  pending: {
    kind: bigint
    epoch: bigint
    predecessor: bigint
    startBlock: bigint
    windowBlocks: bigint
    addedScheme: bigint
  }
  keys: { keyId: bigint; scheme: bigint; groupKey: Hex }[]
  attemptWindowBlocks: bigint
  requireDeletionQuorum: boolean
  outstandingEpoch: bigint
}
/** `epochInfo(epoch)`, decoded. */
export interface Info {
  epoch: bigint
  status: bigint
  members: string[]
  threshold: bigint
  committeeHash: Hex
  predecessor: bigint
  successor: bigint
  attempt: bigint
  transcriptHash: Hex
  commitmentsHashes: { keyId: bigint; hash: Hex }[]
  receipts: string[]
  receiptsNeeded: bigint
  waived: boolean
  activatedBlock: bigint
}
