// Who of a committee is ready to sign, who was caught cheating, who refused: the leader's list in one signing run.
import { InputError } from '../lib/errors.ts'
import { DisputeError, type FaultError, SilenceError } from './faults.ts'
import type { Committee, Party } from './party.ts'

/** The state of each member, by index. */
export class Roster {
  readonly #committee: Committee
  readonly #ready = new Set<number>()
  readonly #faults = new Map<number, FaultError>()
  readonly #refusals = new Map<number, string>()

  constructor(committee: Committee) {
    this.#committee = committee
  }

  /** 1 … n. */
  get indices(): number[] {
    return this.#committee.members.map((_, at) => at + 1)
  }

  /** The seat of an index. @throws InputError for none of the committee's */
  party(index: number): Party {
    const address = this.#committee.members[index - 1]
    if (address === undefined) throw new InputError(`name signer: ${index} is no index of the committee`)
    return { role: 'new', index, address }
  }

  /** Whether the member takes no further part in this run. */
  out(index: number): boolean {
    return this.#faults.has(index) || this.#refusals.has(index)
  }

  isReady(index: number): boolean {
    return this.#ready.has(index)
  }

  /** The member answered and may be asked; in the order of answers. */
  welcome(index: number): void {
    this.#ready.add(index)
  }

  /** The member was asked. */
  engage(index: number): void {
    this.#ready.delete(index)
  }

  /** The member is out for good, with proof. */
  convict(index: number, fault: FaultError): void {
    this.#faults.set(index, fault)
    this.#ready.delete(index)
  }

  /** The member will not sign this. */
  withdraw(index: number, reason: string): void {
    this.#refusals.set(index, reason)
    this.#ready.delete(index)
  }

  /** `threshold` ready members with all of `include`, ascending; null if there are not enough. */
  choose(threshold: number, include: readonly number[]): number[] | null {
    if (!include.every((index) => this.#ready.has(index))) return null
    const others = [...this.#ready].filter((index) => !include.includes(index))
    const chosen = [...include, ...others].slice(0, threshold)
    return chosen.length < threshold ? null : chosen.sort((a, b) => a - b)
  }

  /** Whether `threshold` members with all of `include` may still come to sign. */
  hopeful(threshold: number, include: readonly number[]): boolean {
    const left = this.indices.filter((index) => !this.out(index))
    return left.length >= threshold && include.every((index) => !this.out(index))
  }

  /** The error of a run that the members who are out made impossible. */
  hopeless(): DisputeError | FaultError {
    const [fault] = this.#faults.values()
    if (fault !== undefined) return fault
    const reasons = [...this.#refusals].map(([index, reason]) => `${index} (${reason})`)
    const suspects = [...this.#refusals.keys()].map((index) => this.party(index))
    return new DisputeError('E_POLICY', { suspects, message: `sign: refused by ${reasons.join(', ')}` })
  }

  /** The error of a run that waited long enough: names those whose answer it still waits for. */
  waited(): DisputeError | FaultError | SilenceError {
    const silent = this.indices.filter((index) => !this.out(index) && !this.#ready.has(index))
    const answered = silent.length === 0 && this.#faults.size + this.#refusals.size > 0
    if (answered) return this.hopeless()
    return new SilenceError(
      1,
      silent.map((index) => this.party(index)),
    )
  }
}
