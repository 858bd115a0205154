// Reads what honest operators say on the signing topic: no nonce twice, no signature that honest policy forbids.
import { dec } from '../../relayer/crypto/enc.ts'
import { isNoncePoint } from '../../relayer/crypto/frost.ts'
import { type Address, toHex, toUint } from '../../relayer/lib/bytes.ts'
import { decodeBatch, type NonceEntry, pairAt, type ShareRef } from '../../relayer/protocol/nonces.ts'
import type { SignMessage, SigningPackage } from '../../relayer/protocol/signwire.ts'
import { KEY } from '../../relayer/store/layout.ts'
import type { Packet } from '../support/sim-network.ts'
import type { Attendance } from './attendance.ts'
import type { Charges } from './charges.ts'
import type { Chronicle } from './chronicle.ts'
import type { Member } from './member.ts'
import { messageIn, packageHashOf, packageIn } from './packages.ts'
import type { Strangers } from './stranger.ts'

/** What the watch needs of its world. */
export interface Watched {
  /** Digests of the activations that honest members prepared, by address, epoch and attempt. */
  readonly digests: ReadonlyMap<string, string>
  readonly committee: (epoch: number) => { readonly members: readonly Address[]; readonly threshold: number }
  readonly charges: Charges
  readonly attendance: Attendance
  readonly strangers: Strangers
  /** Whether an operator signs in this epoch with a share of an earlier one. */
  readonly old: (address: Address, epoch: number) => boolean
}

/** The signing of one world. */
export class SignWatch {
  readonly #chronicle: Chronicle
  readonly #of: Watched
  /** Signed batches of nonces by their digest. */
  readonly #batches = new Map<string, ReturnType<typeof decodeBatch>['batch']>()
  readonly #packages = new Map<string, SigningPackage>()
  /** The package that each point of a nonce was spent on, by its owner: whatever key, batch, boot or life it was drawn in. */
  readonly #spent = new Map<string, string>()

  constructor(chronicle: Chronicle, of: Watched) {
    this.#chronicle = chronicle
    this.#of = of
  }

  /** The members of an epoch, ascending. */
  committee(epoch: number): readonly Address[] {
    return this.#of.committee(epoch).members
  }

  /** The nonce that its owner published after this one, or before it if it was the last; null if nobody saw the batch. */
  after(entry: NonceEntry): NonceEntry | null {
    const batch = this.#batches.get(toHex(entry.batch))
    if (batch === undefined) return null
    for (const counter of [entry.counter + 1, entry.counter - 1]) {
      const pair = pairAt(batch, counter - batch.first)
      if (pair !== null) return { ...entry, counter, ...pair }
    }
    return null
  }

  /** Whether an operator has made its share for this package with one of an earlier epoch. */
  withOldShare(address: Address, hash: Uint8Array): boolean {
    const request = this.#packages.get(toHex(hash))?.request
    return request?.payload.type === 'probe' && this.#of.old(address, request.ref.epoch)
  }

  /** A packet as it leaves; the sender is as the network authenticates it. */
  saw(packet: Packet, sender: Member): void {
    if (!sender.corrupt) this.#of.attendance.saw(packet, sender)
    const message = messageIn(packet)
    if (message === null) return
    if (message.type === 'batch') this.#published(message.batch)
    const asked = packageIn(packet)
    if (asked !== null) this.#packages.set(packageHashOf(packet) ?? '', asked)
    if (sender.corrupt) return
    if (asked !== null) this.#led(asked, packageHashOf(packet) ?? '', sender)
    this.#of.charges.answered(sender, message)
    if (message.type === 'share') this.#shared(message, sender)
  }

