// What happens in a simulated world, as plain data: whoever runs it adds nothing, so that parts can be left out one by one.
import { LIES } from './lies.ts'

/** How operators break the rules; catalogue.ts says how each is done and what must come of it. */
export interface Corrupt {
  /** Position in the pool of operators. */
  readonly operator: number
  /** Names out of the catalogue; one of them is drawn for each attempt. */
  readonly behaviours: readonly string[]
}

/** What the network does to packets, beside partitions. */
export interface Weather {
  /** Of 1000 packets, how many arrive late. */
  readonly late: number
  /** By how many blocks, at most. */
  readonly delay: number
  /** Of 1000 control messages, how many are lost; session frames are sent again, as their channel promises. */
  readonly lost: number
  /** Of 1000 packets, how many arrive twice. */
  readonly twice: number
}

/** What befalls all endpoints of a node; where they lie, they lie alike. */
export const ENDPOINT_FAULTS = ['down', 'disagree', 'lag', ...LIES] as const

export const GOVERNANCE = [
  'refresh',
  'add',
  'remove',
  'swap',
  'disjoint',
  'threshold',
  'add-key',
  'cancel',
  'waive',
  'window',
] as const
export type Governance = (typeof GOVERNANCE)[number]

/** The durable steps at which the power may go out. */
export const STEPS = [
  'boot',
  'cursor',
  'marker',
  'key file',
  'prepared',
  'seen',
  'promote',
  'retire',
  'destroy key file',
  'compact',
  'erase record',
  'erased',
  'receipt',
] as const
export type Step = (typeof STEPS)[number]

/** Something that happens at a block, counted from the first. Positions are those in the pool of operators. */
export type Happening = { readonly at: number } /** An operator asks for a probe of key 0. */ & (
  | { readonly kind: 'probe'; readonly operator: number }
  | { readonly kind: 'govern'; readonly what: Governance; readonly salt: number }
  /** The power goes out at once, and is back after so many blocks. */
  | { readonly kind: 'crash'; readonly operator: number; readonly down: number }
  /** It goes out at the next durable step of that kind, before or after the write reaches the disk. */
  | {
      readonly kind: 'crash at'
      readonly operator: number
      readonly step: Step
      readonly place: 'before' | 'after'
      readonly down: number
    }
  /** A process is asked to stop, and is started again. */
  | { readonly kind: 'restart'; readonly operator: number; readonly down: number }
  /** The disk is copied; and, at another time, put back as it was then. */
  | { readonly kind: 'copy disk'; readonly operator: number }
  | { readonly kind: 'put disk back'; readonly operator: number }
  | { readonly kind: 'lose disk'; readonly operator: number }
  /** From the next durable step of that kind on nothing can be written to it, for so many blocks. */
  | { readonly kind: 'full disk'; readonly operator: number; readonly step: Step; readonly blocks: number }
  | { readonly kind: 'partition'; readonly side: readonly number[]; readonly blocks: number }
  | { readonly kind: 'reorganise'; readonly depth: number; readonly keep: boolean }
  | {
      readonly kind: 'endpoint'
      readonly operator: number
      readonly fault: (typeof ENDPOINT_FAULTS)[number]
      readonly blocks: number
    }
)

export interface Scenario {
  readonly seed: number
  /** How many operators there are, members or not. */
  readonly operators: number
  readonly first: readonly number[]
  readonly threshold: number
  readonly windowBlocks: number
  readonly finalityDepth: number
  readonly requireDeletionQuorum: boolean
  readonly weather: Weather
  readonly corrupt: readonly Corrupt[]
  readonly happenings: readonly Happening[]
  /** Blocks after which faults stop. */
  readonly stormy: number
}
