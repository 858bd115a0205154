// A data directory from before an attempt, put back while that attempt's window is open: the attempt does not run again.
import { after, before, test } from 'node:test'
import { until } from '../../scripts/devnet/world.ts'
import { OUTCOMES, trial } from '../support/fault-table.ts'
import { FaultWorld } from '../support/fault-world.ts'

const [, HEALED, LOST] = OUTCOMES
const part = 'disk'

let faults: FaultWorld

before(async () => {
  // The node is back long before the window is over, while others still look for it.
  faults = await FaultWorld.open('--window-blocks', '100')
})
after(() => faults.close())

for (const [name, die] of [
  ['the attempt began', 'after:put:marker/'],
  ['its share was prepared', 'after:put:share/'],
  ['it signed for the activation', 'after:put:seen/'],
] as const)
  test(
    `a directory from before the attempt, put back once ${name}: the attempt does not run again`,
    trial(
      { part, fault: `directory from before the attempt, once ${name}`, required: [HEALED, LOST] },
      async () => {
        await faults.halt()
        const old = faults.copy('before-the-attempt')
        await faults.start('--die', die)
        const epoch = await faults.refresh()
        await faults.died()
        faults.putBack(old)
        await faults.start()
        // The other members may have activated the attempt with what the victim had given: then its share of it is gone.
        await until(
          'the epoch',
          240_000,
          async () => (await faults.world.status(faults.victim)).epoch > epoch,
        )
        if ((await faults.verdict()) === 'signs') return faults.healed(epoch)
        await faults.healed(await faults.refresh())
        return LOST
      },
    ),
  )
