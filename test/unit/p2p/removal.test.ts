// Admission is asked at each frame: a removed member's live stream is cut, a malformed one costs its sender the stream.
import assert from 'node:assert/strict'
import { afterEach, test } from 'node:test'
import type { Connection, Stream } from '@libp2p/interface'
import { signerOf } from '../../../relayer/crypto/identity.ts'
import { concat, u32, u8 } from '../../../relayer/lib/bytes.ts'
import { encodeFrame } from '../../../relayer/p2p/framing.ts'
import type { Host } from '../../../relayer/p2p/host.ts'
import { CLOSED_PROTOCOLS, KIND, kindOf } from '../../../relayer/p2p/protocols.ts'
import { dialHost, Hosts, keyOf, until } from '../../support/p2p-hosts.ts'

const hosts = new Hosts()
afterEach(() => hosts.stop())

const MEMBER = 70
const member = signerOf(keyOf(MEMBER)).address
const frame = (byte: number) => encodeFrame(KIND.session, new Uint8Array(33).fill(byte))

/** Bytes that a stream brings, as they come. */
function replies(stream: Stream): { bytes: number[] } {
  const got = { bytes: [] as number[] }
  stream.addEventListener('message', ({ data }) => got.bytes.push(...data.subarray()))
  return got
}

async function memberStream(host: Host, protocol: keyof typeof CLOSED_PROTOCOLS = 'session') {
  const node = await hosts.stranger(MEMBER)
  const connection: Connection = await dialHost(node, host)
  const stream = await connection.newStream(CLOSED_PROTOCOLS[protocol])
  const got = replies(stream)
  await until('it is welcome', () => got.bytes[0] === KIND.welcome)
  return { connection, stream, got }
}

test("a removed member's stream and connection are cut, and what it sent after is not delivered", async () => {
  const host = await hosts.start(1)
  host.admit({ committee: [host.self, member], receipts: [] })
  const { connection, stream } = await memberStream(host)
  const heard: number[] = []
  host.onUnopened((_, session) => heard.push(session[0] ?? 0))
  stream.send(frame(1))
  await until('it is served', () => heard.includes(1))

  host.admit({ committee: [host.self], receipts: [] })
  assert.equal(host.connected(member), false)
  if (stream.status === 'open') stream.send(frame(2))
  await until('both are cut', () => stream.status !== 'open' && connection.status !== 'open')
  assert.deepEqual(heard, [1])
  assert.deepEqual(
    host.refusals().filter(({ reason }) => reason === 'removed'),
    [{ protocol: 'session', reason: 'removed', count: 1 }],
  )
})

test('a member that becomes a former one keeps its connection for the receipt, and loses its session stream', async () => {
  const host = await hosts.start(1)
  host.admit({ committee: [host.self, member], receipts: [] })
  const { connection, stream, got } = await memberStream(host)
  const receipts: number[] = []
  host.onTell('receipt', (_, body) => receipts.push(body[0] ?? 0))

  host.admit({ committee: [host.self], receipts: [member] })
  await until('it was told', () => got.bytes.includes(KIND.refused))
  assert.equal(connection.status, 'open')
  const receipt = await connection.newStream(CLOSED_PROTOCOLS.receipt)
  receipt.send(encodeFrame(kindOf('receipt'), Uint8Array.of(7)))
  await until('the receipt came', () => receipts[0] === 7)
  const refused = replies(await connection.newStream(CLOSED_PROTOCOLS.control))
  await until('control is refused', () => refused.bytes[0] === KIND.refused)
  assert.ok(
    host.refusals().some(({ protocol, reason }) => protocol === 'control' && reason === 'receipts-tier'),
  )
  assert.ok(stream.status !== 'open' || stream.remoteWriteStatus === 'closed')
})

test('receipts of a former member are rate-limited', async () => {
  const host = await hosts.start(1, { limits: { receiptsPerMinute: 2 } })
  host.admit({ committee: [host.self], receipts: [member] })
  const { stream } = await memberStream(host, 'receipt')
  let receipts = 0
  host.onTell('receipt', () => {
    receipts += 1
  })
  for (let at = 0; at < 5; at++) stream.send(encodeFrame(kindOf('receipt'), Uint8Array.of(at)))
  await until('three are dropped', () =>
    host.drops().some(({ reason, count }) => reason === 'rate' && count === 3),
  )
  assert.equal(receipts, 2)
})

for (const [what, bytes, reason] of [
  ['an oversized session frame', concat(u8(KIND.session), u32(32 + 65_536 + 1)), 'oversized'],
  ['a frame of an unknown kind', concat(u8(99), u32(0)), 'kind'],
] as const)
  test(`${what} costs the stream, nobody else's, and a new stream serves again`, async () => {
    const host = await hosts.start(1)
    const other = await hosts.start(2, { bootstrap: host.multiaddrs() })
    for (const each of [host, other]) each.admit({ committee: [host.self, other.self, member], receipts: [] })
    const { stream, connection } = await memberStream(host)
    const heard: number[] = []
    host.onUnopened((_, session) => heard.push(session[0] ?? 0))
    stream.send(concat(bytes, frame(1)))
    await until('it is cut', () => stream.status !== 'open')
    assert.deepEqual(host.drops(), [{ protocol: 'session', reason, count: 1 }])
    const again = await connection.newStream(CLOSED_PROTOCOLS.session)
    again.send(frame(2))
    const session = new Uint8Array(32).fill(3)
    other.open(session, [host.self]).send(host.self, Uint8Array.of(1))
    await until('both are served', () => heard.includes(2) && heard.includes(3))
    assert.ok(!heard.includes(1))
  })

test('a session frame without a whole session id is dropped and counted', async () => {
  const host = await hosts.start(1)
  host.admit({ committee: [host.self, member], receipts: [] })
  const { stream } = await memberStream(host)
  stream.send(encodeFrame(KIND.session, new Uint8Array(31)))
  await until('it is counted', () => host.drops().some(({ reason }) => reason === 'malformed'))
  assert.equal(stream.status, 'open')
})

test('a flooding member is slowed down, and nothing of it is lost', async () => {
  const host = await hosts.start(1, { limits: { framesPerSecond: 200 } })
  host.admit({ committee: [host.self, member], receipts: [] })
  const { stream } = await memberStream(host)
  const session = new Uint8Array(32).fill(4)
  let heard = 0
  host.open(session, [member]).onFrame(() => {
    heard += 1
  })
  for (let at = 0; at < 1800; at++) stream.send(encodeFrame(KIND.session, session, u32(at)))
  await until('all came', () => heard === 1800)
  assert.ok(host.drops().some(({ reason }) => reason === 'slowed'))
})

test('a member that floods over ever new connections is slowed down as on one', async () => {
  const host = await hosts.start(1, { limits: { framesPerSecond: 50 } })
  host.admit({ committee: [host.self, member], receipts: [] })
  let heard = 0
  host.onUnopened(() => {})
  host.onTell('start', () => {
    heard += 1
  })
  const slowed = () => host.drops().find(({ reason }) => reason === 'slowed')?.count ?? 0
  for (let times = 1; times <= 5; times++) {
    const node = await hosts.stranger(MEMBER)
    const stream = await (await dialHost(node, host)).newStream(CLOSED_PROTOCOLS.control)
    for (let at = 0; at < 450; at++) stream.send(encodeFrame(kindOf('start'), u32(at)))
    await until('it is slowed', () => slowed() >= times)
    await node.stop()
    await until('it is gone', () => !host.connected(member))
  }
  assert.ok(heard <= 1000, `${heard} frames were taken, of which 400 at once are allowed`)
})
