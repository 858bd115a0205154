// Nothing is destroyed on the word of a block that is only just final: erasure waits for twice the depth.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { decodeFrame } from '../../relayer/protocol/envelope.ts'
import { ROUND } from '../../relayer/protocol/messages.ts'
import { GovernedSim } from '../support/governed-sim.ts'

const DEPTH = 6

/** How many disks hold key files of an epoch. */
function holding(sim: GovernedSim, epoch: number): number {
  const files = sim.operators.map(({ disk }) => [...disk.image().files.keys()])
  return files.filter((names) => names.some((name) => name.startsWith(`${epoch}-`))).length
}

/** Steps until nobody holds anything of an epoch; everybody must until the block `since` lies twice as deep as finality. */
async function erasedAfter(sim: GovernedSim, epoch: number, since: number): Promise<void> {
  while (sim.chain.head.ref.number < since + 2 * DEPTH - 1) {
    assert.equal(holding(sim, epoch), 3, `in block ${sim.chain.head.ref.number}, ${since} being the decision`)
    await sim.step()
  }
  await sim.until(() => holding(sim, epoch) === 0)
}

test('neither an activation nor a burn has anything erased before it lies twice as deep as finality', async () => {
  const sim = await GovernedSim.running('depth', { count: 3, first: [0, 1, 2], finalityDepth: DEPTH })
  sim.chain.refreshKey()
  await sim.until(() => sim.state.running === 2)
  await erasedAfter(sim, 1, sim.chain.head.ref.number)
  await sim.completed(2)

  const hush = sim.network.rule(({ kind, body }) =>
    kind === 'frame' && decodeFrame(body).round === ROUND.acknowledge ? 'drop' : 'pass',
  )
  sim.chain.refreshKey()
  await sim.until(() => sim.prepared(3) >= 3)
  sim.chain.adminCancelCeremony()
  await sim.step()
  hush()
  await erasedAfter(sim, 3, sim.chain.head.ref.number)
  await sim.until(() => (sim.state.epochs[3]?.receipts.length ?? 0) === 3)
  await sim.stop()
})
