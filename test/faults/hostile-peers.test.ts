// Hostile peers on the wire: strangers, a member gone bad, floods, thousands of connections, replays; the committee signs on.
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { promisify } from 'node:util'
import { Wallet } from 'ethers'
import type { ProbeAnswer } from '../../relayer/api/daemon.ts'
import { askDaemon } from '../../relayer/cli/daemon-client.ts'
import { committee, completed } from '../../scripts/devnet/governance.ts'
import type { RelayerNode, World } from '../../scripts/devnet/world.ts'
import { closeWorld, openWorld, relayer } from '../support/devnet-world.ts'
import { OUTCOMES, trial } from '../support/fault-table.ts'
import { isPrivate } from '../support/namespaces.ts'

const [REFUSED] = OUTCOMES
const part = 'hostile'
const CLIENT = 'test/faults/entries/hostile-client.ts'
const RECORDER = 'test/faults/entries/recording-member.ts'
const execute = promisify(execFile)

/** Met by an attack: how often what. */
type Met = Readonly<Record<string, number>>

let world: World
let honest: readonly RelayerNode[]
let bad: RelayerNode
let badKey = ''
let quiet: number[] = []
const loud: number[] = []

/** How long each member takes for a probe, in ms, one after another. @throws what a probe that fails says */
async function probes(rounds: number, text: string): Promise<number[]> {
  const times: number[] = []
  for (let round = 0; round < rounds; round++)
    for (const node of honest) {
      const start = performance.now()
      const body = { keyId: 0, text: `${text} ${round}`, timeoutMs: 20_000 }
      const answer = await askDaemon<ProbeAnswer>(join(node.directory, 'data'), 'POST', ['/sign-probe', body])
      assert.equal(answer.keyId, 0)
      times.push(performance.now() - start)
    }
  return times
}

function p95(times: readonly number[]): number {
  return [...times].sort((a, b) => a - b)[Math.ceil(times.length * 0.95) - 1] ?? 0
}

/** Runs the hostile client to its end. */
async function attack(name: string, ...flags: readonly string[]): Promise<Met> {
  const ports = honest.map(({ p2pPort }) => p2pPort).join()
  const args = [CLIENT, '--attack', name, '--ports', ports, ...flags]
  const { stdout } = await execute(process.execPath, args, { maxBuffer: 1 << 24 })
  return JSON.parse(stdout.trim().split('\n').at(-1) ?? '{}') as Met // CAST: printed by the client
}

/** An attack with rounds of probes in it. */
async function attacked(name: string, ...flags: readonly string[]): Promise<Met> {
  let over = false
  const met = attack(name, ...flags).finally(() => {
    over = true
  })
  // A member signs at most thirty probes in a minute.
  for (let round = 0; round < 2 || (round < 3 && !over); round++) loud.push(...(await probes(1, name)))
  return await met
}

/** A metric of a member, summed over its labels where these match. */
async function metric(node: RelayerNode, name: string, label = ''): Promise<number> {
  const text = await (await fetch(`http://127.0.0.1:${node.httpPort}/metrics`)).text()
  const lines = text.split('\n').filter((line) => line.startsWith(name) && line.includes(label))
  return lines.reduce((sum, line) => sum + Number(line.split(' ').at(-1)), 0)
}

/** Nobody was convicted of anything by what strangers sent, and memory stays within bounds. */
async function unmoved(): Promise<void> {
  for (const node of honest) {
    assert.equal((await world.status(node)).evidence, 0, `${node.name} convicted somebody`)
    const megabytes = (await metric(node, 'process_resident_memory_bytes')) / 2 ** 20
    assert.ok(megabytes < 700, `${node.name} holds ${megabytes.toFixed(0)} MB`)
  }
}

/** How often members stopped reading from a peer above its rate. */
async function slowings(): Promise<number> {
  const counts = await Promise.all(honest.map((node) => metric(node, 'truss_dropped_frames_total', 'slowed')))
  return counts.reduce((all, count) => all + count, 0)
}

const sum = (met: Met, pattern: RegExp) =>
  Object.entries(met).reduce((all, [what, times]) => all + (pattern.test(what) ? times : 0), 0)

