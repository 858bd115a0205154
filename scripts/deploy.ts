// Deploys the committee library and a Bridge from build/artifacts; importable, and `node scripts/deploy.ts --help` from a shell.
import { readFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import {
  type ContractTransactionReceipt,
  ContractFactory,
  Interface,
  JsonRpcProvider,
  type Signer,
  Wallet,
} from 'ethers'
import { type Address, type Hex, toAddress } from '../relayer/lib/bytes.ts'
import { messageOf } from '../relayer/lib/errors.ts'

/** What a Bridge is created with. */
export interface DeployOptions {
  /** Pays, and is the admin unless `admin` says otherwise. */
  readonly signer: Signer
  /** The first committee, in any order; none (with threshold 0) on a chain that is not the governance chain. */
  readonly relayers: readonly Address[]
  /** Number of signers needed. */
  readonly threshold: number
  /** Scheme tag of key 0: 0 ecdsa-secp256k1, 1 frost-secp256k1-evm (the default). */
  readonly scheme?: number
  /** Blocks that one attempt of a ceremony has; 20 to 50400. */
  readonly windowBlocks: number
  /** This chain's number among the bridged ones; 1 by default. */
  readonly domainId?: number
  readonly admin?: Address
  /** Seconds between the two steps of handing the admin role over; 0 by default. */
  readonly adminDelaySeconds?: number
}

/** A deployed Bridge. */
export interface Deployment {
  readonly bridge: Address
  /** The library behind its selectors. */
  readonly committees: Address
  /** Block of the Bridge's creation, from which events are read. */
  readonly block: number
}

/** What is read of a Hardhat artifact. */
export interface Artifact {
  readonly abi: readonly object[]
  readonly bytecode: string
  readonly deployedBytecode: string
  readonly linkReferences: Readonly<Record<string, Readonly<Record<string, readonly LinkReference[]>>>>
}

interface LinkReference {
  /** In bytes. */
  readonly start: number
  readonly length: number
}

/** A compiled contract by file and name, e.g. `Bridge.sol`, `Bridge`. @throws if it was not built */
export function artifactOf(file: string, name: string): Artifact {
  const path = new URL(`../build/artifacts/contracts/${file}/${name}.json`, import.meta.url)
  // CAST: the part of a Hardhat artifact that is read here
  return JSON.parse(readFileSync(path, 'utf8')) as Artifact
}

/** Bytecode with the addresses of its libraries in place. */
export function link(artifact: Artifact, libraries: Readonly<Record<string, Address>>): Hex {
  let digits = artifact.bytecode.slice(2)
  for (const [name, places] of Object.values(artifact.linkReferences).flatMap(Object.entries)) {
    const library = libraries[name]
    if (library === undefined) throw new Error(`link: no address for library ${name}`)
    for (const { start, length } of places)
      digits = digits.slice(0, 2 * start) + library.slice(2) + digits.slice(2 * (start + length))
  }
  return `0x${digits}`
}

async function create(
  signer: Signer,
  artifact: Artifact,
  from: { nonce: number; bytecode?: Hex; args?: readonly unknown[] },
): Promise<{ address: Address; receipt: ContractTransactionReceipt }> {
  const { nonce, bytecode = link(artifact, {}), args = [] } = from
  const contract = await new ContractFactory([...artifact.abi], bytecode, signer).deploy(...args, { nonce })
  const receipt = await contract.deploymentTransaction()?.wait()
  if (receipt === null || receipt === undefined) throw new Error('deploy: the transaction vanished')
  return { address: toAddress(await contract.getAddress()), receipt }
}

/** Deploys the library and the Bridge, in this order, and waits for both. */
export async function deployBridge(options: DeployOptions): Promise<Deployment> {
  const { signer, relayers, threshold, scheme = 1, windowBlocks, domainId = 1 } = options
  const { admin = await signer.getAddress(), adminDelaySeconds = 0 } = options
  // Counted here: a provider that caches answers would give the second transaction the nonce of the first.
  const nonce = await signer.getNonce()
  const library = await create(signer, artifactOf('Committees.sol', 'Committees'), { nonce })
  const artifact = artifactOf('Bridge.sol', 'Bridge')
  const { address, receipt } = await create(signer, artifact, {
    nonce: nonce + 1,
    bytecode: link(artifact, { Committees: library.address }),
    args: [domainId, relayers, threshold, scheme, windowBlocks, admin, adminDelaySeconds],
  })
  return { bridge: address, committees: library.address, block: receipt.blockNumber }
}

const USAGE = `node scripts/deploy.ts --relayers 0x..,0x.. --threshold N [options]
  --rpc URL            JSON-RPC endpoint (default http://127.0.0.1:8545)
  --window-blocks N    blocks per attempt of a ceremony (default 40)
  --scheme N           key 0: 0 ecdsa-secp256k1, 1 frost-secp256k1-evm (default)
  --domain N           this chain's number among the bridged ones (default 1)
  --admin ADDRESS      holder of the admin role (default: the deployer)
  --admin-delay N      seconds between the two steps of handing it over (default 0)
The deployer's private key is read from the environment variable DEPLOYER_KEY. Prints the deployment as JSON.`

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      rpc: { type: 'string', default: 'http://127.0.0.1:8545' },
      relayers: { type: 'string', default: '' },
      threshold: { type: 'string', default: '0' },
      'window-blocks': { type: 'string', default: '40' },
      scheme: { type: 'string', default: '1' },
      domain: { type: 'string', default: '1' },
      admin: { type: 'string' },
      'admin-delay': { type: 'string', default: '0' },
      help: { type: 'boolean', default: false },
    },
  })
  const key = process.env['DEPLOYER_KEY']
  if (values.help || key === undefined) {
    console.log(USAGE)
    process.exitCode = values.help ? 0 : 2
    return
  }
  const provider = new JsonRpcProvider(values.rpc, undefined, { cacheTimeout: -1, pollingInterval: 250 })
  try {
    const deployment = await deployBridge({
      signer: new Wallet(key, provider),
      relayers: values.relayers
        .split(',')
        .filter((item) => item !== '')
        .map(toAddress),
      threshold: Number(values.threshold),
      scheme: Number(values.scheme),
      windowBlocks: Number(values['window-blocks']),
      domainId: Number(values.domain),
      ...(values.admin === undefined ? {} : { admin: toAddress(values.admin) }),
      adminDelaySeconds: Number(values['admin-delay']),
    })
    console.log(JSON.stringify(deployment))
  } finally {
    provider.destroy()
  }
}

/** One line for what went wrong: the contract's own error with its numbers where there is one. */
function reason(error: unknown): string {
  const data = error instanceof Error && 'data' in error ? error.data : null
  const revert =
    typeof data === 'string'
      ? new Interface([...artifactOf('Bridge.sol', 'Bridge').abi]).parseError(data)
      : null
  if (revert !== null) return `deploy: the Bridge refuses: ${revert.name}(${revert.args.join(', ')})`
  // ethers appends the whole transaction to its messages.
  const short = error instanceof Error && 'shortMessage' in error ? error.shortMessage : null
  return `deploy: ${typeof short === 'string' ? short : messageOf(error)}`
}

if (import.meta.main) {
  await main().catch((error: unknown) => {
    console.error(reason(error))
    const usage = error instanceof Error && 'code' in error && String(error.code).startsWith('ERR_PARSE_ARGS')
    process.exitCode = usage ? 2 : 1
  })
}
