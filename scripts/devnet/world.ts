// The devnet's world: chains, bridge, bootnode and relayers, each started as an operator would start it.
import { execFile, spawnSync } from 'node:child_process'
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'
import {
  Contract,
  encryptKeystoreJson,
  type HDNodeWallet,
  JsonRpcProvider,
  NonceManager,
  parseEther,
  type Signer,
  Wallet,
} from 'ethers'
import type { Status } from '../../relayer/bridge/status.ts'
import { bridgeAbi } from '../../relayer/chain/abi.ts'
import { toAddress } from '../../relayer/lib/bytes.ts'
import { deployBridge } from '../deploy.ts'
import type { Options } from './options.ts'
import { freePorts, Processes, type Running } from './processes.ts'

/** The governance chain's id, and the other chain's. */
export const CHAIN_ID = 31337
const OTHER_CHAIN_ID = 31338

const MAIN = 'relayer/main.ts'
/** The daemon as its unit file and its image start it. */
const DAEMON = ['--max-semi-space-size=2', MAIN, 'start']
const PASSWORD = 'devnet only'
/** The first account of Hardhat's public test mnemonic: the devnet's governance admin. */
const ADMIN_KEY = '0xac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80'

const execute = promisify(execFile)

/** One relayer of the devnet. */
export interface RelayerNode {
  readonly name: string
  readonly address: string
  readonly directory: string
  readonly config: string
  readonly p2pPort: number
  readonly httpPort: number
  process: Running | null
}

/** What `truss … --json` printed. @throws Error with its one line for a non-zero exit */
export async function truss(args: readonly string[], env: Record<string, string> = {}): Promise<unknown> {
  return await run([MAIN, ...args, '--json'], env)
}

/** What a program of ours printed as JSON. @throws Error with what it said for a non-zero exit */
export async function run(args: readonly string[], env: Record<string, string> = {}): Promise<unknown> {
  try {
    const { stdout } = await execute(process.execPath, args, {
      env: { ...process.env, ...env },
      maxBuffer: 1 << 24,
    })
    return JSON.parse(stdout)
  } catch (error) {
    const { stderr, stdout } = error as { stderr?: string; stdout?: string } // CAST: what execFile rejects with
    throw new Error(`${args.join(' ')}: ${(stderr ?? '') + (stdout ?? '') || String(error)}`, {
      cause: error,
    })
  }
}

/** Everything that runs. */
export class World {
  readonly options: Options
  readonly directory: string
  readonly processes: Processes
  /** By address, lower case, in the order in which they were made. */
  readonly relayers = new Map<string, RelayerNode>()
  #provider: JsonRpcProvider | null = null
  #bridge: Contract | null = null
  bootnode = ''
  rpcUrl = ''
  /** The chain that no bridge governs. */
  otherRpcUrl = ''
  /** Time for a change of committee, from the admin's transaction to completion, before the devnet gives up. */
  patienceMs = 120_000
  bridgeAddress = ''

  constructor(options: Options) {
    this.options = options
    this.directory = resolve(options.directory)
    rmSync(this.directory, { recursive: true, force: true })
    mkdirSync(this.directory, { recursive: true })
    writeFileSync(join(this.directory, 'password'), PASSWORD, { mode: 0o600 })
    this.processes = new Processes(join(this.directory, 'logs'))
  }

