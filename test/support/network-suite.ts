// The contract suite of the Network port, run against libp2p and against the simulated network.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Address, to0x } from '../../relayer/lib/bytes.ts'
import { MAX_FRAME, type Network, TOPICS, type Topic } from '../../relayer/protocol/channel.ts'
import { until } from './p2p-hosts.ts'

/** Nodes under test; nobody is admitted yet. */
export interface NetworkHarness {
  readonly nodes: readonly Network[]
  /** Everything that was allowed to arrive has arrived. */
  readonly idle: () => Promise<void>
  /** The node's process dies without a word. */
  readonly kill: (index: number) => Promise<void>
  /** It comes back with the same identity, knowing nothing. */
  readonly revive: (index: number) => Promise<Network>
  readonly stop: () => Promise<void>
}

const SESSION = new Uint8Array(32).fill(5)
const OTHER_SESSION = new Uint8Array(32).fill(6)

interface Heard {
  readonly from: Address
  readonly body: string
}

/** Records what a channel receives. */
function listen(network: Network, peers: readonly Address[], session = SESSION) {
  const heard: Heard[] = []
  const channel = network.open(session, peers)
  channel.onFrame((from, frame) => heard.push({ from, body: to0x(frame) }))
  return {
    channel,
    heard,
    has: (from: Address, body: string) => heard.some((h) => h.from === from && h.body === body),
  }
}

function told(network: Network, topic: Topic) {
  const heard: Heard[] = []
  const off = network.onTell(topic, (from, body) => heard.push({ from, body: to0x(body) }))
  return { heard, off }
}

type Trio = readonly [Network, Network, Network]

/** Runs every test against nodes that `make` builds: three of them, named by their position. */
export function networkSuite(name: string, make: (count: number) => Promise<NetworkHarness>): void {
  const contract: Contract = (what, run, { admitted = true } = {}) => {
    void test(`${name}: ${what}`, async () => {
      const harness = await make(3)
      try {
        const [a, b, c] = harness.nodes
        assert.ok(a && b && c)
        if (admitted) await admitAll([a, b, c])
        await run([a, b, c], harness)
      } finally {
        await harness.stop()
      }
    })
  }

  frames(contract)
  admission(contract)
  topics(contract)
}

type Contract = (
  what: string,
  run: (nodes: Trio, harness: NetworkHarness) => Promise<void>,
  options?: { admitted?: boolean },
) => void

async function admitAll(nodes: Trio): Promise<void> {
  const committee = nodes.map((node) => node.self)
  for (const node of nodes) node.admit({ committee, receipts: [] })
  await until('all are connected', () =>
    nodes.every((node) => nodes.every((other) => other === node || node.connected(other.self))),
  )
}

