// Runs a scenario to its end: the storm, the calm in which everything must come right, and the probes; gives what was seen.
import type { Violation } from './chronicle.ts'
import type { Judged } from './court.ts'
import { calm } from './calm.ts'
import { probes } from './probes.ts'
import type { Scenario } from './scenario.ts'
import { World } from './world.ts'

/** What came of a run. */
export interface Outcome {
  readonly scenario: Scenario
  readonly violation: Violation | null
  /** Of every event, hex: the same for the same scenario and code. */
  readonly digest: string
  readonly counts: ReadonlyMap<string, number>
  readonly story: readonly string[]
  readonly lines: readonly string[] | null
  /** What honest members keep as evidence, each record once. */
  readonly evidence: readonly Judged[]
}

export async function simulate(scenario: Scenario, options: { lines?: boolean } = {}): Promise<Outcome> {
  const world = new World(scenario, options)
  const { chronicle } = world
  const failed = () => chronicle.violation !== null
  for (const member of world.members) await member.start()
  for (let block = 0; block < scenario.stormy && !failed(); block++) {
    for (const happening of scenario.happenings) if (happening.at === block) await world.happen(happening)
    await world.step()
  }
  if (!failed()) await calm(world)
  if (!failed()) await probes(world)
  await world.end()
  tally(world)
  const { violation, counts, story, lines } = chronicle
  const evidence = world.witness.court.records
  return { scenario, violation, digest: chronicle.digest(), counts, story, lines, evidence }
}

/** What the chain counts. */
function tally({ chain, chronicle }: World): void {
  for (const { status, attempt } of Object.values(chain.head.state.epochs)) {
    chronicle.count('ceremonies')
    if (status === 'burned') chronicle.count('burned epochs')
    if (status === 'active' || status === 'superseded') {
      chronicle.count('activations')
      if (attempt > 0) chronicle.count('activations after the first attempt')
    }
  }
  chronicle.count('blocks', chain.head.ref.number)
}
