// A node's view of a round: the digests of the messages to all that it holds, by which those who differ find out why.
import { concat, equal } from '../lib/bytes.ts'
import { type Attempt, dealersOf } from './attempt.ts'
import { digestOf } from './envelope.ts'
import type { Inbox } from './inbox.ts'

/**
 * The deadline of a comparison, after that of every round: an equivocator that speaks at the last moment must not leave the
 * others without the time to find it.
 */
export const DISPUTE = 4

const GAP = new Uint8Array(32)

/** By sender; zeros where there is no message. */
export function viewOf(attempt: Attempt, inbox: Inbox, round: number): Uint8Array[] {
  return dealersOf(attempt).map((dealer) => {
    const envelope = inbox.at(round, dealer, null)
    return envelope === undefined ? GAP : digestOf(envelope)
  })
}

/** Whether a message of every sender is there. */
export function isWhole(view: readonly Uint8Array[]): boolean {
  return view.every((digest) => !equal(digest, GAP))
}

/** Whether another's view, as its notice has it, is this one. */
export function agree(view: readonly Uint8Array[], notice: Uint8Array): boolean {
  return equal(concat(...view), notice)
}
