// One relayer of a ceremony simulation: a disk that survives, and everything else made anew by each start.
import type { SignedActivation } from '../../relayer/ceremony/activation.ts'
import { BlockFeed } from '../../relayer/ceremony/blocks.ts'
import { runCeremony } from '../../relayer/ceremony/ceremony.ts'
import { inProcess, type Runner } from '../../relayer/ceremony/runner.ts'
import { SigningService } from '../../relayer/ceremony/signing.ts'
import type { CeremonyTerms } from '../../relayer/ceremony/terms.ts'
import { type CeremonyView, newView } from '../../relayer/ceremony/view.ts'
import { type Signer, signerOf } from '../../relayer/crypto/identity.ts'
import { type Address, toAddress } from '../../relayer/lib/bytes.ts'
import type { Clock } from '../../relayer/lib/clock.ts'
import { silentLog } from '../../relayer/lib/log.ts'
import { Secret } from '../../relayer/lib/secret.ts'
import type { CeremonySpec } from '../../relayer/protocol/spec.ts'
import { openStore, type Store } from '../../relayer/store/store.ts'
import { MemoryDisk } from './memory-database.ts'
import { seededRng } from './seeded-rng.ts'
import type { SimNetwork } from './sim-network.ts'
import type { SimNode } from './sim-node.ts'

export const CHAIN_ID = 31337
export const BRIDGE = toAddress(`0x${'b7'.repeat(20)}`)
export const WINDOW = 20

/** What a relayer sees of its simulation. */
export interface SimWorld {
  readonly net: SimNetwork
  readonly clock: Clock
  readonly addresses: readonly Address[]
  readonly head: number
  readonly startBlock: number
}

/** One relayer: what survives a crash is its disk; everything else is made anew by `start`. */
export class SimRelayer {
  readonly signer: Signer
  readonly disk = new MemoryDisk()
  readonly feed: BlockFeed
  readonly activations: SignedActivation[] = []
  #activated = Promise.withResolvers<void>()
  readonly #key: Uint8Array
  readonly #sim: SimWorld
  #boots = 0
  #stop = new AbortController()
  #running: Promise<void> = Promise.resolve()
  store!: Store
  node!: SimNode
  signing!: SigningService
  view: CeremonyView | null = null
  /** What ended its ceremony, if not the test. */
  failure: unknown = null
  protocolVersion = 1
  softwareVersion = '0.1.0'
  runner: Runner = inProcess
  mayDeal: (spec: CeremonySpec) => string | null = () => null
  veto: (spec: CeremonySpec) => string | null = () => null

  constructor(sim: SimWorld, seed: string) {
    this.#sim = sim
    this.#key = seededRng(seed)(32)
    this.signer = signerOf(new Secret(this.#key))
    this.feed = new BlockFeed(sim.head)
  }

  get address(): Address {
    return this.signer.address
  }

  /** Boots: store, network, signing service. */
  async start(): Promise<void> {
    this.#boots += 1
    const rng = seededRng(`${this.address}/${this.#boots}`)
    this.store = await openStore({
      ...this.disk.open(),
      operatorKey: new Secret(this.#key.slice()),
      chainId: CHAIN_ID,
      bridge: BRIDGE,
      operator: this.address,
      rng,
    })
    this.node = this.#sim.net.join(this.address)
    this.node.admit({ committee: this.#sim.addresses, receipts: [] })
    this.signing = new SigningService({
      network: this.node,
      signer: this.signer,
      rng,
      boot: this.boot,
      clock: this.#sim.clock,
      log: silentLog,
      domain: { chainId: CHAIN_ID, bridge: BRIDGE },
    })
  }

  get boot() {
    return { counter: this.#boots, id: seededRng(`boot ${this.address}/${this.#boots}`)(16) }
  }

  /** Runs a ceremony in the background. */
  run(spec: CeremonySpec, terms: Partial<CeremonyTerms> = {}): void {
    this.#stop = new AbortController()
    this.view = newView(spec)
    this.failure = null
    this.#activated = Promise.withResolvers()
    this.#running = this.#collect({
      spec,
      startBlock: this.#sim.startBlock,
      windowBlocks: WINDOW,
      held: [],
      mayDeal: (each) => this.mayDeal(each),
      veto: (each) => this.veto(each),
      view: this.view,
      ...terms,
    })
  }

  /** Resolves with the first activation of the running ceremony; for those whose work the simulation cannot see. */
  get activated(): Promise<void> {
    return this.#activated.promise
  }

  /** Ends the ceremony, as the chain's decision does. */
  async end(): Promise<void> {
    this.#stop.abort(new DOMException('ended by the test', 'AbortError'))
    await this.#running
  }

  /** The power goes out: the disk stays. */
  async crash(): Promise<void> {
    this.disk.cutPower()
    this.#sim.net.leave(this.address)
    await this.end()
    this.signing.close()
  }

  async #collect(terms: CeremonyTerms): Promise<void> {
    const deps = {
      network: this.node,
      blocks: this.feed,
      store: this.store,
      signer: this.signer,
      rng: seededRng(`ceremony ${this.address}/${this.#boots}/${terms.spec.next.epoch}`),
      boot: this.boot,
      log: silentLog,
      softwareVersion: this.softwareVersion,
      protocolVersion: this.protocolVersion,
      runner: this.runner,
    }
    try {
      for await (const signed of runCeremony(deps, terms, this.#stop.signal)) {
        this.activations.push(signed)
        this.#activated.resolve()
      }
    } catch (error) {
      this.failure = error
    }
  }
}
