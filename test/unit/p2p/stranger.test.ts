// A stranger may discover and nothing else: refused on every other protocol id, with a reply and a count, and within limits.
import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { generateKeyPair } from '@libp2p/crypto/keys'
import { concat } from '../../../relayer/lib/bytes.ts'
import { encodeFrame } from '../../../relayer/p2p/framing.ts'
import { MessageCounter } from '../../../relayer/p2p/messages.ts'
import { CLOSED_PROTOCOLS, DISCOVERY_PROTOCOLS, KIND, kindOf } from '../../../relayer/p2p/protocols.ts'
import type { Topic } from '../../../relayer/protocol/channel.ts'
import { TOPICS } from '../../../relayer/protocol/channel.ts'
import { dialHost, Hosts, readAll, until } from '../../support/p2p-hosts.ts'

const hosts = new Hosts()
after(() => hosts.stop())

const count = (
  list: readonly { protocol: string; reason: string; count: number }[],
  protocol: string,
  reason: string,
) => list.find((each) => each.protocol === protocol && each.reason === reason)?.count ?? 0

test('every protocol id that a relayer speaks beyond discovery is refused to a stranger, and counted', async () => {
  const [member] = await hosts.committee(1)
  assert.ok(member)
  const stranger = await hosts.stranger(50)
  const connection = await dialHost(stranger, member)
  const { protocols } = await new Promise<{ protocols: string[] }>((resolve) =>
    stranger.addEventListener('peer:identify', ({ detail }) => resolve(detail), { once: true }),
  )
  const open: string[] = Object.values(DISCOVERY_PROTOCOLS)
  const closed = protocols.filter((id) => !open.includes(id))
  assert.deepEqual(closed.sort(), Object.values(CLOSED_PROTOCOLS).sort())
  assert.deepEqual(
    open.filter((id) => !protocols.includes(id)),
    [],
  )

  const delivered: string[] = []
  member.onUnopened(() => delivered.push('session'))
  for (const topic of Object.keys(TOPICS) as Topic[]) member.onTell(topic, () => delivered.push(topic)) // CAST: the keys of TOPICS are Topic
  for (const id of closed) {
    const stream = await connection.newStream(id)
    const everything = (Object.keys(TOPICS) as Topic[]).map((topic) =>
      encodeFrame(kindOf(topic), Uint8Array.of(1)),
    ) // CAST: the keys of TOPICS are Topic
    stream.send(
      id === CLOSED_PROTOCOLS.session ? encodeFrame(KIND.session, new Uint8Array(40)) : concat(...everything),
    )
    const reply = await readAll(stream)
    assert.equal(reply[0], KIND.refused, id)
    assert.equal(Buffer.from(reply.subarray(5)).toString(), 'not a member that this node admits')
  }
  assert.deepEqual(delivered, [])
  for (const protocol of ['session', 'control', 'receipt'])
    assert.equal(count(member.refusals(), protocol, 'stranger'), 1)

  assert.equal(typeof (await stranger.services.ping.ping(connection.remotePeer)), 'number')
  assert.equal(connection.status, 'open')
  assert.equal(member.peers()[0]?.tier, 'discovery')
  assert.equal(member.connected(member.peers()[0]?.address ?? '0x'), false)
})

test('a stranger that goes on opening closed streams loses its connection', async () => {
  const [member] = await hosts.committee(1, { limits: { refusalsPerMinute: 5 } })
  assert.ok(member)
  const stranger = await hosts.stranger(51)
  const connection = await dialHost(stranger, member)
  for (let at = 0; at < 10 && connection.status === 'open'; at++)
    await connection.newStream(CLOSED_PROTOCOLS.session).then(readAll, () => {})
  await until('it was cut', () => connection.status !== 'open')
  assert.equal(count(member.refusals(), 'connection', 'refusals'), 1)
})

