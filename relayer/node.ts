// The only place that wires: makes the parts of a relayer or a bootnode, starts them in order, stops them in reverse.
import { checksOf } from './api/checks.ts'
import { ControlServer } from './api/control.ts'
import type { Daemon } from './api/daemon.ts'
import { well } from './api/health.ts'
import { HttpServer, type Watched } from './api/http.ts'
import type { DealingRules } from './bridge/policy.ts'
import { Relayer } from './bridge/relayer.ts'
import { defaultRunner } from './ceremony/worker.ts'
import { createChain, type EthersChain } from './chain/client.ts'
import type { BootnodeConfig, Config } from './config.ts'
import { signerOf } from './crypto/identity.ts'
import { systemRng } from './crypto/rng.ts'
import { type Address, to0x, toHex } from './lib/bytes.ts'
import { type Clock, systemClock } from './lib/clock.ts'
import { ChainError, StoreError } from './lib/errors.ts'
import { Lifecycle } from './lib/lifecycle.ts'
import type { Log } from './lib/log.ts'
import { createMetrics } from './lib/metrics.ts'
import type { Secret } from './lib/secret.ts'
import { socketPath } from './lib/settings.ts'
import { SOFTWARE_VERSION } from './lib/version.ts'
import { forgetful } from './p2p/forgetful.ts'
import { createHost, type Host } from './p2p/host.ts'
import { PROTOCOL_VERSION } from './protocol/channel.ts'
import type { Boot } from './protocol/nonces.ts'
import { openLevel } from './store/level.ts'
import { peerBookIn } from './store/peerbook.ts'
import { openStore, type Store } from './store/store.ts'

/** What a node says once it is up. */
export interface Up {
  readonly address: string
  readonly peerId: string
  /** Ending in /p2p/ and the PeerId. */
  readonly multiaddrs: readonly string[]
  /** URL of the HTTP server. */
  readonly http: string
}

interface Parts {
  readonly chain: EthersChain
  readonly store: Store
  readonly host: Host
  readonly boot: Boot
}

/** What a relayer is handed beside its configuration. */
export interface Given {
  /** 32 bytes; wiped by `stop`. */
  readonly operatorKey: Secret
  /** Opens the disk below a data directory; LevelDB by default. */
  readonly openDisk?: typeof openLevel
  /** The machine's own by default. */
  readonly clock?: Clock
}

/** A relayer with everything that it is made of. */
export function createNode(config: Config, given: Given, log: Log): RelayerNode {
  return new RelayerNode(config, given, log)
}

/** Starts a relayer's parts in order, and stops them in reverse. */
export class RelayerNode {
  readonly #config: Config
  readonly #operatorKey: Secret
  readonly #openDisk: typeof openLevel
  readonly #clock: Clock
  readonly #log: Log
  readonly #lifecycle: Lifecycle
  readonly #metrics = createMetrics({ process: true })
  #relayer: Relayer | null = null

  constructor(config: Config, { operatorKey, openDisk = openLevel, clock = systemClock }: Given, log: Log) {
    this.#config = config
    this.#operatorKey = operatorKey
    this.#openDisk = openDisk
    this.#clock = clock
    this.#log = log
    this.#lifecycle = new Lifecycle(log)
  }

  /**
   * Brings the node up, or refuses: the chain is looked at before anything is written to the data directory.
   * @throws ConfigError, StoreError or NetworkError with a hint; what was started is stopped by `stop`
   */
  async start(signal: AbortSignal): Promise<Up & { control: string }> {
    const chain = await this.#openChain(signal)
    const store = await this.#openStore(chain.account)
    const boot: Boot = { counter: await this.#countBoot(store), id: systemRng(16) }
    const host = this.#createHost(store, boot)
    const relayer = this.#createRelayer({ chain, store, host, boot })
    this.#relayer = relayer
    this.#lifecycle.add('p2p', () => host.stop())
    await host.start()
    const doors = await this.#openDoors(this.#daemon(relayer, { host, store }))
    this.#lifecycle.add('relayer', () => relayer.stop())
    relayer.start()
    return { address: host.self, peerId: host.peerId, multiaddrs: host.multiaddrs(), ...doors }
  }

  /** Stops what is up. Idempotent. */
  async stop(): Promise<void> {
    await this.#lifecycle.stop()
    this.#operatorKey.wipe()
  }

  /** A damaged counter keeps no sound share from being used: it begins anew, which the others hear and are alarmed by. */
  async #countBoot(store: Store): Promise<number> {
    try {
      return await store.nextBoot()
    } catch (error) {
      if (!(error instanceof StoreError)) throw error
      const said =
        'starts are counted from 1 again; the other members are alarmed until this node has started as often as before'
      this.#log.error({ error: error.message }, said)
      return await store.renewBoots()
    }
  }