describe('hostile peers', { skip: isPrivate ? false : '`npm run test:faults` makes its namespaces' }, () => {
  before(async () => {
    const flags = ['--block-time-ms', '250', '--window-blocks', '40', '--confirmations', '1']
    world = await openWorld('--relayers', '4', '--threshold', '2', ...flags)
    world.patienceMs = 150_000
    bad = relayer(world, 4)
    honest = [1, 2, 3].map((number) => relayer(world, number))
    const password = readFileSync(join(world.directory, 'password'), 'utf8').trim()
    const json = readFileSync(join(bad.directory, 'keystore.json'), 'utf8')
    badKey = Wallet.fromEncryptedJsonSync(json, password).privateKey
    const tape = join(world.directory, 'tape')
    await world.start(bad, [RECORDER, '--tape', tape])
    await Promise.all(honest.map((node) => world.start(node)))
    await world.govern('start-keygen')
    const { epoch } = await completed(world, 0)
    await world.govern('refresh', 'to be recorded')
    await completed(world, epoch)
    await world.halt(bad)
    quiet = await probes(8, 'quiet')
  })
  after(() => closeWorld(world))

  test('an unknown member is refused on every protocol of members', async () => {
    await trial({ part, fault: 'unknown member', required: [REFUSED] }, async () => {
      const met = await attacked('stranger')
      assert.ok(sum(met, /^refused: not a member/) >= 9, JSON.stringify(met))
      assert.equal(met.welcome, undefined, JSON.stringify(met))
      await unmoved()
      return REFUSED
    })
  })

  test('frames that are oversized or of no kind end their stream', async () => {
    await trial({ part, fault: 'oversized and malformed frames', required: [REFUSED] }, async () => {
      const met = await attacked('malformed', '--key', badKey)
      assert.ok(sum(met, /^malformed: ended/) >= 27, JSON.stringify(met))
      assert.equal(sum(met, /STILL OPEN/), 0, JSON.stringify(met))
      await unmoved()
      return REFUSED
    })
  })

  for (const name of ['flood-below', 'flood-above'])
    test(`a ${name} of its limits by a member disturbs nobody`, async () => {
      await trial({ part, fault: `${name} the limits`, required: [REFUSED] }, async () => {
        const slowed = await slowings()
        const met = await attacked(name, '--key', badKey, '--ms', name === 'flood-above' ? '12000' : '4000')
        assert.ok((met['frame sent'] ?? 0) > 500, JSON.stringify(met))
        const after = await slowings()
        if (name === 'flood-above') assert.ok(after > slowed, `not slowed: ${JSON.stringify(met)}`)
        else assert.equal(after, slowed, 'slowed below its limits')
        await unmoved()
        return REFUSED
      })
    })

  test('thousands of connections leave room for members', async () => {
    await trial({ part, fault: 'thousands of connections', required: [REFUSED] }, async () => {
      const met = await attacked('connections', '--ms', '60000')
      assert.ok((met.connection ?? 0) >= 2000, JSON.stringify(met))
      await unmoved()
      return REFUSED
    })
  })

  test('a recorded ceremony played again to everybody starts nothing', async () => {
    await trial({ part, fault: 'recorded full ceremony played again', required: [REFUSED] }, async () => {
      const before = await committee(world)
      const met = await attacked('replay', '--key', badKey, '--tape', join(world.directory, 'tape'))
      assert.ok((met['frame sent'] ?? 0) > 500, JSON.stringify(met))
      assert.deepEqual(await committee(world), before)
      await unmoved()
      return REFUSED
    })
  })

  test('a removed member loses its old connection, and is refused on a new one', async () => {
    await trial({ part, fault: 'removed member with its old connection', required: [REFUSED] }, async () => {
      const { epoch } = await committee(world)
      const met = attack('linger', '--key', badKey, '--ms', '150000')
      await world.govern('remove-relayer', bad.address)
      const { members } = await completed(world, epoch)
      assert.equal(members.includes(bad.address), false)
      const seen = await met
      assert.equal(seen['old stream ended'], honest.length, JSON.stringify(seen))
      assert.equal(sum(seen, /^refused: |^cut$/), 2 * honest.length, JSON.stringify(seen))
      await unmoved()
      rmSync(join(world.directory, 'tape'), { force: true })
      return REFUSED
    })
  })

  test('under all of it no probe failed, and signing took at most five times as long as without', async () => {
    const ratio = p95(loud) / p95(quiet)
    const fault = `p95 of ${loud.length} probes under attack is ${ratio.toFixed(2)} times that of ${quiet.length} without, at most 5`
    await trial({ part, fault, required: [REFUSED] }, async () => {
      assert.ok(loud.length >= 36, String(loud.length))
      assert.ok(ratio <= 5, fault)
      return REFUSED
    })
  })
})
