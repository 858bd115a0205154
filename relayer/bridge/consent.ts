// Whether this node takes part in the pending change: the operator's rules, the delay, and its own approval or veto, kept on disk.
import { type Address, equal, fromHex, type Hex, to0x } from '../lib/bytes.ts'
import { InputError, StoreError } from '../lib/errors.ts'
import { committeeHash, indexOf } from '../protocol/party.ts'
import type { CeremonySpec } from '../protocol/spec.ts'
import type { Decision, OperatorVerdict } from '../store/decisions.ts'
import { specOf } from './committee.ts'
import type { Sight } from './follower.ts'
import { committeeAt, type Earlier } from './lineage.ts'
import type { Desk } from './parts.ts'
import { type DealingRules, differenceOf, heldBackBy } from './policy.ts'

/** The pending change as an operator looks at it before it decides. */
export interface ChangeStatus {
  readonly op: CeremonySpec['op']
  readonly epoch: number
  /** What an approval or a veto is bound to, with the epoch. */
  readonly committeeHash: Hex
  readonly members: readonly Address[]
  readonly joins: readonly Address[]
  readonly leaves: readonly Address[]
  /** Null in a keygen. */
  readonly thresholdBefore: number | null
  readonly threshold: number
  /** Which of this node's rules holds the change back, whatever was decided; null if none does. */
  readonly heldBack: string | null
  /** The block that must be final before this node deals; null if there is no delay, or it is over. */
  readonly waitsForBlock: number | null
  /** What the operator decided about exactly this change. */
  readonly decision: OperatorVerdict | null
}

/** The answer to a decision. */
export interface Decided {
  readonly change: ChangeStatus
  /** This node has joined an attempt of it before, and may have dealt: that is not taken back. */
  readonly late: boolean
}

/** What the operator decides about: both must be those of the pending change. */
export interface Choice {
  readonly epoch: number
  readonly committeeHash: Hex
}

/** The setting that a node names while its delay runs; what peers say of themselves is read by it. */
export const DELAY = 'dealDelayBlocks'
/** What a node announces whose operator vetoed. */
export const VETOED = 'its operator vetoed the change'
const UNREADABLE = "the record of its operator's decision cannot be read"

/** Asked by the ceremony in each block; `settle` tells it what the chain says. */
export class Consent {
  readonly #desk: Desk
  readonly #rules: DealingRules | null
  #spec: CeremonySpec | null = null
  #waitsForBlock: number | null = null
  #earlier: Earlier | null = null
  #decision: Decision | 'unreadable' | null = null
  /** The last word in this process: no look that began before it undoes it, nor a disk that takes no veto. */
  #word: Decision | null = null
  #dropped = -1

  constructor(desk: Desk) {
    this.#desk = desk
    this.#rules = desk.rules ?? null
  }

  /** The pending change, or null. */
  get change(): ChangeStatus | null {
    const spec = this.#spec
    if (spec === null) return null
    const { joins, leaves } = differenceOf(spec)
    const { op, old, next } = spec
    return {
      op,
      epoch: next.epoch,
      committeeHash: to0x(hashOf(spec)),
      members: next.members,
      joins,
      leaves,
      thresholdBefore: old?.threshold ?? null,
      threshold: next.threshold,
      heldBack: this.#heldBack(spec),
      waitsForBlock: this.#waitsForBlock,
      decision: this.#decided(spec),
    }
  }

