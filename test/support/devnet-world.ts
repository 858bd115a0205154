// A devnet world for one test file: real processes in a fresh directory, gone with the tests unless one failed; and what its daemons say of themselves.
import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Level } from 'level'
import { completed } from '../../scripts/devnet/governance.ts'
import { parseOptions } from '../../scripts/devnet/options.ts'
import { type RelayerNode, until, World } from '../../scripts/devnet/world.ts'
import { scratchWithLogs } from './scratch.ts'

/** What /readyz answers. */
export interface Readiness {
  readonly ready: boolean
  readonly reasons: readonly string[]
  readonly warnings: readonly string[]
}

/** Chains, bridge and bootnode; no relayer is started yet. Takes flags of the devnet. */
export async function openWorld(...flags: readonly string[]): Promise<World> {
  const options = parseOptions(['--no-story', '--directory', scratchWithLogs('world'), ...flags])
  assert.ok(options !== 'help')
  const world = new World(options)
  try {
    await world.startChains()
    await world.deploy()
  } catch (error) {
    await closeWorld(world)
    throw error
  }
  return world
}

/** Stops every process. */
export async function closeWorld(world: World): Promise<void> {
  await world.processes.stop()
  world.provider.destroy()
}

/** The relayer of that number, counted from 1. */
export function relayer(world: World, number: number): RelayerNode {
  const found = [...world.relayers.values()][number - 1]
  assert.ok(found)
  return found
}

/** Starts all relayers and has governance ask for the first key. */
export async function firstKey(world: World): Promise<void> {
  await Promise.all([...world.relayers.values()].map((each) => world.start(each)))
  await world.govern('start-keygen')
  await completed(world, 0)
}

/** Rewrites one setting of a relayer that is not running. */
export function setting(node: RelayerNode, name: string, value: string): void {
  const line = new RegExp(`^${name}:.*$`, 'm')
  const text = readFileSync(node.config, 'utf8')
  assert.match(text, line)
  writeFileSync(node.config, text.replace(line, `${name}: ${value}`))
}

/** Asks /readyz until it is as wanted. @throws Error with its last answer */
export async function readyz(node: RelayerNode, wanted: (answer: Readiness) => boolean): Promise<Readiness> {
  let answer: Readiness = { ready: false, reasons: [], warnings: [] }
  const ask = async () => {
    const response = await fetch(`http://127.0.0.1:${node.httpPort}/readyz`)
    answer = (await response.json()) as Readiness // CAST: what is read of it is compared by `wanted`
    assert.equal(response.status, answer.ready ? 200 : 503)
    return wanted(answer)
  }
  await until(`${node.name}'s /readyz`, 40_000, ask).catch((error: unknown) => {
    assert.fail(`${String(error)}; it says ${JSON.stringify(answer)}`)
  })
  return answer
}

export const isReady = ({ ready }: Readiness): boolean => ready
/** Unready, with a reason that says so. */
export const because =
  (pattern: RegExp) =>
  ({ reasons }: Readiness): boolean =>
    reasons.some((reason) => pattern.test(reason))

/** A stopped relayer's database as LevelDB has it: no code of ours, no bookkeeping of LevelDB. */
export async function openRecords(dataDirectory: string): Promise<Level<string, string>> {
  const level = new Level<string, string>(join(dataDirectory, 'db'), { valueEncoding: 'hex' })
  await level.open()
  return level
}