function frames(contract: Contract): void {
  contract('a frame reaches the peer that it is for, with its sender', async ([a, b, c], { idle }) => {
    const peers = [a.self, b.self, c.self]
    const [atA, atB, atC] = [listen(a, peers), listen(b, peers), listen(c, peers)]
    atA.channel.send(b.self, Uint8Array.of(1))
    atC.channel.send(b.self, Uint8Array.of(3))
    await until('both came', () => atB.has(a.self, '0x01') && atB.has(c.self, '0x03'))
    await idle()
    assert.deepEqual([atA.heard, atC.heard], [[], []])
  })

  contract('a frame to oneself arrives, later', async ([a]) => {
    const at = listen(a, [a.self])
    at.channel.send(a.self, Uint8Array.of(9))
    assert.deepEqual(at.heard, [])
    await until('it came', () => at.has(a.self, '0x09'))
  })

  contract('the largest frame passes, a larger one is refused to its sender', async ([a, b]) => {
    const [atA, atB] = [listen(a, [b.self]), listen(b, [a.self])]
    atA.channel.send(b.self, new Uint8Array(MAX_FRAME))
    await until('it came', () => atB.heard[0]?.body.length === 2 + 2 * MAX_FRAME)
    assert.throws(() => atA.channel.send(b.self, new Uint8Array(MAX_FRAME + 1)), RangeError)
  })

  contract('frames that came before the session was opened are delivered first', async ([a, b]) => {
    const seen: string[] = []
    b.onUnopened((from, session, frame) => seen.push(`${from} ${to0x(session)} ${to0x(frame)}`))
    const atA = listen(a, [b.self])
    atA.channel.send(b.self, Uint8Array.of(1))
    atA.channel.send(b.self, Uint8Array.of(2))
    await until('both were seen', () => new Set(seen).size === 2)
    assert.ok(seen.includes(`${a.self} ${to0x(SESSION)} 0x01`))
    const atB = listen(b, [a.self])
    assert.deepEqual(new Set(atB.heard.map(({ body }) => body)), new Set(['0x01', '0x02']))
  })

  contract('frames that come between open and onFrame are kept', async ([a, b], { idle }) => {
    const channel = b.open(SESSION, [a.self])
    listen(a, [b.self]).channel.send(b.self, Uint8Array.of(4))
    await idle()
    const heard: string[] = []
    channel.onFrame((_, frame) => heard.push(to0x(frame)))
    await until('it came', () => heard.includes('0x04'))
  })

  contract('a session hears its own peers and its own frames only', async ([a, b, c], { idle }) => {
    const atB = listen(b, [a.self])
    listen(c, [b.self]).channel.send(b.self, Uint8Array.of(3))
    listen(a, [b.self], OTHER_SESSION).channel.send(b.self, Uint8Array.of(2))
    const good = listen(a, [b.self])
    good.channel.send(c.self, Uint8Array.of(8))
    good.channel.send(b.self, Uint8Array.of(1))
    await until('the good one came', () => atB.has(a.self, '0x01'))
    await idle()
    assert.deepEqual(new Set(atB.heard.map(({ body }) => body)), new Set(['0x01']))
  })

  contract('a frame is what it was when it was sent', async ([a, b]) => {
    const [atA, atB] = [listen(a, [b.self]), listen(b, [a.self])]
    const frame = Uint8Array.of(1)
    atA.channel.send(b.self, frame)
    frame[0] = 2
    await until('it came', () => atB.heard.length > 0)
    assert.equal(atB.heard[0]?.body, '0x01')
  })

  contract(
    'frames for a peer that died and came back are sent again',
    async ([a, b, c], { kill, revive }) => {
      const [atA, atB] = [listen(a, [b.self]), listen(b, [a.self])]
      atA.channel.send(b.self, Uint8Array.of(1))
      await until('the first came', () => atB.has(a.self, '0x01'))
      await kill(1)
      await until('its death was noticed', () => !a.connected(b.self))
      atA.channel.send(b.self, Uint8Array.of(2))
      const revived = await revive(1)
      revived.admit({ committee: [a.self, b.self, c.self], receipts: [] })
      const again = listen(revived, [a.self])
      await until('both came', () => again.has(a.self, '0x01') && again.has(a.self, '0x02'))
    },
  )

  contract('a closed channel is silent, twice', async ([a, b], { idle }) => {
    const [atA, atB] = [listen(a, [b.self]), listen(b, [a.self])]
    atB.channel.close()
    atB.channel.close()
    atA.channel.send(b.self, Uint8Array.of(1))
    atB.channel.send(a.self, Uint8Array.of(2))
    await idle()
    assert.deepEqual([atA.heard, atB.heard], [[], []])
  })
}

