// What the model of the bridge remembers: plain data that a chain can copy, keep per block and roll back.
import type {
  Activation,
  ChainKey,
  EpochStatus,
  PendingCeremony,
  SignedReceipt,
} from '../../relayer/chain/chain.ts'
import type { Address, Hex } from '../../relayer/lib/bytes.ts'

/** A call that the bridge refuses, with the name of the custom error. */
export class Revert extends Error {
  override name = 'Revert'
  constructor(reason: string) {
    super(`execution reverted: ${reason}`)
  }
}

/** What the model keeps of an epoch. */
export interface ModelEpoch {
  epoch: number
  members: Address[]
  threshold: number
  status: EpochStatus
  predecessor: number
  successor: number
  attempt: number
  transcriptHash: Hex
  commitmentsHashes: { keyId: number; hash: Hex }[]
  receipts: { relayer: Address; outstandingBackups: number }[]
  waived: boolean
  activatedBlock: number
}

/** Everything that a block can change; structured-cloneable. */
export interface BridgeState {
  lastEpoch: number
  running: number
  first: { members: Address[]; threshold: number }
  pending: PendingCeremony | null
  keys: ChainKey[]
  epochs: Record<number, ModelEpoch>
  outstandingEpoch: number
  attemptWindowBlocks: number
  requireDeletionQuorum: boolean
}

/** Signature checks of the bridge; each says whether it would accept. */
export interface Verifier {
  readiness(activation: Activation, relayer: Address, signature: Hex): boolean
  group(activation: Activation, key: { scheme: number; groupKey: Hex }, signature: Hex): boolean
  receipt(receipt: SignedReceipt): boolean
}

/** Where the bridge lives. */
export interface BridgeContext {
  readonly chainId: number
  readonly bridge: Address
  readonly verifier: Verifier | null
}

/** Members and threshold, of an epoch or of the first committee. */
export type Membership = { members: readonly Address[]; threshold: number }

/** The state after deployment. */
export function deployedState(config: {
  members: readonly Address[]
  threshold: number
  scheme: number
  attemptWindowBlocks: number
  requireDeletionQuorum: boolean
}): BridgeState {
  return {
    lastEpoch: 0,
    running: 0,
    first: { members: [...config.members].sort(), threshold: config.threshold },
    pending: null,
    keys: [{ keyId: 0, scheme: config.scheme, groupKey: '0x' }],
    epochs: {},
    outstandingEpoch: 0,
    attemptWindowBlocks: config.attemptWindowBlocks,
    requireDeletionQuorum: config.requireDeletionQuorum,
  }
}

/** An epoch as it opens. */
export function pendingEpoch(of: Membership & Pick<ModelEpoch, 'epoch' | 'predecessor'>): ModelEpoch {
  return {
    ...of,
    members: [...of.members],
    status: 'pending',
    successor: 0,
    attempt: 0,
    transcriptHash: `0x${'00'.repeat(32)}`,
    commitmentsHashes: [],
    receipts: [],
    waived: false,
    activatedBlock: 0,
  }
}

/** Receipts that count: those without outstanding backups. */
export function counted(info: ModelEpoch): number {
  return info.receipts.filter(({ outstandingBackups }) => outstandingBackups === 0).length
}

/** n - t + 1. */
export function needed(info: Membership): number {
  return info.members.length - info.threshold + 1
}

/** Same members and threshold. */
export function sameCommittee(a: Membership, b: Membership): boolean {
  return a.threshold === b.threshold && a.members.join() === b.members.join()
}
