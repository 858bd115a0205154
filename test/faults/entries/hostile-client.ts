// A client that speaks our protocols from outside and means no good; what it does is told by --attack, what it met is printed.
import { readFileSync } from 'node:fs'
import { connect } from 'node:net'
import { setImmediate, setTimeout as sleep } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { noise } from '@chainsafe/libp2p-noise'
import { yamux } from '@chainsafe/libp2p-yamux'
import { generateKeyPair, privateKeyFromRaw } from '@libp2p/crypto/keys'
import type { Connection, Stream, StreamMessageEvent } from '@libp2p/interface'
import { ping } from '@libp2p/ping'
import { tcp } from '@libp2p/tcp'
import { multiaddr } from '@multiformats/multiaddr'
import { createLibp2p } from 'libp2p'
import { concat, fromHex } from '../../../relayer/lib/bytes.ts'
import { encodeFrame } from '../../../relayer/p2p/framing.ts'
import {
  CLOSED_PROTOCOLS,
  type ClosedProtocol,
  DISCOVERY_PROTOCOLS,
  KIND,
} from '../../../relayer/p2p/protocols.ts'
import { Dice } from '../fuzz-random.ts'

/**
 * `--ports`: where the members listen. `--key`: hex of an operator key; a fresh one without it. `--tape`: what a member
 * recorded. `--ms`: how long to go on at most.
 */
const { values } = parseArgs({
  options: {
    ports: { type: 'string', default: '' },
    attack: { type: 'string', default: '' },
    key: { type: 'string', default: '' },
    tape: { type: 'string', default: '' },
    ms: { type: 'string', default: '4000' },
  },
})
const ports = values.ports.split(',').map(Number)
const end = Date.now() + Number(values.ms)
const dice = new Dice(5)
const PROTOCOLS = ['session', 'control', 'receipt'] as const
const WAIT_MS = 4000
/** Connections to each member. */
const EACH = 800
/** What was met, by what it was. */
const met: Record<string, number> = {}
const note = (what: string) => {
  met[what] = (met[what] ?? 0) + 1
}

async function client(key = values.key) {
  return await createLibp2p({
    privateKey: key === '' ? await generateKeyPair('secp256k1') : privateKeyFromRaw(fromHex(key)),
    addresses: { listen: [] },
    transports: [tcp()],
    connectionEncrypters: [noise()],
    streamMuxers: [yamux()],
    services: { ping: ping({ protocolPrefix: 'truss' }) },
  })
}

type Client = Awaited<ReturnType<typeof client>>

const dial = (from: Client, port: number) =>
  from.dial(multiaddr(`/ip4/127.0.0.1/tcp/${port}`), { signal: AbortSignal.timeout(WAIT_MS) })

function openStream(connection: Connection, protocol: string): Promise<Stream> {
  return connection.newStream(protocol, { signal: AbortSignal.timeout(WAIT_MS), maxOutboundStreams: 1000 })
}

/** The first frame that the other side says: `welcome`, `refused: …`, or `cut`. The stream stays as it is. */
function answerOf(stream: Stream): Promise<string> {
  return new Promise((resolve) => {
    let bytes = Buffer.alloc(0)
    const done = (answer: string) => {
      clearTimeout(timer)
      stream.removeEventListener('message', onMessage)
      resolve(answer)
    }
    const onMessage = ({ data }: StreamMessageEvent) => {
      bytes = Buffer.concat([bytes, Buffer.from(data.subarray())])
      if (bytes[0] === KIND.welcome) done('welcome')
      if (bytes[0] === KIND.refused && bytes.length >= 5 && bytes.length >= 5 + bytes.readUInt32BE(1))
        done(`refused: ${bytes.subarray(5).toString('utf8')}`)
    }
    const timer = setTimeout(() => done('no answer'), WAIT_MS)
    stream.addEventListener('message', onMessage)
    stream.addEventListener('close', () => done('cut'), { once: true })
    if (stream.status !== 'open') done('cut')
  })
}