test('discovery streams of strangers are metered', async () => {
  const [member] = await hosts.committee(1, { limits: { discoveryPerSecond: 0.01 } })
  assert.ok(member)
  const stranger = await hosts.stranger(52)
  const connection = await dialHost(stranger, member)
  const answers = await Promise.allSettled(
    Array.from({ length: 3 }, () =>
      stranger.services.ping.ping(connection.remotePeer, { signal: AbortSignal.timeout(500) }),
    ),
  )
  assert.ok(answers.some(({ status }) => status === 'rejected'))
  await until('it is counted', () => count(member.refusals(), 'ping', 'rate') >= 1)
})

test('strangers take only their share of connections, and members always find room', async () => {
  const [first] = await hosts.committee(1, { limits: { strangers: 2 } })
  assert.ok(first)
  const strangers = await Promise.all([60, 61, 62].map((seed) => hosts.stranger(seed)))
  for (const stranger of strangers) await dialHost(stranger, first).catch(() => {})
  await until('one is refused', () => count(first.refusals(), 'connection', 'strangers') === 1)
  await until('two remain', () => strangers.filter((each) => each.getConnections().length === 1).length === 2)

  const second = await hosts.start(2, { bootstrap: first.multiaddrs() })
  first.admit({ committee: [first.self, second.self], receipts: [] })
  await until('the member is in', () => first.connected(second.self))
})

test('strangers of one host take only their share', async () => {
  const [member] = await hosts.committee(1, { limits: { strangersPerHost: 1 } })
  assert.ok(member)
  const strangers = await Promise.all([63, 64].map((seed) => hosts.stranger(seed)))
  for (const stranger of strangers) await dialHost(stranger, member).catch(() => {})
  await until('one is refused', () => count(member.refusals(), 'connection', 'strangers-per-host') === 1)
})

test('a peer whose key is not secp256k1 is not let in', async () => {
  const [member] = await hosts.committee(1)
  assert.ok(member)
  const stranger = await hosts.stranger(0, await generateKeyPair('Ed25519'))
  await dialHost(stranger, member).catch(() => {})
  await until('it is refused', () => count(member.refusals(), 'connection', 'identity') === 1)
  assert.deepEqual(member.peers(), [])
})

test('DHT messages on one stream cost a stranger what streams cost', async () => {
  const [member] = await hosts.committee(1, { limits: { discoveryPerSecond: 1 } })
  assert.ok(member)
  const stranger = await hosts.stranger(65)
  const connection = await dialHost(stranger, member)
  const stream = await connection.newStream(DISCOVERY_PROTOCOLS.kad)
  const findNode = concat(Uint8Array.of(8, 4, 18, 32), new Uint8Array(32).fill(7))
  const request = concat(Uint8Array.of(findNode.length), findNode)
  const replies = readAll(stream).catch(() => new Uint8Array())
  for (let at = 0; at < 200 && stream.status === 'open'; at++) stream.send(request)
  await until('the stream is cut', () => stream.status !== 'open')
  await replies
  assert.ok(count(member.refusals(), 'kad', 'rate') >= 1)
  assert.equal(connection.status, 'open')
})

test('messages are counted where they begin, however they are cut, and one that is too long is refused', () => {
  const message = (length: number) => concat(varint(length), new Uint8Array(length))
  const bytes = concat(...[3, 0, 200, 16_384].map(message))
  for (const step of [1, 2, 7, bytes.length]) {
    const counter = new MessageCounter()
    let begun = 0
    for (let at = 0; at < bytes.length; at += step) begun += counter.push(bytes.subarray(at, at + step)) ?? 99
    assert.equal(begun, 4)
  }
  assert.equal(new MessageCounter().push(varint(16_385)), null)
  assert.equal(new MessageCounter().push(new Uint8Array(5).fill(0xff)), null)
})

function varint(value: number): Uint8Array {
  const bytes: number[] = []
  for (let rest = value; ; rest >>= 7) {
    bytes.push(rest > 0x7f ? (rest & 0x7f) | 0x80 : rest)
    if (rest <= 0x7f) return Uint8Array.from(bytes)
  }
}
