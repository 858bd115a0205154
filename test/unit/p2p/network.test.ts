// The Network contract over libp2p and over the simulated network.
import { toAddress } from '../../../relayer/lib/bytes.ts'
import type { Host } from '../../../relayer/p2p/host.ts'
import { type NetworkHarness, networkSuite } from '../../support/network-suite.ts'
import { Hosts, until } from '../../support/p2p-hosts.ts'
import { SimNetwork } from '../../support/sim-network.ts'

async function overLibp2p(count: number): Promise<NetworkHarness> {
  const hosts = new Hosts()
  const nodes: Host[] = []
  const known = (except: number) => nodes.flatMap((host, at) => (at === except ? [] : host.multiaddrs()))
  for (let at = 0; at < count; at++) nodes.push(await hosts.start(at + 1, { bootstrap: known(at) }))
  return {
    nodes: [...nodes],
    idle: () => exchangeMarks(nodes),
    kill: async (index) => {
      const host = nodes[index]
      if (host !== undefined) await hosts.end(host)
    },
    revive: async (index) => {
      const host = await hosts.start(index + 1, { bootstrap: known(index) })
      nodes[index] = host
      return host
    },
    stop: () => hosts.stop(),
  }
}

/** Each pair that serves each other passes a mark on the same streams as the messages before it. */
async function exchangeMarks(nodes: readonly Host[]): Promise<void> {
  const served = (from: Host, to: Host) =>
    from !== to &&
    [from, to].every((one, at) => {
      const other = at === 0 ? to : from
      return (
        one.connected(other.self) && one.peers().find((p) => p.address === other.self)?.tier === 'committee'
      )
    })
  for (const from of nodes)
    for (const to of nodes.filter((node) => served(from, node))) {
      const session = new Uint8Array(32).fill(200)
      let heard = false
      const there = to.open(session, [from.self])
      there.onFrame(() => {
        heard = true
      })
      const here = from.open(session, [to.self])
      here.send(to.self, Uint8Array.of(0))
      await until('the mark came', () => heard)
      here.close()
      there.close()
    }
}

async function simulated(count: number): Promise<NetworkHarness> {
  const wire = new SimNetwork('contract')
  const addresses = Array.from({ length: count }, (_, at) => toAddress(new Uint8Array(20).fill(at + 1)))
  return {
    nodes: addresses.map((address) => wire.join(address)),
    idle: () => wire.idle(),
    kill: async (index) => wire.leave(addresses[index] ?? '0x'),
    revive: async (index) => wire.join(addresses[index] ?? '0x'),
    stop: () => wire.idle(),
  }
}

networkSuite('libp2p', overLibp2p)
networkSuite('simulated', simulated)
