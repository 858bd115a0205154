// A committee of real processes with one victim: its disk and clock are at a test's mercy, and its attempts are written down.
import assert from 'node:assert/strict'
import { cpSync, existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { probeAll } from '../../scripts/devnet/after.ts'
import { copyDirectory } from '../../scripts/devnet/traces.ts'
import { type Committee, committee, completed } from '../../scripts/devnet/governance.ts'
import type { Running } from '../../scripts/devnet/processes.ts'
import { type RelayerNode, truss, until, type World } from '../../scripts/devnet/world.ts'
import { closeWorld, firstKey, openWorld, type Readiness, relayer } from './devnet-world.ts'
import type { Outcome } from './fault-table.ts'

const MEMBER = 'test/faults/entries/faulty-member.ts'
/** What a node that cannot use its share says, under one of these names. */
const UNUSABLE = ['share', 'store', 'ceremony', 'epoch']
/** How long a state is waited for before it counts as never reached; far above what a loaded machine takes. */
const PATIENCE_MS = 240_000
/** The contract's phase in which nothing is under way. */
const COMPLETE = 2

/** Three members, two of whom sign; the third one is the victim. */
export class FaultWorld {
  readonly world: World
  readonly victim: RelayerNode
  #groupKeys = ''
  #last: Running | null = null

  constructor(world: World) {
    this.world = world
    this.victim = relayer(world, 3)
  }

  /** With key 0 generated and everybody up. */
  static async open(...flags: readonly string[]): Promise<FaultWorld> {
    const times = ['--block-time-ms', '250', '--window-blocks', '32', '--confirmations', '1']
    const faults = new FaultWorld(await openWorld(...times, ...flags))
    faults.world.patienceMs = PATIENCE_MS
    try {
      await firstKey(faults.world)
      faults.#groupKeys = JSON.stringify((await committee(faults.world)).keys)
      await faults.world.halt(faults.victim)
      await faults.start()
    } catch (error) {
      await faults.close()
      throw error
    }
    return faults
  }

  close(): Promise<void> {
    return closeWorld(this.world)
  }

  get data(): string {
    return join(this.victim.directory, 'data')
  }

  get #ledger(): string {
    return join(this.victim.directory, 'ledger')
  }

  get #holding(): string {
    return join(this.victim.directory, 'hold')
  }

  /** Where the victim writes down its durable steps, by the names of what they change, one a line. */
  get steps(): string {
    return join(this.victim.directory, 'steps')
  }

  /** Starts the victim; `--die …` and the like tell it how to fail. */
  start(...flags: readonly string[]): Promise<void> {
    const files = ['--ledger', this.#ledger, '--steps', this.steps, '--hold', this.#holding]
    const starting = this.world.start(this.victim, [MEMBER, ...files, ...flags])
    this.#last = this.victim.process
    return starting
  }

  /** Starts the victim to have it killed, maybe before it is up. */
  startToDie(...flags: readonly string[]): void {
    this.start(...flags).catch(() => {})
  }

  /** Has the victim wait at its next durable step of that name, `before:…` or `after:…`. */
  hold(step: string): void {
    writeFileSync(this.#holding, step)
  }

  /** Waits until it waits there. */
  held(): Promise<void> {
    return until('the victim to reach the step', PATIENCE_MS, async () => existsSync(`${this.#holding}.held`))
  }

  release(): void {
    for (const file of [this.#holding, `${this.#holding}.held`]) rmSync(file, { force: true })
  }

  /** Stops the victim, if a test before this one has left it running. */
  async halt(): Promise<void> {
    this.release()
    if (this.victim.process !== null) await this.world.halt(this.victim)
  }

  /** Starts the victim, which may refuse: then its last line, otherwise null. */
  async tryStart(): Promise<string | null> {
    const starting = this.start()
    // Whoever waits for a process that is gone waits for long.
    starting.catch(() => {})
    const gone = this.victim.process?.gone
    const up = starting.then(() => null)
    const code = await Promise.race([up, gone ?? up])
    if (code === null) return null
    assert.equal(code, 5, 'the code of a data directory that is refused')
    const log = join(this.world.directory, 'logs', `${this.victim.name}.log`)
    return readFileSync(log, 'utf8').trimEnd().split('\n').at(-1) ?? ''
  }

  /** Waits until the victim has killed itself. */
  async died(): Promise<void> {
    const waited = new Promise<'late'>((resolve) => {
      setTimeout(() => resolve('late'), PATIENCE_MS).unref()
    })
    assert.equal(await Promise.race([this.#last?.gone, waited]), 'SIGKILL', 'the victim reached the step')
  }

  /** Asks for a refresh; gives the epoch before it. */
  async refresh(): Promise<number> {
    await until('the change before to be complete', PATIENCE_MS, async () => {
      const { phase } = await committee(this.world)
      return phase === COMPLETE
    })
    const { epoch } = await committee(this.world)
    await this.world.govern('refresh', 'a fault')
    return epoch
  }

  /** Waits until everybody signs with an epoch above `before`, and looks at what must never happen. */
  async healed(before: number): Promise<Outcome> {
    await completed(this.world, before)
    await this.sound()
    return 'healed from the chain'
  }

  /** The victim signs with a right share, nobody has been convicted of anything, no attempt was joined twice. */
  async sound(): Promise<Committee> {
    this.once()
    const now = await committee(this.world)
    assert.equal(JSON.stringify(now.keys), this.#groupKeys, 'the group keys stand')
    await until('the victim to sign', PATIENCE_MS, async () => {
      await probeAll(this.world, 'a fault', this.victim)
      return true
    })
    for (const each of this.world.up) {
      const { evidence, signsWith } = await this.world.status(each)
      assert.equal(evidence, 0, `${each.name} convicted somebody`)
      assert.equal(signsWith, now.epoch, `${each.name} signs with the running epoch`)
    }
    return now
  }

  /** No (epoch, attempt) stands twice in the victim's ledger. */
  once(): void {
    const lines = existsSync(this.#ledger) ? readFileSync(this.#ledger, 'utf8').trim().split('\n') : []
    assert.equal(new Set(lines).size, lines.length, `an attempt was run again: ${lines.join(' ')}`)
  }

  /** Copies the victim's data directory; it may run. */
  copy(name: string): string {
    const to = join(this.world.directory, 'copies', name)
    rmSync(to, { recursive: true, force: true })
    copyDirectory(this.data, to)
    return to
  }

  /** Puts a copy in the place of the victim's data directory; it must not run. */
  putBack(copy: string): void {
    assert.equal(this.victim.process, null)
    for (const part of ['db', 'keys']) rmSync(join(this.data, part), { recursive: true, force: true })
    cpSync(copy, this.data, { recursive: true })
  }

  /** What a started victim comes to: it signs, or it says why it cannot go on as it is. */
  async verdict(): Promise<'signs' | 'alarms'> {
    let verdict: 'signs' | 'alarms' = 'signs'
    await until('the victim to sign or to say why not', PATIENCE_MS, async () => {
      const { signsWith, epoch, problems } = await this.world.status(this.victim)
      const alarms = problems.filter(
        ({ check, severity }) => severity === 'critical' && UNUSABLE.includes(check),
      )
      verdict = alarms.length > 0 ? 'alarms' : 'signs'
      // A share that can be read is the right one, whatever else is damaged: with it the node signs on.
      const [wrong] = alarms.filter(({ check }) => check !== 'store')
      if (wrong !== undefined) assert.equal(signsWith, null, `it says ${wrong.message}, and signs`)
      assert.ok(signsWith === null || signsWith === epoch, 'it signs with no other epoch')
      return alarms.length > 0 || (epoch > 0 && signsWith === epoch)
    })
    return verdict
  }

  /** Gives the share of the victim up, and waits for the reshare that brings a new one. */
  async restored(): Promise<Outcome> {
    try {
      await this.#declareLost()
    } catch {
      // A database that takes no write any more: what is left is an empty directory.
      await this.world.kill(this.victim)
      rmSync(this.data, { recursive: true })
      await this.start()
      assert.equal(await this.verdict(), 'alarms')
      await this.#declareLost()
    }
    await this.healed(await this.refresh())
    return 'share lost, alarmed, restored'
  }

  async #declareLost(): Promise<void> {
    await this.inSight()
    await truss(['share', 'declare-lost', '--yes', '--config', this.victim.config])
  }

  /** Waits until the victim knows which epoch runs. */
  async inSight(): Promise<void> {
    await until('the victim to have read the chain', 15_000, async () => {
      return (await this.world.status(this.victim)).epoch > 0
    })
  }

  /** Waits until a peer of the victim warns of its boot counter. */
  async bootAlarm(): Promise<void> {
    const peer = relayer(this.world, 1)
    await until('a peer to warn of the boot counter', PATIENCE_MS, async () => {
      const answer = await fetch(`http://127.0.0.1:${peer.httpPort}/readyz`)
      const { warnings } = (await answer.json()) as Readiness // CAST: the daemon's own answer
      return warnings.some((line) => line.startsWith('boot:') && line.includes(this.victim.address))
    })
  }
}
