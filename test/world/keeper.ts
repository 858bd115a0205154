// An operator that keeps the first share it ever held of each key, and goes on signing with it in later epochs.
import { Secret } from '../../relayer/lib/secret.ts'
import type { Store } from '../../relayer/store/store.ts'

/** The shares that an operator did not erase; it outlives its process. */
export class Keeper {
  readonly #kept = new Map<number, { readonly epoch: number; readonly share: Uint8Array }>()
  readonly #stale = new Set<number>()

  /** Whether it signs in this epoch with what it kept of another. */
  signsWithOld(epoch: number): boolean {
    return this.#stale.has(epoch)
  }

  /**
   * From now on its signer is handed what was kept. What it deals from stays the share of the running epoch.
   * @param signing whether the process already signs: then whoever loads shares wants to deal
   */
  stand(store: Store, signing: () => boolean): void {
    const load = store.loadShares.bind(store)
    store.loadShares = async (slot) => {
      const shares = await load(slot)
      const running = await store.activeShare()
      if (signing() || running?.epoch !== slot.epoch || running.attempt !== slot.attempt) return shares
      return shares.map((key) => {
        const { epoch } = slot
        const kept = this.#kept.get(key.keyId) ?? { epoch, share: key.share.expose().slice() }
        this.#kept.set(key.keyId, kept)
        if (kept.epoch === epoch) return key
        this.#stale.add(epoch)
        key.share.wipe()
        return { ...key, share: new Secret(kept.share.slice()) }
      })
    }
  }
}
