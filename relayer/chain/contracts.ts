// The Bridge's views, read at one block and made into the shapes of the Chain port.
import { z } from 'zod'
import { type Address, type Hex, toAddress } from '../lib/bytes.ts'
import { ChainError } from '../lib/errors.ts'
import { BRIDGE, calldata, plainFields } from './abi-values.ts'
import {
  type BlockRef,
  CEREMONY_KINDS,
  type CommitteeState,
  EPOCH_STATUSES,
  type EpochInfo,
  PHASES,
} from './chain.ts'
import { bytes, type Endpoint, hash32, RpcRefusal } from './endpoint.ts'
import { BehindError } from './quorum.ts'
import { describeRevert } from './reverts.ts'

/** Tag of `addedScheme` where no key is being added. */
const NO_SCHEME = 255

const count = z.number().int().nonnegative()
const address = z.string().transform((text): Address => toAddress(text))

function tag<const T extends readonly string[]>(names: T) {
  return z.number().transform((at, context): T[number] => {
    const name = names[at]
    if (name !== undefined) return name
    context.addIssue(`tag ${at} is not known`)
    return z.NEVER
  })
}

const stateSchema = z
  .object({
    phase: tag(PHASES),
    epoch: count,
    members: z.array(address),
    threshold: count,
    pending: z.object({
      kind: tag(CEREMONY_KINDS),
      epoch: count,
      predecessor: count,
      startBlock: count,
      windowBlocks: count,
      addedScheme: count,
    }),
    keys: z.array(z.object({ keyId: count, scheme: count, groupKey: bytes })),
    attemptWindowBlocks: count,
    requireDeletionQuorum: z.boolean(),
    outstandingEpoch: count,
  })
  .transform(({ pending, ...state }) => {
    const addedScheme = pending.addedScheme === NO_SCHEME ? null : pending.addedScheme
    return { ...state, pending: pending.epoch === 0 ? null : { ...pending, addedScheme } }
  })

const epochSchema = z.object({
  epoch: count,
  status: tag(EPOCH_STATUSES),
  members: z.array(address),
  threshold: count,
  committeeHash: hash32,
  predecessor: count,
  successor: count,
  attempt: count,
  transcriptHash: hash32,
  commitmentsHashes: z.array(z.object({ keyId: count, hash: hash32 })),
  receipts: z.array(address),
  receiptsNeeded: count,
  waived: z.boolean(),
  activatedBlock: count,
})

/** Where a view is read: at a final block by its hash, or at the latest head for a look before sending. */
export type At = BlockRef | 'latest'

/** `committeeState()` at one endpoint. @throws ChainError */
export async function readCommitteeState(
  endpoint: Endpoint,
  { bridge, at, signal }: { bridge: Address; at: BlockRef; signal?: AbortSignal | undefined },
): Promise<CommitteeState> {
  const state = await readView(endpoint, { bridge, at, signal, name: 'committeeState', args: [] })
  return { at, ...checked(endpoint, stateSchema, state) }
}

/** `epochInfo(epoch)` at one endpoint. @throws ChainError */
export async function readEpochInfo(
  endpoint: Endpoint,
  { bridge, epoch, at, signal }: { bridge: Address; epoch: number; at: At; signal?: AbortSignal | undefined },
): Promise<EpochInfo> {
  const info = await readView(endpoint, { bridge, at, signal, name: 'epochInfo', args: [epoch] })
  return checked(endpoint, epochSchema, info)
}

/** A view of one return value, as plain data. @throws ChainError, BehindError where the endpoint lacks the block */
export async function readView(
  endpoint: Endpoint,
  options: {
    bridge: Address
    name: string
    args: readonly unknown[]
    at: At
    signal?: AbortSignal | undefined
  },
): Promise<unknown> {
  const { bridge, name, args, at, signal } = options
  const block = at === 'latest' ? at : { blockHash: at.hash, requireCanonical: true }
  const call = { to: bridge, data: calldata(name, args) }
  const answer = await callAt(endpoint, call, { block, signal })
  if (answer === '0x')
    throw new ChainError(
      `ask ${endpoint.name} for ${name}: no contract at ${bridge} in block ${at === 'latest' ? at : at.number}`,
      { hint: 'wait until the block in which the bridge was deployed is final, or correct its address' },
    )
  try {
    const values = BRIDGE.decodeFunctionResult(name, answer)
    const { outputs } = BRIDGE.getFunction(name) ?? { outputs: [] }
    return Object.values(plainFields(values, outputs))[0]
  } catch {
    throw new ChainError(`ask ${endpoint.name} for ${name}: the answer does not fit the Bridge's ABI`, {
      hint: 'check the bridge address: another contract, or another version of it, lives there',
    })
  }
}

async function callAt(
  endpoint: Endpoint,
  call: { to: Address; data: Hex },
  { block, signal }: { block: unknown; signal: AbortSignal | undefined },
): Promise<Hex> {
  try {
    return await endpoint.ask('eth_call', [call, block], { schema: bytes, signal })
  } catch (error) {
    if (!(error instanceof RpcRefusal)) throw error
    const revert = describeRevert(error.data)
    if (revert !== null)
      throw new ChainError(`ask ${endpoint.name} for a view: it reverts with ${revert}`, { cause: error })
    // Node software has many words for it: "header not found", "unknown block", "block not found", "not canonical"; and
    // "missing trie node", "required historical state unavailable", "state is pruned".
    if (
      /not found|unknown|canonical|header|missing trie|historical|pruned|block hash|blockHash/i.test(
        error.message,
      )
    )
      throw new BehindError(`${error.message} (the endpoint does not hold that block's state)`)
    throw error
  }
}

function checked<T>(endpoint: Endpoint, schema: z.ZodType<T>, value: unknown): T {
  const parsed = schema.safeParse(value)
  if (parsed.success) return parsed.data
  const [issue] = parsed.error.issues
  throw new ChainError(
    `ask ${endpoint.name} for the committee: unexpected ${issue?.path.join('.')}: ${issue?.message}`,
  )
}
