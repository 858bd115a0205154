// One simulated world: whole relayers over a network, a chain and disks, to which a scenario happens block by block.
import { signerOf } from '../../relayer/crypto/identity.ts'
import { verifyEvm } from '../../relayer/crypto/schnorr.ts'
import { Secret } from '../../relayer/lib/secret.ts'
import type { Address } from '../../relayer/lib/bytes.ts'
import { FakeChain } from '../support/fake-chain.ts'
import { bridgeVerifier } from '../support/fake-chain-verifier.ts'
import { FakeClock } from '../support/fake-clock.ts'
import { seededRng } from '../support/seeded-rng.ts'
import { SimNetwork } from '../support/sim-network.ts'
import { Attendance } from './attendance.ts'
import { befall } from './befall.ts'
import { CONTROL_CHEATS } from './catalogue.ts'
import { Charges } from './charges.ts'
import { Chronicle } from './chronicle.ts'
import { corrupted } from './corrupt.ts'
import { Draw } from './draw.ts'
import { Governor } from './governor.ts'
import type { Line } from './hearing.ts'
import { Hearsay } from './hearsay.ts'
import { Keeper } from './keeper.ts'
import { BRIDGE, CHAIN_ID, Member, POLL_MS } from './member.ts'
import type { Happening, Scenario } from './scenario.ts'
import { Outsiders } from './outsiders.ts'
import { OLD_SHARE } from './shares.ts'
import { SignWatch } from './signwatch.ts'
import { Strangers } from './stranger.ts'
import { Trials } from './trials.ts'
import { watched } from './watched.ts'
import { Weather } from './weather.ts'
import type { Leaving } from './wires.ts'
import { Witness } from './witness.ts'

