// The libp2p node underneath: TCP, noise, yamux, identify, ping and a Kademlia DHT of our own name, with streams of strangers metered.
import { noise } from '@chainsafe/libp2p-noise'
import { yamux } from '@chainsafe/libp2p-yamux'
import { identify } from '@libp2p/identify'
import type { Connection, ConnectionGater, PrivateKey, Stream } from '@libp2p/interface'
import { kadDHT, passthroughMapper } from '@libp2p/kad-dht'
import { ping } from '@libp2p/ping'
import { tcp } from '@libp2p/tcp'
import { createLibp2p } from 'libp2p'
import { messageOf, NetworkError } from '../lib/errors.ts'
import { BoundedDatastore } from './datastore.ts'
import type { Limits } from './limits.ts'
import { meterMessages } from './messages.ts'
import { DISCOVERY_PROTOCOLS, PREFIX } from './protocols.ts'

/** What the node is made of. */
export interface NodeParts {
  readonly privateKey: PrivateKey
  readonly listen: readonly string[]
  readonly announce: readonly string[]
  readonly gater: ConnectionGater
  readonly limits: Limits
  /** Serves DHT queries; a visitor only asks. */
  readonly server: boolean
  /** Told about each connection from its first moment to its end. */
  readonly opened: (connection: Connection) => void
  readonly closed: (connection: Connection) => void
}

/** The libp2p node with our services. */
export type Libp2pNode = Awaited<ReturnType<typeof buildNode>>['node']

/** Frees connections long after a busy event loop would look dead to others. */
const MONITOR = { pingInterval: 10_000, pingTimeout: { minTimeout: 15_000 }, protocolPrefix: PREFIX }

async function buildNode({ privateKey, listen, announce, gater, limits, server }: NodeParts) {
  let meter: MeterRegistrar | null = null
  const node = await createLibp2p({
    start: false,
    privateKey,
    nodeInfo: { name: PREFIX, version: '1', userAgent: PREFIX },
    addresses: { listen: [...listen], announce: [...announce] },
    transports: [tcp()],
    connectionEncrypters: [noise()],
    streamMuxers: [yamux({ maxInboundStreams: 128, streamOptions: { maxStreamWindowSize: 1_048_576 } })],
    connectionGater: gater,
    datastore: new BoundedDatastore(),
    connectionMonitor: MONITOR,
    connectionManager: {
      maxConnections: limits.strangers + 1000,
      maxIncomingPendingConnections: limits.pending,
      inboundConnectionThreshold: limits.inboundPerSecond,
      addressDialTimeout: limits.dialAddressMs,
      dialTimeout: limits.dialMs,
      // Redialling is the dialer's work; libp2p's own gives up for good after some tries.
      reconnectRetries: 0,
    },
    services: {
      identify: identify({ protocolPrefix: PREFIX, maxMessageSize: 8192 }),
      // The routing table and the greeter ping at the same time; the default is one stream.
      ping: ping({ protocolPrefix: PREFIX, maxInboundStreams: 8, maxOutboundStreams: 8 }),
      dht: kadDHT({
        protocol: DISCOVERY_PROTOCOLS.kad,
        clientMode: !server,
        // The default one drops private addresses, and with them every container, laptop and test.
        peerInfoMapper: passthroughMapper,
        allowQueryWithZeroPeers: true,
        maxInboundStreams: 8,
      }),
      meter: (components) => {
        meter = components.registrar
        return {}
      },
    },
  })
  return { node, registrar: () => meter }
}

/** The part of libp2p's registrar that metering needs. */
interface MeterRegistrar {
  getHandler(protocol: string): { handler: StreamHandler; options: object }
  handle(protocol: string, handler: StreamHandler, options: { force: true }): Promise<void>
}

type StreamHandler = (stream: Stream, connection: Connection) => void | Promise<void>

/**
 * Starts a node; `allow` is asked before each discovery stream that libp2p's own services serve, and for each further message
 * of the DHT on one.
 * @throws NetworkError if it cannot listen
 */
export async function startNode(
  parts: NodeParts,
  allow: (protocol: string, connection: Connection) => boolean,
): Promise<Libp2pNode> {
  const { node, registrar } = await buildNode(parts)
  node.addEventListener('connection:open', ({ detail }) => parts.opened(detail))
  node.addEventListener('connection:close', ({ detail }) => parts.closed(detail))
  try {
    await node.start()
    await node.services.dht.setMode(parts.server ? 'server' : 'client')
    const { identify, ping, kad } = DISCOVERY_PROTOCOLS
    for (const protocol of [identify, ping, ...(parts.server ? [kad] : [])]) {
      const { handler, options } = registrar()?.getHandler(protocol) ?? {}
      if (handler === undefined) throw new NetworkError(`start libp2p: nothing serves ${protocol}`)
      const metered: StreamHandler = (stream, connection) => {
        if (!allow(protocol, connection)) return stream.abort(new Error('too many streams'))
        // The DHT answers message after message on one stream.
        if (protocol === kad) meterMessages(stream, () => allow(protocol, connection))
        return handler(stream, connection)
      }
      await registrar()?.handle(protocol, metered, { ...options, force: true })
    }
    return node
  } catch (error) {
    await node.stop()
    throw listenError(error, parts.listen)
  }
}

function listenError(error: unknown, listen: readonly string[]): NetworkError {
  const message = messageOf(error)
  const where = listen.join(', ')
  if (message.includes('EADDRINUSE'))
    return new NetworkError(`listen on ${where}: the port is in use`, {
      cause: error,
      hint: 'Stop the other process on that port (perhaps a second truss), or set another port in `listen`.',
    })
  if (/EADDRNOTAVAIL|EACCES/.test(message))
    return new NetworkError(
      `listen on ${where}: ${message.includes('EACCES') ? 'not permitted' : 'not an address of this machine'}`,
      {
        cause: error,
        hint: 'Set `listen` to /ip4/0.0.0.0/tcp/PORT with a port above 1023, and the public address in `announce`.',
      },
    )
  return new NetworkError(`start the network on ${where}: ${message.split('\n')[0]}`, {
    cause: error,
    hint: 'Check `listen` and `announce` in the configuration.',
  })
}
