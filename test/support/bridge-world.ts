// A Bridge on a simulated chain with a committee whose keys the test knows: sends, reads, and signs what members would sign.
import assert from 'node:assert/strict'
import { Interface, type ParamType, type Result, TypedDataEncoder } from 'ethers'
import { network } from 'hardhat'
import { type Address, type Hex, toAddress } from '../../relayer/lib/bytes.ts'
import { artifactOf, type DeployOptions, deployBridge } from '../../scripts/deploy.ts'
import type { ActivateArgs, Activation, DeletionReceipt, Info, Receipt, State } from './bridge-shapes.ts'
import { GroupKey } from './group-key.ts'
import { people, sign, word } from './people.ts'
import { DOMAIN, TYPES } from './typed-data.ts'

export const bridgeInterface = new Interface([...artifactOf('Bridge.sol', 'Bridge').abi])
const connection = await network.create('governance')
const signers = await connection.ethers.getSigners()
/** What one transaction may use at most (EIP-7825). */
const GAS_CAP = '0x1000000'

export class BridgeWorld {
  readonly bridge: Address
  readonly admin: Address
  readonly stranger: Address
  readonly scheme: number
  readonly group: GroupKey
  /** Group keys of keys 1, 2, … as the test invents them. */
  readonly moreKeys: Hex[] = []
  chainId = 31337

  private constructor(
    at: { bridge: Address; admin: Address; stranger: Address },
    scheme: number,
    secret: bigint,
  ) {
    this.bridge = at.bridge
    this.admin = at.admin
    this.stranger = at.stranger
    this.scheme = scheme
    this.group = new GroupKey(secret)
  }

  /** A Bridge with people 0 to n-1 in its first committee. */
  static async deploy(
    options: { n?: number; threshold?: number; secret?: bigint } & Partial<DeployOptions> = {},
  ): Promise<BridgeWorld> {
    const { n = 3, threshold = 2, scheme = 1, secret = 0x5eed5eed5eedn, ...rest } = options
    const [signer, other] = signers
    assert.ok(signer && other)
    const relayers = people(0, n)
    const deployment = await deployBridge({ signer, relayers, threshold, scheme, windowBlocks: 20, ...rest })
    const at = {
      bridge: deployment.bridge,
      admin: toAddress(signer.address),
      stranger: toAddress(other.address),
    }
    return new BridgeWorld(at, scheme, secret)
  }

  /** A Bridge whose first epoch runs. */
  static async running(options: Parameters<typeof BridgeWorld.deploy>[0] = {}): Promise<BridgeWorld> {
    const world = await BridgeWorld.deploy(options)
    await world.send('startKeygen')
    await world.activate()
    return world
  }

  /** Sends a transaction. @throws the provider's error with `data`, the revert's bytes */
  async send(name: string, args: readonly unknown[] = [], from: Address = this.admin): Promise<Receipt> {
    const data = bridgeInterface.encodeFunctionData(name, args)
    const transaction = { from, to: this.bridge, data, gas: GAS_CAP }
    const hash = await rpc('eth_sendTransaction', transaction)
    return await receiptOf(hash)
  }

  /** The one value that a view returns: integers as bigint, structs as objects, hex in lower case. */
  async view(name: string, args: readonly unknown[] = []): Promise<unknown> {
    const data = bridgeInterface.encodeFunctionData(name, args)
    const answer = await rpc('eth_call', { to: this.bridge, data }, 'latest')
    const type = bridgeInterface.getFunction(name)?.outputs[0]
    assert.ok(type, `no view ${name}`)
    return plain(type, bridgeInterface.decodeFunctionResult(name, String(answer))[0])
  }

  async state(): Promise<State> {
    return (await this.view('committeeState')) as State // CAST: the ABI's shape
  }

  async info(epoch: number | bigint): Promise<Info> {
    return (await this.view('epochInfo', [epoch])) as Info // CAST: the ABI's shape
  }

  /** Asserts that a call reverts with this error and these arguments. */
  async reverts(
    call: readonly [string, (readonly unknown[])?, Address?],
    error: string,
    args?: readonly unknown[],
  ) {
    const [name, given = [], from = this.admin] = call
    const found = await this.send(name, given, from).then(
      () => 'no revert',
      (thrown: unknown) => revertOf(thrown),
    )
    if (typeof found === 'string') assert.fail(`${name}: ${found} instead of ${error}`)
    assert.equal(found.name, error)
    if (args !== undefined) assert.deepEqual(found.args, args.map(normal))
  }

  domain(): { name: string; version: string; chainId: number; verifyingContract: Address } {
    return { ...DOMAIN, chainId: this.chainId, verifyingContract: this.bridge }
  }

