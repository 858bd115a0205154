// The committee state machine of Bridge.sol as a model: one call against one state in one block.
import type {
  Activation,
  CeremonyKind,
  ChainKey,
  PendingCeremony,
  SignedReceipt,
} from '../../relayer/chain/chain.ts'
import { type Address, type Hex, to0x } from '../../relayer/lib/bytes.ts'
import { committeeHash, MAX_MEMBERS } from '../../relayer/protocol/party.ts'
import {
  type BridgeContext,
  type BridgeState,
  counted,
  type Membership,
  type ModelEpoch,
  needed,
  pendingEpoch,
  Revert,
  sameCommittee,
} from './fake-bridge-state.ts'

type Emit = (name: string, args: Record<string, unknown>) => void

/** One call against one state, in one block; mutates the state, so hand it a copy. */
export class BridgeCall {
  readonly #state: BridgeState
  readonly #context: BridgeContext
  readonly #block: number
  readonly #emit: Emit

  constructor(state: BridgeState, at: { context: BridgeContext; block: number; emit: Emit }) {
    this.#state = state
    this.#context = at.context
    this.#block = at.block
    this.#emit = at.emit
  }

  startKeygen(): void {
    const state = this.#state
    if (state.pending !== null) throw new Revert(`ChangePending(${state.pending.epoch})`)
    if (state.running !== 0) throw new Revert('KeyExists()')
    this.#emit('StartKeygen', {})
    this.#open('keygen', state.first)
  }

  setCommittee(add: readonly Address[], remove: readonly Address[], threshold: number): void {
    const base = this.#changeable()
    for (const relayer of remove)
      if (!base.members.includes(relayer)) throw new Revert(`NotRelayer(${relayer})`)
    for (const relayer of add)
      if (base.members.includes(relayer)) throw new Revert(`AlreadyRelayer(${relayer})`)
    const members = [...base.members.filter((member) => !remove.includes(member)), ...add].sort()
    if (new Set(members).size !== members.length) throw new Revert('AlreadyRelayer()')
    this.#change(base, { members, threshold })
  }

  changeThreshold(threshold: number): void {
    this.setCommittee([], [], threshold)
  }

  /** Add or remove one, threshold as it is. */
  member(relayer: Address, how: 'add' | 'remove'): void {
    const { threshold } = this.#changeable()
    this.setCommittee(how === 'add' ? [relayer] : [], how === 'remove' ? [relayer] : [], threshold)
  }

  refreshKey(reason: string): void {
    const running = this.#completeCommittee()
    this.#emit('KeyRefresh', { reason })
    this.#open('refresh', running)
  }

  addKey(scheme: number): void {
    const running = this.#completeCommittee()
    if (scheme > 3) throw new Revert(`UnknownScheme(${scheme})`)
    this.#emit('KeyAdditionStarted', { keyId: this.#state.keys.length, scheme })
    this.#open('addkey', running, scheme)
  }

  cancel(): void {
    const { pending } = this.#state
    if (pending === null) throw new Revert('NoCeremony()')
    this.#burn()
    const back = this.#state.running === 0 ? this.#state.first : this.#epoch(this.#state.running)
    this.#emitDifference(this.#epoch(pending.epoch), back)
  }

  setWindow(blocks: number): void {
    if (blocks < 20) throw new Revert(`WindowOutOfBounds(${blocks}, 20, 50400)`)
    this.#state.attemptWindowBlocks = blocks
    this.#emit('AttemptWindowChanged', { attemptWindowBlocks: blocks })
  }

  setRequireDeletionQuorum(required: boolean): void {
    this.#state.requireDeletionQuorum = required
    this.#emit('RequireDeletionQuorumChanged', { required })
  }

  waive(epoch: number): void {
    const info = this.#state.epochs[epoch]
    const outstanding = epoch !== 0 && epoch === this.#state.outstandingEpoch
    const owing = info?.status === 'burned' && !info.waived && counted(info) < needed(info)
    if (info === undefined || !(owing || outstanding)) throw new Revert(`NothingToWaive(${epoch})`)
    info.waived = true
    this.#emit('DeletionsWaived', { epoch, have: counted(info), need: needed(info) })
    if (outstanding) this.#state.outstandingEpoch = 0
    else this.#completeIfDue()
  }

