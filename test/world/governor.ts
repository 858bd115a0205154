// Governance of a world: turns a wish into a call that the contract takes, within what the model of corruption allows.
import type { Address } from '../../relayer/lib/bytes.ts'
import { Revert } from '../support/fake-bridge-state.ts'
import type { FakeChain } from '../support/fake-chain.ts'
import type { Chronicle } from './chronicle.ts'
import { Draw } from './draw.ts'
import type { Member } from './member.ts'
import type { Governance } from './scenario.ts'

/** A committee that is wanted. */
interface Wanted {
  readonly members: readonly Address[]
  readonly threshold: number
}

export class Governor {
  readonly #chain: FakeChain
  readonly #members: readonly Member[]
  readonly #chronicle: Chronicle

  constructor(of: { chain: FakeChain; members: readonly Member[]; chronicle: Chronicle }) {
    this.#chain = of.chain
    this.#members = of.members
    this.#chronicle = of.chronicle
  }

  /** Does what is asked for, if the contract takes it; what reverts is only counted. */
  act(what: Governance, salt: number): void {
    const draw = new Draw(`govern ${salt}`)
    try {
      const done = this.#call(what, draw)
      if (done === null) return
      this.#chronicle.count(`governance ${what}`)
      this.#chronicle.tell(`governance: ${done}`)
    } catch (error) {
      if (!(error instanceof Revert)) throw error
      this.#chronicle.event(`governance ${what} reverts: ${error.message}`)
      this.#chronicle.count('governance calls that revert')
    }
  }

  /** Asks for exactly this committee. @throws Revert */
  want({ members, threshold }: Wanted): void {
    const base = this.#base()
    const add = members.filter((member) => !base.members.includes(member))
    const remove = base.members.filter((member) => !members.includes(member))
    this.#chain.adminSetCommittee(add, remove, threshold)
  }

  #call(what: Governance, draw: Draw): string | null {
    const { pending, running, outstandingEpoch } = this.#chain.pendingState
    if (what === 'cancel') {
      this.#chain.adminCancelCeremony()
      return `cancels epoch ${pending?.epoch}`
    }
    if (running === 0 && pending === null && (what === 'refresh' || draw.chance(700))) {
      this.#chain.startKeygen()
      return 'starts the keygen'
    }
    if (what === 'refresh') {
      this.#chain.refreshKey()
      return 'asks for a refresh'
    }
    if (what === 'add-key') {
      if (this.#chain.pendingState.keys.length >= 3) return null
      const scheme = draw.between(1, 3)
      this.#chain.adminAddKey(scheme)
      return `adds a key of scheme ${scheme}`
    }
    if (what === 'waive') {
      this.#chain.adminWaiveDeletions(outstandingEpoch)
      return `waives the deletions of epoch ${outstandingEpoch}`
    }
    if (what === 'window') {
      const blocks = draw.of([10, 12, 20])
      this.#chain.adminSetAttemptWindow(blocks)
      return `sets the window of coming ceremonies to ${blocks} blocks`
    }
    const wanted = this.#wanted(what, draw)
    if (wanted === null || !this.#allowed(wanted)) return null
    this.want(wanted)
    const names = wanted.members.map((address) => this.#position(address))
    return `wants committee ${names.join(', ')} with threshold ${wanted.threshold}`
  }

  /** The committee to which a change would apply. */
  #base(): Wanted {
    const { pending, running, epochs, first } = this.#chain.pendingState
    return epochs[pending?.epoch ?? running] ?? first
  }

  #wanted(what: Governance, draw: Draw): Wanted | null {
    const base = this.#base()
    const pool = this.#members.map(({ address }) => address)
    const outside = pool.filter((address) => !base.members.includes(address))
    const kept = (count: number) => draw.some(base.members, base.members.length - count)
    const { threshold } = base
    if (what === 'add') return { members: [...base.members, ...draw.some(outside, 1)].sort(), threshold }
    if (what === 'remove')
      return { members: kept(1), threshold: Math.min(threshold, base.members.length - 1) }
    if (what === 'threshold') return { ...base, threshold: draw.between(2, base.members.length) }
    if (what === 'swap') {
      const count = draw.between(1, Math.max(1, Math.min(outside.length, base.members.length - 1)))
      return { members: [...kept(count), ...draw.some(outside, count)].sort(), threshold }
    }
    const size = Math.min(outside.length, draw.between(2, 5))
    return { members: draw.some(outside, size).sort(), threshold: draw.between(2, Math.max(2, size)) }
  }

  /** Fewer corrupt members than the threshold, as the security model has it. */
  #allowed({ members, threshold }: Wanted): boolean {
    const corrupt = this.#members.filter(
      (member) => member.corrupt && members.includes(member.address),
    ).length
    return threshold >= 2 && threshold <= members.length && members.length <= 9 && corrupt < threshold
  }

  #position(address: Address): number {
    return this.#members.find((member) => member.address === address)?.position ?? -1
  }
}
