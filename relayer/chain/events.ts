// Events of the Bridge by block range: in chunks that shrink when an endpoint refuses, each range tied to one block hash.
import { z } from 'zod'
import type { Address, Hex } from '../lib/bytes.ts'
import { ChainError } from '../lib/errors.ts'
import { BRIDGE, plainFields } from './abi-values.ts'
import {
  type Activation,
  type ActivationEvent,
  type BlockRef,
  type BridgeEvent,
  CEREMONY_KINDS,
} from './chain.ts'
import { bytes, type Endpoint, hash32, quantity, RpcRefusal } from './endpoint.ts'
import { LongAnswerError } from './exchange.ts'
import { headerAt } from './finality.ts'
import { BehindError } from './quorum.ts'

/** Blocks in the first request to an endpoint, and at most. */
const FIRST_CHUNK = 2_000
const LARGEST_CHUNK = 20_000

const logSchema = z.object({
  address: bytes,
  blockNumber: quantity,
  blockHash: hash32,
  logIndex: quantity,
  topics: z.array(hash32).max(4),
  data: bytes,
  removed: z.boolean().optional(),
})
type RawLog = z.output<typeof logSchema>

const word = z.string().transform((text) => text as Hex) // CAST: bytes and bytes32 of ethers' decoder begin with 0x
const activationSchema = z.object({
  a: z.object({
    epoch: z.number(),
    attempt: z.number(),
    committeeHash: word,
    keys: z.array(z.object({ keyId: z.number(), groupKey: word, commitmentsHash: word })),
    transcriptHash: word,
  }),
  groupSignature: word,
})

/** How many blocks each endpoint takes at once, learnt from its refusals. */
export type ChunkSizes = WeakMap<Endpoint, number>

/** Reads events of one bridge; keeps what it learnt of each endpoint's limits. */
export class EventReader {
  readonly #bridge: Address
  readonly #chunks: ChunkSizes = new WeakMap()

  constructor(bridge: Address) {
    this.#bridge = bridge
  }

  /**
   * Events of blocks `from` to `to` inclusive at one endpoint, in order.
   * @throws BehindError if it lacks block `to`; ChainError if the chain was reorganised while reading
   */
  async range(endpoint: Endpoint, from: number, to: { number: number; signal?: AbortSignal | undefined }) {
    const { number: last, signal } = to
    if (from > last) return { top: null, events: [] }
    const before = await this.#top(endpoint, last, signal)
    const logs: RawLog[] = []
    for (let start = from; start <= last; ) {
      const size = this.#chunks.get(endpoint) ?? FIRST_CHUNK
      const end = Math.min(last, start + size - 1)
      const chunk = await this.#chunk(endpoint, { start, end, signal })
      if (chunk === null) continue
      logs.push(...chunk)
      start = end + 1
    }
    const after = await this.#top(endpoint, last, signal)
    if (before !== after || logs.some((log) => log.blockNumber === last && log.blockHash !== before))
      throw new ChainError(`ask ${endpoint.name} for events: the chain was reorganised meanwhile`)
    return { top: before, events: logs.flatMap(decode) }
  }

  /** The activation event of an epoch in one block; null if it is not there. @throws ChainError */
  async activationIn(
    endpoint: Endpoint,
    epoch: number,
    { block, signal }: { block: BlockRef; signal?: AbortSignal | undefined },
  ): Promise<ActivationEvent | null> {
    const topics = [BRIDGE.getEvent('EpochActivated')?.topicHash ?? null]
    const filter = { address: this.#bridge, blockHash: block.hash, topics }
    const logs = await this.#logs(endpoint, filter, signal)
    for (const log of logs) {
      const parsed = activationSchema.safeParse(decode(log)[0]?.args)
      if (!parsed.success || parsed.data.a.epoch !== epoch) continue
      const activation: Activation = parsed.data.a
      return { activation, groupSignature: parsed.data.groupSignature, block }
    }
    return null
  }

  /** Logs of a chunk; null if the endpoint refused its size and a smaller one is to be tried. */
  async #chunk(
    endpoint: Endpoint,
    { start, end, signal }: { start: number; end: number; signal: AbortSignal | undefined },
  ): Promise<RawLog[] | null> {
    const size = end - start + 1
    const hex = (number: number) => `0x${number.toString(16)}`
    try {
      const filter = { address: this.#bridge, fromBlock: hex(start), toBlock: hex(end) }
      const logs = await this.#logs(endpoint, filter, signal)
      if (logs.some(({ blockNumber }) => blockNumber < start || blockNumber > end))
        throw new ChainError(
          `ask ${endpoint.name} for events: it answers with blocks that were not asked for`,
        )
      const known = this.#chunks.get(endpoint) ?? FIRST_CHUNK
      // Slowly, so that an endpoint with a limit refuses one range in several and not every other one.
      if (size >= known) this.#chunks.set(endpoint, Math.min(LARGEST_CHUNK, Math.ceil(known * 1.25)))
      return logs
    } catch (error) {
      // Limits on ranges and results differ and are worded differently everywhere: any refusal of a range halves it.
      if (!(error instanceof RpcRefusal || error instanceof LongAnswerError) || size === 1) throw error
      this.#chunks.set(endpoint, Math.ceil(size / 2))
      return null
    }
  }

  async #logs(endpoint: Endpoint, filter: object, signal: AbortSignal | undefined): Promise<RawLog[]> {
    const logs = await endpoint.ask('eth_getLogs', [filter], { schema: z.array(logSchema), signal })
    if (logs.some(({ address, removed }) => address !== this.#bridge || removed === true))
      throw new ChainError(`ask ${endpoint.name} for events: it answers with logs that were not asked for`)
    return logs.sort((a, b) => a.blockNumber - b.blockNumber || a.logIndex - b.logIndex)
  }

  async #top(endpoint: Endpoint, number: number, signal: AbortSignal | undefined): Promise<Hex> {
    const header = await headerAt(endpoint, number, signal)
    if (header === null)
      throw new BehindError(`ask ${endpoint.name} for block ${number}: it is not there yet`)
    return header.hash
  }
}

/** One event, or none for a log that the ABI does not know. */
function decode(log: RawLog): BridgeEvent[] {
  let parsed: ReturnType<typeof BRIDGE.parseLog>
  try {
    parsed = BRIDGE.parseLog(log)
  } catch {
    return []
  }
  if (parsed === null) return []
  const args = plainFields(parsed.args, parsed.fragment.inputs)
  if (parsed.name === 'CeremonyStarted' && typeof args['kind'] === 'number')
    args['kind'] = CEREMONY_KINDS[args['kind']]
  const block = { number: log.blockNumber, hash: log.blockHash }
  return [{ name: parsed.name, block, logIndex: log.logIndex, args }]
}
