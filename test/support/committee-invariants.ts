// What must hold of a Bridge after every step, whatever the steps were; a watcher sees each transaction and reads the rest.
import assert from 'node:assert/strict'
import type { Info, Log, State } from './bridge-shapes.ts'
import type { BridgeWorld } from './bridge-world.ts'

const PHASE = { idle: 0n, keygen: 1n, complete: 2n, resharing: 3n, active: 4n }
const STATUS = { none: 0n, pending: 1n, active: 2n, superseded: 3n, burned: 4n }

export class Watcher {
  private readonly world: BridgeWorld
  /** Epoch numbers in the order in which they were opened. */
  private readonly opened: bigint[] = []
  private readonly groupKeys: string[] = []
  private readonly hashes = new Map<bigint, string>()
  private readonly completed = new Set<bigint>()
  /** The committee as a reader of the familiar events alone would have it. */
  private readonly told: { members: Set<string>; threshold: bigint }
  private before: State

  constructor(world: BridgeWorld, state: State) {
    this.world = world
    this.before = state
    this.told = { members: new Set(state.members), threshold: state.threshold }
  }

  /** Epoch numbers used so far. */
  get epochs(): readonly bigint[] {
    return this.opened
  }

  /** Looks at a transaction's events and at the state after it. */
  async look(logs: readonly Log[]): Promise<void> {
    const state = await this.world.state()
    for (const { name, args } of logs) this.hear(name, args)
    const infos = await Promise.all(this.opened.map((epoch) => this.world.info(epoch)))
    this.checkPhase(state)
    this.checkStatuses(state, infos)
    this.checkCommittees(state, infos)
    this.checkKeys(state)
    this.checkDeletions(state, infos)
    this.before = state
  }

  private hear(name: string, args: readonly unknown[]): void {
    const [first] = args
    if (name === 'RelayerAdded') {
      assert.ok(!this.told.members.has(String(first)), 'added twice')
      this.told.members.add(String(first))
    } else if (name === 'RelayerRemoved') {
      assert.ok(this.told.members.delete(String(first)), 'removed twice')
    } else if (name === 'RelayerThresholdChanged') {
      assert.notEqual(this.told.threshold, first)
      this.told.threshold = BigInt(String(first))
    } else if (name === 'CeremonyStarted') {
      const epoch = BigInt(String(args[1]))
      assert.ok(epoch > (this.opened.at(-1) ?? 0n), 'epoch numbers strictly increase')
      assert.equal(this.before.outstandingEpoch, 0n, 'no change while deletions are outstanding')
      assert.equal(args[2], this.before.epoch, 'the predecessor is the running epoch')
      this.opened.push(epoch)
      this.hashes.set(epoch, String(args[3]))
    } else if (name === 'ReshareCompleted') {
      const epoch = BigInt(String(first))
      assert.ok(!this.completed.has(epoch), 'completed twice')
      this.completed.add(epoch)
    }
  }

  private checkPhase(state: State): void {
    const pending = state.pending.epoch !== 0n
    const expected =
      state.epoch === 0n
        ? pending
          ? PHASE.keygen
          : PHASE.idle
        : pending
          ? PHASE.resharing
          : state.outstandingEpoch === 0n
            ? PHASE.complete
            : PHASE.active
    assert.equal(state.phase, expected)
    assert.ok(!(pending && state.outstandingEpoch !== 0n), 'a change pending while deletions are outstanding')
    assert.ok(state.epoch >= this.before.epoch, 'the running epoch never goes back')
  }

  private checkStatuses(state: State, infos: readonly Info[]): void {
    for (const info of infos) {
      const expected =
        info.epoch === state.epoch
          ? [STATUS.active]
          : info.epoch === state.pending.epoch
            ? [STATUS.pending]
            : [STATUS.superseded, STATUS.burned]
      assert.ok(expected.includes(info.status), `epoch ${info.epoch} has status ${info.status}`)
      if (info.status === STATUS.burned) assert.equal(info.successor, info.predecessor)
      if (info.status === STATUS.superseded) assert.ok(info.successor > info.epoch)
      if (info.status === STATUS.active || info.status === STATUS.superseded)
        assert.ok(info.activatedBlock > 0n)
      else assert.equal(info.activatedBlock, 0n)
    }
  }

  private checkCommittees(state: State, infos: readonly Info[]): void {
    for (const { epoch, members, threshold, committeeHash } of infos) {
      assert.ok(threshold >= 2n && threshold <= BigInt(members.length) && members.length <= 100)
      assert.deepEqual(members, [...new Set(members)].sort(), 'ascending, each once')
      assert.equal(committeeHash, this.hashes.get(epoch), 'an epoch keeps the committee that was announced')
    }
    const shown = infos.find(({ epoch }) => epoch === state.pending.epoch) ?? state
    assert.deepEqual([...this.told.members].sort(), shown.members, 'the events tell the newest committee')
    assert.equal(this.told.threshold, shown.threshold)
  }

  private checkKeys(state: State): void {
    assert.ok(state.keys.length >= this.before.keys.length)
    for (const { keyId, groupKey } of state.keys) {
      const known = this.groupKeys[Number(keyId)]
      if (known !== undefined) assert.equal(groupKey, known, 'group keys are constant')
      else if (groupKey !== '0x') this.groupKeys[Number(keyId)] = groupKey
    }
  }

  private checkDeletions(state: State, infos: readonly Info[]): void {
    const satisfied = ({ receipts, receiptsNeeded, waived }: Info) =>
      waived || BigInt(receipts.length) >= receiptsNeeded
    for (const info of infos) {
      assert.equal(info.receiptsNeeded, BigInt(info.members.length) - info.threshold + 1n)
      assert.ok(info.receipts.every((member) => info.members.includes(member)))
      if (info.status !== STATUS.superseded) continue
      const burned = infos.filter(({ epoch }) => epoch > info.epoch && epoch < info.successor)
      assert.ok(burned.every(({ status }) => status === STATUS.burned))
      const complete = info.waived || [info, ...burned].every(satisfied)
      assert.equal(
        state.outstandingEpoch !== info.epoch,
        complete,
        `epoch ${info.epoch}: complete with its receipts only`,
      )
      if (complete && !info.waived) assert.ok(this.completed.has(info.epoch), 'completion is said')
      if (!complete) assert.ok(!this.completed.has(info.epoch), 'completion is not said before')
    }
  }
}
