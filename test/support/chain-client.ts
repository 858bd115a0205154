// The ethers client for tests, with every option but those that a test is about.
import { type ChainOptions, createChain, type EthersChain } from '../../relayer/chain/client.ts'
import { fromHex, type Hex } from '../../relayer/lib/bytes.ts'
import { systemClock } from '../../relayer/lib/clock.ts'
import { silentLog } from '../../relayer/lib/log.ts'
import { Secret } from '../../relayer/lib/secret.ts'
import { CHAIN_ID, type HardhatChain } from './hardhat-chain.ts'

/** A client of a simulated chain; `key` is a private key of an account with funds. */
export function clientOf(
  chain: Pick<HardhatChain, 'url' | 'bridge'>,
  { key, ...options }: Partial<ChainOptions> & { key?: Hex } = {},
): EthersChain {
  const rpcUrls = options.rpcUrls ?? [chain.url]
  return createChain({
    rpcUrls,
    rpcQuorum: rpcUrls.length,
    rpcTimeoutMs: 10_000,
    chainId: CHAIN_ID,
    bridge: chain.bridge,
    confirmations: 2,
    privateKey: key === undefined ? null : new Secret(fromHex(key)),
    clock: systemClock,
    log: silentLog,
    pollMs: 5,
    ...options,
  })
}
