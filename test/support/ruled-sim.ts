// Whole relayers whose operators have rules for what they deal: how such a simulation begins, and what is asked and spoilt in it.
import assert from 'node:assert/strict'
import type { ChangeStatus } from '../../relayer/bridge/consent.ts'
import { DEFAULT_RULES, type DealingRules } from '../../relayer/bridge/policy.ts'
import { KEY } from '../../relayer/store/layout.ts'
import type { FakeChainOptions } from './fake-chain.ts'
import { GovernedSim, type Operator } from './governed-sim.ts'

/** Five operators under rules, of whom the first three have a key; all are up. */
export async function ruled(
  seed: string,
  { rules = DEFAULT_RULES, ...chain }: { rules?: DealingRules } & Partial<FakeChainOptions> = {},
): Promise<GovernedSim> {
  const sim = new GovernedSim(seed, { count: 5, first: [0, 1, 2], ...chain })
  for (const operator of sim.operators) operator.rules = rules
  await sim.start(0, 1, 2, 3, 4)
  await sim.step(3)
  sim.chain.startKeygen()
  await sim.completed(1)
  return sim
}

/** The change that an operator is shown. */
export async function changeOf(operator: Operator): Promise<ChangeStatus> {
  const { change } = await operator.status()
  assert.ok(change)
  return change
}

/** Flips a bit of what a stopped operator decided about an epoch. */
export function spoilDecision({ disk }: Operator, epoch: number): void {
  const { records, files } = disk.image()
  const spoilt = (records.get(KEY.decision(epoch)) ?? new Uint8Array()).slice()
  spoilt[spoilt.length - 1] = (spoilt.at(-1) ?? 0) ^ 1
  disk.restore({ records: new Map(records).set(KEY.decision(epoch), spoilt), files })
}