/** A world at block 0, and the means to move it on. */
export class World {
  readonly scenario: Scenario
  readonly chronicle: Chronicle
  readonly clock = new FakeClock()
  readonly network: SimNetwork
  readonly chain: FakeChain
  readonly members: readonly Member[]
  readonly governor: Governor
  readonly weather: Weather
  readonly trials: Trials
  readonly witness: Witness
  readonly #signWatch: SignWatch
  readonly #charges: Charges
  readonly #hearsay: Hearsay
  readonly #strangers: Strangers
  readonly #outsiders: Outsiders
  readonly #heard = (member: Member, line: Line) => {
    this.#charges.heard(member, line)
    this.#hearsay.heard(member, line)
  }
  /** Pending epochs in which somebody was convicted. */
  readonly #answered = new Set<number>()
  /** What ends at a block. */
  #ends: { readonly at: number; readonly act: () => void }[] = []

  constructor(scenario: Scenario, options: { lines?: boolean } = {}) {
    this.scenario = scenario
    this.chronicle = new Chronicle(options)
    this.network = new SimNetwork(`world ${scenario.seed}`)
    const keys = Array.from({ length: scenario.operators }, (_, at) =>
      seededRng(`${scenario.seed}/${at}`)(32),
    )
    keys.sort((a, b) => (addressOf(a) < addressOf(b) ? -1 : 1))
    this.chain = new FakeChain({
      members: scenario.first.map((at) => addressOf(keys[at] ?? new Uint8Array(32))),
      threshold: scenario.threshold,
      chainId: CHAIN_ID,
      bridge: BRIDGE,
      attemptWindowBlocks: scenario.windowBlocks,
      finalityDepth: scenario.finalityDepth,
      requireDeletionQuorum: scenario.requireDeletionQuorum,
      verifier: bridgeVerifier({ chainId: CHAIN_ID, bridge: BRIDGE }, verifyEvm),
    })
    const { chronicle, network, clock, chain } = this
    const innocent = (address: Address) =>
      this.members.some((member) => member.address === address && !member.corrupt)
    this.trials = new Trials(chronicle, { innocent, onConviction: () => this.#answer() })
    const runs = new Set<string>()
    const digests = new Map<string, string>()
    this.members = keys.map((key, position) => {
      const plot = scenario.corrupt.find(({ operator }) => operator === position)
      const runner =
        plot === undefined
          ? watched({ chronicle, trials: this.trials, runs, digests, member: () => this.at(position) })
          : corrupted({
              seed: scenario.seed,
              behaviours: plot.behaviours,
              accomplices: (name) => this.#knowing(name),
              trials: this.trials,
              innocent,
              windowBlocks: scenario.windowBlocks,
              later: (packet, blocks) => this.later(blocks, () => network.inject(packet)),
              replay: (name, packet) => {
                const charge = { name, culprit: packet.from, verdict: { arrives: true }, hashes: [] } as const
                network.inject(this.#charges.sends(packet, charge))
              },
            })
      const view = (address: Address) => chain.view(address)
      return new Member(
        { network, clock, chronicle, heard: this.#heard },
        { position, key, view, corrupt: plot !== undefined, runner },
      )
    })
    this.governor = new Governor({ chain, members: this.members, chronicle })
    this.weather = new Weather(network, {
      chronicle,
      draw: new Draw(`weather ${scenario.seed}`),
      terms: scenario.weather,
    })
    this.witness = new Witness({ chain, network, members: this.members, chronicle })
    const committee = (epoch: number) => chain.head.state.epochs[epoch] ?? { members: [], threshold: 0 }
    const attendance = new Attendance(chain)
    const charges = new Charges({ chronicle, network, members: this.members, attendance })
    this.#charges = charges
    this.#hearsay = new Hearsay({
      chronicle,
      chain,
      members: this.members,
      attendance,
      weather: this.weather,
    })
    this.#strangers = new Strangers({
      chronicle,
      charges,
      domain: { chainId: CHAIN_ID, bridge: BRIDGE },
      committee,
    })
    this.#signWatch = new SignWatch(chronicle, {
      digests,
      committee,
      charges,
      attendance,
      strangers: this.#strangers,
      old: (from, epoch) =>
        this.members.some(({ address, keeper }) => address === from && keeper?.signsWithOld(epoch)),
    })
    this.#outsiders = new Outsiders({ chain, network, charges, members: this.members, scenario })
    this.#rules()
  }

  /** The operator at a position. */
  at(position: number): Member {
    const member = this.members[position]
    if (member === undefined) throw new RangeError(`no operator ${position}`)
    return member
  }

  /** One block: what was due happens, everybody looks at the chain, and all that can follow from it follows. */
  async step(): Promise<void> {
    this.chain.mine()
    this.chronicle.block = this.chain.head.ref.number
    const over = this.#ends.filter(({ at }) => at <= this.chronicle.block)
    this.#ends = this.#ends.filter(({ at }) => at > this.chronicle.block)
    for (const { act } of over) act()
    this.weather.tick()
    this.#outsiders.tick()
    for (const member of this.members)
      if (member.due !== null && member.due <= this.chronicle.block) await this.#start(member)
    await this.clock.advance(POLL_MS)
    await this.quiet()
    this.#charges.settle()
    await this.#strangers.settle()
    for (const member of this.members) if (member.dying !== null) await this.#bury(member)
    await this.witness.settle()
    this.#hearsay.settle(this.witness.court)
  }

  /** Makes something happen now. */
  async happen(happening: Happening): Promise<void> {
    const { chronicle } = this
    switch (happening.kind) {
      case 'govern':
        return this.governor.act(happening.what, happening.salt)
      case 'partition': {
        const side = happening.side.map((at) => this.at(at).address)
        const other = this.members.map(({ address }) => address).filter((address) => !side.includes(address))
        if (other.length === 0) return
        this.weather.cut([side, other], happening.blocks)
        chronicle.count('partitions')
        return chronicle.tell(
          `operators ${happening.side.join(', ')} are cut off from the others for ${happening.blocks} blocks`,
        )
      }
      case 'reorganise': {
        const depth = Math.min(happening.depth, this.chain.finalityDepth, this.chain.head.ref.number)
        if (depth < 1) return
        this.chain.reorganise(depth, { keep: happening.keep })
        chronicle.count('reorganisations')
        return chronicle.tell(
          `${depth} blocks are reorganised, ${happening.keep ? 'with' : 'without'} their transactions`,
        )
      }
      default:
        return await befall(this, this.at(happening.operator), happening)
    }
  }

  /** The endpoints of a member that is up are well again. */
  mend(member: Member): void {
    member.chain.lie = null
    member.view.lag = 0
    if (member.up && member.dying === null) member.view.fault = null
  }

  /** Waits until nobody has anything more to do in this block. */
  quiet(): Promise<void> {
    return this.network.quiet(this.members.map(({ disk }) => disk))
  }

  /** Everybody goes home. */
  async end(): Promise<void> {
    if (this.chronicle.violation === null) await this.witness.close()
    for (const member of this.members) if (member.up) await member.stop()
  }

  async #start(member: Member): Promise<void> {
    this.chronicle.tell(`${member.name} starts`)
    await member.start()
  }

  async #bury(member: Member): Promise<void> {
    const down = member.dying ?? 1
    await member.kill()
    member.due = this.chronicle.block + down
  }

  /** Does something in so many blocks. */
  later(blocks: number, act: () => void): void {
    this.#ends.push({ at: this.chronicle.block + blocks, act })
  }

  /** Governance hears of a conviction, cancels what is halted, and asks for something else. */
  #answer(): void {
    const { pending } = this.chain.pendingState
    if (pending === null || this.#answered.has(pending.epoch)) return
    this.#answered.add(pending.epoch)
    const draw = new Draw(`answer ${this.scenario.seed} ${pending.epoch}`)
    const inTime = (act: () => void) => () => {
      if (this.chronicle.block < this.scenario.stormy) act()
    }
    const cancel = () => {
      if (this.chain.pendingState.pending?.epoch === pending.epoch) this.governor.act('cancel', 0)
    }
    this.later(draw.between(3, 9), inTime(cancel))
    const what = draw.of(['refresh', 'refresh', 'swap', 'add', 'remove'] as const)
    this.later(
      draw.between(10, 14),
      inTime(() => this.governor.act(what, draw.below(1000))),
    )
  }

  #rules(): void {
    const draw = new Draw(`wire ${this.scenario.seed}`)
    for (const { operator, behaviours } of this.scenario.corrupt) {
      const member = this.at(operator)
      if (behaviours.includes(OLD_SHARE)) member.keeper = new Keeper()
      for (const cheat of CONTROL_CHEATS) {
        if (!behaviours.includes(cheat.name)) continue
        this.network.rule((packet) => {
          if (packet.from !== member.address) return 'pass'
          const { signer } = member
          const leaving = { packet, signer, draw, pending: this.#pending(), signing: this.#signWatch }
          const packets = this.#charges.leaves(cheat, leaving)
          for (const each of cheat.forbidden === true && packets !== 'pass' ? packets : [])
            if (each.topic === 'start' && each !== packet) this.trials.forbid(each.body)
          return packets
        })
      }
    }
    this.network.rule((packet) => {
      const sender = this.members.find(({ address }) => address === packet.from)
      if (sender !== undefined) this.#signWatch.saw(packet, sender)
      return this.weather.rule(packet)
    })
  }

  /** The corrupt operators that know a behaviour, ascending. */
  #knowing(behaviour: string): Address[] {
    const { corrupt } = this.scenario
    const knowing = corrupt.filter(({ behaviours }) => behaviours.includes(behaviour))
    return knowing.map(({ operator }) => this.at(operator).address).sort()
  }

  /** Whom the pending ceremony makes members, and who may deal for it. */
  #pending(): Leaving['pending'] {
    const { pending, running, epochs } = this.chain.head.state
    const next = pending === null ? undefined : epochs[pending.epoch]
    if (next === undefined) return null
    const dealers = Array.from({ length: epochs[running]?.threshold ?? 0 }, (_, at) => at + 1)
    return { members: next.members, dealers }
  }
}

function addressOf(key: Uint8Array): Address {
  return signerOf(new Secret(key.slice())).address
}