function admission(contract: Contract): void {
  const unadmitted = { admitted: false }

  contract(
    'nobody is served before being admitted, and then what waited is delivered',
    async ([a, b, c], { idle }) => {
      const all = [a.self, b.self, c.self]
      const [atA, atB] = [listen(a, all), listen(b, all)]
      const announced = told(b, 'announce')
      a.admit({ committee: all, receipts: [] })
      atA.channel.send(b.self, Uint8Array.of(1))
      a.tell(b.self, 'evidence', Uint8Array.of(1))
      await idle()
      assert.deepEqual([atB.heard, announced.heard], [[], []])
      b.admit({ committee: all, receipts: [] })
      await until('the frame came', () => atB.has(a.self, '0x01'))
    },
    unadmitted,
  )

  contract('a removed member is heard no more', async ([a, b, c], { idle }) => {
    const all = [a.self, b.self, c.self]
    const [atA, atB] = [listen(a, all), listen(b, all)]
    atA.channel.send(b.self, Uint8Array.of(1))
    await until('it was heard', () => atB.has(a.self, '0x01'))
    b.admit({ committee: [b.self, c.self], receipts: [] })
    c.admit({ committee: [b.self, c.self], receipts: [] })
    assert.equal(b.connected(a.self), false)
    const before = atB.heard.length
    atA.channel.send(b.self, Uint8Array.of(2))
    a.tell(b.self, 'announce', Uint8Array.of(2))
    listen(c, all).channel.send(b.self, Uint8Array.of(3))
    await until('another one is', () => atB.has(c.self, '0x03'))
    await idle()
    assert.deepEqual(
      atB.heard.slice(before).filter(({ from }) => from === a.self),
      [],
    )
  })

  contract('a former member may hand in its receipt and nothing else', async ([a, b, c], { idle }) => {
    b.admit({ committee: [b.self, c.self], receipts: [a.self] })
    const [receipts, announced, atB] = [told(b, 'receipt'), told(b, 'announce'), listen(b, [a.self])]
    a.tell(b.self, 'announce', Uint8Array.of(1))
    listen(a, [b.self]).channel.send(b.self, Uint8Array.of(1))
    await until('the receipt came', () => {
      if (receipts.heard.length === 0) a.tell(b.self, 'receipt', Uint8Array.of(7))
      return receipts.heard.length > 0
    })
    await idle()
    assert.deepEqual([announced.heard, atB.heard], [[], []])
    assert.deepEqual(receipts.heard[0], { from: a.self, body: '0x07' })
  })

  contract('an unreachable or unknown peer is silence, not an error', async ([a]) => {
    const nobody: Address = `0x${'99'.repeat(20)}`
    const at = listen(a, [nobody])
    at.channel.send(nobody, Uint8Array.of(1))
    a.tell(nobody, 'announce', Uint8Array.of(1))
    assert.equal(a.connected(nobody), false)
  })
}

function topics(contract: Contract): void {
  contract('a control message reaches the handlers of its topic', async ([a, b], { idle }) => {
    const [announced, signed] = [told(b, 'announce'), told(b, 'sign')]
    const gone = told(b, 'announce')
    gone.off()
    a.tell(b.self, 'announce', Uint8Array.of(1, 2))
    await until('it came', () => announced.heard.length > 0)
    await idle()
    assert.deepEqual(announced.heard, [{ from: a.self, body: '0x0102' }])
    assert.deepEqual([signed.heard, gone.heard], [[], []])
  })

  contract('each topic has its cap', async ([a, b]) => {
    for (const topic of Object.keys(TOPICS) as Topic[]) {
      // CAST: the keys of TOPICS are Topic
      const at = told(b, topic)
      a.tell(b.self, topic, new Uint8Array(TOPICS[topic]))
      await until(`${topic} came`, () => at.heard.length > 0)
      assert.throws(() => a.tell(b.self, topic, new Uint8Array(TOPICS[topic] + 1)), RangeError)
    }
  })

  contract('a control message to oneself arrives', async ([a]) => {
    const at = told(a, 'announce')
    a.tell(a.self, 'announce', Uint8Array.of(5))
    await until('it came', () => at.heard.length > 0)
    assert.deepEqual(at.heard, [{ from: a.self, body: '0x05' }])
  })
}
