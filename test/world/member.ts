// One operator of a world: key, disk and chain view stay; the process comes, goes, and dies at a chosen durable write.
import type { Runner } from '../../relayer/ceremony/runner.ts'
import { Relayer } from '../../relayer/bridge/relayer.ts'
import { type Signer, signerOf } from '../../relayer/crypto/identity.ts'
import { type Address, toAddress } from '../../relayer/lib/bytes.ts'
import type { Clock } from '../../relayer/lib/clock.ts'
import { StoreError } from '../../relayer/lib/errors.ts'
import { Secret } from '../../relayer/lib/secret.ts'
import type { KeyShare } from '../../relayer/protocol/keyshare.ts'
import { openStore, type Store } from '../../relayer/store/store.ts'
import type { FakeChainView } from '../support/fake-chain-view.ts'
import { type DiskImage, type DiskWrite, MemoryDisk, PowerCut } from '../support/memory-database.ts'
import { seededRng } from '../support/seeded-rng.ts'
import type { SimNetwork } from '../support/sim-network.ts'
import type { Chronicle } from './chronicle.ts'
import { heardBy, type Line } from './hearing.ts'
import type { Keeper } from './keeper.ts'
import { LyingChain } from './lying-chain.ts'
import type { Step } from './scenario.ts'

export const BRIDGE = toAddress(`0x${'b7'.repeat(20)}`)
export const CHAIN_ID = 31337
export const POLL_MS = 1000
/** Blocks in which a member whose disk was full may still wait for its next window: two of the longest. */
const AFTER_FULL = 40

/** What a member needs of its world. */
export interface Surroundings {
  readonly network: SimNetwork
  readonly clock: Clock
  readonly chronicle: Chronicle
  /** Told of each line that a member writes to its log. */
  readonly heard: (member: Member, line: Line) => void
}

/** The durable step that a write is. */
export function stepOf({ kind, names }: Pick<DiskWrite, 'kind' | 'names'>): Step | 'other' {
  if (kind === 'file') return 'key file'
  if (kind === 'destroy') return 'destroy key file'
  if (kind === 'compact') return 'compact'
  const of = (prefix: string) => names.some((name) => name.startsWith(prefix))
  if (of('running')) return 'promote'
  if (of('boot')) return 'boot'
  if (of('cursor')) return 'cursor'
  if (of('marker/')) return 'marker'
  if (of('sealed/')) return of('share/') ? 'prepared' : 'erase record'
  if (of('share/')) return 'erased'
  if (of('retired/')) return 'retire'
  if (of('seen/')) return 'seen'
  return of('receipt/') ? 'receipt' : 'other'
}

/** Whether the power went out, as the store's caller sees it. */
export function isPowerCut(error: unknown): boolean {
  return error instanceof PowerCut || (error instanceof Error && error.cause instanceof PowerCut)
}

/** An operator. */
export class Member {
  readonly position: number
  readonly signer: Signer
  readonly disk = new MemoryDisk()
  readonly view: FakeChainView
  readonly chain: LyingChain
  readonly corrupt: boolean
  runner: Runner
  /** What a corrupt operator does not erase. */
  keeper: Keeper | null = null
  /** The first epoch of which its disk is all that it ever was; a copy put back raises it. */
  wholeFrom = 0
  copy: { readonly image: DiskImage; readonly block: number } | null = null
  store: Store | null = null
  relayer: Relayer | null = null
  /** The cut that is to come. */
  armed: { readonly step: Step; readonly place: 'before' | 'after'; readonly down: number } | null = null
  /** It has died at a write; so many blocks until the power is back. */
  dying: number | null = null
  /** Block at which it is started again. */
  due: number | null = null
  /** Its disk will be full. */
  filling: { readonly step: Step; readonly blocks: number } | null = null
  /** Before this block its disk is full; and that excuses it for some time, for it may have been in a ceremony. */
  #fullUntil = 0
  #excusedUntil = 0
  /** How often a disk was put back: what was done before is forgotten. */
  lives = 0
  /** Signing attempts that it led and that gave nothing. */
  failedAttempts = 0
  readonly #key: Uint8Array
  readonly #around: Surroundings
  #boots = 0

  constructor(
    around: Surroundings,
    of: {
      position: number
      key: Uint8Array
      view: (address: Address) => FakeChainView
      corrupt: boolean
      runner: Runner
    },
  ) {
    this.#around = around
    this.#key = of.key
    this.position = of.position
    this.signer = signerOf(new Secret(of.key.slice()))
    this.view = of.view(this.signer.address)
    this.chain = new LyingChain(this.view)
    this.corrupt = of.corrupt
    this.runner = of.runner
    this.disk.cut = (write) => this.#cut(write)
    this.disk.isFull = (write) => this.#isFull(write)
  }

