// A member gone bad that asks without end on the protocols of discovery: it is held back as a stranger is, if later.
import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { addressOfPeer } from '../../../relayer/p2p/identity.ts'
import { dialHost, Hosts } from '../../support/p2p-hosts.ts'

const hosts = new Hosts()
after(() => hosts.stop())

test('discovery streams of a member are refused above a rate, over ever new connections too, and no others', async () => {
  const [host] = await hosts.committee(1, { limits: { memberDiscoveryPerSecond: 0.4 } })
  assert.ok(host)
  const [bad, good] = await Promise.all([50, 51].map((seed) => hosts.stranger(seed)))
  assert.ok(bad && good)
  const members = [bad, good].map(({ peerId }) => addressOfPeer(peerId)).filter((each) => each !== null)
  host.admit({ committee: [host.self, ...members], receipts: [] })
  const ping = async (node: typeof bad, ms = 500) => {
    const { remotePeer } = await dialHost(node, host)
    return node.services.ping.ping(remotePeer, { signal: AbortSignal.timeout(ms) })
  }
  const refused = () =>
    host.refusals().find((each) => each.protocol === 'ping' && each.reason === 'rate')?.count ?? 0
  for (let times = 0; times < 40 && refused() === 0; times++) await ping(bad).catch(() => {})
  assert.ok(refused() > 0)
  assert.equal(bad.getConnections()[0]?.status, 'open')
  assert.equal(typeof (await ping(good, 15_000)), 'number')

  await Promise.all(bad.getConnections().map((each) => each.close()))
  await assert.rejects(ping(bad))
})
