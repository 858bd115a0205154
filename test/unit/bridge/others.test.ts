// The watch over a bridge on another chain: what is an alarm, how long, and what its trouble is.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { OTHER_MEMORY_BLOCKS, OtherBridgeWatch } from '../../../relayer/bridge/others.ts'
import { Problems } from '../../../relayer/bridge/problems.ts'
import { silentLog } from '../../../relayer/lib/log.ts'
import { createMetrics } from '../../../relayer/lib/metrics.ts'
import type { Hex } from '../../../relayer/lib/bytes.ts'
import type { Store } from '../../../relayer/store/store.ts'
import { FakeChain } from '../../support/fake-chain.ts'
import { FakeClock } from '../../support/fake-clock.ts'
import { MemoryDisk } from '../../support/memory-database.ts'
import { storeOver } from '../../support/open-store.ts'
import { member as at } from '../../support/numbered.ts'

const GOVERNANCE = { chainId: 1, bridge: at(99) }
const OTHER = { chainId: 5, bridge: at(98) }
const NAME = `${OTHER.chainId}/${OTHER.bridge}`
const never = new AbortController().signal

class Watched {
  readonly chain = new FakeChain({ members: [1, 2, 3].map(at), ...OTHER })
  readonly disk = new MemoryDisk()
  readonly metrics = createMetrics()
  problems = new Problems(silentLog, this.metrics)
  #store: Store | null = null
  #watch: OtherBridgeWatch | null = null
  readonly view = this.chain.view(at(50))
  /** Key 0 of the governance bridge, as far as this node has seen it. */
  ours: Hex | null = null

  /** A start of the daemon, without what an earlier one remembered. */
  async start(): Promise<void> {
    await this.#store?.close()
    const store = await storeOver(this.disk.open())
    this.#store = store
    this.problems = new Problems(silentLog, this.metrics)
    const { problems, metrics } = this
    const desk = { chain: GOVERNANCE, clock: new FakeClock(), pollMs: 1000, problems, metrics, store }
    this.#watch = new OtherBridgeWatch({ ...desk, groupKey: () => this.ours }, this.view)
  }

  /** From the next block on that bridge holds this key. */
  hold(groupKey: Hex): void {
    const read = this.chain.view(at(51))
    this.view.committeeState = async (block) => ({
      ...(await read.committeeState(block)),
      keys: [{ keyId: 0, scheme: 1, groupKey }],
    })
    this.chain.mine()
  }

  /** Blocks, then a look; gives what is wrong. */
  async look(blocks = 0): Promise<string[]> {
    this.chain.mine(blocks)
    await this.#watch?.look(never)
    return this.problems.list().map(({ check, message }) => `${check}: ${message}`)
  }
}

test('an event or a committee that is not idle is an alarm as long as it is remembered, restarts included', async () => {
  const watched = new Watched()
  await watched.start()
  assert.deepEqual(await watched.look(5), [], 'what its deployment emitted is no governance')
  watched.chain.adminAddRelayer(at(4))
  assert.deepEqual(await watched.look(1), [], 'not final yet')
  const [said] = await watched.look(3)
  assert.match(
    said ?? '',
    new RegExp(
      `^wrong-chain:${NAME}: governance on the wrong chain: .*RelayerAdded, ThresholdBelowMajority up to block 6`,
    ),
  )
  const [problem] = watched.problems.list()
  assert.match(problem?.remedy ?? '', /only bridge 0x0+63 on chain 1 governs/)
  assert.match(await watched.metrics.registry.metrics(), /governance_events_total\{chain="5",.*\} 2/)
  await watched.start()
  assert.match((await watched.look())[0] ?? '', /RelayerAdded, ThresholdBelowMajority up to block 6/)
  assert.deepEqual(await watched.look(OTHER_MEMORY_BLOCKS), [], 'long ago')
  watched.chain.startKeygen()
  assert.match((await watched.look(4))[0] ?? '', /not idle but keygen, epoch 0, epoch 1 pending/)
  await watched.start()
  assert.match(
    (await watched.look(OTHER_MEMORY_BLOCKS + 9))[0] ?? '',
    /shows its committee is not idle but keygen/,
  )
})

