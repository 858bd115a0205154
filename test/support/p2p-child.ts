// A relayer's host in a process of its own, to be killed: prints its multiaddr, then every session frame that it hears.
import { to0x } from '../../relayer/lib/bytes.ts'
import { createHost } from '../../relayer/p2p/host.ts'
import { hostOptions } from './p2p-hosts.ts'

const [seed, bootstrap, ...members] = process.argv.slice(2)
const host = createHost(hostOptions(Number(seed), { bootstrap: [bootstrap ?? ''] }))
await host.start()
const committee = [host.self, ...members.map((member) => member as `0x${string}`)] // CAST: the test hands addresses over
host.admit({ committee, receipts: [] })
const channel = host.open(new Uint8Array(32).fill(1), committee)
channel.onFrame((_, frame) => process.stdout.write(`frame ${to0x(frame)}\n`))
process.stdout.write(`up ${host.multiaddrs()[0]}\n`)
