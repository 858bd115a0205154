// What every look at the chain writes into the metrics: where the committee stands, and who holds a ceremony up.
import type { CeremonyView } from '../ceremony/view.ts'
import type { Ceremonies } from './ceremonies.ts'
import { online } from './checks.ts'
import type { Sight } from './follower.ts'
import { OBSTACLE_REASONS } from './obstacles.ts'
import type { Desk } from './parts.ts'
import { obstaclesNow } from './status.ts'

/** The state of the contract, and how the ceremony goes. */
export function showSight(desk: Desk, { state, running }: Sight, view: CeremonyView | null): void {
  const { metrics } = desk
  if (metrics === undefined) return
  metrics.epoch.set(state.epoch)
  metrics.pendingEpoch.set(state.pending?.epoch ?? 0)
  metrics.phase.reset()
  metrics.phase.set({ phase: state.phase }, 1)
  metrics.members.set(state.members.length)
  metrics.threshold.set(state.threshold)
  metrics.connected.set(online(desk, running?.members ?? []).length)
  metrics.attempt.set(view?.attempt ?? -1)
  metrics.failedAttempts.set(view?.failureCount ?? 0)
}

/** How many members hold the ceremony up, by reason; every reason is there, most at 0. */
export function showObstacles(desk: Desk, ceremonies: Ceremonies): void {
  const { metrics } = desk
  if (metrics === undefined) return
  const obstacles = obstaclesNow(desk, ceremonies)
  for (const reason of OBSTACLE_REASONS)
    metrics.obstacles.set({ reason }, obstacles.filter((each) => each.reason === reason).length)
}
