// A client that speaks our protocols from outside and means no good, as --attack says, until its input ends; prints what it met.
import { readFileSync } from 'node:fs'
import { connect } from 'node:net'
import { setImmediate, setTimeout as sleep } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import type { Connection, Stream } from '@libp2p/interface'
import { concat, fromHex } from '../../../relayer/lib/bytes.ts'
import { encodeFrame } from '../../../relayer/p2p/framing.ts'
import {
  CLOSED_PROTOCOLS,
  type ClosedProtocol,
  DISCOVERY_PROTOCOLS,
  KIND,
} from '../../../relayer/p2p/protocols.ts'
import { Dice } from '../fuzz-random.ts'
import { answerOf, type Client, client, dial, ended, openStream, push } from './hostile-wire.ts'

/**
 * `--ports`: where the members listen. `--key`: hex of an operator key; a fresh one without it. `--tape`: what a member
 * recorded. It prints `begun` when the attack is under way, and in the end what it met, as JSON.
 */
const { values } = parseArgs({
  options: {
    ports: { type: 'string', default: '' },
    attack: { type: 'string', default: '' },
    key: { type: 'string', default: '' },
    tape: { type: 'string', default: '' },
  },
})
const ports = values.ports.split(',').map(Number)
let over = false
process.stdin.resume().once('end', () => {
  over = true
})
const dice = new Dice(5)
const PROTOCOLS = ['session', 'control', 'receipt'] as const
/** Connections to each member. */
const EACH = 800
/** What was met, by what it was. */
const met: Record<string, number> = {}
const note = (what: string, times = 1) => {
  if (Object.keys(met).length === 0) console.log('begun')
  met[what] = (met[what] ?? 0) + times
}

/** An unknown member: every closed protocol, and garbage where everybody is served. */
async function stranger(node: Client, port: number): Promise<void> {
  do {
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
  } while (!over)
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
  do
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
  while (!over)
}

/** Frames of one protocol, to be sent in one go. */
interface Taped {
  readonly protocol: ClosedProtocol
  readonly bytes: Uint8Array
  readonly count: number
}

function tape(): Taped[] {
  const lines = readFileSync(values.tape, 'utf8').trim().split('\n')
  return [...new Set(lines)].map((line) => {
    const [protocol = '', kind, body = ''] = line.split(' ')
    const found = PROTOCOLS.find((name) => name === protocol)
    if (found === undefined) throw new Error(`tape: ${protocol}`)
    return { protocol: found, bytes: encodeFrame(Number(kind), fromHex(body)), count: 1 }
  })
}

/** Well-formed frames with garbage inside: of a session that nobody knows, and of every topic. */
function garbage(sizes: readonly number[]): Taped[] {
  return Array.from({ length: 200 }, () => {
    const kind = 1 + dice.below(7)
    if (dice.oneIn(3))
      return {
        protocol: 'session',
        bytes: encodeFrame(1, dice.bytes(32), dice.bytes(dice.pick(sizes))),
        count: 1,
      }
    const size = kind === 1 || kind === 6 ? 200 : Math.min(dice.pick(sizes), kind === 2 ? 4000 : 60_000)
    const bytes = encodeFrame(kind, dice.bytes(size))
    return { protocol: kind === 6 ? 'receipt' : 'control', bytes, count: 1 }
  })
}

/** The same frames, a hundred of a protocol in one go: what sends them spends less than what reads them. */
function bundled(frames: readonly Taped[]): Taped[] {
  return PROTOCOLS.map((protocol) => {
    const own = frames.filter((each) => each.protocol === protocol)
    const hundred = Array.from({ length: 100 }, (_, at) => own[at % own.length]?.bytes ?? new Uint8Array())
    return { protocol, bytes: concat(...hundred), count: 100 }
  })
}

/** Small frames by the hundred, above the rate of frames, and large ones, above that of bytes. */
const FLOOD = [...bundled(garbage([40])), ...garbage([60_000]).slice(0, 20)]
/** Frames sent to each member at least: its burst, and much more than it takes while that is sent. */
const FLOOD_FRAMES = 24_000

