// Whole relayers over a fake governance chain, a simulated network and memory disks: one block a step, time in the test's hand.
import assert from 'node:assert/strict'
import { schemeOf } from '../../relayer/bridge/committee.ts'
import { type Runner, inProcess } from '../../relayer/ceremony/runner.ts'
import type { OtherBridge } from '../../relayer/bridge/parts.ts'
import type { DealingRules } from '../../relayer/bridge/policy.ts'
import { Relayer } from '../../relayer/bridge/relayer.ts'
import type { Status } from '../../relayer/bridge/status.ts'
import { type Signer, signerOf } from '../../relayer/crypto/identity.ts'
import { verifyEvm, verifySignature } from '../../relayer/crypto/schnorr.ts'
import { type Address, fromHex, toAddress } from '../../relayer/lib/bytes.ts'
import { silentLog } from '../../relayer/lib/log.ts'
import { Secret } from '../../relayer/lib/secret.ts'
import { ofEpoch, PREFIX } from '../../relayer/store/layout.ts'
import { openStore, type Store } from '../../relayer/store/store.ts'
import { FakeChain, type FakeChainOptions } from './fake-chain.ts'
import { bridgeVerifier } from './fake-chain-verifier.ts'
import type { FakeChainView } from './fake-chain-view.ts'
import { FakeClock } from './fake-clock.ts'
import { MemoryDisk } from './memory-database.ts'
import { seededRng } from './seeded-rng.ts'
import { SimNetwork } from './sim-network.ts'

const BRIDGE = toAddress(`0x${'b7'.repeat(20)}`)
const CHAIN_ID = 31337
const POLL_MS = 1000

/** One operator: key, disk and view of the chain stay; the process comes and goes. */
export class Operator {
  readonly signer: Signer
  readonly disk = new MemoryDisk()
  readonly chain: FakeChainView
  readonly #key: Uint8Array
  readonly #sim: GovernedSim
  #boots = 0
  store: Store | null = null
  relayer: Relayer | null = null
  runner: Runner = inProcess
  rules: DealingRules | null = null
  others: readonly OtherBridge[] = []

  constructor(sim: GovernedSim, key: Uint8Array) {
    this.#sim = sim
    this.#key = key
    this.signer = signerOf(new Secret(key))
    this.chain = sim.chain.view(this.signer.address)
  }

  get address(): Address {
    return this.signer.address
  }

  get up(): boolean {
    return this.relayer !== null
  }

  async start(): Promise<void> {
    this.#boots += 1
    const rng = seededRng(`${this.address}/${this.#boots}`)
    const identity = { chainId: CHAIN_ID, bridge: BRIDGE, operator: this.address }
    const operatorKey = new Secret(this.#key.slice())
    this.store = await openStore({ ...this.disk.open(), ...identity, operatorKey, rng })
    this.relayer = new Relayer({
      chain: this.chain,
      network: this.#sim.network.join(this.address),
      store: this.store,
      signer: this.signer,
      clock: this.#sim.clock,
      rng,
      log: silentLog,
      boot: { counter: await this.store.nextBoot(), id: seededRng(`${this.address} ${this.#boots}`)(16) },
      softwareVersion: 'test',
      pollMs: POLL_MS,
      runner: this.runner,
      others: this.others,
      ...(this.rules === null ? {} : { rules: this.rules }),
    })
    this.relayer.start()
  }

  /** SIGTERM. */
  async stop(): Promise<void> {
    await this.relayer?.stop()
    this.#sim.network.leave(this.address)
    this.relayer = null
    await this.store?.close()
  }

  /** SIGKILL: the disk stays as it is at this moment. */
  async kill(): Promise<void> {
    this.disk.cutPower()
    this.#sim.network.leave(this.address)
    const { relayer } = this
    this.relayer = null
    await relayer?.stop()
  }

  async status(): Promise<Status> {
    if (this.relayer === null) throw new Error(`${this.address} is down`)
    return this.relayer.status()
  }
}

/** The operators, ascending by address, and what they share. */
export class GovernedSim {
  readonly network: SimNetwork
  readonly clock = new FakeClock()
  /** Aborts when the simulation stops. */
  readonly life = new AbortController()
  readonly chain: FakeChain
  readonly operators: readonly Operator[]

  /** @param count operators in all; the first committee is those at the positions of `first` */
  constructor(
    seed: string,
    options: { count: number; first: readonly number[] } & Partial<FakeChainOptions>,
  ) {
    const { count, first, ...rest } = options
    this.network = new SimNetwork(seed)
    const keys = Array.from({ length: count }, (_, at) => seededRng(`${seed}/${at}`)(32)).sort((a, b) =>
      addressOfKey(a) < addressOfKey(b) ? -1 : 1,
    )
    this.chain = new FakeChain({
      members: first.map((at) => addressOfKey(keys[at] ?? new Uint8Array(32))),
      chainId: CHAIN_ID,
      bridge: BRIDGE,
      verifier: bridgeVerifier({ chainId: CHAIN_ID, bridge: BRIDGE }, verifyEvm),
      ...rest,
    })
    this.operators = keys.map((key) => new Operator(this, key))
  }

