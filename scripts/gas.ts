// `node scripts/gas.ts`: measures what each call of a Bridge costs and writes docs/contracts-gas.md (run `npx hardhat build` before).
import { writeFileSync } from 'node:fs'
import { secp256k1 } from '@noble/curves/secp256k1.js'
import { type Contract, type ContractTransactionReceipt, ContractFactory, type Signer } from 'ethers'
import { network } from 'hardhat'
import { evmChallenge } from '../relayer/crypto/schnorr.ts'
import { keccak256 } from '../relayer/crypto/hash.ts'
import { type Signer as Operator, signerOf } from '../relayer/crypto/identity.ts'
import { type Address, concat, fromBigint, type Hex, to0x, toAddress } from '../relayer/lib/bytes.ts'
import { Secret } from '../relayer/lib/secret.ts'
import {
  type Activation,
  activationDigest,
  activationHash,
  readinessDigest,
  receiptDigest,
} from '../relayer/protocol/typed.ts'
import { artifactOf, deployBridge } from './deploy.ts'
import { flagsOf } from './usage.ts'

/** Where the table lies, and its columns. */
export const GAS_FILE = 'docs/contracts-gas.md'
export const SIZES = [3, 10, 50, 100] as const

/** Gas by what was done, in the order of the table. */
export type GasColumn = ReadonlyMap<string, number>

const { Point } = secp256k1
const SECRET = 0x7e55e7n
const GROUP_KEY = Point.BASE.multiply(SECRET).toBytes(false).subarray(1)
const WORD = (seed: string): Hex => to0x(keccak256(new TextEncoder().encode(seed)))

/** Operators with fixed keys, by address: the same table in every run. */
const operators = new Map<Address, Operator>(
  Array.from({ length: 202 }, (_, i) => {
    const operator = signerOf(new Secret(fromBigint(BigInt(i + 1_000_000), 32)))
    return [operator.address, operator]
  }),
)
const addresses = [...operators.keys()]

function signGroup(digest: Uint8Array): Hex {
  const nonce = (BigInt(to0x(keccak256(digest))) % (Point.Fn.ORDER - 1n)) + 1n
  const address = keccak256(Point.BASE.multiply(nonce).toBytes(false).subarray(1)).subarray(12)
  const z = (nonce + evmChallenge(GROUP_KEY, address, digest) * SECRET) % Point.Fn.ORDER
  return to0x(concat(fromBigint(z, 32), address))
}

const signBy = (address: Address, digest: Uint8Array): Hex =>
  to0x(operators.get(address)?.sign(digest) ?? new Uint8Array())

/** One Bridge, and the gas that its calls used. */
class Meter {
  readonly column = new Map<string, number>()
  readonly contract: Contract
  readonly domain: { chainId: number; bridge: Address }
  private readonly extraKeys: Hex[] = []

  constructor(contract: Contract, bridge: Address) {
    this.contract = contract
    this.domain = { chainId: 31_337, bridge }
  }

  /** Sends a call; under a title its gas goes into the column. */
  async send(title: string | null, name: string, ...args: unknown[]): Promise<void> {
    // CAST: ethers types the calls of an untyped contract as any
    const sent = (await this.contract.getFunction(name).send(...args)) as {
      wait(): Promise<ContractTransactionReceipt | null>
    }
    const receipt = await sent.wait()
    if (title !== null) this.column.set(title, Number(receipt?.gasUsed ?? 0n))
  }

  /** Activates the pending epoch; `extraKey` is the group key of the key being added. */
  async activate(title: string | null, epoch: number, extraKey?: Hex): Promise<void> {
    if (extraKey !== undefined) this.extraKeys.push(extraKey)
    const { members, committeeHash } = await this.info(epoch)
    const keys = [to0x(GROUP_KEY), ...this.extraKeys].map((groupKey, keyId) => ({
      keyId,
      groupKey,
      commitmentsHash: WORD(`commitments ${epoch} ${keyId}`),
    }))
    const transcriptHash = WORD(`transcript ${epoch}`)
    const activation: Activation = { epoch, attempt: 1, committeeHash, keys, transcriptHash }
    const hash = activationHash(activation)
    const readiness = members.map((member) => signBy(member, readinessDigest(this.domain, hash, member)))
    const signature = signGroup(activationDigest(this.domain, activation))
    await this.send(title, 'activate', activation, readiness, signature)
  }

  /** Records as many receipts as an epoch needs, in one call. */
  async erase(title: string | null, epoch: number): Promise<void> {
    const { members, successor, receiptsNeeded } = await this.info(epoch)
    const receipts = members
      .slice(0, receiptsNeeded)
      .map((relayer) => ({ epoch, relayer, successorEpoch: successor, outstandingBackups: 0 }))
    const signatures = receipts.map((receipt) => signBy(receipt.relayer, receiptDigest(this.domain, receipt)))
    await this.send(title, 'recordDeletions', receipts, signatures)
  }

