// Connections that never say who they are: they take only their host's share, and members still come in.
import assert from 'node:assert/strict'
import { connect, type Socket } from 'node:net'
import { afterEach, test } from 'node:test'
import type { Host } from '../../../relayer/p2p/host.ts'
import { allConnected, dialHost, Hosts, until } from '../../support/p2p-hosts.ts'

const hosts = new Hosts()
const sockets: Socket[] = []
afterEach(async () => {
  for (const socket of sockets.splice(0)) socket.destroy()
  await hosts.stop()
})

const limits = { inboundPerSecond: 1000, pending: 64, pendingPerHost: 4 }

/** Connections from an address of this machine that say nothing. */
function halfOpen(host: Host, { from, count }: { from: string; count: number }): Promise<Socket[]> {
  const port = Number(/\/tcp\/(\d+)/.exec(host.multiaddrs()[0] ?? '')?.[1])
  const made = Array.from({ length: count }, async () => {
    const socket = connect({ port, host: '127.0.0.1', localAddress: from })
    socket.on('error', () => {})
    sockets.push(socket)
    await new Promise((resolve) => {
      socket.once('connect', resolve).once('close', resolve)
    })
    return socket
  })
  return Promise.all(made)
}

const refused = (host: Host) =>
  host.refusals().find(({ reason }) => reason === 'pending-per-host')?.count ?? 0

test('a host that opens connections and never says who it is keeps no member out', async () => {
  // More members of one host than may be silent there: who has said who it is does not count.
  const committee = await hosts.committee(6, { limits })
  const [first, last] = [committee[0], committee[5]]
  assert.ok(first && last)
  const before = refused(first)
  const silent = await halfOpen(first, { from: '127.0.0.2', count: 40 })
  await until('all but its share are refused', () => silent.filter((each) => !each.destroyed).length <= 4)
  assert.equal(refused(first) - before, 36)

  await hosts.end(last)
  await until('it is gone', () => !first.connected(last.self))
  const again = await hosts.start(6, { bootstrap: first.multiaddrs() })
  again.admit({ committee: committee.map(({ self }) => self), receipts: [] })
  await until('it is in again', () => first.connected(last.self), 6000)
  assert.ok(
    allConnected(
      first,
      committee.map(({ self }) => self),
    ),
  )
})

test('silent connections that end make room for others of their host', async () => {
  const [member] = await hosts.committee(1, { limits })
  assert.ok(member)
  const silent = await halfOpen(member, { from: '127.0.0.1', count: 4 })
  const stranger = await hosts.stranger(50)
  await assert.rejects(dialHost(stranger, member))
  assert.equal(refused(member), 1)
  for (const socket of silent) socket.destroy()
  let open = false
  while (!open)
    open = await dialHost(stranger, member).then(
      () => true,
      () => false,
    )
})