  get address(): Address {
    return this.signer.address
  }

  get name(): string {
    return `${this.corrupt ? 'corrupt ' : ''}operator ${this.position}`
  }

  #hear(line: Line): void {
    if (line.msg === 'signing attempt failed') this.failedAttempts += 1
    this.#around.heard(this, line)
  }

  get up(): boolean {
    return this.relayer !== null
  }

  /** Whether a disk that failed it may keep it from what it should do. */
  get hampered(): boolean {
    return this.dying !== null || this.#around.chronicle.block <= this.#excusedUntil
  }

  /** Its disk has room from now on. */
  makeRoom(): void {
    this.filling = null
    this.#fullUntil = 0
  }

  /** Whether its last look at the chain was at the chain as it is. */
  get sees(): boolean {
    return (
      this.up && !this.hampered && this.chain.lie === null && this.view.lag === 0 && this.view.fault === null
    )
  }

  /** Starts the process; a power cut on the way leaves it down. */
  async start(): Promise<void> {
    this.#boots += 1
    this.due = null
    if (this.view.fault === 'down') this.view.fault = null
    const rng = seededRng(`${this.address}/${this.#boots}`)
    try {
      this.store = await openStore({ ...this.disk.openLevel(), ...this.#identity(), rng })
      this.keeper?.stand(this.store, () => this.relayer?.keys().some(({ holdsShare }) => holdsShare) === true)
      const boot = {
        counter: await this.store.nextBoot(),
        id: seededRng(`${this.address} ${this.#boots}`)(16),
      }
      this.relayer = new Relayer({
        chain: this.chain,
        network: this.#around.network.join(this.address),
        store: this.store,
        signer: this.signer,
        clock: this.#around.clock,
        rng,
        log: heardBy((line) => this.#hear(line)),
        boot,
        softwareVersion: 'test',
        pollMs: POLL_MS,
        runner: (input) => this.runner(input),
      })
      this.relayer.start()
    } catch (error) {
      if (isPowerCut(error)) return
      if (!(error instanceof StoreError)) throw error
      // Its operator makes room, and tries again.
      if (this.#around.chronicle.block < this.#fullUntil)
        return void (this.due = this.#around.chronicle.block + 1)
      this.#around.chronicle.violated(
        'a relayer starts again from what its disk holds',
        `${this.name}: ${error.message}`,
      )
    }
  }

  /** SIGTERM. */
  async stop(): Promise<void> {
    const { relayer, store } = this
    this.relayer = null
    await relayer?.stop()
    this.#around.network.leave(this.address)
    await store?.close().catch(() => {})
  }

  /** SIGKILL, or what is left to do after the power went out. */
  async kill(): Promise<void> {
    this.disk.cutPower()
    this.#vanish()
    const { relayer } = this
    this.relayer = null
    this.dying = null
    await relayer?.stop()
  }

  /** The shares of a set as they lie on the disk now, read by a process of its own. */
  async sharesOf(slot: { epoch: number; attempt: number }): Promise<KeyShare[]> {
    const disk = MemoryDisk.of(this.disk.image())
    const store = await openStore({ ...disk.open(), ...this.#identity() })
    return store.loadShares(slot)
  }

  #identity() {
    return {
      chainId: CHAIN_ID,
      bridge: BRIDGE,
      operator: this.address,
      operatorKey: new Secret(this.#key.slice()),
    }
  }

  #cut(write: DiskWrite): 'before' | 'after' | null {
    const { armed } = this
    if (armed === null || stepOf(write) !== armed.step) return null
    this.armed = null
    this.dying = armed.down
    this.#around.chronicle.count(`crash ${armed.place} ${armed.step}`)
    this.#around.chronicle.tell(
      `${this.name} loses power ${armed.place} "${armed.step}" (${write.names[0] ?? ''}) reaches its disk`,
    )
    this.#vanish()
    return armed.place
  }

  #isFull(write: Pick<DiskWrite, 'kind' | 'names'>): boolean {
    const { chronicle } = this.#around
    const { filling } = this
    if (filling !== null && stepOf(write) === filling.step) {
      this.filling = null
      this.#fullUntil = chronicle.block + filling.blocks
      this.#excusedUntil = this.#fullUntil + AFTER_FULL
      chronicle.count(`full at ${filling.step}`)
      chronicle.tell(`the disk of ${this.name} is full at "${filling.step}", for ${filling.blocks} blocks`)
    }
    return chronicle.block < this.#fullUntil
  }

  /** Nothing leaves it any more, neither to peers nor to the chain. */
  #vanish(): void {
    this.#around.network.leave(this.address)
    this.view.fault = 'down'
  }
}