  /** An endpoint of another chain refuses; endpoints that are down are waited for while the node is up. */
  async #openChain(signal: AbortSignal): Promise<EthersChain> {
    const chain = createChain({
      ...this.#config,
      privateKey: this.#operatorKey,
      clock: this.#clock,
      log: this.#log.child({ component: 'chain' }),
    })
    this.#lifecycle.add('chain', async () => chain.close())
    try {
      await chain.check(signal)
    } catch (error) {
      if (!(error instanceof ChainError)) throw error
      this.#log.warn({ reason: error.message }, 'start without the chain')
    }
    return chain
  }

  /** Bridges on other chains are read only, and never waited for. */
  #openOthers(): EthersChain[] {
    const { otherBridges, rpcTimeoutMs, confirmations, pollMs } = this.#config
    return otherBridges.map((other) => {
      const log = this.#log.child({ component: 'other chain', chain: other.chainId })
      const settings = { rpcTimeoutMs, confirmations, pollMs, privateKey: null, clock: this.#clock, log }
      const chain = createChain({ ...settings, ...other })
      this.#lifecycle.add(`chain ${other.chainId}`, async () => chain.close())
      return chain
    })
  }

  async #openStore(operator: Address): Promise<Store> {
    const { dataDirectory, chainId, bridge } = this.#config
    const { database, keyFiles } = await this.#openDisk(dataDirectory)
    this.#lifecycle.add('database', () => database.close())
    return openStore({ database, keyFiles, operatorKey: this.#operatorKey, chainId, bridge, operator })
  }

  #createHost(store: Store, boot: Boot): Host {
    const { listen, announce, bootstrap, chainId, bridge } = this.#config
    return createHost({
      mode: 'relayer',
      privateKey: this.#operatorKey,
      listen,
      announce,
      bootstrap,
      network: { chainId, bridge },
      peerBook: peerBookIn(store),
      clock: this.#clock,
      log: this.#log.child({ component: 'p2p' }),
      hello: () => ({
        protocolVersion: PROTOCOL_VERSION,
        softwareVersion: SOFTWARE_VERSION,
        ...(this.#relayer?.position ?? { head: 0, epoch: 0 }),
        bootCounter: boot.counter,
        bootId: toHex(boot.id),
      }),
      observer: {
        refused: (protocol, reason) => this.#metrics.refusedStreams.inc({ protocol, reason }),
        dropped: (protocol, reason) => this.#metrics.droppedFrames.inc({ protocol, reason }),
      },
    })
  }

  #createRelayer({ chain, store, host, boot }: Parts): Relayer {
    const { pollMs, aliases } = this.#config
    return new Relayer({
      chain,
      network: host,
      store,
      signer: signerOf(this.#operatorKey),
      clock: this.#clock,
      rng: systemRng,
      log: this.#log.child({ component: 'bridge' }),
      boot,
      softwareVersion: SOFTWARE_VERSION,
      pollMs,
      metrics: this.#metrics,
      peers: () => host.peers(),
      aliases,
      rules: rulesOf(this.#config),
      others: this.#openOthers(),
      runner: defaultRunner,
    })
  }

  #daemon(relayer: Relayer, { host, store }: Pick<Parts, 'host' | 'store'>): Daemon & Watched {
    const metrics = this.#metrics
    return {
      status: () => relayer.status(),
      health: async () => {
        const status = await relayer.status()
        return checksOf(status, {
          bootnodes: host.bootnodes(),
          recordReplicas: host.recordReplicas,
          bootAlarms: host.bootAlarms(),
        })
      },
      keys: async () => relayer.keys(),
      async signProbe(request, signal) {
        const observe = metrics.signatureSeconds.startTimer()
        const answer = await relayer.signProbe(request, signal)
        observe()
        return answer
      },
      declareLost: (epoch) => relayer.declareLost(epoch),
      decide: (verdict, choice) => relayer.decide(verdict, choice),
      evidence: async () => (await store.evidence()).map(({ id, bytes }) => ({ id, record: to0x(bytes) })),
      async measure() {
        const { head, finalised, evidence } = await relayer.status()
        metrics.evidence.set(evidence)
        metrics.headBlock.set(head)
        metrics.finalisedBlock.set(finalised ?? 0)
      },
    }
  }

  async #openDoors(daemon: Daemon & Watched): Promise<{ http: string; control: string }> {
    const { dataDirectory, httpHost, httpPort } = this.#config
    const control = socketPath(dataDirectory)
    const controlServer = new ControlServer(daemon, control, () => this.#clock.now())
    this.#lifecycle.add('control', () => controlServer.stop())
    await controlServer.start()
    const httpServer = new HttpServer(daemon, this.#metrics, { host: httpHost, port: httpPort })
    this.#lifecycle.add('http', () => httpServer.stop())
    return { http: await httpServer.start(), control }
  }
}

function rulesOf(config: Config): DealingRules {
  return {
    minThreshold: config.dealMinThreshold,
    maxChanges: config.dealMaxChanges,
    minOverlap: config.dealMinOverlap ?? null,
    maxThresholdStep: config.dealMaxThresholdStep,
    majority: config.dealMajorityOnly,
    spanBlocks: config.dealSpanBlocks,
    delayBlocks: config.dealDelayBlocks,
  }
}

/** A node that helps others to find each other, and watches over nothing. */
export function createBootnode(config: BootnodeConfig, secrets: { privateKey: Secret }, log: Log) {
  const lifecycle = new Lifecycle(log)
  const metrics = createMetrics({ process: true })
  const host = createHost({
    mode: 'bootnode',
    privateKey: secrets.privateKey,
    listen: config.listen,
    announce: config.announce,
    bootstrap: config.bootstrap,
    ...(config.chainId === undefined || config.bridge === undefined
      ? {}
      : { network: { chainId: config.chainId, bridge: config.bridge } }),
    ...forgetful(),
    log: log.child({ component: 'p2p' }),
  })
  const watched: Pick<Daemon, 'status' | 'health'> = {
    status: async () => ({ peerId: host.peerId, multiaddrs: host.multiaddrs(), peers: host.peers() }),
    health: async () => [well('p2p', `${host.peers().length} peers`)],
  }
  const http = new HttpServer(watched, metrics, { host: config.httpHost, port: config.httpPort })
  return {
    async start(): Promise<Up> {
      lifecycle.add('p2p', () => host.stop())
      await host.start()
      lifecycle.add('http', () => http.stop())
      const url = await http.start()
      return { address: host.self, peerId: host.peerId, multiaddrs: host.multiaddrs(), http: url }
    },
    stop: () => lifecycle.stop(),
  }
}
