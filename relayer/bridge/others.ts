// Bridges on other chains: governance there starts nothing here and is an alarm, since they must stay as deployed; so is another key.
import type { CommitteeState } from '../chain/chain.ts'
import type { Hex } from '../lib/bytes.ts'
import { ChainError, messageOf, StoreError } from '../lib/errors.ts'
import type { Desk, OtherBridge } from './parts.ts'

/** Endpoints that lag may name a somewhat lower block final than before; so many blocks lower, one of the two was false. */
const FAR_BLOCKS = 256

/** For how many blocks of its chain an event keeps the alarm up, restarts included. */
export const OTHER_MEMORY_BLOCKS = 50_000

/** Everything that changes a committee, its keys or its rules; the group key that such a bridge is given is not among it. */
const GOVERNANCE = new Set([
  'RelayerAdded',
  'RelayerRemoved',
  'RelayerThresholdChanged',
  'ThresholdBelowMajority',
  'StartKeygen',
  'EndKeygen',
  'KeyRefresh',
  'KeyAdditionStarted',
  'CeremonyStarted',
  'EpochBurned',
  'EpochActivated',
  'ShareDeleted',
  'ReshareCompleted',
  'DeletionsWaived',
  'AttemptWindowChanged',
  'RequireDeletionQuorumChanged',
])

/** What a watch is handed. */
export type WatchDesk = Pick<Desk, 'clock' | 'pollMs' | 'problems' | 'metrics' | 'store'> & {
  readonly chain: Pick<Desk['chain'], 'chainId' | 'bridge'>
  /** Key 0 of the governance bridge; null while it is not known, or not made yet. */
  readonly groupKey: () => Hex | null
}

/** Looks at one such bridge again and again; it has no way to a ceremony, only to the alarm. */
export class OtherBridgeWatch {
  readonly #desk: WatchDesk
  readonly #other: OtherBridge
  readonly #name: string
  #looked: number | null = null
  /** Names of the events that are remembered, and the block of the last. */
  #events: { readonly names: Set<string>; readonly block: number } | null = null
  /** Its key 0 at the block last looked at; null before that, and while it holds none. */
  #groupKey: Hex | null = null

  constructor(desk: WatchDesk, other: OtherBridge) {
    this.#desk = desk
    this.#other = other
    this.#name = `${other.chainId}/${other.bridge}`
  }

  async run(signal: AbortSignal): Promise<void> {
    const { clock, pollMs } = this.#desk
    while (!signal.aborted) {
      await this.look(signal)
      await clock.sleep(pollMs, signal).catch(() => {})
    }
  }

  /** One look; what fails is a problem to show, and is tried again at the next. */
  async look(signal: AbortSignal): Promise<void> {
    const { problems } = this.#desk
    const check = `watch:${this.#name}`
    try {
      await this.#read(signal)
      this.#compareKeys()
      problems.set(check, null)
    } catch (error) {
      if (signal.aborted) return
      problems.set(check, {
        severity: 'warning',
        message: `watch the bridge ${this.#name}: ${messageOf(error)}`,
        remedy:
          error instanceof StoreError
            ? error.hint
            : 'check the endpoints of this bridge in otherBridges; the committee goes on meanwhile',
      })
    }
  }

  async #read(signal: AbortSignal): Promise<void> {
    const { store, metrics } = this.#desk
    const { chainId, bridge } = this.#other
    const final = await this.#other.finalised(signal)
    if (this.#looked !== null && final.number < this.#looked - FAR_BLOCKS) {
      const looked = this.#looked
      this.#looked = final.number
      throw new ChainError(`its endpoints name ${final.number} final, where they named ${looked} before`)
    }
    if (this.#looked !== null && final.number <= this.#looked) return
    const state = await this.#other.committeeState(final, signal)
    const oldest = Math.max(0, final.number - OTHER_MEMORY_BLOCKS)
    // However far a final block lies ahead, or is said to: what is older than is remembered need not be asked for.
    // What its deployment emitted is no governance: the watch begins after the block that was final when it was first looked at.
    const next = final.number + 1
    const from = Math.max(
      oldest,
      this.#looked === null
        ? Math.min(await store.watchedFrom({ chainId, bridge }, next), next)
        : this.#looked + 1,
    )
    const events = await this.#other.events(from, final.number, signal)
    for (const { name, block } of events.filter((event) => GOVERNANCE.has(event.name))) {
      this.#events = { names: (this.#events?.names ?? new Set()).add(name), block: block.number }
      metrics?.otherBridgeEvents.inc({ chain: String(chainId), bridge })
    }
    if (this.#events !== null && this.#events.block < oldest) this.#events = null
    this.#looked = final.number
    this.#groupKey = groupKeyOf(state)
    const pending = state.pending === null ? '' : `, epoch ${state.pending.epoch} pending`
    this.#say(
      state.phase === 'idle'
        ? null
        : `its committee is not idle but ${state.phase}, epoch ${state.epoch}${pending}`,
    )
  }

  /** At each look, since ours may become known later than that bridge's. */
  #compareKeys(): void {
    const { problems, groupKey } = this.#desk
    const ours = groupKey()
    const theirs = this.#groupKey
    problems.set(
      `wrong-chain:${this.#name}/key-0`,
      ours === null || theirs === null || theirs === ours
        ? null
        : {
            severity: 'warning',
            message: `bridge ${this.#other.bridge} on chain ${this.#other.chainId} holds group key ${theirs}, and the committee ${ours}`,
            remedy:
              'whoever holds that key moves what lies there, and a bridge takes its key once: have it replaced before you trust transfers there',
          },
    )
  }

  #say(state: string | null): void {
    const { problems, chain } = this.#desk
    const event =
      this.#events === null ? null : `${[...this.#events.names].join(', ')} up to block ${this.#events.block}`
    const found = [event, state].filter((each) => each !== null)
    problems.set(
      `wrong-chain:${this.#name}`,
      found.length === 0
        ? null
        : {
            severity: 'warning',
            message: `governance on the wrong chain: bridge ${this.#other.bridge} on chain ${this.#other.chainId} shows ${found.join(', and ')}; it started nothing here`,
            remedy: `only bridge ${chain.bridge} on chain ${chain.chainId} governs the committee: find out who administers the other one, and have its admin taken back before you trust transfers there`,
          },
    )
  }
}

/** Key 0 of a bridge; null if it has none. */
export function groupKeyOf({ keys }: Pick<CommitteeState, 'keys'>): Hex | null {
  const key = keys.find(({ keyId }) => keyId === 0)?.groupKey ?? '0x'
  return key === '0x' ? null : key
}