/** Sends as the stream takes it; false once the other side has ended it. */
async function push(stream: Stream, bytes: Uint8Array): Promise<boolean> {
  try {
    if (!stream.send(bytes)) await stream.onDrain({ signal: AbortSignal.timeout(WAIT_MS) })
    return stream.status === 'open'
  } catch {
    return false
  }
}

/** Whether the other side ends the stream or the connection by itself. */
async function ended(stream: Stream): Promise<boolean> {
  for (const stop = Date.now() + WAIT_MS; Date.now() < stop; await sleep(20))
    if (stream.status !== 'open') return true
  return false
}

/** An unknown member: every closed protocol, and garbage where everybody is served. */
async function stranger(node: Client, port: number): Promise<void> {
  while (Date.now() < end) {
    const connection = await dial(node, port)
    for (const protocol of PROTOCOLS) {
      const stream = await openStream(connection, CLOSED_PROTOCOLS[protocol]).catch(() => null)
      if (stream === null) note('cut')
      else {
        await push(stream, encodeFrame(KIND.session, dice.bytes(100)))
        note(await answerOf(stream))
        stream.abort(new Error('done'))
      }
    }
    for (const protocol of Object.values(DISCOVERY_PROTOCOLS)) {
      const stream = await openStream(connection, protocol).catch(() => null)
      if (stream === null) continue
      for (let count = 0; count < 4; count++) await push(stream, dice.bytes(dice.below(4000)))
      stream.abort(new Error('done'))
      note('garbage on an open protocol')
    }
    await connection.close().catch(() => {})
  }
}

/** Frames too large, of no kind, cut short and full of garbage, on each closed protocol. */
async function malformed(node: Client, port: number): Promise<void> {
  const bad: Record<ClosedProtocol, readonly Uint8Array[]> = {
    session: [
      encodeFrame(2, new Uint8Array(4)),
      Uint8Array.of(1, 0, 1, 0, 0x21),
      new Uint8Array(64).fill(0xff),
    ],
    control: [
      encodeFrame(6, new Uint8Array(4)),
      Uint8Array.of(1, 0, 0, 2, 1),
      Uint8Array.of(3, 0xff, 0xff, 0xff, 0xff),
    ],
    receipt: [encodeFrame(1, new Uint8Array(4)), Uint8Array.of(6, 0, 0, 2, 1), Uint8Array.of(0, 0, 0, 0, 0)],
  }
  while (Date.now() < end)
    for (const protocol of PROTOCOLS)
      for (const frame of bad[protocol]) {
        const connection = await dial(node, port)
        const stream = await openStream(connection, CLOSED_PROTOCOLS[protocol]).catch(() => null)
        if (stream === null) continue
        const first = await answerOf(stream)
        if (first !== 'welcome') note(first)
        else {
          await push(stream, frame)
          note((await ended(stream)) ? 'malformed: ended' : 'malformed: STILL OPEN')
        }
      }
}

interface Taped {
  readonly protocol: ClosedProtocol
  readonly frame: Uint8Array
}

function tape(): Taped[] {
  const lines = readFileSync(values.tape, 'utf8').trim().split('\n')
  return [...new Set(lines)].map((line) => {
    const [protocol = '', kind, body = ''] = line.split(' ')
    const found = PROTOCOLS.find((name) => name === protocol)
    if (found === undefined) throw new Error(`tape: ${protocol}`)
    return { protocol: found, frame: encodeFrame(Number(kind), fromHex(body)) }
  })
}

/** Well-formed frames with garbage inside: of a session that nobody knows, and of every topic. */
function garbage(sizes: readonly number[]): Taped[] {
  return Array.from({ length: 200 }, () => {
    const kind = 1 + dice.below(7)
    if (dice.oneIn(3))
      return { protocol: 'session', frame: encodeFrame(1, dice.bytes(32), dice.bytes(dice.pick(sizes))) }
    const size = kind === 1 || kind === 6 ? 200 : Math.min(dice.pick(sizes), kind === 2 ? 4000 : 60_000)
    return { protocol: kind === 6 ? 'receipt' : 'control', frame: encodeFrame(kind, dice.bytes(size)) }
  })
}

