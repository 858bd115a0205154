// `npm run devnet`: chains, bootnode and relayers as separate processes, the story, and then a devnet to play with.
import { HELP, type Options, parseOptions } from './devnet/options.ts'
import { Story } from './devnet/story.ts'
import { writeSummary } from './devnet/summary.ts'
import { CHAIN_ID, World } from './devnet/world.ts'

const began = performance.now()
const seconds = () => Math.round((performance.now() - began) / 100) / 10
const say = (line: string) => console.log(`${seconds().toFixed(1).padStart(6)} s  ${line}`)

async function tell(world: World, story: Story): Promise<void> {
  await world.startChains()
  await world.deploy()
  say(
    `step 1: bridge ${world.bridgeAddress} with ${world.options.relayers} relayers, threshold ${world.options.threshold}`,
  )
  await story.meet()
  await story.keygen()
  if (!world.options.story) return
  await story.moreKeys()
  await story.reshape()
}

function record(world: World, story: Story, failure: string | null): void {
  writeSummary(world.directory, {
    ok: failure === null,
    failure,
    chainId: CHAIN_ID,
    rpcUrl: world.rpcUrl,
    bridge: world.bridgeAddress,
    bootnode: world.bootnode,
    relayers: [...world.relayers.values()].map(({ name, address, p2pPort, httpPort, process }) => ({
      name,
      address,
      p2pPort,
      httpPort,
      pid: process?.pid ?? null,
    })),
    processes: world.processes.running.map(({ name, pid }) => ({ name, pid })),
    stranger: story.stranger,
    steps: story.steps,
    seconds: seconds(),
  })
}

function invite(world: World): void {
  const [any] = world.up
  if (any === undefined) return
  console.log(`
The devnet stays up; Ctrl-C stops it. Addresses: ${world.directory}/addresses.json, logs: ${world.directory}/logs

  npm run truss -- status --config ${any.config}
  npm run truss -- keys --config ${any.config}
  npm run truss -- sign-probe --key 0 --text hello --config ${any.config}
  npm run truss -- admin committee --config ${any.config}
  npm run truss -- admin check --all --config ${any.config}
`)
}

async function main(options: Options): Promise<number> {
  const world = new World(options)
  const story = new Story(world, say)
  const interrupted = new Promise<'stop'>((resolve) => {
    for (const name of ['SIGINT', 'SIGTERM'] as const) process.once(name, () => resolve('stop'))
  })
  let failure: string | null = null
  try {
    const told = await Promise.race([tell(world, story), interrupted])
    if (told === 'stop') failure = 'interrupted'
  } catch (error) {
    failure = error instanceof Error ? error.message : String(error)
  }
  record(world, story, failure)
  if (failure === null) say(`all of it held; summary in ${world.directory}/summary.json`)
  else console.error(`devnet: ${failure}`)
  if (failure === null && !options.exit) {
    invite(world)
    await interrupted
  }
  await world.processes.stop()
  return failure === null ? 0 : 1
}

try {
  const options = parseOptions(process.argv.slice(2))
  if (options === 'help') console.log(HELP)
  else process.exit(await main(options))
} catch (error) {
  console.error(`devnet: ${error instanceof Error ? error.message : String(error)}`)
  process.exit(2)
}
