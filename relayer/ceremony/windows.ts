// The pure rules of attempts: which block window is which attempt, when its rounds end, which start messages are taken.

/** A ceremony's place on the chain; both numbers come from the contract's pending change. */
export interface Windows {
  /** Block in which governance asked for the ceremony. */
  readonly startBlock: number
  /** W, blocks of one attempt; `MIN_WINDOW_BLOCKS` or more. */
  readonly windowBlocks: number
}

/**
 * Shares of W after which the start message, and the messages of rounds 1 to 3, come too late; round 3 acknowledges. The
 * fourth ends the search for whoever told different things to different members.
 */
const START_SHARE = 0.3
const ROUND_SHARES = [0.45, 0.6, 0.85, 0.95] as const

/**
 * The least W in which every deadline, and the next opening, lies at least a block after the one before. The contract takes
 * none below it (MIN_WINDOW_BLOCKS of contracts/Committees.sol).
 */
export const MIN_WINDOW_BLOCKS = 20

/** From this many failed attempts on, the ceremony raises an alarm. */
export const ALARM_AFTER_FAILURES = 5

/** k = floor((head - start) / W) at the latest head, or null before the ceremony's start block. */
export function attemptAt(windows: Windows, head: number): number | null {
  if (head < windows.startBlock) return null
  return Math.floor((head - windows.startBlock) / windows.windowBlocks)
}

/** Whether window k is used: all up to 31, the even ones up to 127, then every fourth. */
export function isUsed(attempt: number): boolean {
  if (attempt <= 31) return attempt >= 0
  return attempt <= 127 ? attempt % 2 === 0 : attempt % 4 === 0
}

/** The first used window at or after k. */
export function nextUsed(attempt: number): number {
  let next = Math.max(0, attempt)
  while (!isUsed(next)) next += 1
  return next
}

/**
 * The last attempt that this node must not join any more, or null: the highest that its markers name, and the one whose
 * window was open when it started. A disk that was put back has no marker of what an earlier start sent in that window.
 * @param joined highest attempt of this epoch that a marker names, or null
 */
export function lastClosed(
  windows: Windows & { readonly upSince?: number },
  joined: number | null,
): number | null {
  const open = windows.upSince === undefined ? null : attemptAt(windows, windows.upSince)
  return open === null || joined === null ? (open ?? joined) : Math.max(open, joined)
}

/** How many used windows lie before k: the attempts that have failed when k begins. */
export function usedBefore(attempt: number): number {
  if (attempt <= 32) return Math.max(0, attempt)
  if (attempt <= 128) return 32 + Math.ceil((attempt - 32) / 2)
  return 80 + Math.ceil((attempt - 128) / 4)
}

/** Whether attempt k begins after so many failed ones that the operators must hear of it. */
export function isAlarming(attempt: number): boolean {
  return usedBefore(attempt) >= ALARM_AFTER_FAILURES
}

/** First block of window k. */
export function opening(windows: Windows, attempt: number): number {
  return windows.startBlock + attempt * windows.windowBlocks
}

/** The block from which attempt k is no longer started. */
export function startDeadline(windows: Windows, attempt: number): number {
  return within(windows, attempt, START_SHARE)
}

/**
 * Up to this block of attempt k a connected member that said nothing counts as on its way: it may see the window open a
 * little later. Half of the time to start.
 */
export function comingUntil(windows: Windows, attempt: number): number {
  return (opening(windows, attempt) + startDeadline(windows, attempt)) / 2
}

/** The block from which round 1, 2 or 3 of attempt k is over for whoever has not spoken, or (4) every dispute. */
export function roundDeadline(windows: Windows, attempt: number, round: number): number {
  const share = ROUND_SHARES[Math.min(Math.max(round, 1), ROUND_SHARES.length) - 1]
  return within(windows, attempt, share ?? 1)
}

/**
 * Whether a start message is taken: for a used attempt from k-1 to k+1, above the last one that this node joined.
 * @param at.current k at this node's own head
 * @param at.lastJoined highest attempt of this epoch that this node ever joined, or null
 */
export function acceptsStart(
  attempt: number,
  at: { readonly current: number; readonly lastJoined: number | null },
): boolean {
  return isUsed(attempt) && Math.abs(attempt - at.current) <= 1 && attempt > (at.lastJoined ?? -1)
}

/** Blocks that each certificate holder waits for those ranked before it: a twentieth of W, at least 1. */
export function leadDelay(windows: Windows): number {
  return Math.max(1, Math.floor(windows.windowBlocks / 20))
}

function within(windows: Windows, attempt: number, share: number): number {
  return opening(windows, attempt) + Math.ceil(share * windows.windowBlocks)
}
