// A committee in namespaces of its own: four members and a bootnode, each with its address, and a chain that all can reach.
import assert from 'node:assert/strict'
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { FullStatus } from '../../relayer/cli/status.ts'
import { eventually, type Operator, Operators } from './daemons.ts'
import { ETHER, HardhatChain } from './hardhat-chain.ts'
import { PrivateNetwork } from './namespaces.ts'

const NAMES = ['anna', 'bert', 'cleo', 'dora']
const MEMBER = 'test/faults/entries/faulty-member.ts'
const BOOTNODE = 'bootnode'
const P2P_PORT = 9000
const HTTP_PORT = 9780
/** How long a state is waited for before it counts as never reached; far above what a loaded machine takes. */
const PATIENCE_MS = 300_000

/** The committee's processes, its network and its chain. */
export class NamespaceWorld {
  readonly network: PrivateNetwork
  readonly team: readonly Operator[]
  readonly #operators: Operators
  readonly #chain: HardhatChain
  readonly #http = new Map<string, string>()
  #bootstrap = ''
  #epoch = 0

  private constructor(parts: {
    network: PrivateNetwork
    team: Operator[]
    operators: Operators
    chain: HardhatChain
  }) {
    this.network = parts.network
    this.team = parts.team
    this.#operators = parts.operators
    this.#chain = parts.chain
  }

  /** With key 0 generated and everybody up. */
  static async open(): Promise<NamespaceWorld> {
    const operators = new Operators()
    const team = await Promise.all(NAMES.map((name) => operators.make(name)))
    const chain = await HardhatChain.start({ members: team.map(({ address }) => address) })
    const network = await PrivateNetwork.open([...NAMES, BOOTNODE])
    const world = new NamespaceWorld({ network, team, operators, chain })
    try {
      await world.#begin()
    } catch (error) {
      await world.close()
      throw error
    }
    return world
  }

  async close(): Promise<void> {
    for (const { name } of this.team) await this.#operators.signal(name, 'SIGCONT')
    await this.#operators.stopAll()
    await this.network.close()
    await this.#chain.stop()
  }

  get victim(): Operator {
    const last = this.team.at(-1)
    assert.ok(last)
    return last
  }

  /** Half of the committee, the victim in it: as many members as are needed to sign. */
  get half(): readonly string[] {
    return this.team.slice(this.team.length >> 1).map(({ name }) => name)
  }

  async start({ name, config }: Operator): Promise<void> {
    await this.#operators.start(name, ['start', '-c', config])
  }

  /** Kills a daemon (SIGKILL), stops it for a while (SIGSTOP), or lets it go on (SIGCONT). */
  signal(name: string, signal: NodeJS.Signals): Promise<void> {
    return this.#operators.signal(name, signal)
  }

  async stop({ name }: Operator): Promise<void> {
    assert.equal(await this.#operators.stop(name), 0, this.#operators.log(name).slice(-2000))
  }

  async startBootnode(): Promise<void> {
    const address = this.network.address(BOOTNODE)
    this.#operators.prefix.set(BOOTNODE, this.network.inside(BOOTNODE))
    this.#bootstrap = await this.#operators.bootnode({ TRUSS_LISTEN: `/ip4/${address}/tcp/${P2P_PORT}` })
  }

  killBootnode(): Promise<void> {
    return this.#operators.signal(BOOTNODE, 'SIGKILL')
  }

  /** Writes an operator's configuration for the address that it has. */
  configure(operator: Operator, address: string): void {
    this.#http.set(operator.name, `http://${address}:${HTTP_PORT}`)
    this.#operators.configure(operator, {
      ...this.#chain.settings,
      rpcUrls: `[${this.#chain.url.replace('127.0.0.1', this.network.hub)}]`,
      pollMs: 100,
      listen: `[/ip4/${address}/tcp/${P2P_PORT}]`,
      httpHost: address,
      httpPort: HTTP_PORT,
      bootstrap: this.#bootstrap,
      logLevel: 'debug',
    })
  }

  async status({ name }: Operator): Promise<FullStatus> {
    const answer = await fetch(`${this.#http.get(name)}/status`, { signal: AbortSignal.timeout(5000) })
    return (await answer.json()) as FullStatus // CAST: the daemon's own answer
  }

  /** Waits until all members' statuses are as wanted; a daemon that does not answer is not. */
  async everybody(wanted: (now: FullStatus) => boolean): Promise<void> {
    await eventually(
      () => Promise.all(this.team.map((each) => this.status(each).catch(() => null))),
      (all) => all.every((now) => now !== null && wanted(now)),
      PATIENCE_MS,
    )
  }

  async connected(): Promise<void> {
    await this.everybody(({ members }) => members.length > 0 && members.every((member) => member.connected))
  }

  async refresh(): Promise<void> {
    this.#epoch += 1
    await this.#chain.govern('refreshKey', ['a fault'])
  }

  /** Waits for that many blocks. */
  async blocks(count: number): Promise<void> {
    const height = async () => Number(await this.#chain.rpc('eth_blockNumber'))
    const end = (await height()) + count
    await eventually(height, (now) => now >= end, PATIENCE_MS)
  }

  /** Has the victim wait at its next durable step of that name, `before:…` or `after:…`. */
  hold(step: string): void {
    writeFileSync(this.#file('hold'), step)
  }

  /** Waits until it waits there. */
  async held(): Promise<void> {
    await eventually(
      async () => existsSync(this.#file('hold.held')),
      (there) => there,
      PATIENCE_MS,
    )
  }

  release(): void {
    for (const name of ['hold', 'hold.held']) rmSync(this.#file(name), { force: true })
  }

  /** Every member signs with the new epoch, nobody was convicted, no attempt ran twice, and the victim signs a probe. */
  async completed(): Promise<void> {
    const epoch = this.#epoch
    await this.everybody(
      (now) =>
        now.phase === 'complete' && now.epoch === epoch && now.signsWith === epoch && now.evidence === 0,
    )
    const attempts = readFileSync(this.#file('ledger'), 'utf8').trim().split('\n')
    assert.equal(new Set(attempts).size, attempts.length, `an attempt was run again: ${attempts.join(' ')}`)
    await this.probe('--include', this.victim.address)
  }

  /** A probe that the first member asks for. */
  async probe(...flags: readonly string[]): Promise<void> {
    const [asked] = this.team
    const about = ['--key', '0', '--text', 'a fault', ...flags]
    const { code, err } = await this.#operators.truss(['sign-probe', ...about, '-c', asked?.config ?? ''])
    assert.equal(code, 0, err)
  }

  /** A file that the victim writes, or reads. */
  #file(name: string): string {
    return join(this.#operators.folder, name)
  }

  async #begin(): Promise<void> {
    await this.#chain.rpc('evm_setIntervalMining', 400)
    await this.network.door(Number(new URL(this.#chain.url).port))
    await this.startBootnode()
    const files = ['--hold', this.#file('hold'), '--ledger', this.#file('ledger')]
    this.#operators.program.set(this.victim.name, [MEMBER, ...files])
    for (const operator of this.team) {
      this.#operators.prefix.set(operator.name, this.network.inside(operator.name))
      this.configure(operator, this.network.address(operator.name))
      await this.#chain.fund(operator.address, ETHER)
      await this.start(operator)
    }
    await this.connected()
    this.#epoch = 1
    await this.#chain.govern('startKeygen')
    await this.completed()
  }
}