  get bridge(): Contract {
    if (this.#bridge === null) throw new Error('devnet: the bridge is not deployed yet')
    return this.#bridge
  }

  get provider(): JsonRpcProvider {
    if (this.#provider === null) throw new Error('devnet: the chain is not up yet')
    return this.#provider
  }

  /** Relayers whose process runs. */
  get up(): RelayerNode[] {
    return [...this.relayers.values()].filter((one) => one.process !== null)
  }

  /** Builds the contracts and starts both chains. */
  async startChains(): Promise<void> {
    const build = spawnSync('node_modules/.bin/hardhat', ['build', '--quiet'], { stdio: 'inherit' })
    if (build.status !== 0) throw new Error('devnet: the contracts do not compile')
    const [port, other] = await freePorts(2)
    this.rpcUrl = `http://127.0.0.1:${port}`
    this.otherRpcUrl = `http://127.0.0.1:${other}`
    const flags = ['--chain', `${CHAIN_ID}:${port}`, '--chain', `${OTHER_CHAIN_ID}:${other}`]
    const time = ['--block-time-ms', String(this.options.blockTimeMs)]
    this.processes.start('chains', ['scripts/devnet/chains.ts', ...flags, ...time])
    this.#provider = new JsonRpcProvider(this.rpcUrl, CHAIN_ID, { staticNetwork: true, cacheTimeout: -1 })
    this.#provider.pollingInterval = 100
    await until('the chains answer', 90_000, async () => (await this.provider.getBlockNumber()) >= 0)
  }

  /** The admin's account. */
  async admin(): Promise<Signer> {
    return new NonceManager(await this.provider.getSigner(0))
  }

  /** Makes the first relayers' keys, deploys the bridge with their addresses, and starts the bootnode. */
  async deploy(): Promise<void> {
    const names = Array.from({ length: this.options.relayers }, (_, at) => `relayer-${at + 1}`)
    const wallets = names.map(() => Wallet.createRandom())
    const { bridge } = await deployBridge({
      signer: await this.admin(),
      relayers: wallets.map(({ address }) => toAddress(address)),
      threshold: this.options.threshold,
      windowBlocks: this.options.windowBlocks,
    })
    this.bridgeAddress = bridge
    this.#bridge = new Contract(bridge, bridgeAbi, this.provider)
    await this.#startBootnode()
    for (const [at, name] of names.entries()) await this.addRelayer(name, wallets[at])
    await this.#writeAddresses()
  }

  /** Makes a relayer: keystore, funds, configuration. It is not started. */
  async addRelayer(name: string, wallet: HDNodeWallet = Wallet.createRandom()): Promise<RelayerNode> {
    const directory = join(this.directory, name)
    mkdirSync(directory, { recursive: true })
    const [p2pPort = 0, httpPort = 0] = await freePorts(2)
    // Cheap scrypt parameters: the password is public, and a devnet starts many nodes on few cores.
    const keystore = await encryptKeystoreJson(
      { address: wallet.address, privateKey: wallet.privateKey },
      PASSWORD,
      { scrypt: { N: 1024 } },
    )
    writeFileSync(join(directory, 'keystore.json'), keystore, { mode: 0o600 })
    const config = join(directory, 'truss.yaml')
    writeFileSync(config, this.#configOf(p2pPort, httpPort))
    await (await (await this.admin()).sendTransaction({ to: wallet.address, value: parseEther('10') })).wait()
    const address = wallet.address.toLowerCase()
    const relayer: RelayerNode = { name, address, directory, config, p2pPort, httpPort, process: null }
    this.relayers.set(address, relayer)
    await this.#writeAddresses()
    return relayer
  }

  /**
   * Starts a relayer's daemon and waits until it answers.
   * @param program what is run instead of the daemon, as script and arguments; it takes `--config` too
   */
  async start(relayer: RelayerNode, program: readonly string[] = DAEMON): Promise<void> {
    const running = this.processes.start(relayer.name, [...program, '--config', relayer.config])
    relayer.process = running
    void running.gone.then(() => {
      if (relayer.process === running) relayer.process = null
    })
    await until(`${relayer.name} answers`, 90_000, async () => {
      if (relayer.process === null) throw new Error(`${relayer.name} ended: see ${running.logFile}`)
      return (await fetch(`http://127.0.0.1:${relayer.httpPort}/livez`)).ok
    })
  }

  /** Stops a relayer as an operator would (SIGTERM). @throws Error unless it ends with exit code 0 */
  async halt(relayer: RelayerNode): Promise<void> {
    const { process } = relayer
    process?.kill('SIGTERM')
    const code = await process?.gone
    if (code !== 0) throw new Error(`${relayer.name} ended with ${code}: see ${process?.logFile}`)
  }

  /** Kills a relayer without warning (SIGKILL) and waits until it is gone. */
  async kill(relayer: RelayerNode): Promise<void> {
    const { process } = relayer
    process?.kill('SIGKILL')
    await process?.gone
  }

  /** A relayer's /status. */
  async status(relayer: RelayerNode): Promise<Status> {
    const answer = await fetch(`http://127.0.0.1:${relayer.httpPort}/status`)
    return (await answer.json()) as Status // CAST: the daemon's own answer; whatever is read is compared
  }

  /** Runs a governance command as the admin. */
  async govern(...args: readonly string[]): Promise<unknown> {
    const [any] = this.relayers.values()
    const config = ['--config', any?.config ?? '']
    return await truss(['admin', ...args, ...config, '--private-key-env', 'TRUSS_PRIVATE_KEY', '--yes'], {
      TRUSS_PRIVATE_KEY: ADMIN_KEY,
    })
  }

  #configOf(p2pPort: number, httpPort: number): string {
    return `chainId: ${CHAIN_ID}
bridge: "${this.bridgeAddress}"
rpcUrls: ["${this.rpcUrl}"]
pollMs: ${Math.max(50, Math.floor(this.options.blockTimeMs / 4))}
confirmations: ${this.options.confirmations}
dataDirectory: data
keystore: keystore.json
passwordFile: ../password
listen: [/ip4/127.0.0.1/tcp/${p2pPort}]
bootstrap: [${this.bootnode}]
httpPort: ${httpPort}
logLevel: debug
`
  }

  async #startBootnode(): Promise<void> {
    const directory = join(this.directory, 'bootnode')
    mkdirSync(directory, { recursive: true })
    const [p2pPort, httpPort] = await freePorts(2)
    const config = join(directory, 'truss.yaml')
    writeFileSync(
      config,
      `chainId: ${CHAIN_ID}
bridge: "${this.bridgeAddress}"
dataDirectory: data
listen: [/ip4/127.0.0.1/tcp/${p2pPort}]
httpPort: ${httpPort}
`,
    )
    const running = this.processes.start('bootnode', [MAIN, 'bootnode', '--config', config])
    await until('the bootnode prints its address', 90_000, async () => {
      const printed = /\/ip4\/127\.0\.0\.1\/tcp\/\d+\/p2p\/\w+/.exec(readFileSync(running.logFile, 'utf8'))
      this.bootnode = printed?.[0] ?? ''
      return this.bootnode !== ''
    })
  }

  async #writeAddresses(): Promise<void> {
    const relayers = [...this.relayers.values()].map(({ name, address, config, p2pPort, httpPort }) => ({
      name,
      address,
      config,
      p2pPort,
      httpPort,
    }))
    const { rpcUrl, bootnode, bridgeAddress: bridge } = this
    const addresses = { chainId: CHAIN_ID, rpcUrl, bridge, bootnode, relayers }
    writeFileSync(join(this.directory, 'addresses.json'), `${JSON.stringify(addresses, null, 2)}\n`)
  }
}

/**
 * Asks again and again until `done` says yes; an error counts as no.
 * @throws Error that says what was waited for, and the last error, after `ms` milliseconds
 */
export async function until(what: string, ms: number, done: () => Promise<boolean>): Promise<void> {
  const deadline = Date.now() + ms
  let last: unknown = null
  while (Date.now() < deadline) {
    try {
      if (await done()) return
      last = null
    } catch (error) {
      last = error
    }
    await sleep(100)
  }
  throw new Error(`waited ${ms / 1000} s for: ${what}${last instanceof Error ? ` (${last.message})` : ''}`)
}
