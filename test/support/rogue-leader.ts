// A leader that follows no rule: it collects nonces like an honest one, then sends whatever packages a test makes up.
import { recover } from '../../relayer/crypto/identity.ts'
import { type Address, to0x } from '../../relayer/lib/bytes.ts'
import { commitmentsHash, type KeyShare } from '../../relayer/protocol/keyshare.ts'
import { NonceBook } from '../../relayer/protocol/noncebook.ts'
import type { NonceEntry } from '../../relayer/protocol/nonces.ts'
import {
  decodeMessage,
  encodeMessage,
  packageHash,
  type SignMessage,
  type SigningPackage,
  sealPackage,
  shareDigest,
} from '../../relayer/protocol/signwire.ts'
import type { SigningWorld } from './signing.ts'

type Sealed = SignMessage & { type: 'package' }

/** A member of a signing world whose own signer is gone and who leads by hand. */
export class RogueLeader {
  readonly book: NonceBook
  readonly key: KeyShare
  /** Everything that came, with its sender's index. */
  readonly heard: { readonly index: number; readonly message: SignMessage }[] = []
  readonly #world: SigningWorld
  readonly #index: number

  constructor(world: SigningWorld, index: number, keyId = 0) {
    this.#world = world
    this.#index = index
    const member = world.member(index)
    member.signer.close()
    const key = member.shares.find((share) => share.keyId === keyId)
    if (key === undefined || key.scheme === 'ecdsa-secp256k1') throw new Error(`no key ${keyId}`)
    this.key = key
    this.book = new NonceBook({ ...world.common, keyId }, world.committee, key.scheme)
    member.mailbox.onMessage((from, body) => {
      const message = decodeMessage(body)
      this.heard.push({ index: world.committee.members.indexOf(from) + 1, message })
      if (message.type === 'batch') this.book.add(message.batch, from)
    })
  }

  get address(): Address {
    return this.#world.address(this.#index)
  }

  /** Asks members for nonces and gives one unused pair of each, ascending. */
  async collect(indices: readonly number[]): Promise<NonceEntry[]> {
    for (const index of indices)
      this.send(index, { type: 'ask', ref: this.book.ref, boot: new Uint8Array(16) })
    await this.#world.network.idle()
    return indices.map((index) => {
      const next = this.book.next(index, this.address)
      if (next === null || 'bad' in next) throw new Error(`no good nonce of ${index}`)
      return next
    })
  }

  /** A signed package for a probe, with any field as the test wants it. */
  package(entries: readonly NonceEntry[], changes: Partial<SigningPackage> = {}): Sealed {
    const probe = { keyId: this.key.keyId, epoch: this.#world.common.epoch, text: 'are you there?' }
    return sealPackage(
      {
        request: { ref: this.book.ref, payload: { type: 'probe', probe }, run: new Uint8Array(16).fill(1) },
        session: 1,
        leader: this.address,
        scheme: this.key.scheme,
        commitmentsHash: commitmentsHash(this.key),
        entries,
        ...changes,
      },
      this.#world.member(this.#index).operator,
    )
  }

  send(index: number, message: SignMessage): void {
    this.#world.member(this.#index).mailbox.send(this.#world.address(index), encodeMessage(message))
  }

  /** Sends a package to some members, passes on the batches that they need, and gives their answers by index. */
  async propose(message: Sealed, to: readonly number[]): Promise<Map<number, SignMessage>> {
    const before = this.heard.length
    for (const index of to) this.send(index, message)
    await this.#world.network.idle()
    for (const { index, message: answer } of this.heard.slice(before)) {
      if (answer.type !== 'need') continue
      for (const missing of answer.indices)
        for (const batch of this.#batches(missing)) this.send(index, { type: 'batch', batch })
    }
    await this.#world.network.idle()
    const answers = this.heard
      .slice(before)
      .filter(({ message: { type } }) => type === 'share' || type === 'refuse')
    return new Map(answers.map(({ index, message: answer }) => [index, answer]))
  }

  /** A member's share from its answer, after checking that it signed it for this package. */
  shareOf(
    index: number,
    answer: SignMessage | undefined,
    sealed: Sealed,
  ): { digest: Uint8Array; z: Uint8Array } {
    if (answer?.type !== 'share') throw new Error(`no share of ${index}: ${answer?.type ?? 'nothing'}`)
    const { hash, digest, z, signature } = answer
    const signer = recover(shareDigest(packageHash(sealed.body), digest, z), signature)
    if (to0x(hash) !== to0x(packageHash(sealed.body)) || signer !== this.#world.address(index))
      throw new Error(`the share of ${index} is not signed for this package`)
    return { digest, z }
  }

  #batches(index: number): Uint8Array[] {
    return this.heard
      .filter(({ index: from }) => from === index)
      .flatMap(({ message }) => (message.type === 'batch' ? [message.batch] : []))
  }
}