async function streamsOn(connection: Connection): Promise<Map<ClosedProtocol, Stream> | null> {
  const streams = new Map<ClosedProtocol, Stream>()
  for (const protocol of PROTOCOLS) {
    const stream = await openStream(connection, CLOSED_PROTOCOLS[protocol])
    const first = await answerOf(stream)
    note(first)
    if (first !== 'welcome') return null
    streams.set(protocol, stream)
  }
  return streams
}

interface Play {
  readonly frames: readonly Taped[]
  readonly perSecond: number
  /** Frames that are sent whatever happens. */
  readonly least: number
}

/** Sends frames over and over, `perSecond` of them at most, on one stream for each protocol; opens again what is ended. */
async function play(node: Client, port: number, { frames, perSecond, least }: Play): Promise<void> {
  const connection = await dial(node, port)
  const streams = await streamsOn(connection)
  if (streams === null) return
  const start = Date.now()
  let sent = 0
  for (let at = 0; !over || sent < least; at++) {
    const taped = frames[at % frames.length]
    const stream = taped && streams.get(taped.protocol)
    if (taped === undefined || stream === undefined) return
    if (await push(stream, taped.bytes)) {
      note('frame sent', taped.count)
      sent += taped.count
    } else {
      note('stream ended or stalled')
      if (connection.status !== 'open') return
      stream.abort(new Error('again'))
      streams.set(taped.protocol, await openStream(connection, CLOSED_PROTOCOLS[taped.protocol]))
    }
    const early = start + (1000 * sent) / perSecond - Date.now()
    if (early > 5) await sleep(early)
    else if (at % 50 === 0) await setImmediate()
  }
}

/** A burst on each of ever new connections: what is owed on one is owed on the next. */
async function reconnecting(node: Client, port: number): Promise<void> {
  for (let times = 0; !over || times < 3; times++) {
    const connection = await dial(node, port)
    const stream = await openStream(connection, CLOSED_PROTOCOLS.control)
    const [small] = bundled(garbage([40])).filter(({ protocol }) => protocol === 'control')
    for (let at = 0; at < 90 && small !== undefined; at++)
      if (await push(stream, small.bytes)) note('frame sent', small.count)
      else break
    connection.abort(new Error('again'))
    note('connection')
    // A host takes fifty connections a second.
    await sleep(50)
  }
}

/** Thousands of connections: plain ones that say nothing or garbage, and encrypted ones of fresh keys. */
async function connections(port: number): Promise<void> {
  const nodes: Client[] = []
  for (let count = 0; !over || count < EACH; count++) {
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
  note(`first ${await answerOf(stream)}`)
  while (connection.status === 'open' && stream.status === 'open' && !over) {
    await push(stream, encodeFrame(1, dice.bytes(32), dice.bytes(64)))
    await sleep(50)
  }
  note(stream.status === 'open' ? 'KEPT ITS STREAM' : 'old stream ended')
  do
    for (const protocol of ['session', 'control'] as const) {
      const again = await dial(node, port).catch(() => null)
      const opened = await again?.newStream(CLOSED_PROTOCOLS[protocol]).catch(() => null)
      note(opened === null || opened === undefined ? 'cut' : await answerOf(opened))
      await sleep(50)
    }
  while (!over)
}

const node = await client(values.key)
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
      return await play(node, port, { frames: garbage([40, 400, 4000]), perSecond: 500, least: 500 })
    case 'flood-above':
      return await play(node, port, { frames: FLOOD, perSecond: 1e9, least: FLOOD_FRAMES })
    case 'reconnecting':
      return await reconnecting(node, port)
    case 'replay':
      return await play(node, port, { frames: tape(), perSecond: 800, least: 500 })
    default:
      throw new Error(`no attack ${values.attack}`)
  }
}
await Promise.all(
  ports.map((port) => each(port).catch((error: unknown) => note(`error: ${String(error).slice(0, 80)}`))),
)
console.log(JSON.stringify(met))
process.exit(0)
