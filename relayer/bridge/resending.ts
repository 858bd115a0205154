// The activation of an epoch that the chain has lost again: this node keeps its full arguments, and sends them once more.
import { readable } from '../lib/errors.ts'
import { submitInTurn } from './activation.ts'
import { specOf } from './committee.ts'
import type { Sight } from './follower.ts'
import type { Desk } from './parts.ts'

/** Sends the lost activation while the chain shows its epoch as pending; one for the life of the relayer. */
export class LostActivation {
  readonly #desk: Desk
  /** Epoch of the activation that is under way. */
  #sent = 0

  constructor(desk: Desk) {
    this.#desk = desk
  }

  /** The chain shows a lower epoch than this node has verified. */
  async sendAgain(sight: Sight): Promise<void> {
    const { store, chain, background } = this.#desk
    const args = await readable(store.activation())
    const spec = specOf(chain, sight)
    const lost = args !== null && spec?.next.epoch === args.activation.epoch && args.readiness.length > 0
    if (!lost || this.#sent === args.activation.epoch) return
    this.#sent = args.activation.epoch
    const windowBlocks = sight.state.pending?.windowBlocks ?? 1
    background('send the lost activation again', (signal) =>
      submitInTurn(this.#desk, { spec, args, windowBlocks }, this.#whileLost(signal)),
    )
  }

  /** The chain shows the epoch again. */
  forget(): void {
    this.#sent = 0
  }

  /** Aborts when the chain has found back. */
  #whileLost(signal: AbortSignal): AbortSignal {
    const { clock, pollMs, problems, background } = this.#desk
    const found = new AbortController()
    background('watch the lost activation', async (stop) => {
      while (problems.has('epoch') && !stop.aborted) await clock.sleep(pollMs, stop).catch(() => {})
      found.abort(new DOMException('the chain shows the epoch again', 'AbortError'))
    })
    return AbortSignal.any([signal, found.signal])
  }
}
