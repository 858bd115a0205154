// Entry point of the devnet's chains: Hardhat networks served over HTTP, mining at an interval, until SIGTERM.
import { parseArgs } from 'node:util'
import { network } from 'hardhat'

const { values } = parseArgs({
  options: {
    /** `chainId:port`, once per chain; the first one is the governance chain. */
    chain: { type: 'string', multiple: true },
    'block-time-ms': { type: 'string', default: '500' },
  },
})

const servers: Awaited<ReturnType<typeof network.createServer>>[] = []
for (const pair of values.chain ?? []) {
  const [chainId, port] = pair.split(':').map(Number)
  if (chainId === undefined || port === undefined || !Number.isInteger(chainId + port))
    throw new Error(`--chain ${pair}: give chainId:port`)
  const override = {
    chainId,
    mining: { auto: false, interval: Number(values['block-time-ms']) },
    allowBlocksWithSameTimestamp: true,
  }
  const server = await network.createServer({ network: 'governance', override }, '127.0.0.1', port)
  await server.listen()
  servers.push(server)
  console.log(`chain ${chainId} at http://127.0.0.1:${port}`)
}

const stop = async () => {
  await Promise.all(servers.map((server) => server.close()))
  process.exit(0)
}
process.once('SIGTERM', () => void stop())
// Ctrl-C reaches the whole group; the driver says when the chain may go, after the relayers.
process.on('SIGINT', () => {})