  #shared(message: SignMessage & { type: 'share' }, sender: Member): void {
    const hash = toHex(message.hash)
    const signing = this.#packages.get(hash)
    this.#chronicle.count('signature shares')
    if (signing === undefined) return
    this.#nonce(signing, hash, sender)
    this.#policy(signing, sender)
    this.#of.strangers.saw(message, sender, signing)
    const { ref, payload } = signing.request
    const own = this.#of.digests.get(`${sender.address}/${ref.epoch}/${ref.attempt}`)
    if (payload.type === 'activation' && own !== undefined && own !== toHex(message.digest))
      this.#chronicle.violated(
        'the digest of an activation comes from the own prepared record',
        `${sender.name} signs another one for epoch ${ref.epoch} attempt ${ref.attempt}`,
      )
  }

  /** What an honest leader asks for: sessions within the bound of ROAST, and points that are nonces. */
  #led(signing: SigningPackage, hash: string, leader: Member): void {
    const { request, session, scheme, entries } = signing
    const { members, threshold } = this.#of.committee(request.ref.epoch)
    this.#chronicle.count(session === 1 ? 'packages of first sessions' : 'packages of further sessions')
    if (session > members.length - threshold + 1)
      this.#chronicle.violated(
        'signing takes at most n - t + 1 sessions',
        `${leader.name} opens session ${session} with ${threshold} of ${members.length}`,
      )
    const good = ({ hiding, binding }: NonceEntry) =>
      scheme !== 'ecdsa-secp256k1' && isNoncePoint(scheme, hiding) && isNoncePoint(scheme, binding)
    if (!entries.every(good))
      this.#chronicle.violated('every cheat gets its verdict', `${leader.name} leads with a bad nonce`)
    const signers = entries.flatMap(({ index }) => members[index - 1] ?? [])
    this.#of.charges.packaged(leader, { hash, signing, signers })
  }

  #published(bytes: Uint8Array): void {
    for (const length of [33, 32])
      try {
        const { batch, digest } = decodeBatch(bytes, length)
        this.#batches.set(toHex(digest), batch)
      } catch {
        // Points of the other curve, or garbled.
      }
  }

  #nonce({ request, entries }: SigningPackage, hash: string, sender: Member): void {
    const { ref } = request
    for (const { hiding, binding, counter, index } of entries) {
      if (this.committee(ref.epoch)[index - 1] !== sender.address) continue
      for (const point of [hiding, binding]) {
        const name = `${sender.address} ${toHex(point)}`
        if ((this.#spent.get(name) ?? hash) !== hash)
          this.#chronicle.violated(
            'no nonce is used twice',
            `${sender.name} uses a point of nonce ${counter} of key ${ref.keyId} again`,
          )
        this.#spent.set(name, hash)
      }
    }
  }

  /** A prepared share signs its activation and nothing else; an active one everything but that. */
  #policy({ request }: SigningPackage, sender: Member): void {
    const { ref, payload } = request
    const { disk } = sender
    const running = runningOn(sender)
    const active = running?.epoch === ref.epoch && running.attempt === ref.attempt
    if (payload.type === 'activation') {
      if (running !== null && running.epoch >= ref.epoch)
        this.#chronicle.violated(
          'an active share never signs an activation',
          `${sender.name}, epoch ${ref.epoch}`,
        )
      if (disk.record(KEY.seen(ref.epoch, ref.attempt)) === undefined && running?.epoch !== ref.epoch)
        this.#chronicle.violated(
          'that an activation is signed for is durable before the share leaves',
          `${sender.name}, epoch ${ref.epoch} attempt ${ref.attempt}`,
        )
      this.#chronicle.count('shares of activation signatures')
    } else if (!active)
      this.#chronicle.violated(
        'a prepared share signs only its activation',
        `${sender.name} signs a ${payload.type} with epoch ${ref.epoch} attempt ${ref.attempt}, and epoch ${running?.epoch ?? 0} is active`,
      )
  }
}

/** Whether a member holds the very share that a package or batch is of, and signs with it: then it looks, and answers. */
export function mustAnswer(member: Member, packet: Packet): boolean {
  const ref = packageIn(packet)?.request.ref ?? refOfBatch(packet)
  const running = runningOn(member)
  const key = member.relayer?.keys().find(({ keyId }) => keyId === ref?.keyId)
  return (
    key?.holdsShare === true &&
    key.epoch === ref?.epoch &&
    running?.epoch === ref.epoch &&
    running.attempt === ref.attempt
  )
}

/** The share whose nonces a packet publishes, if it does. */
function refOfBatch(packet: Packet): ShareRef | undefined {
  const message = messageIn(packet)
  for (const length of message?.type === 'batch' ? [33, 32] : [])
    try {
      return decodeBatch(message?.type === 'batch' ? message.batch : packet.body, length).ref
    } catch {
      // Points of the other curve.
    }
  return undefined
}

/** The active pointer on a disk. */
export function runningOn({ disk }: Member): { epoch: number; attempt: number } | null {
  const value = disk.record(KEY.running)
  const [body] = value === undefined ? [] : dec(value, [-1, 32])
  if (body === undefined) return null
  const [epoch = new Uint8Array(8), attempt = new Uint8Array(4)] = dec(body, [8, 4, 1])
  return { epoch: toUint(epoch.subarray(2)), attempt: toUint(attempt) }
}
