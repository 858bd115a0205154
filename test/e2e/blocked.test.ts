// The devnet's ends: a member that cannot finish is named, Ctrl-C leaves nothing running, flags that make no sense are refused.
import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { alive, listens } from '../support/outside.ts'
import { scratchWithLogs } from '../support/scratch.ts'
import type { Summary } from '../../scripts/devnet/summary.ts'

/** Far above what any of these takes. */
const LIMIT_MS = 150_000

const folder = scratchWithLogs('blocked')
const groups: ChildProcess[] = []

after(() => {
  for (const child of groups) if (child.exitCode === null) child.kill('SIGKILL')
})

interface Driver {
  readonly directory: string
  /** What it printed so far. */
  readonly output: () => string
  /** Its summary, once it is written. */
  summary(): Promise<Summary>
  /** Ctrl-C as a terminal sends it: to every process of the foreground group. */
  interrupt(): void
  /** Its exit code. */
  readonly ended: Promise<number | null>
}

/** Runs the devnet as the leader of a process group. */
function devnet(name: string, ...flags: readonly string[]): Driver {
  const directory = join(folder, name)
  const args = ['scripts/devnet.ts', '--directory', directory, ...flags]
  const child = spawn(process.execPath, args, { detached: true, stdio: ['ignore', 'pipe', 'pipe'] })
  groups.push(child)
  let output = ''
  for (const stream of [child.stdout, child.stderr])
    stream?.setEncoding('utf8').on('data', (text: string) => (output += text))
  const ended = new Promise<number | null>((resolve) => void child.once('close', resolve))
  const file = join(directory, 'summary.json')
  return {
    directory,
    ended,
    output: () => output,
    async summary() {
      await eventually(
        'the summary',
        () => existsSync(file) || child.exitCode !== null,
        () => output,
      )
      return JSON.parse(readFileSync(file, 'utf8')) as Summary // CAST: the devnet's own record; each field is compared
    },
    interrupt: () => void process.kill(-(child.pid ?? 0), 'SIGINT'),
  }
}

async function eventually(what: string, done: () => boolean, output = () => ''): Promise<void> {
  for (const deadline = Date.now() + LIMIT_MS; Date.now() < deadline; await sleep(100)) if (done()) return
  assert.fail(`waited for ${what}\n${output().slice(-3000)}`)
}

test('a member that cannot finish: the devnet ends non-zero, and names it in its output and in its summary', async () => {
  const driver = devnet('blocked', '--exit', '--block-newcomer', '--block-time-ms', '250')
  assert.equal(await driver.ended, 1, driver.output().slice(-3000))
  const { ok, failure, relayers, steps, processes } = await driver.summary()
  const newcomer = relayers.find(({ name }) => name === 'relayer-4')
  assert.ok(newcomer)
  assert.equal(newcomer.pid, null)
  assert.equal(ok, false)
  assert.deepEqual(
    steps.map(({ step }) => step),
    ['2', '2b'],
  )
  for (const text of [failure ?? '', driver.output()]) {
    assert.ok(text.includes(`relayer-4 (${newcomer.address})`), text)
    for (const { name, address } of relayers)
      if (name !== 'relayer-4') assert.ok(!(failure ?? '').includes(address), `${name} is not to blame`)
  }
  assert.ok(processes.length >= 5)
  for (const { name, pid } of processes) assert.equal(alive(pid), false, name)
})

test('four relayers with threshold 3 and no story: up until Ctrl-C, which leaves no process and no port', async () => {
  const driver = devnet('up', '--no-story', '--relayers', '4', '--threshold', '3', '--block-time-ms', '250')
  const { ok, failure, relayers, steps, processes, rpcUrl } = await driver.summary()
  assert.equal(failure, null)
  assert.equal(ok, true)
  assert.deepEqual(
    steps.map(({ step, threshold, members }) => ({ step, threshold, members: members.length })),
    [{ step: '2', threshold: 3, members: 4 }],
  )
  assert.equal(processes.length, 6, 'chains, bootnode, four relayers')
  await eventually('the commands to play with', () => driver.output().includes('sign-probe'), driver.output)
  const ports = [
    Number(new URL(rpcUrl).port),
    ...relayers.flatMap(({ p2pPort, httpPort }) => [p2pPort, httpPort]),
  ]
  for (const port of ports) assert.equal(await listens(port), true, String(port))
  for (const { name, pid } of processes) assert.equal(alive(pid), true, name)

  driver.interrupt()
  assert.equal(await driver.ended, 0, driver.output().slice(-3000))
  for (const { name, pid } of processes) assert.equal(alive(pid), false, name)
  for (const port of ports) assert.equal(await listens(port), false, String(port))
})

test('flags: help names them all, unknown ones and senseless ones are refused with one line', async () => {
  const help = devnet('none', '--help')
  assert.equal(await help.ended, 0)
  const flags = ['relayers', 'threshold', 'block-time-ms', 'confirmations', 'scheme', 'no-story', 'exit']
  for (const flag of flags) assert.match(help.output(), new RegExp(`--${flag}\\b`))
  for (const [wrong, line] of [
    [['--colour', 'red'], /^devnet: .*--colour/],
    [['--threshold', 'two', '--no-story'], /^devnet: --threshold two: give a whole number of at least 2$/],
    [['--threshold', '4', '--no-story'], /^devnet: --threshold 4: more than the 3 relayers$/],
    [['--relayers', '5'], /^devnet: the story is told by 3 relayers/],
    [['--scheme', 'rot13'], /^devnet: --scheme rot13: /],
  ] as const) {
    const driver = devnet('none', ...wrong)
    assert.equal(await driver.ended, 2, wrong.join(' '))
    assert.match(driver.output().trimEnd(), line)
    assert.equal(driver.output().trimEnd().split('\n').length, 1, driver.output())
    assert.equal(existsSync(driver.directory), false, 'nothing was started')
  }
})
