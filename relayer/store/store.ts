// The store: everything that a relayer must not forget, over a Database and KeyFiles; one method a durable step.
import { type Rng, systemRng } from '../crypto/rng.ts'
import type { Address } from '../lib/bytes.ts'
import type { Secret } from '../lib/secret.ts'
import type { KeyShare } from '../protocol/keyshare.ts'
import type { Prepared } from '../protocol/prepared.ts'
import type { CeremonySpec } from '../protocol/spec.ts'
import * as ceremonies from './ceremonies.ts'
import type { CeremonyRecord, Cursor } from './ceremonies.ts'
import type { ActivationArgs, ShareRecord } from './codec.ts'
import type { Database, KeyFiles } from './database.ts'
import * as decisions from './decisions.ts'
import type { Decision } from './decisions.ts'
import * as epochs from './epochs.ts'
import type { RetiredRecord, Running } from './epochs.ts'
import * as evidence from './evidence.ts'
import type { EvidenceRecord } from './evidence.ts'
import * as lost from './lost.ts'
import * as owner from './owner.ts'
import * as peerbook from './peerbook.ts'
import * as receipts from './receipts.ts'
import type { SignedReceipt } from './receipts.ts'
import { Records } from './records.ts'
import { type Identity, Sealer, type Slot } from './sealing.ts'
import * as shares from './shares.ts'
import type { Vault } from './shares.ts'

/** What `openStore` takes: the disk, and whose it is. */
export interface StoreOptions extends Identity {
  readonly database: Database
  readonly keyFiles: KeyFiles
  /** The operator's 32-byte key; keys for sealing and for authentication codes are derived from it, it is not kept. */
  readonly operatorKey: Secret
  /** Nonces and data keys; the operating system's by default. */
  readonly rng?: Rng
}

/**
 * Opens a store, and makes an empty one the caller's own.
 * @throws StoreError for one of another operator, chain or bridge, or of an unknown schema version
 */
export async function openStore(options: StoreOptions): Promise<Store> {
  const { database, keyFiles, operatorKey, chainId, bridge, operator } = options
  const identity: Identity = { chainId, bridge, operator }
  const records = new Records(database, operatorKey)
  await owner.checkOwner({ database, keyFiles, records }, identity)
  const sealer = new Sealer(identity, operatorKey, options.rng ?? systemRng)
  return new Store({ records, keyFiles, sealer, identity })
}

/**
 * Every method that writes is durable when it resolves, and writers take turns. Every method that reads throws StoreError
 * for a record that is damaged: what cannot be read is never taken for what is not there. Receipts and evidence alone are
 * passed over, since others have them too, and a mark for erasure that cannot be read is one without a reason.
 */
export class Store {
  readonly #vault: Vault
  #last: Promise<unknown> = Promise.resolve()

  constructor(vault: Vault) {
    this.#vault = vault
  }

