// Watches disks, chain and wire of a world, and says which invariant does not hold: shares kept, one polynomial, one attempt, no innocent blamed.
import { dec } from '../../relayer/crypto/enc.ts'
import { groupOf } from '../../relayer/crypto/group.ts'
import { interpolateAtZero } from '../../relayer/crypto/polynomial.ts'
import type { Address } from '../../relayer/lib/bytes.ts'
import { messageOf } from '../../relayer/lib/errors.ts'
import { to0x, toUint } from '../../relayer/lib/bytes.ts'
import { commitmentsHash, curveOf, type KeyShare } from '../../relayer/protocol/keyshare.ts'
import { KEY, keyFileName } from '../../relayer/store/layout.ts'
import type { BridgeState, ModelEpoch } from '../support/fake-bridge-state.ts'
import type { FakeChain } from '../support/fake-chain.ts'
import type { DiskWrite } from '../support/memory-database.ts'
import type { SimNetwork } from '../support/sim-network.ts'
import type { Chronicle } from './chronicle.ts'
import { Court } from './court.ts'
import { type Member, stepOf } from './member.ts'

/** What a witness looks at. */
export interface Scene {
  readonly chain: FakeChain
  readonly network: SimNetwork
  readonly members: readonly Member[]
  readonly chronicle: Chronicle
}

/** The invariants of one world. */
export class Witness {
  readonly #scene: Scene
  readonly court: Court
  readonly #groupKeys = new Map<number, string>()
  readonly #attempts = new Map<number, number>()
  readonly #sharesSeen = new Set<number>()
  #seenBlock = ''

  constructor(scene: Scene) {
    this.#scene = scene
    this.court = new Court(scene)
    for (const member of scene.members) member.disk.wrote = (write) => this.#wrote(member, write)
  }

  /** After a block: what the chain says, and what the disks hold. */
  async settle(): Promise<void> {
    this.#chain()
    this.#holdings()
    this.#served()
    await this.#shares()
    await this.court.sit()
  }

  /** At the end: as `settle`, and the shares of the running epoch are read once more. */
  async close(): Promise<void> {
    this.#sharesSeen.delete(this.#scene.chain.head.state.running)
    await this.settle()
  }

