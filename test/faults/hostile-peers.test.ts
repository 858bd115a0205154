// Hostile peers on the wire: strangers, a member gone bad, floods, thousands of connections, replays; the committee signs on.
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import { Wallet } from 'ethers'
import type { SignedProbe } from '../../relayer/bridge/relayer.ts'
import { askDaemon } from '../../relayer/cli/daemon-client.ts'
import { committee, completed } from '../../scripts/devnet/governance.ts'
import type { RelayerNode, World } from '../../scripts/devnet/world.ts'
import { closeWorld, openWorld, relayer } from '../support/devnet-world.ts'
import { type Measured, OUTCOMES, trial } from '../support/fault-table.ts'
import { isPrivate } from '../support/namespaces.ts'

const [REFUSED] = OUTCOMES
const part = 'hostile'
const required = [REFUSED]
const CLIENT = 'test/faults/entries/hostile-client.ts'
const RECORDER = 'test/faults/entries/recording-member.ts'
/** Rounds of probes, one by each member, under each attack, and as many before it. */
const ROUNDS = 3
/** A member signs a probe a second for the others, and asks for thirty in a minute. */
const ROUND_MS = 3000
const ATTACKS = 8
const FACTOR = 5

/** Met by an attack: how often what. */
type Met = Readonly<Record<string, number>>

let world: World
let honest: readonly RelayerNode[]
let bad: RelayerNode
let badKey = ''
let tape = ''
/** How long probes took, in ms, one after another. */
const quiet: number[] = []
const loud: number[] = []
const failed: string[] = []

/** Rounds of probes. A probe that fails is noted, and fails the row of the attack and the last one. */
async function probes(text: string, rounds = ROUNDS): Promise<number[]> {
  const times: number[] = []
  for (let round = 0; round < rounds; round++) {
    const next = pause(ROUND_MS)
    for (const node of honest) {
      const start = performance.now()
      const body = { keyId: 0, text: `${text} ${round}`, timeoutMs: 60_000 }
      try {
        const data = join(node.directory, 'data')
        const answer = await askDaemon<SignedProbe>(data, 'POST', ['/sign-probe', body])
        assert.equal(answer.keyId, 0)
      } catch (error) {
        failed.push(`${text}: ${String(error)}`)
        throw error
      }
      times.push(performance.now() - start)
    }
    await next
  }
  return times
}

function p95(times: readonly number[]): number {
  return [...times].sort((a, b) => a - b)[Math.ceil(times.length * 0.95) - 1] ?? 0
}

/** Rounds of probes in quiet, then an attack from the moment at which it is under way until `during` is over. */
async function attacked(during: () => Promise<unknown>, name: string, ...flags: string[]): Promise<Met> {
  quiet.push(...(await probes(`before ${name}`)))
  const ports = honest.map(({ p2pPort }) => p2pPort).join()
  const args = [CLIENT, '--attack', name, '--ports', ports, ...flags]
  const child = spawn(process.execPath, args, { stdio: ['pipe', 'pipe', 'inherit'] })
  const gone = once(child, 'close')
  try {
    let said = ''
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      said += text
    })
    await Promise.race([once(child.stdout, 'data'), gone])
    await during()
    assert.equal(child.exitCode, null, `the attack ended before the probes did: ${said}`)
    child.stdin.end()
    await gone
    return JSON.parse(said.trim().split('\n').at(-1) ?? '{}') as Met // CAST: printed by the client
  } finally {
    child.kill()
  }
}

/** An attack under which probes are signed. */
function underAttack(name: string, ...flags: string[]): Promise<Met> {
  return attacked(async () => loud.push(...(await probes(name))), name, ...flags)
}

/** A metric of a member, summed over its labels where these match. */
async function metric(node: RelayerNode, name: string, label = ''): Promise<number> {
  const text = await (await fetch(`http://127.0.0.1:${node.httpPort}/metrics`)).text()
  const lines = text.split('\n').filter((line) => line.startsWith(name) && line.includes(label))
  return lines.reduce((sum, line) => sum + Number(line.split(' ').at(-1)), 0)
}

/** Nobody was convicted of anything by what strangers sent, and memory stays within bounds. */
async function unmoved(met: Met): Promise<Measured> {
  for (const node of honest) {
    assert.equal((await world.status(node)).evidence, 0, `${node.name} convicted somebody`)
    const megabytes = (await metric(node, 'process_resident_memory_bytes')) / 2 ** 20
    assert.ok(megabytes < 700, `${node.name} holds ${megabytes.toFixed(0)} MB`)
  }
  const measured = Object.entries(met).map(([what, times]) => `${what} ×${times}`)
  return { outcome: REFUSED, measured: measured.sort().join(', ') }
}

/** How often each member stopped reading from a peer above its rate. */
function slowings(): Promise<number[]> {
  return Promise.all(honest.map((node) => metric(node, 'truss_dropped_frames_total', 'slowed')))
}

const sum = (met: Met, pattern: RegExp) =>
  Object.entries(met).reduce((all, [what, times]) => all + (pattern.test(what) ? times : 0), 0)

