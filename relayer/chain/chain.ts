// The Chain port: the governance bridge as a node reads and drives it. Implementations: ethers (chain/client.ts), fake (test/support).
import type { Address, Hex } from '../lib/bytes.ts'

/** A block by number and hash. */
export interface BlockRef {
  readonly number: number
  readonly hash: Hex
}

/** Idle: no key. Keygen: first key pending. Complete: running. Resharing: a change pending. Active: deletions outstanding. */
export type Phase = 'idle' | 'keygen' | 'complete' | 'resharing' | 'active'
/** In the order of their tags in the contract. */
export const PHASES = ['idle', 'keygen', 'complete', 'resharing', 'active'] as const

export type CeremonyKind = 'keygen' | 'reshare' | 'refresh' | 'addkey'
/** In the order of their tags in the contract. */
export const CEREMONY_KINDS = ['keygen', 'reshare', 'refresh', 'addkey'] as const

export type EpochStatus = 'none' | 'pending' | 'active' | 'superseded' | 'burned'
/** In the order of their tags in the contract. */
export const EPOCH_STATUSES = ['none', 'pending', 'active', 'superseded', 'burned'] as const

/** The pending change. */
export interface PendingCeremony {
  readonly kind: CeremonyKind
  readonly epoch: number
  /** The running epoch when it began; 0 in a keygen. */
  readonly predecessor: number
  /** Block in which it was asked for; its hash is the trigger block hash. */
  readonly startBlock: number
  /** W, copied at the start. */
  readonly windowBlocks: number
  /** Scheme tag of the key being added, kind `addkey` only. */
  readonly addedScheme: number | null
}

/** A registered key. */
export interface ChainKey {
  readonly keyId: number
  /** Position in SCHEMES of protocol/keyshare.ts. */
  readonly scheme: number
  /** 64 or 32 bytes; empty before the first activation. */
  readonly groupKey: Hex
}

/** `committeeState()` at one block. */
export interface CommitteeState {
  readonly at: BlockRef
  readonly phase: Phase
  /** Running epoch, 0 before the first activation. */
  readonly epoch: number
  /** The first committee while Idle or Keygen, else the running one; ascending. */
  readonly members: readonly Address[]
  readonly threshold: number
  readonly pending: PendingCeremony | null
  /** Key 0 is listed with an empty group key before the first activation. */
  readonly keys: readonly ChainKey[]
  readonly attemptWindowBlocks: number
  readonly requireDeletionQuorum: boolean
  /** The superseded epoch whose deletions are outstanding (phase Active), or 0. */
  readonly outstandingEpoch: number
}

/** `epochInfo(epoch)` at one block. */
export interface EpochInfo {
  readonly epoch: number
  readonly status: EpochStatus
  readonly members: readonly Address[]
  readonly threshold: number
  readonly committeeHash: Hex
  readonly predecessor: number
  /** The epoch that superseded it, or that was running when it was burned; 0 if none. */
  readonly successor: number
  /** Meaningful once activated. */
  readonly attempt: number
  readonly transcriptHash: Hex
  readonly commitmentsHashes: readonly { readonly keyId: number; readonly hash: Hex }[]
  /** Members whose deletion receipt without outstanding backups is recorded. */
  readonly receipts: readonly Address[]
  /** n - t + 1 (burned: n_b - t_b + 1). */
  readonly receiptsNeeded: number
  readonly waived: boolean
  /** Block of its `EpochActivated`, 0 if it never was activated. */
  readonly activatedBlock: number
}

/** KeyRecord of CONTRACTS: what an activation says of one key. */
export interface KeyRecord {
  readonly keyId: number
  readonly groupKey: Hex
  readonly commitmentsHash: Hex
}

/** Activation: what an activation commits to. */
export interface Activation {
  readonly epoch: number
  readonly attempt: number
  readonly committeeHash: Hex
  readonly keys: readonly KeyRecord[]
  readonly transcriptHash: Hex
}

/** `EpochActivated`. */
export interface ActivationEvent {
  readonly activation: Activation
  /** 52 bytes z ‖ a for frost-secp256k1-evm, 65 for ecdsa-secp256k1. */
  readonly groupSignature: Hex
  readonly block: BlockRef
}

/** DeletionReceipt with its signature. */
export interface SignedReceipt {
  readonly epoch: number
  readonly relayer: Address
  readonly successorEpoch: number
  readonly outstandingBackups: number
  /** 65 bytes r ‖ s ‖ v by the relayer's address key. */
  readonly signature: Hex
}

/** An event of the bridge: a wake-up, never the truth. */
export interface BridgeEvent {
  /** Solidity name: RelayerAdded, CeremonyStarted, EpochActivated, … */
  readonly name: string
  readonly block: BlockRef
  readonly logIndex: number
  readonly args: Readonly<Record<string, unknown>>
}

/** How a transaction ended: mined, or found to be unnecessary because somebody else was first. */
export type TxOutcome =
  | { readonly kind: 'mined'; readonly hash: Hex; readonly block: BlockRef }
  | { readonly kind: 'already-done' }

/**
 * The governance chain and its bridge. Reads reject with ChainError when endpoints are down or, where agreement is
 * required, disagree; every method takes a signal and rejects with its reason.
 */
export interface Chain {
  readonly chainId: number
  readonly bridge: Address
  /** The operator's account, which pays. */
  readonly account: Address
  /** Latest head: the highest that rpcQuorum endpoints have reached or, while fewer answer, the lowest of theirs, within bounds. */
  head(signal?: AbortSignal): Promise<BlockRef>
  /** The highest final block (tag or depth), agreed by `rpcQuorum` endpoints. */
  finalised(signal?: AbortSignal): Promise<BlockRef>
  /** The highest block at twice the finality depth (burns, erasure); with the tag: final for as long again. */
  deeplyFinalised(signal?: AbortSignal): Promise<BlockRef>
  /** A canonical block, agreed by `rpcQuorum` endpoints; null if the chain is shorter. */
  block(number: number, signal?: AbortSignal): Promise<BlockRef | null>
  /** State at one block, agreed by `rpcQuorum` endpoints. */
  committeeState(at: BlockRef, signal?: AbortSignal): Promise<CommitteeState>
  epochInfo(epoch: number, at: BlockRef, signal?: AbortSignal): Promise<EpochInfo>
  /** Events of blocks `from` to `to` inclusive, in order, agreed by `rpcQuorum` endpoints. */
  events(from: number, to: number, signal?: AbortSignal): Promise<readonly BridgeEvent[]>
  /** The activation event of an epoch at or below a block; null if there is none. */
  activation(epoch: number, at: BlockRef, signal?: AbortSignal): Promise<ActivationEvent | null>
  /** Sends `activate`, unless the chain shows that the epoch is already activated or burned. */
  activate(
    args: { activation: Activation; readiness: readonly Hex[]; groupSignature: Hex },
    signal?: AbortSignal,
  ): Promise<TxOutcome>
  /** Sends `recordDeletions`, unless all are already recorded. */
  recordDeletions(receipts: readonly SignedReceipt[], signal?: AbortSignal): Promise<TxOutcome>
  /** The account's balance in wei, and what one activation costs now at the current fee. */
  funds(signal?: AbortSignal): Promise<{ balance: bigint; activationCost: bigint }>
}
