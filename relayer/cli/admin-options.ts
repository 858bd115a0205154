// Options that governance commands share, and the client of the governance chain that they give.
import type { Command } from 'commander'
import { loadToolConfig, type ToolConfig } from '../config.ts'
import type { EthersChain } from '../chain/client.ts'
import { type Address, fromHex, toAddress } from '../lib/bytes.ts'
import { systemClock } from '../lib/clock.ts'
import { ConfigError } from '../lib/errors.ts'
import { createLog } from '../lib/log.ts'
import { Secret } from '../lib/secret.ts'
import { rpcUrl, whole } from '../lib/settings.ts'
import { checkedAddress } from './argument-checks.ts'
import { argument, type Context, repeated } from './command.ts'
import { GIVE_PASSWORD, readPassword } from './password.ts'

/** Which bridge. */
export interface BridgeOptions {
  readonly rpc?: readonly string[]
  readonly bridge?: string
  readonly chainId?: number
}

/** Who pays and signs, and how far to go. */
export interface AdminOptions extends BridgeOptions {
  readonly yes?: true
  readonly dryRun?: true
  readonly calldata?: true
  readonly keystore?: string
  readonly passwordFile?: string
  readonly privateKeyEnv?: string
}

/** Adds the options that say which bridge; the configuration answers where they are absent. */
export function bridgeOptions(command: Command): Command {
  return command
    .option(
      '--rpc <url>',
      'RPC endpoint of the governance chain; may be given several times',
      repeated(rpcUrl),
    )
    .option('--bridge <address>', 'the bridge on the governance chain', argument(checkedAddress))
    .option('--chain-id <number>', 'id of the governance chain', argument(whole(1, Number.MAX_SAFE_INTEGER)))
}

/** Adds the options of a command that changes the contract. */
export function changeOptions(command: Command): Command {
  return bridgeOptions(command)
    .option('--yes', 'do not ask')
    .option('--dry-run', 'show what would change, try the call, send nothing')
    .option('--calldata', 'print the call for a Safe or another sender, send nothing')
    .option('--keystore <file>', "keystore of the admin's account")
    .option('--password-file <file>', 'file with its password (else TRUSS_PASSWORD, or asked)')
    .option(
      '--private-key-env <name>',
      'variable that holds a private key in hex; for development chains only',
    )
}

/** The bridge that a command is about. */
export interface BridgeConfig extends ToolConfig {
  readonly chainId: number
  readonly bridge: Address
  readonly rpcUrls: string[]
}

/** Settings of file and environment with the options on top. @throws ConfigError if chain, bridge or endpoint is unknown */
export function bridgeConfig(
  { source }: Context,
  options: BridgeOptions & { privateKeyEnv?: string },
): BridgeConfig {
  const { [options.privateKeyEnv ?? '']: _, ...env } = source.env
  const config = loadToolConfig({ ...source, env })
  const chainId = options.chainId ?? config.chainId
  const bridge = options.bridge === undefined ? config.bridge : toAddress(options.bridge)
  const rpcUrls = options.rpc === undefined ? config.rpcUrls : [...options.rpc]
  if (chainId === undefined || bridge === undefined || rpcUrls === undefined)
    throw new ConfigError('find the bridge: chain id, bridge and endpoint must be known', {
      hint: 'name a configuration with --config FILE, or give --chain-id, --bridge and --rpc',
    })
  return { ...config, chainId, bridge, rpcUrls }
}

/** A client of the governance chain; the caller closes it. @throws ChainError, ConfigError if it is not that chain */
export async function openChain(config: BridgeConfig, privateKey: Secret | null): Promise<EthersChain> {
  const { createChain } = await import('../chain/client.ts')
  const { rpcUrls, chainId, bridge } = config
  const chain = createChain({
    rpcUrls,
    rpcQuorum: Math.min(config.rpcQuorum ?? Math.floor(rpcUrls.length / 2) + 1, rpcUrls.length),
    rpcTimeoutMs: config.rpcTimeoutMs ?? 10_000,
    pollMs: config.pollMs ?? 1000,
    confirmations: config.confirmations ?? 'finalized',
    chainId,
    bridge,
    privateKey,
    clock: systemClock,
    log: createLog('silent'),
  })
  try {
    await chain.check()
    return chain
  } catch (error) {
    chain.close()
    throw error
  }
}

/** The admin's key, or null if none is named. @throws ConfigError */
export async function adminKey({ io }: Context, options: AdminOptions): Promise<Secret | null> {
  if (options.privateKeyEnv !== undefined) {
    const text = io.env[options.privateKeyEnv] ?? ''
    if (!/^(0x)?[0-9a-fA-F]{64}$/.test(text))
      throw new ConfigError(`read the admin's key from ${options.privateKeyEnv}: not 64 hex digits`, {
        hint: 'put the private key into that variable',
      })
    return new Secret(fromHex(text))
  }
  if (options.keystore === undefined) return null
  const { openKeystore } = await import('../chain/keystore.ts')
  const password = await readPassword(io, options.passwordFile, GIVE_PASSWORD)
  try {
    return await openKeystore(options.keystore, password)
  } finally {
    password.wipe()
  }
}
