// A stranger: a plain libp2p node with a fresh key that asks each member for every protocol that the member advertises.
import { parseArgs } from 'node:util'
import { noise } from '@chainsafe/libp2p-noise'
import { yamux } from '@chainsafe/libp2p-yamux'
import { generateKeyPair } from '@libp2p/crypto/keys'
import { identify } from '@libp2p/identify'
import type { Connection } from '@libp2p/interface'
import { ping } from '@libp2p/ping'
import { tcp } from '@libp2p/tcp'
import { multiaddr } from '@multiformats/multiaddr'
import { createLibp2p } from 'libp2p'

const { values } = parseArgs({ options: { members: { type: 'string', default: '' } } })

/** Open to everybody; all else that a member advertises has to be refused. */
const DISCOVERY = /\/(id|ping|hello|kad)\//
const WAIT_MS = 5_000
const REFUSED = 0xf1

const node = await createLibp2p({
  privateKey: await generateKeyPair('secp256k1'),
  addresses: { listen: [] },
  transports: [tcp()],
  connectionEncrypters: [noise()],
  streamMuxers: [yamux()],
  services: { identify: identify({ protocolPrefix: 'truss' }), ping: ping({ protocolPrefix: 'truss' }) },
})

/** What a member answers to a stream of that protocol: `refused: reason`, or what else happened. */
async function ask(connection: Connection, protocol: string): Promise<string> {
  const stream = await connection.newStream(protocol, { signal: AbortSignal.timeout(WAIT_MS) })
  const timer = setTimeout(() => stream.abort(new Error('no answer')), WAIT_MS)
  let bytes = Buffer.alloc(0)
  try {
    stream.send(new Uint8Array([1, 0, 0, 0, 0]))
    for await (const chunk of stream) bytes = Buffer.concat([bytes, Buffer.from(chunk.subarray())])
  } catch (error) {
    if (bytes.length === 0) return String(error)
  } finally {
    clearTimeout(timer)
  }
  return bytes[0] === REFUSED ? `refused: ${bytes.subarray(5).toString('utf8')}` : `served, frame ${bytes[0]}`
}

const refused: string[] = []
const served: string[] = []
for (const member of values.members.split(',')) {
  const [address, port] = member.split('@')
  const connection = await node.dial(multiaddr(`/ip4/127.0.0.1/tcp/${port}`))
  const known = new Promise<string[]>((resolve) => {
    node.addEventListener('peer:identify', ({ detail }) => {
      if (detail.peerId.equals(connection.remotePeer)) resolve(detail.protocols)
    })
  })
  const stored = (await node.peerStore.get(connection.remotePeer)).protocols
  for (const protocol of stored.length > 0 ? stored : await known) {
    if (DISCOVERY.test(protocol)) {
      served.push(`${address} ${protocol}`)
      continue
    }
    const said = await ask(connection, protocol).catch((error: unknown) => String(error))
    ;(said.startsWith('refused') ? refused : served).push(`${address} ${protocol} ${said}`)
  }
}
console.log(JSON.stringify({ refused, served }))
// Without an orderly stop, which would wait for closings that the members may never confirm.
process.exit(0)
