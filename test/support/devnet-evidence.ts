// What an outsider finds of a devnet: secrets on disks, and who signed what members sent to the chain; by ethers and LevelDB alone, with no code of the product.
import assert from 'node:assert/strict'
import { globSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { type Contract, EventLog, recoverAddress, type Result, TypedDataEncoder } from 'ethers'
import { Level } from 'level'
import { DOMAIN, TYPES } from './typed-data.ts'

/** Long enough never to occur by chance, short enough that LevelDB's compression leaves some pieces whole. */
const PIECE_BYTES = 16

/** The names of the key files of a data directory: `<epoch>-<attempt>.key`. */
export function keyFilesOf(data: string): string[] {
  return readdirSync(join(data, 'keys')).filter((name) => name.endsWith('.key'))
}

/** The key files and sealed shares of an epoch in a copy of a data directory, in pieces. */
export async function secretsIn(data: string, epoch: number): Promise<Buffer[]> {
  const ofEpoch = keyFilesOf(data).filter((name) => name.startsWith(`${epoch}-`))
  const secrets: Buffer[] = ofEpoch.map((name) => readFileSync(join(data, 'keys', name)))
  const records = new Level<string, Buffer>(join(data, 'db'), { valueEncoding: 'buffer' })
  for await (const [key, value] of records.iterator())
    if (key.startsWith('sealed/') && Number(key.split('/')[1]) === epoch) secrets.push(value)
  await records.close()
  return secrets.flatMap(piecesOf)
}

/** Which of the pieces stand in any file below a folder. */
export function found(pieces: readonly Buffer[], folder: string): Buffer[] {
  const files = globSync('**/*', { cwd: folder })
    .map((name) => join(folder, name))
    .filter((path) => statSync(path, { throwIfNoEntry: false })?.isFile() === true)
    .map((path) => readFileSync(path))
  return pieces.filter((piece) => files.some((file) => file.includes(piece)))
}

function piecesOf(secret: Buffer): Buffer[] {
  const count = Math.floor(secret.length / PIECE_BYTES)
  const pieces = Array.from({ length: count }, (_, at) =>
    secret.subarray(at * PIECE_BYTES, (at + 1) * PIECE_BYTES),
  )
  // Lengths and padding repeat; ciphertext does not.
  return pieces.filter((piece) => new Set(piece).size > PIECE_BYTES / 2)
}

/** A signature in calldata: what it is about, whom it names, and who made it. */
export interface SignedWord {
  readonly epoch: number
  readonly named: string
  readonly signer: string
}

interface Bridge {
  readonly contract: Contract
  readonly address: string
  readonly chainId: number
}

/** The transactions that emitted an event, each once, with their decoded calldata. */
async function callsThatEmitted({ contract }: Bridge, event: string) {
  const logs = (await contract.queryFilter(event, 0)).filter((log) => log instanceof EventLog)
  const hashes = new Set(logs.map(({ transactionHash }) => transactionHash))
  const calls = await Promise.all(
    [...hashes].map(async (hash) => {
      const sent = await contract.runner?.provider?.getTransaction(hash)
      assert.ok(sent)
      return contract.interface.parseTransaction({ data: sent.data })
    }),
  )
  return calls.flatMap((call) => call ?? [])
}

const domainOf = ({ chainId, address }: Bridge) => ({
  ...DOMAIN,
  chainId,
  verifyingContract: address,
})

/** The readiness in every activation: named is the member at that place in the committee. */
export async function readinessOf(
  bridge: Bridge,
  membersOf: (epoch: number) => Promise<readonly string[]>,
): Promise<SignedWord[]> {
  const words: SignedWord[] = []
  for (const { name, args } of await callsThatEmitted(bridge, 'EpochActivated')) {
    assert.equal(name, 'activate')
    const [activation, readiness] = args
    const { keys, ...rest } = { ...activation.toObject(), keys: [...activation.getValue('keys')] }
    const plain = { ...rest, keys: keys.map((key: Result) => key.toObject()) }
    const activationHash = TypedDataEncoder.hashStruct('Activation', TYPES.Activation, plain)
    const members = await membersOf(Number(plain.epoch))
    assert.equal(readiness.length, members.length)
    for (const [at, relayer] of members.entries()) {
      const digest = TypedDataEncoder.hash(domainOf(bridge), TYPES.Readiness, { activationHash, relayer })
      words.push({
        epoch: Number(plain.epoch),
        named: relayer,
        signer: recoverAddress(digest, readiness[at]),
      })
    }
  }
  return words
}

/** The deletion receipts in every transaction that recorded some. */
export async function receiptsOf(bridge: Bridge): Promise<SignedWord[]> {
  const words: SignedWord[] = []
  for (const { name, args } of await callsThatEmitted(bridge, 'ShareDeleted')) {
    assert.equal(name, 'recordDeletions')
    const [receipts, signatures] = args
    for (const [at, receipt] of receipts.entries()) {
      const plain = receipt.toObject()
      const digest = TypedDataEncoder.hash(domainOf(bridge), TYPES.DeletionReceipt, plain)
      words.push({
        epoch: Number(plain.epoch),
        named: plain.relayer,
        signer: recoverAddress(digest, signatures[at]),
      })
    }
  }
  return words
}
