// Endpoints that stand before a real chain and lie, and clients of them, each gone when its test ends.
import type { TestContext } from 'node:test'
import type { EthersChain } from '../../relayer/chain/client.ts'
import { clientOf } from './chain-client.ts'
import type { HardhatChain } from './hardhat-chain.ts'
import { LyingEndpoint, type Rule } from './lying-endpoint.ts'

/** A port on which nothing listens. */
export const NOBODY = 'http://127.0.0.1:1'

/** A lying endpoint before a chain. */
export async function liarBefore(
  chain: HardhatChain,
  t: TestContext,
  rule?: Rule,
): Promise<{ url: string; host: string; endpoint: LyingEndpoint }> {
  const endpoint = new LyingEndpoint(chain.url, rule)
  const url = await endpoint.start()
  t.after(() => endpoint.stop())
  return { url, host: new URL(url).host, endpoint }
}

/** A client of a chain, of the endpoints in its options. */
export function openClient(
  chain: HardhatChain,
  t: TestContext,
  options: Parameters<typeof clientOf>[1] = {},
): EthersChain {
  const client = clientOf(chain, options)
  t.after(() => client.close())
  return client
}

/** An answer with some fields of the true one replaced. */
export const altered =
  (method: string, change: (truth: Record<string, unknown>) => object): Rule =>
  (request, truth) =>
    request.method === method && typeof truth === 'object' && truth !== null
      ? { result: { ...truth, ...change({ ...truth }) } }
      : null