  #wrote(member: Member, write: DiskWrite): void {
    const { chronicle } = this.#scene
    const step = stepOf(write)
    chronicle.event(`write ${member.position} ${write.kind} ${write.names.join(' ')}`)
    chronicle.count(`durable ${step}`)
    if (member.corrupt) return
    if (write.names.some((name) => name.startsWith('evidence/'))) this.court.call(member)
    if (step === 'destroy key file') this.#destroyed(member, write.names[0] ?? '')
    if (step === 'promote') this.#promoted(member)
    this.#holdings()
  }

  /** No share is destroyed before a final activation or burn, twice as deep as finality. */
  #destroyed(member: Member, file: string): void {
    const [epoch = 0, attempt = 0] = file.replace('.key', '').split('-').map(Number)
    // A file without a record was left by a crash on the way: nothing was acknowledged with it.
    if (member.disk.record(KEY.share(epoch, attempt)) === undefined) return
    // Where all of its endpoints have lied, only what it verified itself is sure: that the activation is final.
    const { finalityDepth } = this.#scene.chain
    const { running, epochs } = this.#stateAt(member.chain.told > 0 ? finalityDepth : 2 * finalityDepth)
    const over =
      running > epoch ||
      (running === epoch && epochs[epoch]?.attempt !== attempt) ||
      epochs[epoch]?.status === 'burned'
    if (!over)
      this.#scene.chronicle.violated(
        'no share is destroyed before a final activation or burn',
        `${member.name} destroys its share of epoch ${epoch} attempt ${attempt}, and the chain runs epoch ${running}`,
      )
  }

  /** Whoever is active is so in the activated attempt of a final epoch. */
  #promoted(member: Member): void {
    const { chronicle, chain } = this.#scene
    const value = member.disk.record(KEY.running)
    const [body] = value === undefined ? [] : dec(value, [-1, 32])
    if (body === undefined) return
    const [e = new Uint8Array(), a = new Uint8Array()] = dec(body, [8, 4, 1])
    const [epoch, attempt] = [toUint(e.subarray(2)), toUint(a)]
    chronicle.count('promotions')
    const final = this.#stateAt(chain.finalityDepth)
    const known = final.epochs[epoch]
    const activated = known?.status === 'active' || known?.status === 'superseded'
    if (!activated || known.attempt !== attempt || final.running < epoch)
      chronicle.violated(
        'an honest member is active in an attempt that is finally activated',
        `${member.name} promotes epoch ${epoch} attempt ${attempt}; final is epoch ${final.running}, status ${known?.status}, attempt ${known?.attempt}`,
      )
  }

  #chain(): void {
    const { chain, chronicle } = this.#scene
    const { ref, state } = chain.head
    if (this.#seenBlock === ref.hash) return
    this.#seenBlock = ref.hash
    chronicle.event(`head ${ref.number} epoch ${state.running} pending ${state.pending?.epoch ?? 0}`)
    const final = this.#stateAt(chain.finalityDepth)
    for (const { keyId, groupKey } of final.keys) {
      const known = this.#groupKeys.get(keyId)
      if (groupKey === '0x') continue
      if (known !== undefined && known !== groupKey)
        chronicle.violated('group keys never change', `key ${keyId} was ${known} and is ${groupKey}`)
      this.#groupKeys.set(keyId, groupKey)
    }
    const { running, epochs } = final
    const attempt = epochs[running]?.attempt ?? 0
    if (running !== 0 && (this.#attempts.get(running) ?? attempt) !== attempt)
      chronicle.violated('one activation an epoch', `epoch ${running} changed its attempt`)
    this.#attempts.set(running, attempt)
  }

  /** Every honest member of the activated epoch whose disk survived has its share, unmarked. */
  #holdings(): void {
    const { chain, chronicle } = this.#scene
    if (chronicle.violation !== null) return
    const head = chain.head.state
    const final = this.#stateAt(chain.finalityDepth)
    for (const state of head.running === final.running ? [head] : [head, final]) {
      const epoch = state.epochs[state.running]
      if (epoch === undefined) continue
      for (const member of this.#whole(epoch)) {
        const lacks = missingOf(member, { epoch: epoch.epoch, attempt: epoch.attempt })
        if (lacks !== null)
          chronicle.violated(
            'every honest member of the activated epoch holds its share',
            `${member.name} lacks the ${lacks} of epoch ${epoch.epoch} attempt ${epoch.attempt}`,
          )
      }
    }
  }

  /** Honest nodes that see the chain serve members of the running and the pending committee, and nobody else. */
  #served(): void {
    const { chain, chronicle, members } = this.#scene
    const { running, pending, epochs, first } = this.#stateAt(chain.finalityDepth)
    const seated = [epochs[running] ?? first, pending === null ? null : epochs[pending.epoch]]
    const admitted = new Set(seated.flatMap((committee) => committee?.members ?? []))
    for (const { corrupt, address, name, sees } of members) {
      const node = this.#node(address)
      if (corrupt || !sees || node === null) continue
      const stranger = members.find((each) => !admitted.has(each.address) && node.serves(each.address, null))
      if (stranger !== undefined && stranger.address !== address)
        chronicle.violated(
          'only members of the running and pending committee are served',
          `${name} serves ${stranger.name}`,
        )
    }
  }

  #node(address: Address) {
    return this.#scene.network.nodeAt(address)
  }

  /** The shares of a newly activated epoch lie on one polynomial of degree t-1 with the group key at zero. */
  async #shares(): Promise<void> {
    const { chain, chronicle } = this.#scene
    const { state } = chain.head
    const epoch = state.epochs[state.running]
    if (epoch === undefined || this.#sharesSeen.has(epoch.epoch)) return
    this.#sharesSeen.add(epoch.epoch)
    const held: { index: number; name: string; shares: KeyShare[] }[] = []
    for (const member of this.#whole(epoch))
      try {
        const shares = await member.sharesOf({ epoch: epoch.epoch, attempt: epoch.attempt })
        held.push({ index: epoch.members.indexOf(member.address) + 1, name: member.name, shares })
      } catch (error) {
        chronicle.violated(
          'every honest member of the activated epoch holds its share',
          `${member.name} cannot read it: ${messageOf(error)}`,
        )
      }
    for (const { keyId, groupKey } of state.keys) {
      const known = epoch.commitmentsHashes.find((each) => each.keyId === keyId)?.hash
      const points = held.flatMap(({ index, name, shares }) => {
        const share = shares.find((each) => each.keyId === keyId)
        return share === undefined ? [] : [{ index, name, share }]
      })
      const wrong = points.find(
        ({ share }) =>
          share.commitments.length !== epoch.threshold ||
          to0x(commitmentsHash(share)) !== known ||
          to0x(share.groupKey) !== groupKey,
      )
      const off = wrong?.name ?? offPolynomial(points, epoch.threshold, groupKey)
      if (off !== null || points.length !== held.length)
        chronicle.violated(
          'shares lie on one polynomial of degree t-1 with the group key at zero',
          `key ${keyId} of epoch ${epoch.epoch}: ${off ?? 'a member has no share of it'}`,
        )
    }
    chronicle.count('share sets compared')
  }

  #whole(epoch: ModelEpoch): Member[] {
    return this.#scene.members.filter(
      ({ corrupt, address, wholeFrom }) =>
        !corrupt && epoch.members.includes(address) && wholeFrom <= epoch.epoch,
    )
  }

  #stateAt(depth: number): BridgeState {
    const { chain } = this.#scene
    return (chain.at(Math.max(0, chain.head.ref.number - depth)) ?? chain.head).state
  }
}

/** What of a share set is not on the disk; null if all of it is there and none of it is marked for erasure. */
export function missingOf({ disk }: Member, slot: { epoch: number; attempt: number }): string | null {
  const { epoch, attempt } = slot
  if (disk.record(KEY.share(epoch, attempt)) === undefined) return 'record'
  if (disk.record(KEY.sealed(epoch, attempt)) === undefined) return 'sealed share'
  if (!disk.hasFile(keyFileName(epoch, attempt))) return 'key file'
  return disk.record(KEY.retired(epoch, attempt)) === undefined
    ? null
    : 'right to it: it is marked for erasure'
}

/** Who is off the polynomial of the others, if anybody; with fewer than t shares there is nothing to compare. */
function offPolynomial(
  points: readonly { index: number; name: string; share: KeyShare }[],
  threshold: number,
  groupKey: string,
): string | null {
  const [first] = points
  if (first === undefined || points.length < threshold) return null
  const group = groupOf(curveOf(first.share.scheme))
  const at = points.map(({ index, share }) => [index, group.decodeScalar(share.share.expose())] as const)
  const secret = interpolateAtZero(group, at.slice(0, threshold))
  if (to0x(group.encodeGroupKey(group.multiplyBase(secret))) !== groupKey) return 'another key lies at zero'
  const base = at.slice(0, threshold - 1)
  const off = points.find((_, k) => {
    const point = at[k]
    return k >= threshold && point !== undefined && interpolateAtZero(group, [...base, point]) !== secret
  })
  return off === undefined ? null : `${off.name} is off the polynomial of the others`
}
