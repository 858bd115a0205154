// The story that the devnet tells: a committee generates its keys and reshapes itself in eight steps.
import type { ChangeStatus } from '../../relayer/bridge/consent.ts'
import { lookAfter, lookBefore, probeAll } from './after.ts'
import { type Committee, committee, completed, receiptsOf } from './governance.ts'
import type { StepRecord, Summary } from './summary.ts'
import { type RelayerNode, run, truss, until, type World } from './world.ts'

/** Test entry points: an outsider, and a newcomer that stops before its acknowledgement. */
const STRANGER = 'test/e2e/entries/stranger.ts'
const STOPPING_MEMBER = 'test/e2e/entries/stopping-member.ts'
/** Long enough for the others to say whom they wait for. */
const BLOCKED_PATIENCE_MS = 10_000

/** Tells the story; each step ends with what was seen. */
export class Story {
  readonly steps: StepRecord[] = []
  stranger: Summary['stranger'] = null
  readonly #world: World
  readonly #say: (line: string) => void

  constructor(world: World, say: (line: string) => void) {
    this.#world = world
    this.#say = say
  }

  /** Step 1: the members find each other; a stranger is refused. */
  async meet(): Promise<void> {
    const world = this.#world
    await Promise.all([...world.relayers.values()].map((relayer) => world.start(relayer)))
    await this.#connected()
    const members = ['--members', world.up.map(({ address, p2pPort }) => `${address}@${p2pPort}`).join(',')]
    const before = await this.#refusals()
    const { refused, served } = (await run([STRANGER, ...members])) as {
      refused: string[]
      served: string[]
    } // CAST: our own entry point; both are compared below
    const counted = (await this.#refusals()) - before
    this.stranger = { refused, served, counted }
    if (refused.length === 0 || counted < refused.length)
      throw new Error(`a stranger was served: ${JSON.stringify(this.stranger)}`)
    this.#say(`a stranger was refused ${refused.length} times, and the members counted ${counted}`)
  }

  /** Step 2: the first key, and 2b: two more. */
  async keygen(): Promise<void> {
    await this.#step('2', 'generate key 0', () => this.#govern('start-keygen'))
  }

  async moreKeys(): Promise<void> {
    await this.#step('2b', 'add a BIP340 and an ed25519 key', async () => {
      const { epoch } = await committee(this.#world)
      await this.#govern('add-key', 'frost-secp256k1-bip340')
      await completed(this.#world, epoch)
      await this.#govern('add-key', 'frost-ed25519')
    })
  }

  /** Steps 3 to 8. */
  async reshape(): Promise<void> {
    const world = this.#world
    const [a, b, c] = this.#three()
    const d = await world.addRelayer('relayer-4')
    await this.#reshare('3', 'a fourth relayer joins: 2 of 4', async () => {
      await this.#join(d, world.options.blockNewcomer)
      await this.#govern('add-relayer', d.address)
      return d
    })
    await this.#reshare('4', 'the threshold rises: 3 of 4', async () => {
      await this.#govern('set-threshold', '3')
      return d
    })
    const superseded = (await committee(world)).epoch
    await this.#reshare('5', 'relayer-1 is killed and removed: 3 of 3', async () => {
      await world.kill(a)
      await this.#govern('remove-relayer', a.address)
      return d
    })
    const e = await world.addRelayer('relayer-5')
    await this.#reshare(
      '6',
      'one change adds relayer-5, removes relayer-2, lowers the threshold: 2 of 3',
      async () => {
        await this.#join(e)
        await this.#govern('set-committee', '--add', e.address, '--remove', b.address, '--threshold', '2')
        await this.#approved([b, c, d])
        return e
      },
    )
    await this.#reshare(
      '7',
      'relayer-3 is killed and removed, relayer-1 and relayer-2 come back: 3 of 4',
      async () => {
        await world.kill(c)
        await world.start(a)
        await this.#handsIn(a, superseded)
        const change = ['--add', a.address, '--add', b.address, '--remove', c.address, '--threshold', '3']
        await this.#govern('set-committee', ...change)
        await this.#approved([d, e])
        return a
      },
    )
    await this.#reshare('8', 'a change is cancelled with shares prepared; then a refresh', async () => {
      await this.#cancelled()
      await this.#govern('refresh', 'devnet step 8')
      return a
    })
  }

  /**
   * By their default rules the operators who deal look at the change and approve it: two members join at once, or one after
   * another within the blocks that count together.
   */
  async #approved(operators: readonly RelayerNode[]): Promise<void> {
    for (const operator of operators) {
      const { epoch, committeeHash, heldBack } = await this.#heldBack(operator)
      this.#say(`        ${operator.name} holds it back: ${heldBack}`)
      const bound = [String(epoch), '--committee-hash', committeeHash]
      this.#say(`        truss reshare approve ${bound.join(' ')}`)
      await truss(['reshare', 'approve', ...bound, '--yes', '--config', operator.config])
    }
  }

  async #heldBack(operator: RelayerNode): Promise<ChangeStatus> {
    let held: ChangeStatus | null = null
    await until(`${operator.name} to hold the change back`, 60_000, async () => {
      held = (await this.#world.status(operator)).change
      return held !== null && held.heldBack !== null
    })
    if (held === null) throw new Error(`devnet: ${operator.name} shows no change`)
    return held
  }

  /** A change whose newcomer stops before its acknowledgement; it is cancelled, and the burned epoch's shares are erased. */
  async #cancelled(): Promise<void> {
    const world = this.#world
    const { epoch, threshold } = await committee(world)
    const newcomer = await world.addRelayer('relayer-6')
    const stopping = world.processes.start(newcomer.name, [STOPPING_MEMBER, '--config', newcomer.config])
    await this.#govern('add-relayer', newcomer.address)
    await this.#approved(world.up.slice(-threshold))
    const burned = epoch + 1
    const prepared = async (relayer: RelayerNode) =>
      (await world.status(relayer)).shares.some(
        (share) => share.epoch === burned && share.state === 'prepared',
      )
    await until('the others to hold prepared shares', 120_000, async () =>
      (await Promise.all(world.up.map(prepared))).every(Boolean),
    )
    await this.#govern('cancel')
    const newest = world.up.at(-1)
    if (newest !== undefined) await probeAll(world, '8, after the cancellation', newest)
    await until('the burned shares to be erased with receipts', 120_000, async () => {
      const { receipts, needed } = await receiptsOf(world, burned)
      const held = await Promise.all(world.up.map(async (relayer) => (await world.status(relayer)).shares))
      return receipts.length >= needed && !held.flat().some((share) => share.epoch === burned)
    })
    stopping.kill('SIGKILL')
    await stopping.gone
  }

  async #reshare(step: string, title: string, change: () => Promise<RelayerNode>): Promise<void> {
    const before = await lookBefore(this.#world, step)
    await this.#step(step, title, change, async () => ({
      reshare: await lookAfter(this.#world, step, before),
    }))
  }

  async #step(
    step: string,
    title: string,
    change: () => Promise<RelayerNode | void>,
    look: () => Promise<Pick<StepRecord, 'reshare'>> = async () => ({}),
  ): Promise<void> {
    const began = performance.now()
    this.#say(`step ${step}: ${title}`)
    const { epoch } = await committee(this.#world)
    const newest = (await change()) ?? this.#three()[2]
    const now: Committee = await completed(
      this.#world,
      Math.max(epoch, (await committee(this.#world)).epoch - 1),
    )
    const seen = await look()
    const probes = await probeAll(this.#world, step, newest)
    const seconds = Math.round((performance.now() - began) / 100) / 10
    const { members, threshold } = now
    this.steps.push({
      step,
      title,
      epoch: now.epoch,
      members,
      threshold,
      groupKeys: now.keys,
      probes,
      ...seen,
      seconds,
    })
    this.#say(
      `        epoch ${now.epoch}, ${threshold} of ${members.length}, ${probes.length} probes verified, ${seconds} s`,
    )
  }

  /** Starts a newcomer and lets governance look at it before it is added. */
  async #join(relayer: RelayerNode, blocked = false): Promise<void> {
    const world = this.#world
    if (blocked) {
      this.#say(`${relayer.name} is not started: its port stays closed`)
      world.patienceMs = BLOCKED_PATIENCE_MS
      return
    }
    await world.start(relayer)
    const any = world.up[0] ?? relayer
    await until(`${relayer.name} to be found through the DHT`, 90_000, async () => {
      await truss(['admin', 'check', relayer.address, '--config', any.config])
      return true
    })
    this.#say(`admin check found ${relayer.name} through the DHT`)
  }

  /** Waits for a restarted member's receipt of an epoch that completed long ago. */
  async #handsIn(relayer: RelayerNode, epoch: number): Promise<void> {
    await until(
      `${relayer.name} to erase its share of epoch ${epoch} and hand in its receipt`,
      120_000,
      async () => (await receiptsOf(this.#world, epoch)).receipts.includes(relayer.address),
    )
    this.#say(`${relayer.name} came back, erased its share of epoch ${epoch}, and its receipt is on chain`)
  }

  async #connected(): Promise<void> {
    const world = this.#world
    await until('all members to be connected', 120_000, async () => {
      const statuses = await Promise.all(world.up.map((relayer) => world.status(relayer)))
      return statuses.every(({ members }) => members.every((member) => member.connected))
    })
  }

  async #refusals(): Promise<number> {
    const pages = await Promise.all(
      this.#world.up.map(async ({ httpPort }) =>
        (await fetch(`http://127.0.0.1:${httpPort}/metrics`)).text(),
      ),
    )
    const lines = pages
      .flatMap((page) => page.split('\n'))
      .filter((line) => /^truss_refused_streams_total\{/.test(line))
    return lines.reduce((sum, line) => sum + Number(line.split(' ').at(-1)), 0)
  }

  async #govern(...args: readonly string[]): Promise<void> {
    this.#say(`        truss admin ${args.join(' ')}`)
    await this.#world.govern(...args)
  }

  #three(): [RelayerNode, RelayerNode, RelayerNode] {
    const [a, b, c] = [...this.#world.relayers.values()]
    if (a === undefined || b === undefined || c === undefined)
      throw new Error('devnet: the story needs three relayers')
    return [a, b, c]
  }
}