  /** EIP-712 digest of a value of one of the types that are signed for a Bridge. */
  digest(type: keyof typeof TYPES, value: object, domain = this.domain()): Hex {
    return TypedDataEncoder.hash(domain, TYPES[type], { ...value }) as Hex // CAST: ethers types hex strings as string
  }

  /** What the pending committee would agree on. */
  async activation(overrides: Partial<Activation> = {}): Promise<Activation> {
    const state = await this.state()
    const epoch = Number(state.pending.epoch)
    const info = await this.info(epoch)
    const groupKeys = [this.group.publicKey, ...this.moreKeys].slice(
      0,
      state.keys.length + (state.pending.kind === 3n ? 1 : 0),
    )
    const keys = groupKeys.map((groupKey, keyId) => ({
      keyId,
      groupKey,
      commitmentsHash: word(1000 * epoch + keyId),
    }))
    return {
      epoch,
      attempt: 7,
      committeeHash: info.committeeHash,
      keys,
      transcriptHash: word(epoch),
      ...overrides,
    }
  }

  /** Arguments of `activate`, signed by these members (by default the pending committee) and the group key. */
  async signed(a: Activation, domain = this.domain()): Promise<ActivateArgs> {
    const { members } = await this.info(a.epoch)
    const activationHash = TypedDataEncoder.hashStruct('Activation', TYPES.Activation, { ...a })
    const readiness = members.map((member) => {
      const relayer = toAddress(member)
      return sign(relayer, this.digest('Readiness', { activationHash, relayer }, domain))
    })
    return [a, readiness, this.group.sign(this.scheme, this.digest('Activation', a, domain))]
  }

  async activate(overrides: Partial<Activation> = {}): Promise<Receipt> {
    return await this.send('activate', await this.signed(await this.activation(overrides)), this.stranger)
  }

  /** A receipt as its relayer signs it; `successorEpoch` as the chain has it. */
  async receipt(epoch: number, relayer: Address, outstandingBackups = 0): Promise<[DeletionReceipt, Hex]> {
    const successorEpoch = Number((await this.info(epoch)).successor)
    const receipt = { epoch, relayer, successorEpoch, outstandingBackups }
    return [receipt, sign(relayer, this.digest('DeletionReceipt', receipt))]
  }

  /** Records receipts of some members of an epoch; by default of as many as it needs. */
  async erase(epoch: number, relayers?: readonly Address[], backups = 0): Promise<Receipt> {
    const info = await this.info(epoch)
    const whose = relayers ?? info.members.slice(0, Number(info.receiptsNeeded)).map(toAddress)
    const pairs = await Promise.all(whose.map((relayer) => this.receipt(epoch, relayer, backups)))
    return await this.send('recordDeletions', [pairs.map(([r]) => r), pairs.map(([, s]) => s)], this.stranger)
  }
}

/** A JSON-RPC call to the simulated chain. */
export async function rpc(method: string, ...params: unknown[]): Promise<unknown> {
  return await connection.provider.request({ method, params })
}

/** Gas, block and events of a transaction. */
export async function receiptOf(hash: unknown): Promise<Receipt> {
  // CAST: the part of a JSON-RPC receipt that is read here
  const found = (await rpc('eth_getTransactionReceipt', hash)) as {
    gasUsed: string
    blockNumber: string
    logs: { topics: string[]; data: string }[]
  }
  const logs = found.logs.map((log) => {
    const parsed = bridgeInterface.parseLog(log)
    assert.ok(parsed, `no event ${log.topics[0]}`)
    return { name: parsed.name, args: parsed.fragment.inputs.map((type, i) => plain(type, parsed.args[i])) }
  })
  return { gasUsed: Number(found.gasUsed), block: Number(found.blockNumber), logs }
}

/** The custom error in a provider's error, or a line that says that there is none. */
export function revertOf(thrown: unknown): { name: string; args: unknown[] } | string {
  const data = thrown instanceof Error && 'data' in thrown ? thrown.data : undefined
  const parsed = typeof data === 'string' ? bridgeInterface.parseError(data) : null
  return parsed === null ? String(thrown) : { name: parsed.name, args: [...parsed.args].map(normal) }
}

/** Values as they are compared: integers as bigint, hex in lower case. */
function normal(value: unknown): unknown {
  if (typeof value === 'number') return BigInt(value)
  return typeof value === 'string' && value.startsWith('0x') ? value.toLowerCase() : value
}

/** A decoded value as objects by the names of the ABI, and arrays; hex in lower case. */
function plain(type: ParamType, value: unknown): unknown {
  if (type.arrayChildren) {
    const child = type.arrayChildren
    return (value as Result).toArray().map((item) => plain(child, item)) // CAST: what ethers decodes an array to
  }
  if (!type.components) return normal(value)
  const fields = [...(value as Result)] // CAST: what ethers decodes a tuple to
  return Object.fromEntries(type.components.map((part, i) => [part.name, plain(part, fields[i])]))
}
