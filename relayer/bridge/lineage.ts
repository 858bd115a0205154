// Which committee ran some blocks ago: the way back from the running epoch through its predecessors.
import type { EpochInfo } from '../chain/chain.ts'

/** The committee that ran before all that a rule counts together. */
export interface Earlier {
  readonly epoch: number
  readonly members: EpochInfo['members']
  readonly threshold: number
  /** Whether more epochs began meanwhile than are looked at: it is not the one that was asked for, but a later one. */
  readonly cut: boolean
}

/** As many epochs are read, at most: each is a request to every endpoint. */
export const MOST_EPOCHS = 64

/**
 * The committee that ran at the end of a block, or the first one if none ran yet.
 * @param info `epochInfo` at one final block
 * @param running the epoch that runs there
 * @throws ChainError if the contract cannot be read
 */
export async function committeeAt(
  block: number,
  { running, info }: { running: EpochInfo; info: (epoch: number) => Promise<EpochInfo> },
): Promise<Earlier> {
  let at = running
  let steps = 0
  for (; at.activatedBlock > block && at.predecessor !== 0 && steps < MOST_EPOCHS; steps++)
    at = await info(at.predecessor)
  const { epoch, members, threshold, activatedBlock, predecessor } = at
  return { epoch, members, threshold, cut: activatedBlock > block && predecessor !== 0 }
}