  /** Looks at what is pending and drops what is decided by the chain. @throws ChainError if its statements do not fit */
  async settle(sight: Sight): Promise<void> {
    const { chain, store, problems, self } = this.#desk
    const { state, finalised, closedDeep } = sight
    if (finalised.number > this.#dropped) {
      // A burn that is not deep may be reorganised away, and what was vetoed comes back.
      const burned = new Set(closedDeep.filter(({ status }) => status === 'burned').map(({ epoch }) => epoch))
      await store.dropDecisions((epoch) => epoch <= state.epoch || burned.has(epoch))
      this.#dropped = finalised.number
    }
    const spec = specOf(chain, sight)
    this.#earlier = await this.#before(sight)
    this.#spec = spec
    const until = (state.pending?.startBlock ?? 0) + (this.#rules?.delayBlocks ?? 0)
    this.#waitsForBlock = spec === null || spec.old === null || finalised.number >= until ? null : until
    this.#decision = spec === null ? null : await this.#read(spec.next.epoch)
    problems.set('policy', spec === null ? null : problemOf(this, { spec, self }))
  }

  /** Why this node does not deal, or null if it does. */
  mayDeal(spec: CeremonySpec): string | null {
    const verdict = this.#decided(spec)
    if (verdict !== null) return verdict === 'vetoed' ? VETOED : null
    if (this.#decision === 'unreadable') return UNREADABLE
    const held = this.#heldBack(spec)
    if (held !== null || this.#waitsForBlock === null) return held
    return `it waits until block ${this.#waitsForBlock} is final (${DELAY})`
  }

  /** Why this node takes no part at all, or null if it does. A first key is dealt by all, so what holds it back is a veto. */
  veto(spec: CeremonySpec): string | null {
    const verdict = this.#decided(spec)
    if (verdict !== null) return verdict === 'vetoed' ? VETOED : null
    // It may have been a veto.
    if (this.#decision === 'unreadable') return UNREADABLE
    return spec.old === null ? this.mayDeal(spec) : null
  }

  /**
   * The operator's word; durable when it resolves. The other word takes it back.
   * @throws InputError unless exactly that change is pending and this node has a seat in it
   */
  async decide(verdict: OperatorVerdict, { epoch, committeeHash: hash }: Choice): Promise<ChangeStatus> {
    const { self, store } = this.#desk
    const asked = `${verdict === 'approved' ? 'approve' : 'veto'} epoch ${epoch}`
    const spec = this.#spec
    if (spec === null) throw new InputError(`${asked}: no change is pending`, { hint: 'see `truss status`' })
    if (epoch !== spec.next.epoch)
      throw new InputError(`${asked}: ${spec.next.epoch} is pending`, {
        hint: 'look at it with `truss reshare show`',
      })
    if (!equal(fromHex(hash), hashOf(spec)))
      throw new InputError(`${asked}: its committee hash is ${to0x(hashOf(spec))}, not ${hash}`, {
        hint: 'another change is pending under this number: look at it with `truss reshare show`',
      })
    if (indexOf(spec.next, self) === null && (spec.old === null || indexOf(spec.old, self) === null))
      throw new InputError(`${asked}: this node has no seat in it`, {
        hint: 'ask the operators who have: `truss reshare show` names them',
      })
    const decision = { epoch, committeeHash: hashOf(spec), verdict }
    if (verdict === 'vetoed') this.#word = decision
    await store.putDecision(decision)
    this.#word = decision
    this.#desk.problems.set('policy', problemOf(this, { spec, self }))
    const { change } = this
    if (change === null) throw new InputError(`${asked}: no change is pending any more`)
    return change
  }

  #heldBack(spec: CeremonySpec): string | null {
    if (this.#rules === null) return null
    return heldBackBy(this.#rules, { ...spec, earlier: this.#earlier })
  }

  /** The committee that ran before all changes with which the pending one counts together. */
  async #before(sight: Sight): Promise<Earlier | null> {
    const { state, finalised, running } = sight
    const span = this.#rules?.spanBlocks ?? 0
    if (span === 0 || state.pending === null || running === null) return null
    return await committeeAt(finalised.number - span, { running, info: (epoch) => sight.info(epoch) })
  }

  /** What was decided about this change, and not about another one under its number. */
  #decided(spec: CeremonySpec): OperatorVerdict | null {
    for (const decision of [this.#word, this.#decision])
      if (
        decision !== null &&
        decision !== 'unreadable' &&
        decision.epoch === spec.next.epoch &&
        equal(decision.committeeHash, hashOf(spec))
      )
        return decision.verdict
    return null
  }

  async #read(epoch: number): Promise<Decision | 'unreadable' | null> {
    try {
      return await this.#desk.store.decision(epoch)
    } catch (error) {
      if (error instanceof StoreError) return 'unreadable'
      throw error
    }
  }
}

function hashOf({ chainId, bridge, next }: CeremonySpec): Uint8Array {
  return committeeHash(chainId, bridge, next)
}

/** What the status, the log and the metrics say of a change that this node holds up, with both ways out. */
function problemOf(consent: Consent, { spec, self }: { spec: CeremonySpec; self: Address }) {
  const { epoch } = spec.next
  const approve = `\`truss reshare approve ${epoch}\``
  if (consent.change?.decision === 'vetoed')
    return {
      severity: 'warning',
      message: `you vetoed epoch ${epoch}: this node takes no part in it`,
      remedy: `governance can cancel it (\`truss admin cancel\`); ${approve} withdraws the veto`,
    } as const
  const absent = consent.veto(spec)
  const seated = indexOf(spec.old ?? spec.next, self) !== null
  const reason = absent ?? (seated ? consent.mayDeal(spec) : null)
  if (reason === null) return null
  return {
    severity: 'warning',
    message: `this node ${absent === null ? 'does not deal for' : 'takes no part in'} epoch ${epoch}: ${reason}`,
    remedy: `look at it with \`truss reshare show\` and ask governance by another way than the chain; if it is right, ${approve}, if not, \`truss reshare veto ${epoch}\``,
  } as const
}
