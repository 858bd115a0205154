// Relayers of a simulated network that run ceremonies over memory disks, with a chain reduced to block numbers and a verdict.
import type { SignedActivation } from '../../relayer/ceremony/activation.ts'
import { participantsOf } from '../../relayer/ceremony/terms.ts'
import { H } from '../../relayer/crypto/hash.ts'
import { TAG } from '../../relayer/crypto/tags.ts'
import { type Address, fromHex, utf8 } from '../../relayer/lib/bytes.ts'
import { messageOf } from '../../relayer/lib/errors.ts'
import { commitmentsHash, type KeyShare, type KeySpec } from '../../relayer/protocol/keyshare.ts'
import type { Committee } from '../../relayer/protocol/party.ts'
import type { CeremonySpec } from '../../relayer/protocol/spec.ts'
import { FakeClock } from './fake-clock.ts'
import { SimNetwork } from './sim-network.ts'
import { BRIDGE, CHAIN_ID, SimRelayer, WINDOW } from './sim-relayer.ts'

export { BRIDGE, CHAIN_ID, SimRelayer, WINDOW }

const KEY0: KeySpec = { keyId: 0, scheme: 'frost-secp256k1-evm' }

/** A network of relayers in ascending order of address. */
export class CeremonySim {
  readonly net: SimNetwork
  readonly clock = new FakeClock()
  readonly relayers: readonly SimRelayer[]
  head = 100
  startBlock = 100

  private constructor(seed: string, count: number) {
    this.net = new SimNetwork(seed)
    this.relayers = Array.from({ length: count }, (_, at) => new SimRelayer(this, `${seed}/${at}`)).sort(
      (a, b) => (a.address < b.address ? -1 : 1),
    )
  }

  static async of(seed: string, count: number): Promise<CeremonySim> {
    const sim = new CeremonySim(seed, count)
    for (const relayer of sim.relayers) await relayer.start()
    return sim
  }

  get addresses(): readonly Address[] {
    return this.relayers.map(({ address }) => address)
  }

  at(address: Address): SimRelayer {
    const found = this.relayers.find((relayer) => relayer.address === address)
    if (found === undefined) throw new Error(`no relayer ${address}`)
    return found
  }

  /** Relayers by position, from 0 in ascending order of address. */
  some(...positions: number[]): SimRelayer[] {
    return positions.flatMap((position) => this.relayers[position] ?? [])
  }

  committee(epoch: number, threshold: number, ...positions: number[]): Committee {
    return { epoch, threshold, members: this.some(...positions).map(({ address }) => address) }
  }

  keygen(next: Committee, scheme: KeySpec['scheme'] = 'frost-secp256k1-evm'): CeremonySpec {
    return this.#spec({ op: 'keygen', next, old: null, held: [], generated: [{ ...KEY0, scheme }] })
  }

  /** From what the old committee's members hold; also refresh and addkey. */
  async reshare(op: CeremonySpec['op'], old: Committee, next: Committee): Promise<CeremonySpec> {
    const [first] = old.members
    if (first === undefined) throw new Error('empty committee')
    const record = await this.#anyRecord(old)
    const held = record.keys.map((key) => ({
      keyId: key.keyId,
      scheme: key.scheme,
      groupKey: key.groupKey,
      commitmentsHash: commitmentsHash(key),
    }))
    const added: KeySpec = { keyId: held.length, scheme: 'frost-ed25519' }
    return this.#spec({ op, old, next, held, generated: op === 'addkey' ? [added] : [] })
  }

  /** Starts the ceremony at every participant that is named, or at all. The next window begins with the next block. */
  async begin(
    spec: CeremonySpec,
    relayers = participantsOf(spec).map((each) => this.at(each)),
  ): Promise<void> {
    this.startBlock = this.head
    for (const relayer of relayers) relayer.run(spec, { held: await this.heldBy(relayer, spec) })
    await this.quiet()
  }

  /** The active shares from which a relayer may deal. */
  async heldBy(relayer: SimRelayer, spec: CeremonySpec): Promise<KeyShare[]> {
    const record = await relayer.store.activeShare()
    if (record === null || record.epoch !== spec.old?.epoch) return []
    return relayer.store.loadShares(record)
  }

  /** One block for everybody, after which everything that can happen has happened. */
  async mine(blocks = 1): Promise<void> {
    for (let mined = 0; mined < blocks; mined++) {
      this.head += 1
      for (const { feed } of this.relayers) feed.advance(this.head)
      await this.quiet()
    }
  }

  /** Mines until the condition holds. @throws after `limit` blocks */
  async until(condition: () => boolean, limit = 6 * WINDOW): Promise<void> {
    await this.quiet()
    for (let mined = 0; !condition(); mined++) {
      if (mined >= limit) throw new Error(`condition does not hold after ${limit} blocks: ${this.describe()}`)
      await this.mine()
    }
  }

  /** Waits until nobody has anything more to do before the next block. */
  quiet(): Promise<void> {
    return this.net.quiet(
      this.relayers.map(({ disk }) => disk),
      4,
    )
  }

  /**
   * The chain accepts an activation: every relayer that is up ends its ceremony, promotes exactly that attempt and signs
   * with it from now on.
   */
  async activate(signed: SignedActivation): Promise<void> {
    for (const relayer of this.relayers) {
      await relayer.end()
      await relayer.store.promote(signed)
      const record = await relayer.store.activeShare()
      relayer.signing.use(record === null ? null : { record, shares: await relayer.store.loadShares(record) })
      relayer.activations.length = 0
    }
    await this.quiet()
  }

  /** Runs a ceremony to its activation, with nobody in the way. */
  async complete(spec: CeremonySpec): Promise<SignedActivation> {
    await this.begin(spec)
    const all = participantsOf(spec).map((each) => this.at(each))
    await this.until(() => all.every(({ activations }) => activations.length > 0))
    const [signed] = all[0]?.activations ?? []
    if (signed === undefined) throw new Error('no activation')
    await this.activate(signed)
    return signed
  }

  async stop(): Promise<void> {
    for (const relayer of this.relayers) {
      await relayer.end()
      relayer.signing.close()
    }
  }

  /** One line for each relayer: where its ceremony stands. */
  describe(): string {
    return this.relayers
      .map(({ address, view, failure }) => {
        const last = view?.failures.at(-1)?.reason ?? ''
        return `${address.slice(0, 6)} ${view?.stage} ${view?.attempt} ${last} ${failure === null ? '' : messageOf(failure)}`
      })
      .join('\n')
  }

  async #anyRecord(old: Committee) {
    for (const member of old.members) {
      const record = await this.at(member).store.activeShare()
      if (record !== null && record.epoch === old.epoch) return record
    }
    throw new Error(`nobody holds epoch ${old.epoch}`)
  }

  #spec(parts: Pick<CeremonySpec, 'op' | 'old' | 'next' | 'held' | 'generated'>): CeremonySpec {
    const triggerBlockHash = H(TAG.context, utf8(`block ${this.head}`), fromHex(BRIDGE))
    return { chainId: CHAIN_ID, bridge: BRIDGE, triggerBlockHash, ...parts }
  }
}
