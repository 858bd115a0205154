// What a hostile client does on the wire: dial, open streams, hear the answer, push bytes, wait to be cut.
import { setTimeout as sleep } from 'node:timers/promises'
import { noise } from '@chainsafe/libp2p-noise'
import { yamux } from '@chainsafe/libp2p-yamux'
import { generateKeyPair, privateKeyFromRaw } from '@libp2p/crypto/keys'
import type { Connection, Stream, StreamMessageEvent } from '@libp2p/interface'
import { ping } from '@libp2p/ping'
import { tcp } from '@libp2p/tcp'
import { multiaddr } from '@multiformats/multiaddr'
import { createLibp2p } from 'libp2p'
import { fromHex } from '../../../relayer/lib/bytes.ts'
import { KIND } from '../../../relayer/p2p/protocols.ts'

const WAIT_MS = 4000

/** A host of our own; a fresh key where none is given. */
export async function client(key: string) {
  return await createLibp2p({
    privateKey: key === '' ? await generateKeyPair('secp256k1') : privateKeyFromRaw(fromHex(key)),
    addresses: { listen: [] },
    transports: [tcp()],
    connectionEncrypters: [noise()],
    streamMuxers: [yamux()],
    services: { ping: ping({ protocolPrefix: 'truss' }) },
  })
}

export type Client = Awaited<ReturnType<typeof client>>

export const dial = (from: Client, port: number) =>
  from.dial(multiaddr(`/ip4/127.0.0.1/tcp/${port}`), { signal: AbortSignal.timeout(WAIT_MS) })

export function openStream(connection: Connection, protocol: string): Promise<Stream> {
  return connection.newStream(protocol, { signal: AbortSignal.timeout(WAIT_MS), maxOutboundStreams: 1000 })
}

/** The first frame that the other side says: `welcome`, `refused: …`, or `cut`. The stream stays as it is. */
export function answerOf(stream: Stream): Promise<string> {
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
export async function push(stream: Stream, bytes: Uint8Array): Promise<boolean> {
  try {
    if (!stream.send(bytes)) await stream.onDrain({ signal: AbortSignal.timeout(WAIT_MS) })
    return stream.status === 'open'
  } catch {
    return false
  }
}

/** Whether the other side ends the stream or the connection by itself. */
export async function ended(stream: Stream): Promise<boolean> {
  for (const stop = Date.now() + WAIT_MS; Date.now() < stop; await sleep(20))
    if (stream.status !== 'open') return true
  return false
}
