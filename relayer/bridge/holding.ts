// Which share this node signs with: the active one, as long as the chain runs the very epoch that it belongs to.
import type { SigningService } from '../ceremony/signing.ts'
import { messageOf, StoreError } from '../lib/errors.ts'
import type { Sight } from './follower.ts'
import type { Desk } from './parts.ts'

/** Hands the active share to the signing service and takes it away again; one for the life of the relayer. */
export class Holding {
  readonly #desk: Desk
  readonly #signing: SigningService
  #using: string | null = null

  constructor(desk: Desk, signing: SigningService) {
    this.#desk = desk
    this.#signing = signing
  }

  /**
   * Brings the signing service in line with chain and store. False if the share that should be there cannot be read: then
   * the node neither signs nor deals until it is restored or declared lost.
   */
  async settle({ state, running: info }: Sight): Promise<boolean> {
    const { store, problems, self } = this.#desk
    try {
      const record = await store.activeShare()
      const current = record !== null && record.epoch === state.epoch && record.attempt === info?.attempt
      const wanted = current ? `${record.epoch}/${record.attempt}` : null
      if (wanted !== this.#using) {
        this.#signing.use(current ? { record, shares: await store.loadShares(record) } : null)
        this.#using = wanted
      }
      const seated = info?.members.includes(self) === true
      problems.set('share', seated && !current ? await this.#without(state.epoch) : null)
      return true
    } catch (error) {
      if (!(error instanceof StoreError)) throw error
      this.release()
      problems.set('share', { severity: 'critical', message: messageOf(error), remedy: error.hint })
      return false
    }
  }

  /** Signs with nothing from now on. */
  release(): void {
    if (this.#using !== null) this.#signing.use(null)
    this.#using = null
  }

  /** Signs with nothing from now on if what it signs with is of an epoch below this one. */
  releaseBelow(epoch: number): void {
    if ((this.#signing.epoch ?? epoch) < epoch) this.release()
  }

  async #without(epoch: number) {
    const lost = (await this.#desk.store.lost()).includes(epoch)
    return {
      severity: lost ? ('warning' as const) : ('critical' as const),
      message: `this node is a member of epoch ${epoch} and holds ${lost ? 'a share that was declared lost' : 'no share of it'}`,
      remedy: 'ask governance for `truss admin refresh`: this node receives a new share in it',
    }
  }
}