  /** A simulation in which the first committee has generated its key: epoch 1. */
  static async running(
    seed: string,
    options: { count: number; first: readonly number[] } & Partial<FakeChainOptions>,
  ): Promise<GovernedSim> {
    const sim = new GovernedSim(seed, options)
    await sim.start(...options.first)
    await sim.step(3)
    sim.chain.startKeygen()
    await sim.completed(1)
    return sim
  }

  /** How many share sets of an epoch lie on all disks. */
  prepared(epoch: number): number {
    const prefix = ofEpoch(PREFIX.sealed, epoch)
    const keys = this.operators.flatMap(({ disk }) => [...disk.image().records.keys()])
    return keys.filter((key) => key.startsWith(prefix)).length
  }

  /** The operator at a position. */
  at(position: number): Operator {
    const operator = this.operators[position]
    if (operator === undefined) throw new Error(`no operator ${position}`)
    return operator
  }

  async start(...positions: number[]): Promise<void> {
    for (const position of positions) await this.at(position).start()
    await this.quiet()
  }

  /** Blocks, one after another; after each, everybody has looked at the chain and done what could be done. */
  async step(blocks = 1): Promise<void> {
    for (let block = 0; block < blocks; block++) {
      this.chain.mine()
      await this.clock.advance(POLL_MS)
      await this.quiet()
    }
  }

  /** Steps until the condition holds. @throws after `limit` blocks, saying where everybody stands */
  async until(condition: () => boolean | Promise<boolean>, limit = 120): Promise<void> {
    for (let block = 0; !(await condition()); block++) {
      if (block >= limit) throw new Error(`after ${limit} blocks:\n${await this.describe()}`)
      await this.step()
    }
  }

  /** The contract's state in the latest block. */
  get state() {
    return this.chain.head.state
  }

  /** Until the epoch runs on chain, is final for everybody that is up, and its predecessor's deletions are complete. */
  async completed(epoch: number, limit?: number): Promise<void> {
    await this.until(async () => {
      if (this.state.running !== epoch || this.state.outstandingEpoch !== 0) return false
      const running = await Promise.all(
        this.operators.filter(({ up }) => up).map(async ({ store }) => (await store?.running())?.epoch),
      )
      return running.every((each) => each === epoch)
    }, limit)
  }

  /** Waits until nobody has anything more to do in this block. */
  quiet(): Promise<void> {
    return this.network.quiet(this.operators.map(({ disk }) => disk))
  }

  async stop(): Promise<void> {
    this.life.abort()
    for (const operator of this.operators) if (operator.up) await operator.stop()
  }

  async describe(): Promise<string> {
    const lines = this.operators.map(async (operator) => {
      const name = operator.address.slice(0, 8)
      if (!operator.up) return `${name} down`
      const { epoch, ceremony, waitsFor, problems, shares } = await operator.status()
      const failure = ceremony?.failures.at(-1)?.reason ?? ''
      const wait = waitsFor.map(({ what }) => what).join('; ')
      const wrong = problems.map(({ message }) => message).join('; ')
      const held = shares.map((share) => `${share.epoch}/${share.attempt} ${share.state}`).join(', ')
      return `${name} epoch ${epoch} ${ceremony?.stage} ${ceremony?.attempt} ${failure} | ${wait} | ${wrong} | ${held}`
    })
    const { running, pending, outstandingEpoch } = this.state
    const chain = `chain at ${this.chain.head.ref.number}: epoch ${running}, pending ${pending?.epoch}, outstanding ${outstandingEpoch}`
    return [chain, ...(await Promise.all(lines))].join('\n')
  }
}

/**
 * Has one member sign a probe with itself among the signers, and verifies it under the chain's group key.
 * @returns that group key
 */
export async function probe(sim: GovernedSim, position: number, keyId = 0): Promise<string> {
  const { relayer, address } = sim.at(position)
  if (relayer === null) throw new Error(`${address} is down`)
  let over = false
  const asking = relayer.signProbe({ keyId, text: 'hello', include: address }, sim.life.signal)
  const signing = asking.finally(() => {
    over = true
  })
  signing.catch(() => {})
  await sim.quiet()
  // A signer that is slow is given time, as the clock would.
  for (let block = 0; !over && block < 30; block++) await sim.step()
  const signed = await signing
  const { groupKey, scheme } = sim.state.keys[keyId] ?? { groupKey: '0x', scheme: 0 }
  const key = { scheme: schemeOf(scheme), groupKey: fromHex(groupKey) }
  assert.ok(verifySignature(key, fromHex(signed.digest), fromHex(signed.signature)))
  assert.ok(signed.signers.includes(address))
  assert.equal(signed.epoch, sim.state.running)
  return groupKey
}

function addressOfKey(key: Uint8Array): Address {
  return signerOf(new Secret(key.slice())).address
}