/** Sends frames over and over, `perSecond` of them at most, on one stream for each protocol. */
async function play(node: Client, port: number, of: { frames: Taped[]; perSecond: number }): Promise<void> {
  const connection = await dial(node, port)
  const streams = new Map<ClosedProtocol, Stream>()
  for (const protocol of PROTOCOLS) {
    const stream = await openStream(connection, CLOSED_PROTOCOLS[protocol])
    const first = await answerOf(stream)
    note(first)
    if (first !== 'welcome') return
    streams.set(protocol, stream)
  }
  const start = Date.now()
  for (let sent = 0; Date.now() < end; sent++) {
    const taped = of.frames[sent % of.frames.length]
    const stream = taped && streams.get(taped.protocol)
    if (taped === undefined || stream === undefined) return
    if (await push(stream, taped.frame)) {
      note('frame sent')
      note(`frame sent to ${port}`)
    } else {
      note('stream ended or stalled')
      if (connection.status !== 'open') return
      stream.abort(new Error('again'))
      streams.set(taped.protocol, await openStream(connection, CLOSED_PROTOCOLS[taped.protocol]))
    }
    const early = start + (1000 * sent) / of.perSecond - Date.now()
    if (early > 5) await sleep(early)
    else if (sent % 50 === 0) await setImmediate()
  }
}

/** Thousands of connections: plain ones that say nothing or garbage, and encrypted ones of fresh keys. */
async function connections(port: number): Promise<void> {
  const nodes: Client[] = []
  for (let count = 0; count < EACH && Date.now() < end; count++) {
    const socket = connect(port, '127.0.0.1')
    socket.on('error', () => note('connection refused or cut'))
    if (dice.oneIn(2)) socket.write(concat(dice.bytes(64)))
    setTimeout(() => socket.destroy(), 500)
    note('connection')
    if (count % 40 === 0 && nodes.length < 40) {
      const node = await client('')
      nodes.push(node)
      void dial(node, port).then(
        () => note('encrypted connection'),
        () => note('encrypted connection refused'),
      )
    }
    if (count % 4 === 0) await sleep(2)
  }
  for (const node of nodes) await node.stop()
}

/** A member that is removed meanwhile: holds its connection and streams, then tries to come back with both. */
async function linger(node: Client, port: number): Promise<void> {
  const connection = await dial(node, port)
  const stream = await openStream(connection, CLOSED_PROTOCOLS.session)
  while (connection.status === 'open' && stream.status === 'open' && Date.now() < end) {
    await push(stream, encodeFrame(1, dice.bytes(32), dice.bytes(64)))
    await sleep(50)
  }
  note(stream.status === 'open' ? 'KEPT ITS STREAM' : 'old stream ended')
  for (const protocol of ['session', 'control'] as const) {
    const again = await dial(node, port)
    const opened = await openStream(again, CLOSED_PROTOCOLS[protocol]).catch(() => null)
    note(opened === null ? 'cut' : await answerOf(opened))
  }
}

const node = await client()
const each = async (port: number) => {
  switch (values.attack) {
    case 'stranger':
      return await stranger(node, port)
    case 'malformed':
      return await malformed(node, port)
    case 'connections':
      return await connections(port)
    case 'linger':
      return await linger(node, port)
    case 'flood-below':
      return await play(node, port, { frames: garbage([40, 400, 4000]), perSecond: 500 })
    case 'flood-above':
      return await play(node, port, { frames: garbage([60_000]), perSecond: 20_000 })
    case 'replay':
      return await play(node, port, { frames: tape(), perSecond: 800 })
    default:
      throw new Error(`no attack ${values.attack}`)
  }
}
await Promise.all(
  ports.map((port) => each(port).catch((error: unknown) => note(`error: ${String(error).slice(0, 80)}`))),
)
console.log(JSON.stringify(met))
process.exit(0)