  private async info(epoch: number) {
    // CAST: ethers types the answers of an untyped contract as any
    const found = (await this.contract.getFunction('epochInfo').staticCall(epoch)) as {
      members: string[]
      committeeHash: Hex
      successor: bigint
      receiptsNeeded: bigint
    }
    return {
      members: [...found.members].map((member) => toAddress(member)),
      committeeHash: found.committeeHash,
      successor: Number(found.successor),
      receiptsNeeded: Number(found.receiptsNeeded),
    }
  }
}

/** What each call costs with n members, two thirds of whom must sign; with one key except where the title says otherwise. @param n 3 or more */
export async function measureGas(n: number): Promise<GasColumn> {
  const { ethers } = await network.create('governance')
  const [signer] = await ethers.getSigners()
  if (signer === undefined) throw new Error('measure gas: no account')
  const threshold = Math.ceil((2 * n) / 3)
  const first = addresses.slice(0, n - 1)
  const meter = await open(signer, { first, threshold })
  const newcomer = addresses[n - 1]

  await meter.send('`adminAddRelayer` to n, while Idle', 'adminAddRelayer', newcomer)
  await meter.send('`startKeygen`', 'startKeygen')
  await meter.send('`adminCancelCeremony` of a keygen', 'adminCancelCeremony')
  await meter.send(null, 'startKeygen')
  await meter.activate('`activate` of a keygen', 2)
  await meter.send('`adminAddKey`', 'adminAddKey', 2)
  await meter.activate('`activate` of a second key', 3, to0x(GROUP_KEY))
  await meter.erase(`\`recordDeletions\` of n - t + 1 receipts, completing`, 2)
  await meter.send(null, 'adminAddKey', 3)
  await meter.activate(null, 4, WORD('ed25519'))
  await meter.erase(null, 3)
  await meter.send('`refreshKey`', 'refreshKey', 'monthly')
  await meter.activate('`activate` of a refresh of three keys', 5)
  await meter.send('`adminWaiveDeletions`', 'adminWaiveDeletions', 4)
  await meter.send('`adminRemoveRelayer` from n', 'adminRemoveRelayer', newcomer)
  await meter.activate(null, 6)
  await meter.erase(null, 5)
  await meter.send('`adminAddRelayer` to n', 'adminAddRelayer', newcomer)
  await meter.send('`adminCancelCeremony` of a reshare', 'adminCancelCeremony')
  await meter.send(null, 'adminAddRelayer', newcomer)
  await meter.activate('`activate` of a reshare of three keys', 8)
  await meter.send(null, 'adminWaiveDeletions', 6)
  await meter.send('`adminChangeRelayerThreshold`', 'adminChangeRelayerThreshold', n)
  // Descending, which costs the contract most to sort.
  const others = addresses
    .slice(n, 2 * n)
    .sort()
    .reverse()
  const all = addresses.slice(0, n).sort().reverse()
  await meter.send(
    '`adminSetCommittee`, all n replaced, lists descending',
    'adminSetCommittee',
    others,
    all,
    threshold,
  )
  await meter.send('`adminSetAttemptWindow`', 'adminSetAttemptWindow', 100)
  await meter.send('`adminSetRequireDeletionQuorum`', 'adminSetRequireDeletionQuorum', false)
  return meter.column
}

async function open(signer: Signer, from: { first: readonly Address[]; threshold: number }): Promise<Meter> {
  const { first: relayers, threshold } = from
  const { bridge, block } = await deployBridge({ signer, relayers, threshold, windowBlocks: 50 })
  const factory = new ContractFactory([...artifactOf('Bridge.sol', 'Bridge').abi], '0x', signer)
  const meter = new Meter(factory.attach(bridge) as Contract, bridge) // CAST: attach types a BaseContract
  const found = await signer.provider?.getBlock(block)
  meter.column.set('deployment with n - 1 members (library apart)', Number(found?.gasUsed ?? 0n))
  return meter
}

/** The page, from one column for each of SIZES. */
export function gasPage(columns: readonly GasColumn[]): string {
  const row = (cells: readonly (string | number)[]) => `| ${cells.join(' | ')} |`
  const titles = [...(columns[0]?.keys() ?? [])]
  return `# What the contracts cost

Generated by \`node scripts/gas.ts\`: do not edit. Gas used by each call of a Bridge with n members, of whom
t = 2n/3 (rounded up) must sign; key 0 of scheme frost-secp256k1-evm; the optimiser set to 200 runs. An activation
carries n readiness signatures. A transaction may use at most 16,777,216 gas on Ethereum (EIP-7825).

${row(['call', ...SIZES.map((n) => `n = ${n}`)])}
${row(['---', ...SIZES.map(() => '---:')])}
${titles.map((title) => row([title, ...columns.map((column) => (column.get(title) ?? 0).toLocaleString('en'))])).join('\n')}
`
}

if (import.meta.main) {
  flagsOf(
    `gas: measures what each call of a Bridge costs, and writes ${GAS_FILE}; run \`npx hardhat build\` before`,
  )
  const columns: GasColumn[] = []
  for (const n of SIZES) columns.push(await measureGas(n))
  writeFileSync(GAS_FILE, gasPage(columns))
  console.log(`wrote ${GAS_FILE}`)
}