  activate(activation: Activation, readiness: readonly Hex[], groupSignature: Hex): void {
    const state = this.#state
    const { pending } = state
    if (pending === null || activation.epoch !== pending.epoch)
      throw new Revert(`NotPending(${activation.epoch}, ${pending?.epoch ?? 0})`)
    const next = this.#epoch(pending.epoch)
    if (activation.committeeHash !== this.hashOf(next)) throw new Revert('WrongCommittee()')
    const keys = this.#activatedKeys(activation, pending)
    const { verifier } = this.#context
    if (readiness.length !== next.members.length) throw new Revert('WrongReadinessCount()')
    next.members.forEach((member, at) => {
      if (verifier !== null && !verifier.readiness(activation, member, readiness[at] ?? '0x'))
        throw new Revert(`BadReadiness(${at}, ${member})`)
    })
    const [bridgeKey] = keys
    if (bridgeKey === undefined || !(verifier?.group(activation, bridgeKey, groupSignature) ?? true))
      throw new Revert('BadGroupSignature()')

    if (state.running !== 0) {
      const old = this.#epoch(state.running)
      old.status = 'superseded'
      old.successor = pending.epoch
      state.outstandingEpoch = state.running
    }
    state.keys = keys
    state.running = pending.epoch
    state.pending = null
    next.status = 'active'
    next.attempt = activation.attempt
    next.activatedBlock = this.#block
    next.transcriptHash = activation.transcriptHash
    next.commitmentsHashes = activation.keys.map(({ keyId, commitmentsHash: hash }) => ({ keyId, hash }))
    if (pending.kind === 'keygen') this.#emit('EndKeygen', {})
    this.#emit('EpochActivated', { a: activation, groupSignature })
    this.#completeIfDue()
  }

  recordDeletions(receipts: readonly SignedReceipt[]): void {
    for (const receipt of receipts) {
      const info = this.#state.epochs[receipt.epoch]
      if (info === undefined || (info.status !== 'superseded' && info.status !== 'burned'))
        throw new Revert(`NotRetired(${receipt.epoch})`)
      const known = info.receipts.find(({ relayer }) => relayer === receipt.relayer)
      if (known !== undefined && known.outstandingBackups <= receipt.outstandingBackups) continue
      if (!info.members.includes(receipt.relayer))
        throw new Revert(`NotRelayerOfEpoch(${receipt.relayer}, ${receipt.epoch})`)
      if (receipt.successorEpoch !== info.successor)
        throw new Revert(`WrongSuccessor(${receipt.epoch}, ${receipt.successorEpoch}, ${info.successor})`)
      if (!(this.#context.verifier?.receipt(receipt) ?? true))
        throw new Revert(`BadReceipt(${receipt.relayer})`)
      const { epoch, relayer, outstandingBackups } = receipt
      if (known === undefined) info.receipts.push({ relayer, outstandingBackups })
      else known.outstandingBackups = outstandingBackups
      this.#emit('ShareDeleted', { epoch, relayer, outstandingBackups })
    }
    this.#completeIfDue()
  }

  hashOf(info: { epoch: number } & Membership): Hex {
    return to0x(committeeHash(this.#context.chainId, this.#context.bridge, info))
  }

  #epoch(epoch: number): ModelEpoch {
    const info = this.#state.epochs[epoch]
    if (info === undefined) throw new Revert(`NoSuchEpoch(${epoch})`)
    return info
  }

  /** The keys after the activation. */
  #activatedKeys(activation: Activation, pending: PendingCeremony): ChainKey[] {
    const { keys } = this.#state
    const want = [...keys]
    if (pending.addedScheme !== null)
      want.push({ keyId: keys.length, scheme: pending.addedScheme, groupKey: '0x' })
    if (activation.keys.length !== want.length) throw new Revert('WrongKeyCount()')
    return want.map((key, at) => {
      const record = activation.keys[at]
      if (record === undefined || record.keyId !== key.keyId) throw new Revert('WrongKeyCount()')
      if (key.groupKey !== '0x' && record.groupKey !== key.groupKey)
        throw new Revert(`GroupKeyChanged(${key.keyId})`)
      if (record.groupKey.length !== 2 + 2 * (key.scheme === 3 ? 32 : 64))
        throw new Revert(`BadGroupKey(${key.keyId})`)
      return { ...key, groupKey: record.groupKey }
    })
  }

  /** The committee that a change applies to. */
  #changeable(): Membership {
    const { running, pending, first } = this.#state
    if (running === 0) {
      if (pending !== null) throw new Revert(`KeygenPending(${pending.epoch})`)
      return first
    }
    this.#noDeletionsOutstanding()
    return this.#epoch(pending?.epoch ?? running)
  }

  #completeCommittee(): Membership {
    const { running, pending } = this.#state
    if (running === 0) throw new Revert('NoKey()')
    if (pending !== null) throw new Revert(`ChangePending(${pending.epoch})`)
    this.#noDeletionsOutstanding()
    return this.#epoch(running)
  }

