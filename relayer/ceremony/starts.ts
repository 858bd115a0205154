// Start messages as they come in: verified, the first of each attempt kept, a second different one turned into evidence.
import { type Address, equal } from '../lib/bytes.ts'
import { rankMembers } from '../protocol/party.ts'
import {
  type CeremonySpec,
  decodeStart,
  encodeStart,
  type SignedStart,
  startFault,
} from '../protocol/spec.ts'
import { acceptsStart } from './windows.ts'

/** Where a node stands when a start message comes. */
export interface Standing {
  /** k at its head. */
  readonly current: number
  /** Highest attempt of the epoch that it ever joined, or null. */
  readonly lastJoined: number | null
}

/** Who is told of what comes of start messages. */
export interface StartListener {
  /** Called once for each attempt of which two different valid ones came. */
  equivocated(first: SignedStart, second: SignedStart): void
  /** One that must not be joined, and why. */
  refused(reason: string): void
}

/** Who coordinates an attempt: the first of the new committee by rank. */
export function coordinatorOf(spec: CeremonySpec, context: Uint8Array, attempt: number): Address {
  const [first] = rankMembers(context, attempt, spec.next.members)
  if (first === undefined) throw new RangeError('rank coordinator: empty committee')
  return first
}

/** The start messages of one ceremony. */
export class StartDesk {
  readonly #spec: CeremonySpec
  readonly #context: Uint8Array
  readonly #told: StartListener
  readonly #first = new Map<number, SignedStart>()
  readonly #void = new Set<number>()

  constructor(spec: CeremonySpec, context: Uint8Array, told: StartListener) {
    this.#spec = spec
    this.#context = context
    this.#told = told
  }

  /** Takes the wire form, whoever brought it. Returns whether it is the first valid one of its attempt. */
  take(bytes: Uint8Array, at: Standing): boolean {
    const signed = decodeStart(bytes)
    if (signed === null) {
      this.#told.refused('E_AUTH: check start: malformed')
      return false
    }
    if (!equal(signed.start.context, this.#context)) {
      this.#told.refused('E_AUTH: check start: context of another ceremony')
      return false
    }
    const { attempt } = signed.start
    // One below what a node would join is still looked at: it may be the evidence of an equivocation.
    if (!acceptsStart(attempt, { current: at.current, lastJoined: null })) return false
    const first = this.#first.get(attempt)
    // The same words signed once more, which ECDSA allows, are the same start: they void nothing and prove nothing.
    if (first !== undefined && sameWords(first, signed)) return false
    const fault = startFault(this.#spec, coordinatorOf(this.#spec, this.#context, attempt), signed)
    if (fault !== null) {
      this.#told.refused(fault)
      return false
    }
    if (first === undefined) {
      this.#first.set(attempt, signed)
      return true
    }
    if (!this.#void.has(attempt)) {
      this.#void.add(attempt)
      this.#told.equivocated(first, signed)
    }
    return false
  }

  /** The first start message that may be joined now, if any: the highest attempt comes first. */
  joinable(at: Standing, inTime: (attempt: number) => boolean): SignedStart | null {
    const found = [...this.#first.values()]
      .filter(({ start }) => acceptsStart(start.attempt, at) && inTime(start.attempt))
      .filter(({ start }) => !this.#void.has(start.attempt))
      .sort((a, b) => b.start.attempt - a.start.attempt)
    return found[0] ?? null
  }

  /** The start message of an attempt, if one came. */
  of(attempt: number): SignedStart | null {
    return this.#first.get(attempt) ?? null
  }
}

function sameWords(a: SignedStart, b: SignedStart): boolean {
  const none = new Uint8Array(65)
  return equal(encodeStart(a.start, none), encodeStart(b.start, none))
}