describe('hostile peers', { skip: isPrivate ? false : '`npm run test:faults` makes its namespaces' }, () => {
  before(async () => {
    const flags = ['--block-time-ms', '250', '--window-blocks', '40', '--confirmations', '1']
    world = await openWorld('--relayers', '4', '--threshold', '2', ...flags)
    world.patienceMs = 300_000
    bad = relayer(world, 4)
    honest = [1, 2, 3].map((number) => relayer(world, number))
    const password = readFileSync(join(world.directory, 'password'), 'utf8').trim()
    const json = readFileSync(join(bad.directory, 'keystore.json'), 'utf8')
    badKey = Wallet.fromEncryptedJsonSync(json, password).privateKey
    tape = join(world.directory, 'tape')
    await world.start(bad, [RECORDER, '--tape', tape])
    await Promise.all(honest.map((node) => world.start(node)))
    await world.govern('start-keygen')
    const { epoch } = await completed(world, 0)
    await world.govern('refresh', 'to be recorded')
    await completed(world, epoch)
    await world.halt(bad)
  })
  after(() => closeWorld(world))

  test(
    'an unknown member is refused on every protocol of members',
    trial({ part, fault: 'unknown member', required }, async () => {
      const met = await underAttack('stranger')
      assert.ok(sum(met, /^refused: not a member/) >= 9, JSON.stringify(met))
      assert.equal(met.welcome, undefined, JSON.stringify(met))
      return unmoved(met)
    }),
  )

  test(
    'frames that are oversized or of no kind end their stream',
    trial({ part, fault: 'oversized and malformed frames', required }, async () => {
      const met = await underAttack('malformed', '--key', badKey)
      assert.ok(sum(met, /^malformed: ended/) >= 27, JSON.stringify(met))
      assert.equal(sum(met, /STILL OPEN/), 0, JSON.stringify(met))
      return unmoved(met)
    }),
  )

  // Each member meters each peer by frames and bytes, with a burst of eight seconds' worth: a client that shares its
  // time among three members may not get above the rate at one of them within a few seconds, unless it sends by number.
  for (const [name, attack, isAbove] of [
    ['below the limits', 'flood-below', false],
    ['above the limits', 'flood-above', true],
    ['above the limits over ever new connections', 'reconnecting', true],
  ] as const)
    test(
      `a flood ${name} by a member disturbs nobody`,
      trial({ part, fault: `flood ${name}`, required }, async () => {
        const before = await slowings()
        const met = await underAttack(attack, '--key', badKey)
        assert.ok((met['frame sent'] ?? 0) > 1500, JSON.stringify(met))
        const times = (await slowings()).map((count, at) => count - (before[at] ?? 0))
        const right = times.every((count) => (isAbove ? count > 0 : count === 0))
        assert.ok(right, `slowed ${times.join(', ')} times: ${JSON.stringify(met)}`)
        return unmoved(met)
      }),
    )

  test(
    'thousands of connections leave room for members',
    trial({ part, fault: 'thousands of connections', required }, async () => {
      const met = await underAttack('connections')
      assert.ok((met.connection ?? 0) >= 2000, JSON.stringify(met))
      return unmoved(met)
    }),
  )

  test(
    'a recorded ceremony played again to everybody starts nothing',
    trial({ part, fault: 'recorded full ceremony played again', required }, async () => {
      const before = await committee(world)
      const met = await underAttack('replay', '--key', badKey, '--tape', tape)
      assert.ok((met['frame sent'] ?? 0) > 1500, JSON.stringify(met))
      assert.deepEqual(await committee(world), before)
      return unmoved(met)
    }),
  )

  test(
    'a removed member loses its old connection, and is refused on a new one',
    trial({ part, fault: 'removed member with its old connection', required }, async () => {
      const removal = async () => {
        loud.push(...(await probes('before the removal', 1)))
        const { epoch } = await committee(world)
        await world.govern('remove-relayer', bad.address)
        const { members } = await completed(world, epoch)
        assert.equal(members.includes(bad.address), false)
        loud.push(...(await probes('after the removal', ROUNDS - 1)))
      }
      const met = await attacked(removal, 'linger', '--key', badKey)
      assert.equal(met['first welcome'], honest.length, JSON.stringify(met))
      assert.equal(met['old stream ended'], honest.length, JSON.stringify(met))
      assert.ok(sum(met, /^refused: |^cut$/) >= 2 * honest.length, JSON.stringify(met))
      assert.equal(met.welcome, undefined, JSON.stringify(met))
      return unmoved(met)
    }),
  )

  test(
    'under all of it no probe failed, and signing took at most five times as long as without',
    trial({ part, fault: `no probe fails, and signing p95 at most ${FACTOR} times`, required }, async () => {
      const ratio = p95(loud) / p95(quiet)
      const [under, without] = [loud, quiet].map((times) => `${p95(times).toFixed(0)} ms (${times.length})`)
      const measured = `p95 under attack ${under}, without ${without}: ${ratio.toFixed(2)} times; ${failed.length} failed`
      assert.equal(loud.length, ATTACKS * ROUNDS * honest.length, measured)
      assert.deepEqual(failed, [])
      assert.ok(ratio <= FACTOR, measured)
      return { outcome: REFUSED, measured }
    }),
  )
})
