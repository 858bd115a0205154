// kill -9 before and after each durable step of a refresh, on a real disk: after the restart the committee completes it.
import { after, before, test } from 'node:test'
import { trial } from '../support/fault-table.ts'
import { FaultWorld } from '../support/fault-world.ts'

/** Each durable step, as the disk sees it. */
const STEPS: Readonly<Record<string, string>> = {
  'cursor and ceremony record': 'put:ceremony/',
  'attempt marker': 'put:marker/',
  'key file of a prepared share': 'write:',
  'prepared share': 'put:share/',
  'note that the activation was signed for': 'put:seen/',
  'promotion: active pointer and marks': 'put:running',
  'destruction of the old key file': 'destroy:',
  'compaction before the deletion': 'compact:sealed/',
  'deletion of the old sealed share': 'del:sealed/',
  'end of the erasure, with the receipt': 'del:share/',
}

let faults: FaultWorld

before(async () => {
  faults = await FaultWorld.open()
})
after(() => faults.close())

for (const [name, step] of Object.entries(STEPS))
  for (const when of ['before', 'after'])
    test(`killed ${when} the step "${name}", the victim is healed from the chain`, async () => {
      const fault = `kill -9 ${when}: ${name}`
      await trial({ part: 'disk', fault, required: ['healed from the chain'] }, async () => {
        await faults.halt()
        await faults.start('--die', `${when}:${step}`)
        const epoch = await faults.refresh()
        await faults.died()
        await faults.start()
        return faults.healed(epoch)
      })
    })

for (const when of ['before', 'after'])
  test(`killed ${when} the boot counter, the victim starts again`, async () => {
    const fault = `kill -9 ${when}: boot counter`
    await trial({ part: 'disk', fault, required: ['healed from the chain'] }, async () => {
      await faults.halt()
      const dying = faults.start('--die', `${when}:put:boot`)
      dying.catch(() => {})
      await faults.died()
      await dying.catch(() => {})
      await faults.start()
      return faults.healed(await faults.refresh())
    })
  })
