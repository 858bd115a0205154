// The one-shot service of docker-compose.yml that prepares its chain: a block every few seconds, and the Bridge.
import { parseArgs } from 'node:util'
import { JsonRpcProvider, Wallet } from 'ethers'
import { toAddress } from '../relayer/lib/bytes.ts'
import { deployBridge } from './deploy.ts'

const { values } = parseArgs({
  options: {
    rpc: { type: 'string', default: 'http://chain:8545' },
    relayers: { type: 'string', default: '' },
    threshold: { type: 'string', default: '2' },
    'block-time-ms': { type: 'string', default: '1000' },
    /** Where the relayers expect the bridge. */
    bridge: { type: 'string', default: '' },
  },
})

const provider = new JsonRpcProvider(values.rpc, undefined, { cacheTimeout: -1 })
try {
  const code = await provider.getCode(values.bridge)
  if (code !== '0x') console.log(`the bridge is at ${values.bridge} already`)
  else {
    const { bridge } = await deployBridge({
      signer: new Wallet(process.env['DEPLOYER_KEY'] ?? '', provider),
      relayers: values.relayers.split(',').map(toAddress),
      threshold: Number(values.threshold),
      windowBlocks: 40,
    })
    if (bridge !== toAddress(values.bridge))
      throw new Error(`the bridge is at ${bridge}, not at ${values.bridge}: the chain is not a fresh one`)
    await provider.send('evm_setAutomine', [false])
    await provider.send('evm_setIntervalMining', [Number(values['block-time-ms'])])
    console.log(`the bridge is at ${bridge}`)
  }
} finally {
  provider.destroy()
}