  /** The last final block that was followed, or null. */
  cursor(): Promise<Cursor | null> {
    return ceremonies.readCursor(this.#vault)
  }

  /** Durable step 1: the cursor, and the ceremonies that its blocks started, in one batch. */
  advance(cursor: Cursor, started: readonly CeremonyRecord[]): Promise<void> {
    return this.#inTurn(() => ceremonies.advance(this.#vault, cursor, started))
  }

  /** Every ceremony that was followed, ascending by epoch. */
  ceremonies(): Promise<CeremonyRecord[]> {
    return ceremonies.listCeremonies(this.#vault)
  }

  /** Durable step 2, before the first byte of an attempt leaves; false: it was joined before (E_SID_REUSE). */
  markAttempt(epoch: number, attempt: number, sessionId: Uint8Array): Promise<boolean> {
    return this.#inTurn(() => ceremonies.markAttempt(this.#vault, { epoch, attempt }, sessionId))
  }

  /** The highest attempt of an epoch that was joined, or null. */
  lastJoined(epoch: number): Promise<number | null> {
    return ceremonies.lastJoined(this.#vault, epoch)
  }

  /** Durable step 3, before the acknowledgement. A result without shares (of a member that leaves) leaves nothing. */
  savePrepared(spec: CeremonySpec, prepared: Prepared): Promise<void> {
    return this.#inTurn(async () => {
      await epochs.checkAhead(this.#vault, prepared.epoch)
      await shares.savePrepared(this.#vault, spec, prepared)
    })
  }

  /** The share sets of an epoch that are not marked for erasure, ascending by attempt. @throws StoreError if one is damaged */
  prepared(epoch: number): Promise<ShareRecord[]> {
    return shares.listShares(this.#vault, epoch)
  }

  /** Where these are; damage of one of them must not keep this node from another. */
  preparedSlots(epoch: number): Promise<Slot[]> {
    return shares.slotsOfEpoch(this.#vault, epoch)
  }

  /** The public record of a set. @throws StoreError, never "no share" */
  shareRecord(slot: Slot): Promise<ShareRecord> {
    return shares.readShareRecord(this.#vault, slot)
  }

  /** The secret shares of a set, each checked against its verification share. @throws StoreError, never "no share" */
  loadShares(slot: Slot): Promise<KeyShare[]> {
    return shares.loadShares(this.#vault, slot)
  }

  /** Before a signature share for an activation leaves, or when a valid signature of it was seen. */
  noteActivationSeen(epoch: number, attempt: number): Promise<void> {
    return this.#inTurn(() => epochs.noteActivationSeen(this.#vault, { epoch, attempt }))
  }

  /** Whether an activation of the epoch was signed for or seen signed: a burn then does not erase its shares. */
  activationSeen(epoch: number): Promise<boolean> {
    return epochs.activationSeen(this.#vault, epoch)
  }

  /** The highest activation that this node has verified, or null. */
  running(): Promise<Running | null> {
    return epochs.readRunning(this.#vault)
  }

  /** The share set that this node signs with, or null if it holds none of the running epoch. */
  activeShare(): Promise<ShareRecord | null> {
    return epochs.readActiveShare(this.#vault)
  }

  /** Durable step 4, after the activation was verified: moves the active pointer, marks all else up to it for erasure. */
  promote(args: ActivationArgs): Promise<void> {
    return this.#inTurn(() => epochs.promote(this.#vault, args))
  }

  /** The full arguments of the running epoch's activation, or null. */
  activation(): Promise<ActivationArgs | null> {
    return epochs.readActivation(this.#vault)
  }

  /** Marks the share sets of a burned epoch for erasure; gives how many. @throws StoreError if its activation was seen */
  retireBurned(epoch: number): Promise<number> {
    return this.#inTurn(() => epochs.retireBurned(this.#vault, epoch))
  }

  /** What is marked for erasure. */
  retired(): Promise<RetiredRecord[]> {
    return epochs.listRetired(this.#vault)
  }

  /** Durable step 5; repeatable. The receipt is null for another attempt of an epoch that is active. */
  erase(slot: Slot, receipt: SignedReceipt | null): Promise<void> {
    return this.#inTurn(() => epochs.erase(this.#vault, slot, receipt))
  }

  /** Whether any share set of the epoch, marked or not, is still on the disk. */
  holdsAny(epoch: number): Promise<boolean> {
    return epochs.holdsAny(this.#vault, epoch)
  }

  /** The epochs of which any share set is on the disk, ascending. */
  epochsHeld(): Promise<number[]> {
    return epochs.epochsHeld(this.#vault)
  }

  /** Every share set on the disk, whatever its state; ascending. */
  slots(): Promise<Slot[]> {
    return epochs.listSlots(this.#vault)
  }

  /** Destroys key files of epochs up to this one that no share set names. */
  sweepKeyFiles(upTo: number): Promise<void> {
    return this.#inTurn(() => epochs.sweepKeyFiles(this.#vault, upTo))
  }

  /** Stores a verified receipt of our own or of another member. */
  putReceipt(receipt: SignedReceipt): Promise<void> {
    return this.#inTurn(() => receipts.putReceipt(this.#vault, receipt))
  }

  /** The receipts of one epoch, or all. */
  receipts(epoch?: number): Promise<SignedReceipt[]> {
    return receipts.listReceipts(this.#vault, epoch)
  }

  /** Stores verified evidence; gives its id. @throws StoreError if there is no more room for any */
  addEvidence(bytes: Uint8Array): Promise<string> {
    return this.#inTurn(() => evidence.addEvidence(this.#vault, bytes))
  }

  /** How many evidence records there are. */
  evidenceCount(): Promise<number> {
    return evidence.countEvidence(this.#vault)
  }

  evidence(): Promise<EvidenceRecord[]> {
    return evidence.listEvidence(this.#vault)
  }

  /** The next number of the boot counter, 1 at the first start. */
  nextBoot(): Promise<number> {
    return this.#inTurn(() => owner.nextBoot(this.#vault))
  }

  /** Counts starts from 1 again, where the counter cannot be read. */
  renewBoots(): Promise<number> {
    return this.#inTurn(() => owner.countBoot(this.#vault, 1))
  }

  /** Every known peer with its network addresses. */
  peers(): Promise<Map<Address, string[]>> {
    return peerbook.listPeers(this.#vault)
  }

  /** Replaces the network addresses of a peer; an empty list forgets it. */
  putPeer(peer: Address, multiaddrs: readonly string[]): Promise<void> {
    return this.#inTurn(() => peerbook.putPeer(this.#vault, peer, multiaddrs))
  }

  /** The operator declares the share of an epoch lost. */
  declareLost(epoch: number): Promise<void> {
    return this.#inTurn(() => lost.declareLost(this.#vault, epoch))
  }

  /** The epochs whose share was declared lost. */
  lost(): Promise<number[]> {
    return lost.listLost(this.#vault)
  }

  /** What the operator decided about a pending change; replaces what stood for its epoch. */
  putDecision(decision: Decision): Promise<void> {
    return this.#inTurn(() => decisions.putDecision(this.#vault, decision))
  }

  /** The decision about an epoch, or null. */
  decision(epoch: number): Promise<Decision | null> {
    return decisions.readDecision(this.#vault, epoch)
  }

  /** Forgets the decisions about epochs for which the condition holds: they are activated or burned. */
  dropDecisions(over: (epoch: number) => boolean): Promise<void> {
    return this.#inTurn(async () => {
      const epochs = await decisions.decidedEpochs(this.#vault)
      await decisions.dropDecisions(this.#vault, epochs.filter(over))
    })
  }

  /** The block from which another bridge is watched: that of the first call, ever after. */
  watchedFrom(place: { chainId: number; bridge: Address }, block: number): Promise<number> {
    return this.#inTurn(() => decisions.watchedFrom(this.#vault, place, block))
  }

  /** Waits for the writers and closes the database. */
  async close(): Promise<void> {
    await this.#inTurn(() => this.#vault.records.close())
  }

  #inTurn<T>(run: () => Promise<T>): Promise<T> {
    const result = this.#last.then(run, run)
    this.#last = result.catch(() => {})
    return result
  }
}