test('endpoints of the other chain that are down or disagree are a warning of their own, until they answer', async () => {
  const watched = new Watched()
  await watched.start()
  for (const fault of ['down', 'disagree'] as const) {
    watched.chain.fault = fault
    const [said] = await watched.look(4)
    assert.match(said ?? '', new RegExp(`^watch:${NAME}: watch the bridge ${NAME}: `))
    assert.deepEqual(
      watched.problems.list().map(({ severity, remedy }) => [severity, remedy !== '']),
      [['warning', true]],
    )
    watched.chain.fault = null
    assert.deepEqual(await watched.look(1), [])
  }
})

test('an error of no kind of ours is shown, and the watch goes on', async () => {
  const watched = new Watched()
  await watched.start()
  const real = watched.view.finalised.bind(watched.view)
  watched.view.finalised = () => Promise.reject(new TypeError('cannot read properties of undefined'))
  assert.match((await watched.look(4))[0] ?? '', /cannot read properties/)
  watched.view.finalised = real
  assert.deepEqual(await watched.look(1), [])
})

test('endpoints that once named a final block far ahead do not blind the watch without a word', async () => {
  const watched = new Watched()
  await watched.start()
  const { view, chain } = watched
  const finalised = view.finalised.bind(view)
  const committeeState = view.committeeState.bind(view)
  const events = view.events.bind(view)
  view.finalised = async () => ({ ...(await finalised()), number: 10 ** 9 })
  view.committeeState = async (_at, signal) => committeeState(await finalised(), signal)
  view.events = async () => []
  assert.deepEqual(await watched.look(6), [])
  Object.assign(view, { finalised, committeeState, events })
  assert.match(
    (await watched.look(8))[0] ?? '',
    /its endpoints name \d+ final, where they named 1000000000 before/,
  )
  chain.adminAddRelayer(at(4))
  assert.match((await watched.look(8))[0] ?? '', /governance on the wrong chain: .*RelayerAdded/)
  // What that block left on disk hides nothing after a restart either.
  await watched.start()
  assert.deepEqual(await watched.look(1), [])
  chain.adminAddRelayer(at(5))
  assert.match((await watched.look(8))[0] ?? '', /governance on the wrong chain: .*RelayerAdded/)
})

test('a final block far ahead has no more blocks asked for than are remembered', async () => {
  const watched = new Watched()
  await watched.start()
  await watched.look(5)
  const asked: number[] = []
  const { view } = watched
  const events = view.events.bind(view)
  view.events = (from, to, signal) => {
    asked.push(to - from)
    return events(from, to, signal)
  }
  await watched.look(3 * OTHER_MEMORY_BLOCKS)
  assert.deepEqual(asked, [OTHER_MEMORY_BLOCKS])
})

test('another group key than ours is an alarm once ours is known, as long as that bridge holds it; none yet is not', async () => {
  const [ours, foreign] = ['11', '22'].map((byte): Hex => `0x${byte.repeat(64)}`)
  assert.ok(ours && foreign)
  const watched = new Watched()
  await watched.start()
  watched.hold(foreign)
  assert.deepEqual(await watched.look(3), [], 'ours is not known')
  watched.ours = ours
  const [said, ...more] = await watched.look()
  const where = `bridge ${OTHER.bridge} on chain ${OTHER.chainId}`
  assert.equal(
    said,
    `wrong-chain:${NAME}/key-0: ${where} holds group key ${foreign}, and the committee ${ours}`,
  )
  assert.deepEqual(more, [])
  watched.hold('0x')
  assert.deepEqual(await watched.look(3), [])
  watched.hold(ours)
  assert.deepEqual(await watched.look(3), [])
  watched.chain.adminAddRelayer(at(4))
  watched.hold(foreign)
  const both = await watched.look(3)
  assert.match(both.join('\n'), new RegExp(`wrong-chain:${NAME}: governance.*\n.*wrong-chain:${NAME}/key-0`))
})
