// `truss admin check`: finds relayers through the DHT as governance does before it adds one, proven by the handshake.
import { Command } from 'commander'
import type { EthersChain } from '../chain/client.ts'
import { type Address, toAddress } from '../lib/bytes.ts'
import { systemClock } from '../lib/clock.ts'
import { ConfigError, InputError, messageOf } from '../lib/errors.ts'
import { multiaddrWithPeer } from '../lib/settings.ts'
import type { Host } from '../p2p/host.ts'
import {
  type BridgeConfig,
  type BridgeOptions,
  bridgeConfig,
  bridgeOptions,
  openChain,
} from './admin-options.ts'
import { checkedAddress } from './argument-checks.ts'
import { argument, bounded, columns, contextOf, repeated, show } from './command.ts'
import { UnprovenError } from './exit.ts'
import type { Io } from './io.ts'
import { type Namer, namerOf } from './names.ts'

interface CheckOptions extends BridgeOptions {
  readonly all?: true
  readonly bootstrap?: readonly string[]
  readonly timeoutMs: number
}

/** What was found of one relayer. */
interface Finding {
  readonly address: Address
  readonly member: boolean
  readonly found: boolean
  readonly peerId?: string
  readonly multiaddr?: string
  readonly latencyMs?: number | null
  readonly protocolVersion?: number
  readonly softwareVersion?: string
  readonly head?: number
  readonly epoch?: number
  /** In wei, decimal. */
  readonly balance?: string
  readonly problem?: string
}

export function checkCommand(io: Io): Command {
  return bridgeOptions(
    new Command('check').description('find a relayer through the DHT and report what it says of itself'),
  )
    .argument('[address]', 'address of the relayer', argument(checkedAddress))
    .option('--all', 'every member of the running and the pending committee')
    .option(
      '--bootstrap <multiaddr>',
      'bootnode with its PeerId; may be given several times',
      repeated(multiaddrWithPeer),
    )
    .addOption(
      bounded('--timeout-ms <ms>', 'how long to look for each', { least: 100, most: 600_000 }).default(
        20_000,
      ),
    )
    .action(async (given: string | undefined, options: CheckOptions, command: Command) => {
      const context = contextOf(io, command)
      const config = bridgeConfig(context, options)
      const bootstrap = options.bootstrap ?? config.bootstrap ?? []
      if ((given === undefined) === (options.all !== true))
        throw new InputError('check: give one address, or --all')
      if (bootstrap.length === 0)
        throw new ConfigError('check: no bootnode is known', { hint: 'set bootstrap, or give --bootstrap' })
      const chain = await openChain(config, null)
      const host = await visitor(config, bootstrap)
      try {
        await host.start()
        const members = await membersOf(chain)
        const asked = given === undefined ? [...members] : [toAddress(given)]
        const find = (one: Address) => look(one, { host, config, timeoutMs: options.timeoutMs, members })
        const findings = await Promise.all(asked.map(find))
        const { number: head } = await chain.head()
        show(
          context,
          { head, findings },
          findings.flatMap((one) => [...lines(one, head, namerOf(config)), '']),
        )
        const missing = findings.filter(({ found }) => !found).map((one) => one.address)
        if (missing.length > 0)
          throw new UnprovenError(`check: not found: ${missing.join(', ')}`, {
            hint: 'the node must run, know a bootnode of this network, and announce an address that can be reached',
          })
      } finally {
        await host.stop()
        chain.close()
      }
    })
}

/** A host with a key of its own that asks and serves nothing. */
async function visitor(config: BridgeConfig, bootstrap: readonly string[]): Promise<Host> {
  const [{ createHost }, { forgetful }, rng, secret, log] = await Promise.all([
    import('../p2p/host.ts'),
    import('../p2p/forgetful.ts'),
    import('../crypto/rng.ts'),
    import('../lib/secret.ts'),
    import('../lib/log.ts'),
  ])
  return createHost({
    mode: 'visitor',
    privateKey: new secret.Secret(rng.systemRng(32)),
    listen: [],
    announce: [],
    bootstrap,
    network: { chainId: config.chainId, bridge: config.bridge },
    ...forgetful(),
    log: log.silentLog,
  })
}

async function membersOf(chain: EthersChain): Promise<Set<Address>> {
  const at = await chain.head()
  const state = await chain.committeeState(at)
  const pending = state.pending === null ? [] : (await chain.epochInfo(state.pending.epoch, at)).members
  return new Set([...state.members, ...pending])
}

interface Surroundings {
  readonly host: Host
  readonly config: BridgeConfig
  readonly timeoutMs: number
  readonly members: ReadonlySet<Address>
}

/** An account's balance in wei, of the first endpoint. @throws ChainError */
async function balanceOf({ rpcUrls, chainId, bridge }: BridgeConfig, account: Address): Promise<string> {
  const { createEndpoints, wei } = await import('../chain/endpoint.ts')
  const common = { chainId, bridge, timeoutMs: 10_000, clock: systemClock }
  const endpoints = createEndpoints(rpcUrls.slice(0, 1), common)
  try {
    const [endpoint] = endpoints
    const balance = await endpoint?.ask('eth_getBalance', [account, 'latest'], { schema: wei })
    return String(balance ?? 0n)
  } finally {
    for (const endpoint of endpoints) endpoint.close()
  }
}

async function look(address: Address, { host, config, timeoutMs, members }: Surroundings): Promise<Finding> {
  const member = members.has(address)
  const balance = await balanceOf(config, address)
  try {
    const { peerId, multiaddr, latencyMs, hello } = await host.find(address, {
      signal: AbortSignal.timeout(timeoutMs),
    })
    const { protocolVersion, softwareVersion, head, epoch } = hello
    const versions = { protocolVersion, softwareVersion, head, epoch }
    return { address, member, found: true, peerId, multiaddr, latencyMs, ...versions, balance }
  } catch (error) {
    return { address, member, found: false, balance, problem: messageOf(error) }
  }
}

function lines(finding: Finding, head: number, name: Namer): string[] {
  const { address, member, found, balance } = finding
  const ether = balance === undefined ? '?' : (Number(BigInt(balance) / 10n ** 12n) / 1e6).toString()
  return columns([
    ['address', `${name(address)}${member ? ', a member' : ', no member'}`],
    ['account', `${ether} ether`],
    ...(found
      ? ([
          ['found', `${finding.multiaddr} (${finding.latencyMs ?? '?'} ms)`],
          ['PeerId', finding.peerId ?? ''],
          ['versions', `${finding.softwareVersion}, protocol ${finding.protocolVersion}`],
          ['sees', `block ${finding.head} (the endpoint: ${head}), epoch ${finding.epoch}`],
        ] as const)
      : [['NOT FOUND', finding.problem ?? ''] as const]),
  ])
}