  #noDeletionsOutstanding(): void {
    const { outstandingEpoch, running } = this.#state
    if (outstandingEpoch === 0) return
    for (let epoch = outstandingEpoch; epoch < running; epoch++) {
      const info = this.#epoch(epoch)
      if (counted(info) < needed(info) && !info.waived)
        throw new Revert(`DeletionsOutstanding(${counted(info)}, ${needed(info)})`)
    }
  }

  #change(from: Membership, to: Membership): void {
    const state = this.#state
    const { members, threshold } = to
    if (members.includes(`0x${'00'.repeat(20)}`)) throw new Revert('ZeroRelayer()')
    if (threshold < 2 || threshold > members.length || members.length > MAX_MEMBERS)
      throw new Revert(`ThresholdOutOfBounds(${threshold}, ${members.length})`)
    if (sameCommittee(from, to)) throw new Revert('NothingChanges()')
    this.#emitDifference(from, to)
    if (2 * threshold <= members.length)
      this.#emit('ThresholdBelowMajority', { threshold, members: members.length })
    if (state.running === 0) {
      state.first = { members: [...members], threshold }
      return
    }
    if (state.pending !== null) this.#burn()
    if (!sameCommittee(this.#epoch(state.running), to)) this.#open('reshare', to)
  }

  #emitDifference(from: Membership, to: Membership): void {
    for (const relayer of from.members)
      if (!to.members.includes(relayer)) this.#emit('RelayerRemoved', { relayer })
    for (const relayer of to.members)
      if (!from.members.includes(relayer)) this.#emit('RelayerAdded', { relayer })
    if (from.threshold !== to.threshold) this.#emit('RelayerThresholdChanged', { newThreshold: to.threshold })
  }

  #burn(): void {
    const { pending, running } = this.#state
    if (pending === null) return
    const info = this.#epoch(pending.epoch)
    info.status = 'burned'
    info.successor = running
    this.#state.pending = null
    this.#emit('EpochBurned', { epoch: pending.epoch, runningEpoch: running })
  }

  #open(kind: CeremonyKind, { members, threshold }: Membership, addedScheme: number | null = null): void {
    const state = this.#state
    const epoch = ++state.lastEpoch
    const predecessor = state.running
    const windowBlocks = state.attemptWindowBlocks
    state.pending = { kind, epoch, predecessor, startBlock: this.#block, windowBlocks, addedScheme }
    const info = pendingEpoch({ epoch, predecessor, members, threshold })
    state.epochs[epoch] = info
    this.#emit('CeremonyStarted', {
      kind,
      epoch,
      predecessor,
      committeeHash: this.hashOf(info),
      startBlock: this.#block,
      windowBlocks,
    })
  }

  #completeIfDue(): void {
    const state = this.#state
    if (state.outstandingEpoch === 0) return
    const old = this.#epoch(state.outstandingEpoch)
    const burned = Object.values(state.epochs).filter(
      ({ epoch, status }) => status === 'burned' && epoch > old.epoch && epoch < old.successor,
    )
    if (![old, ...burned].every((info) => info.waived || counted(info) >= needed(info))) return
    state.outstandingEpoch = 0
    this.#emit('ReshareCompleted', { epoch: old.epoch })
  }
}
