// A data directory copied back, cloned or shared, and a clock that jumps: no attempt runs again, peers and the node itself alarm.
import assert from 'node:assert/strict'
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { until } from '../../scripts/devnet/world.ts'
import { OUTCOMES, type Outcome, trial } from '../support/fault-table.ts'
import { FaultWorld } from '../support/fault-world.ts'

const [REFUSED, HEALED, LOST] = OUTCOMES
const part = 'disk'
const DAY_MS = 86_400_000

let faults: FaultWorld

before(async () => {
  faults = await FaultWorld.open()
})
after(() => faults.close())

/** A copy of the directory as it is now, the victim stopped, and started again afterwards. */
async function copyOfNow(name: string): Promise<string> {
  await faults.halt()
  const copy = faults.copy(name)
  await faults.start()
  return copy
}

test(
  'a directory from before the last epoch: its share is never used, a new one is received',
  trial({ part, fault: 'directory from before the last epoch', required: [LOST] }, async () => {
    const old = await copyOfNow('before-the-epoch')
    const epoch = await faults.refresh()
    await faults.healed(epoch)
    await faults.halt()
    faults.putBack(old)
    await faults.start()
    assert.equal(await faults.verdict(), 'alarms')
    await faults.bootAlarm()
    await until('the old share to be erased', 240_000, async () => {
      const { shares, signsWith } = await faults.world.status(faults.victim)
      assert.equal(signsWith, null)
      return shares.length === 0
    })
    await faults.healed(await faults.refresh())
    return LOST
  }),
)

test(
  'a directory from earlier in the same epoch: peers alarm, and the share is the right one',
  trial({ part, fault: 'directory from earlier in the epoch', required: [HEALED] }, async () => {
    const old = await copyOfNow('same-epoch')
    for (let starts = 0; starts < 2; starts++) {
      await faults.halt()
      await faults.start()
    }
    await faults.sound()
    await faults.halt()
    faults.putBack(old)
    await faults.start()
    await faults.bootAlarm()
    return faults.healed(await faults.refresh())
  }),
)

test(
  'a second process on one directory is refused, and the first goes on',
  trial({ part, fault: 'two processes on one directory', required: [REFUSED] }, async () => {
    const { world, victim } = faults
    const config = join(victim.directory, 'second.yaml')
    writeFileSync(config, moved(readFileSync(victim.config, 'utf8')))
    const second = world.processes.start('second', ['relayer/main.ts', 'start', '--config', config])
    assert.equal(await second.gone, 5)
    const said = readFileSync(second.logFile, 'utf8')
    assert.match(said, /^truss: .*another process has it open: one daemon per data directory/m)
    await faults.sound()
    return REFUSED
  }),
)

test(
  'a cloned machine: peers alarm, and nobody is convicted',
  trial({ part, fault: 'two processes with one key', required: [HEALED] }, async () => {
    const { world, victim } = faults
    await faults.halt()
    const copy = faults.copy('clone')
    const directory = join(victim.directory, 'clone')
    mkdirSync(directory, { recursive: true })
    const clone = { ...victim, name: 'clone', process: null, config: join(victim.directory, 'clone.yaml') }
    const text = moved(readFileSync(victim.config, 'utf8')).replace(
      /^dataDirectory:.*$/m,
      `dataDirectory: ${copy}`,
    )
    writeFileSync(clone.config, text)
    await faults.start()
    const twin = world.processes.start('clone', ['relayer/main.ts', 'start', '--config', clone.config])
    await faults.bootAlarm()
    twin.kill('SIGKILL')
    await twin.gone
    rmSync(directory, { recursive: true })
    return faults.healed(await faults.refresh())
  }),
)

/** A refresh during which the clock of the victim jumps: at its begin, and while an attempt runs. */
async function refreshJumping(...flags: readonly string[]): Promise<Outcome> {
  await faults.halt()
  await faults.start(...flags)
  const jump = () => faults.victim.process?.kill('SIGUSR2')
  const epoch = await faults.refresh()
  jump()
  for (const step of ['after:put:marker/', 'after:put:share/', 'after:put:seen/']) {
    faults.hold(step)
    await faults.held()
    jump()
    faults.release()
  }
  return faults.healed(epoch)
}

for (const [name, ...flags] of [
  ['forward by a day', `--jump=${DAY_MS}`],
  ['back by a day', `--jump=${-DAY_MS}`],
  ['forth and back by ten seconds, as NTP may', '--jump=10000', '--swing'],
  ['forward by a day, from one that stands in 1970', `--shift=${-Date.now()}`, `--jump=${DAY_MS}`],
] as const)
  test(
    `a clock that jumps ${name} during a ceremony: it completes`,
    trial({ part, fault: `clock jumps ${name}`, required: [HEALED] }, () => refreshJumping(...flags)),
  )

/** The same configuration on other ports. */
function moved(config: string): string {
  return config
    .replace(/^listen:.*$/m, 'listen: [/ip4/127.0.0.1/tcp/0]')
    .replace(/^httpPort:.*$/m, 'httpPort: 0')
}
