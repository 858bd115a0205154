// The devnet's view of the contract: state, keys, receipts, and waiting for an epoch, naming who holds it up.
import { readFileSync } from 'node:fs'
import { type GroupKey } from './summary.ts'
import { type RelayerNode, until, type World } from './world.ts'

/** `committeeState()` and `epochInfo()` of the head, as far as the story needs them. */
export interface Committee {
  readonly phase: number
  readonly epoch: number
  readonly members: readonly string[]
  readonly threshold: number
  readonly keys: readonly GroupKey[]
}

const SCHEMES = ['ecdsa-secp256k1', 'frost-secp256k1-evm', 'frost-secp256k1-bip340', 'frost-ed25519']
const COMPLETE = 2n

/** The running committee and its keys. */
export async function committee(world: World): Promise<Committee> {
  const state = await world.bridge.getFunction('committeeState')()
  return {
    phase: Number(state.phase),
    epoch: Number(state.epoch),
    members: [...state.members].map((member: string) => member.toLowerCase()),
    threshold: Number(state.threshold),
    keys: [...state.getValue('keys')].map((key: { keyId: bigint; scheme: bigint; groupKey: string }) => ({
      keyId: Number(key.keyId),
      scheme: SCHEMES[Number(key.scheme)] ?? 'unknown',
      groupKey: key.groupKey,
    })),
  }
}

/** An epoch's receipts on chain. */
export async function receiptsOf(
  world: World,
  epoch: number,
): Promise<{ receipts: string[]; needed: number }> {
  const info = await world.bridge.getFunction('epochInfo')(epoch)
  return {
    receipts: [...info.receipts].map((member: string) => member.toLowerCase()),
    needed: Number(info.receiptsNeeded),
  }
}

/**
 * Waits until an epoch above `before` runs, its predecessor's deletions are complete, and every running member signs with it.
 * @throws Error that names the members whom the others wait for
 */
export async function completed(world: World, before: number): Promise<Committee> {
  try {
    await until('the change of committee to complete', world.patienceMs, async () => {
      const state = await world.bridge.getFunction('committeeState')()
      return (
        state.phase === COMPLETE &&
        Number(state.epoch) > before &&
        (await allSign(world, Number(state.epoch)))
      )
    })
  } catch (error) {
    throw new Error(`${error instanceof Error ? error.message : ''}; ${await blockers(world)}`, {
      cause: error,
    })
  }
  return await committee(world)
}

/** Whether every running member's daemon has seen the epoch become final and signs with its share. */
export async function allSign(world: World, epoch: number): Promise<boolean> {
  const statuses = await Promise.all(world.up.map((relayer) => world.status(relayer)))
  return statuses.every(
    ({ index, signsWith, epoch: seen }) => seen === epoch && (index === null || signsWith === epoch),
  )
}

/**
 * Waits until every running member signs with the epoch's shares.
 * @throws Error that says how each of them stands: { epoch, signsWith, finalised, head } and what is wrong there
 */
export async function untilAllSign(
  world: World,
  { what, epoch, ms }: { readonly what: string; readonly epoch: number; readonly ms: number },
): Promise<void> {
  try {
    await until(what, ms, () => allSign(world, epoch))
  } catch (error) {
    const said = await Promise.all(world.up.map((relayer) => standing(world, relayer)))
    const message = error instanceof Error ? error.message : ''
    throw new Error(`${message}; epoch ${epoch} runs; ${said.join('; ')}`, { cause: error })
  }
}

async function standing(world: World, relayer: RelayerNode): Promise<string> {
  try {
    const { epoch, signsWith, finalised, head, problems } = await world.status(relayer)
    const wrong = problems.map(({ check, message }) => `, ${check}: ${message}`).join('')
    return `${relayer.name} ${JSON.stringify({ epoch, signsWith, finalised, head })}${wrong}`
  } catch {
    return `${relayer.name} does not answer: ${lastLine(relayer.process?.logFile)}`
  }
}

/** Who holds the ceremony up, as the running members say. */
export async function blockers(world: World): Promise<string> {
  const said = new Set<string>()
  for (const relayer of world.up) {
    try {
      const status = await world.status(relayer)
      for (const { what, who } of status.waitsFor)
        said.add(`${what}: ${who.map((address) => `${nameOf(world, address)} (${address})`).join(', ')}`)
    } catch {
      said.add(`${relayer.name} does not answer: ${lastLine(relayer.process?.logFile)}`)
    }
  }
  return said.size === 0 ? 'nobody says whom they wait for' : [...said].join('; ')
}

/** `relayer-3`, or the address of somebody else. */
export function nameOf(world: World, address: string): string {
  return world.relayers.get(address.toLowerCase())?.name ?? address
}

function lastLine(file: string | undefined): string {
  return file === undefined ? '' : (readFileSync(file, 'utf8').trimEnd().split('\n').at(-1) ?? '')
}
