// Blocks and their finality: by the chain's `finalized` tag, or by a depth that the operator configures.
import { z } from 'zod'
import { ChainError } from '../lib/errors.ts'
import type { BlockRef } from './chain.ts'
import { type Endpoint, hash32, quantity, wei } from './endpoint.ts'
import { BehindError, type Quorum } from './quorum.ts'

/** When a block is final: the tag, or a depth in blocks below the latest head. */
export type Confirmations = 'finalized' | number

const blockSchema = z
  .object({ number: quantity, hash: hash32, parentHash: hash32, baseFeePerGas: wei.optional() })
  .nullable()

/** A block header as far as it is read here. */
export type Header = NonNullable<z.output<typeof blockSchema>>

/** A block by number or tag; null if the endpoint does not know it. @throws ChainError also for an answer about another number */
export async function headerAt(
  endpoint: Endpoint,
  at: number | 'latest' | 'finalized',
  signal?: AbortSignal,
): Promise<Header | null> {
  const tag = typeof at === 'number' ? `0x${at.toString(16)}` : at
  const header = await endpoint.ask('eth_getBlockByNumber', [tag, false], { schema: blockSchema, signal })
  if (header !== null && typeof at === 'number' && header.number !== at)
    throw new ChainError(`ask ${endpoint.name} for block ${at}: it answers with block ${header.number}`)
  return header
}

/** The latest head. @throws ChainError */
export async function latest(endpoint: Endpoint, signal?: AbortSignal): Promise<Header> {
  const header = await headerAt(endpoint, 'latest', signal)
  if (header === null) throw new ChainError(`ask ${endpoint.name} for the latest block: it has none`)
  return header
}

/**
 * The number of the highest final block at one endpoint.
 * @param times 1: final; 2: at twice the depth, or with the tag as far below the final block as that is below the head
 */
export async function finalNumber(
  endpoint: Endpoint,
  confirmations: Confirmations,
  { times, signal }: { times: 1 | 2; signal?: AbortSignal | undefined },
): Promise<number> {
  const head = await latest(endpoint, signal)
  if (confirmations !== 'finalized') return Math.max(0, head.number - times * confirmations)
  const final = await headerAt(endpoint, 'finalized', signal)
  if (final === null)
    throw new ChainError(`ask ${endpoint.name} for the final block: it knows none`, {
      hint: 'if this chain has no finalized tag, set confirmations to a depth in blocks',
    })
  return Math.max(
    0,
    Math.min(final.number, head.number) - (times - 1) * Math.max(0, head.number - final.number),
  )
}

/** The block that rpcQuorum endpoints have at a number; null if the chain is shorter. @throws ChainError */
export async function agreedBlock(
  quorum: Quorum,
  number: number,
  signal?: AbortSignal,
): Promise<BlockRef | null> {
  const ask = async (endpoint: Endpoint): Promise<BlockRef> => {
    const header = await headerAt(endpoint, number, signal)
    if (header === null)
      throw new BehindError(`ask ${endpoint.name} for block ${number}: it is not there yet`)
    return { number, hash: header.hash }
  }
  try {
    return await quorum.agree(`block ${number}`, ask, signal)
  } catch (error) {
    if (error instanceof BehindError) return null
    throw error
  }
}

/** The highest final block that rpcQuorum endpoints agree on. @throws ChainError */
export async function agreedFinal(
  quorum: Quorum,
  confirmations: Confirmations,
  { times, signal }: { times: 1 | 2; signal?: AbortSignal | undefined },
): Promise<BlockRef> {
  const what = times === 1 ? 'the final block' : 'the deeply final block'
  const number = await quorum.reached(
    what,
    (endpoint) => finalNumber(endpoint, confirmations, { times, signal }),
    signal,
  )
  const block = await agreedBlock(quorum, number, signal)
  if (block === null) throw new ChainError(`read ${what}: the endpoints do not all have block ${number} yet`)
  return block
}
