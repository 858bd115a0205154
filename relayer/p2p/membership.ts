// Who is admitted: the tier of each address, as the bridge last told from the chain's state.
import type { Address } from '../lib/bytes.ts'
import type { Tier } from './protocols.ts'

/** What a call of `admit` changed. */
export interface AdmissionChange {
  /** No tier any more: their connections are closed. */
  readonly removed: readonly Address[]
  /** Lost the committee but may still hand in a receipt. */
  readonly demoted: readonly Address[]
  /** In the committee now and not before. */
  readonly joined: readonly Address[]
}

/** The tiers of addresses; everybody not named is `discovery`. */
export class Membership {
  #committee: ReadonlySet<Address> = new Set()
  #receipts: ReadonlySet<Address> = new Set()

  get committee(): ReadonlySet<Address> {
    return this.#committee
  }

  /** Every admitted address. */
  members(): readonly Address[] {
    return [...new Set([...this.#committee, ...this.#receipts])]
  }

  tierOf(address: Address | null): Tier {
    if (address === null) return 'discovery'
    if (this.#committee.has(address)) return 'committee'
    return this.#receipts.has(address) ? 'receipts' : 'discovery'
  }

  /** Replaces the sets; an address in both is of the committee. */
  admit(members: { committee: readonly Address[]; receipts: readonly Address[] }): AdmissionChange {
    const [before, committeeBefore] = [this.members(), this.#committee]
    this.#committee = new Set(members.committee)
    this.#receipts = new Set(members.receipts.filter((address) => !this.#committee.has(address)))
    return {
      removed: before.filter((address) => this.tierOf(address) === 'discovery'),
      demoted: [...committeeBefore].filter((address) => this.#receipts.has(address)),
      joined: [...this.#committee].filter((address) => !committeeBefore.has(address)),
    }
  }
}
