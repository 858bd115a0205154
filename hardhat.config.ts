// Hardhat: compiles contracts/ with the solc of the lockfile and simulates the chains of tests and devnet.
import { fileURLToPath } from 'node:url'
import hardhatEthers from '@nomicfoundation/hardhat-ethers'
import nodeTest from '@nomicfoundation/hardhat-node-test-runner'
import { defineConfig } from 'hardhat/config'

const solc = {
  version: '0.8.37',
  path: fileURLToPath(import.meta.resolve('solc/soljson.js')),
  settings: { optimizer: { enabled: true, runs: 200 }, evmVersion: 'cancun' },
}

export default defineConfig({
  plugins: [hardhatEthers, nodeTest],
  solidity: { profiles: { default: solc, production: solc } },
  paths: {
    sources: './contracts',
    tests: { nodejs: './test/contracts' },
    cache: './build/cache',
    artifacts: './build/artifacts',
  },
  networks: {
    governance: {
      type: 'edr-simulated',
      chainType: 'l1',
      chainId: 31337,
      mining: { auto: true, interval: 0 },
    },
  },
})
