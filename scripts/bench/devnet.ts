// Part `devnet`: real processes through the devnet's story; how long a reshare takes from outside, and what a relayer weighs.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { parseOptions } from '../devnet/options.ts'
import { Story } from '../devnet/story.ts'
import { World } from '../devnet/world.ts'
import type { Cell, Goal, Part } from './report.ts'

const MEMORY_GOAL = 1.4
const MIB_PER_KIB = 1 / 1024
const SETTLE_MS = 3000

/** Tells the story once and looks at it from outside. */
export async function measureDevnet(say: (line: string) => void): Promise<Part> {
  const directory = mkdtempSync(join(tmpdir(), 'truss-bench-'))
  const options = parseOptions(['--exit', '--directory', directory])
  if (options === 'help') throw new Error('bench devnet: no options')
  const world = new World(options)
  const story = new Story(world, say)
  const watched = new AbortController()
  let failure: string | null = null
  let heads: Promise<ReadonlyMap<number, number>> = Promise.resolve(new Map())
  let timed: Reshare | null = null
  const memory: { name: string; mib: number }[] = []
  try {
    await world.startChains()
    await world.deploy()
    heads = watchHeads(world, watched.signal)
    heads.catch(() => {}) // Awaited below; until then the story has the word.
    await story.meet()
    await story.keygen()
    await story.moreKeys()
    await story.reshape()
    for (const { name, process } of world.up)
      if (process !== null) memory.push({ name, mib: residentMib(process.pid) })
  } catch (error) {
    failure = error instanceof Error ? error.message : String(error)
  }
  watched.abort()
  try {
    timed = await reshareOf(world, await heads)
  } catch (error) {
    failure ??= error instanceof Error ? error.message : String(error)
  }
  await world.processes.stop()
  if (failure === null) rmSync(directory, { recursive: true, force: true })
  else failure += `; see ${directory}`
  return partOf({ failure, timed, memory, idleMib: await idleMib(), blockTimeMs: options.blockTimeMs })
}

interface Reshare {
  readonly seconds: number
  readonly blocks: number
}

/** When each head was first seen, in ms, until `stop`. */
async function watchHeads(world: World, stop: AbortSignal): Promise<ReadonlyMap<number, number>> {
  const seen = new Map<number, number>()
  while (!stop.aborted) {
    const head = await world.provider.getBlockNumber()
    if (!seen.has(head)) seen.set(head, performance.now())
    await sleep(25)
  }
  return seen
}

/** From the moment that the first `RelayerAdded` after the keygen was final to the moment that `EpochActivated` was there. */
async function reshareOf(world: World, heads: ReadonlyMap<number, number>): Promise<Reshare | null> {
  // The deployment adds the first relayers: only after the keygen is it a reshare that follows.
  const [keygen] = await world.bridge.queryFilter('EpochActivated', 0)
  if (keygen === undefined) return null
  const [added] = await world.bridge.queryFilter('RelayerAdded', keygen.blockNumber + 1)
  if (added === undefined) return null
  const [activated] = await world.bridge.queryFilter('EpochActivated', added.blockNumber + 1)
  if (activated === undefined) return null
  const final = added.blockNumber + world.options.confirmations
  const at = (block: number) => Math.min(...[...heads].flatMap(([head, ms]) => (head >= block ? [ms] : [])))
  return {
    seconds: (at(activated.blockNumber) - at(final)) / 1000,
    blocks: activated.blockNumber - final,
  }
}

/** Resident memory of a process, by Linux. */
function residentMib(pid: number): number {
  const line = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))
  if (line === null) throw new Error(`read memory of process ${pid}: /proc says nothing`)
  return Number(line[1]) * MIB_PER_KIB
}

/** Resident memory of a process that loads libp2p and ethers and idles. */
async function idleMib(): Promise<number> {
  const script = fileURLToPath(new URL('idle-child.ts', import.meta.url))
  const child = spawn(process.execPath, [script], { stdio: ['ignore', 'pipe', 'inherit'] })
  try {
    await once(child.stdout, 'data')
    await sleep(SETTLE_MS)
    return residentMib(child.pid ?? 0)
  } finally {
    child.kill('SIGKILL')
  }
}

function partOf(of: {
  failure: string | null
  timed: Reshare | null
  memory: readonly { name: string; mib: number }[]
  idleMib: number
  blockTimeMs: number
}): Part {
  const { failure, timed, memory, idleMib: idle, blockTimeMs } = of
  const rows: Cell[][] = [
    ['reshare to a fourth relayer, from RelayerAdded final to EpochActivated', timed?.seconds ?? null, 's'],
    [`the same in blocks of ${blockTimeMs} ms`, timed?.blocks ?? null, 'blocks'],
    ['idle process that loads libp2p and ethers, resident', idle, 'MiB'],
    ...memory.map(({ name, mib }): Cell[] => [`${name} after the story, resident`, mib, 'MiB']),
  ]
  const goals: Goal[] = []
  if (memory.length > 0)
    goals.push({
      what: 'resident memory of the largest relayer after the story / idle process',
      goal: MEMORY_GOAL,
      measured: Math.max(...memory.map(({ mib }) => mib)) / idle,
    })
  return {
    name: 'devnet',
    title: 'Real processes: the story of the devnet, three keys',
    columns: ['what', 'measured', 'unit'],
    rows,
    goals,
    failure,
  }
}
