// What the relayer is handed by whoever wires it: the ports, this node's key and store, and the operator's settings.
import type { Boot } from '../protocol/nonces.ts'
import type { Chain } from '../chain/chain.ts'
import type { BlockFeed } from '../ceremony/blocks.ts'
import type { Runner } from '../ceremony/runner.ts'
import type { Signer } from '../crypto/identity.ts'
import type { Rng } from '../crypto/rng.ts'
import type { Address } from '../lib/bytes.ts'
import type { Clock } from '../lib/clock.ts'
import type { Log } from '../lib/log.ts'
import type { Metrics } from '../lib/metrics.ts'
import type { Network, PeerView } from '../protocol/channel.ts'
import type { Store } from '../store/store.ts'
import type { DealingRules } from './policy.ts'
import type { Problems } from './problems.ts'

/** What is read of a bridge on another chain; it is never followed. */
export type OtherBridge = Pick<Chain, 'chainId' | 'bridge' | 'finalised' | 'committeeState' | 'events'>

/** The parts of a relayer. */
export interface RelayerOptions {
  readonly chain: Chain
  readonly network: Network
  readonly store: Store
  readonly signer: Signer
  readonly clock: Clock
  readonly rng: Rng
  readonly log: Log
  /** This start of this process. */
  readonly boot: Boot
  readonly softwareVersion: string
  /** Time between two looks at the chain, ms. */
  readonly pollMs: number
  readonly metrics?: Metrics
  /** Peers as the network sees them, for the status. */
  readonly peers?: () => readonly PeerView[]
  /** Names that the operator gave to addresses, for the status. */
  readonly aliases?: Readonly<Record<Address, string>>
  /** For which changes this node deals without being asked; absent, for every one. */
  readonly rules?: DealingRules
  /** Bridges on other chains, watched for governance that must not be there. */
  readonly others?: readonly OtherBridge[]
  /** Where the mathematics runs. */
  readonly runner?: Runner
}

/** What the parts of the bridge floor share. */
export interface Desk extends RelayerOptions {
  readonly self: Address
  readonly blocks: BlockFeed
  readonly problems: Problems
  /**
   * Starts work that goes on beside the polling. Its errors are logged; `stop` aborts its signal and waits for it.
   */
  readonly background: (name: string, work: (signal: AbortSignal) => Promise<void>) => void
}
