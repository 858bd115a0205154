// A simulated chain behind a real RPC port, in the test's process, with a Bridge whose members' and group keys the test knows.
import { JsonRpcProvider, Wallet } from 'ethers'
import { network } from 'hardhat'
import { type Address, type Hex, toAddress } from '../../relayer/lib/bytes.ts'
import { calldata } from '../../relayer/chain/abi-values.ts'
import { deployBridge } from '../../scripts/deploy.ts'

/** The chain id of every simulated chain that a test does not give another one. */
export const CHAIN_ID = 31337

/** The key of Hardhat's first account, which is the admin: public, for tests only. */
export const ADMIN_KEY: Hex = '0xac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80'

/** One ether in wei. */
export const ETHER = 10n ** 18n

/** A chain whose blocks are mined when the test says so. */
export class HardhatChain {
  readonly url: string
  readonly bridge: Address
  readonly chainId: number
  /** Holder of the admin role; the node signs for it. */
  readonly admin: Address
  readonly #provider: JsonRpcProvider
  readonly #stop: () => Promise<void>

  private constructor(
    provider: JsonRpcProvider,
    at: { url: string; bridge: Address; chainId: number; admin: Address; stop: () => Promise<void> },
  ) {
    this.#provider = provider
    this.url = at.url
    this.bridge = at.bridge
    this.chainId = at.chainId
    this.admin = at.admin
    this.#stop = at.stop
  }

  /** Starts a chain and deploys a Bridge; after that nothing is mined until `mine`. */
  static async start(options: {
    members: readonly Address[]
    threshold?: number
    chainId?: number
  }): Promise<HardhatChain> {
    const { members, threshold = 2, chainId = CHAIN_ID } = options
    const override = { chainId, allowBlocksWithSameTimestamp: true }
    const server = await network.createServer({ network: 'governance', override }, '127.0.0.1', 0)
    const { address, port } = await server.listen()
    const url = `http://${address}:${port}`
    const provider = new JsonRpcProvider(url, chainId, {
      staticNetwork: true,
      cacheTimeout: -1,
      batchMaxCount: 1,
    })
    provider.pollingInterval = 10
    const signer = await provider.getSigner(0)
    const { bridge } = await deployBridge({ signer, relayers: members, threshold, windowBlocks: 20 })
    await provider.send('evm_setAutomine', [false])
    const stop = async () => {
      provider.destroy()
      await server.close()
    }
    return new HardhatChain(provider, { url, bridge, chainId, admin: toAddress(signer.address), stop })
  }

  /** What a daemon's configuration says of it. */
  get settings() {
    const { chainId, bridge, url } = this
    return { chainId, bridge, rpcUrls: `[${url}]`, confirmations: 1 } as const
  }

  async stop(): Promise<void> {
    await this.#stop()
  }

  /** A JSON-RPC call. */
  async rpc(method: string, ...params: unknown[]): Promise<unknown> {
    const answer: unknown = await this.#provider.send(method, params)
    return answer
  }

  /** A fresh key with a balance. */
  async account(balance = 100n * ETHER): Promise<{ address: Address; privateKey: Hex }> {
    const { address, privateKey } = Wallet.createRandom()
    await this.fund(toAddress(address), balance)
    return { address: toAddress(address), privateKey: privateKey as Hex } // CAST: ethers' hex strings begin with 0x
  }

  async fund(account: Address, balance: bigint): Promise<void> {
    await this.rpc('hardhat_setBalance', account, `0x${balance.toString(16)}`)
  }

  async mine(blocks = 1): Promise<void> {
    for (let i = 0; i < blocks; i++) await this.rpc('evm_mine')
  }

  /** A governance call in a block of its own. @throws the node's error if the bridge refuses it */
  async govern(method: string, args: readonly unknown[] = []): Promise<void> {
    const call = { from: this.admin, to: this.bridge, data: calldata(method, args) }
    await this.rpc('eth_estimateGas', call)
    await this.rpc('eth_sendTransaction', call)
    await this.mine()
  }

  /** Mines until a promise settles, for whatever it waits. */
  async mineUntil<T>(promise: Promise<T>): Promise<T> {
    let settled = false
    const mark = () => {
      settled = true
    }
    promise.then(mark, mark)
    while (!settled) await this.mine()
    return promise
  }

  /** A place to come back to; used up by `rewind`. */
  async mark(): Promise<unknown> {
    return this.rpc('evm_snapshot')
  }

  /** Replaces the blocks since the mark by as many others and one more, without their transactions. */
  async rewind(mark: unknown): Promise<void> {
    const before = Number(await this.rpc('eth_blockNumber'))
    await this.rpc('evm_revert', mark)
    await this.rpc('evm_increaseTime', 1000)
    await this.mine(before - Number(await this.rpc('eth_blockNumber')) + 1)
  }
}
