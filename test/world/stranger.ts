// A stranger who is shown the packages that a leader sent to different signers: their shares hold, and the leader is convicted.
import { FrostKey } from '../../relayer/crypto/frost.ts'
import type { Address } from '../../relayer/lib/bytes.ts'
import { toHex } from '../../relayer/lib/bytes.ts'
import type { KeyPublic } from '../../relayer/protocol/keyshare.ts'
import { hashedCommittee } from '../../relayer/protocol/party.ts'
import { signFault } from '../../relayer/protocol/signfault.ts'
import type { Domain } from '../../relayer/protocol/typed.ts'
import type { SignMessage, SigningPackage } from '../../relayer/protocol/signwire.ts'
import type { Charges, Pair } from './charges.ts'
import type { Chronicle } from './chronicle.ts'
import { isPowerCut, type Member } from './member.ts'
import { messageIn } from './packages.ts'

interface Case {
  readonly pair: Pair
  readonly share: SignMessage & { type: 'share' }
  readonly sender: Member
  readonly signing: SigningPackage
}

/** Who looks at the signing of one world from outside. */
export class Strangers {
  readonly #chronicle: Chronicle
  readonly #charges: Charges
  readonly #domain: Domain
  readonly #committee: (epoch: number) => { readonly members: readonly Address[]; readonly threshold: number }
  #cases: Case[] = []

  constructor(of: {
    chronicle: Chronicle
    charges: Charges
    domain: Domain
    committee: (epoch: number) => { readonly members: readonly Address[]; readonly threshold: number }
  }) {
    this.#chronicle = of.chronicle
    this.#charges = of.charges
    this.#domain = of.domain
    this.#committee = of.committee
  }

  /** An honest member has signed a package. */
  saw(share: SignMessage & { type: 'share' }, sender: Member, signing: SigningPackage): void {
    const pair = this.#charges.pairOf(toHex(share.hash))
    if (pair !== null) this.#cases.push({ pair, share, sender, signing })
  }

  /** Judges what came in this block. */
  async settle(): Promise<void> {
    for (const each of this.#cases.splice(0)) {
      const key = await keyOf(each)
      if (key === null) continue
      const wrong = this.#wrong(each, key)
      if (wrong === null) this.#charges.judged(each.pair.charge)
      else this.#chronicle.violated('every cheat gets its verdict', `${each.sender.name}: ${wrong}`)
    }
  }

  /** What does not hold of: the share fits the package that its signer got, and both packages convict their leader. */
  #wrong({ pair, share, sender, signing }: Case, key: KeyPublic): string | null {
    const { epoch } = signing.request.ref
    const committee = hashedCommittee(this.#domain, { epoch, ...this.#committee(epoch) })
    const [first, second] = [pair.one, pair.other].map(messageIn)
    if (key.scheme === 'ecdsa-secp256k1' || first?.type !== 'package' || second?.type !== 'package')
      return null
    const index = committee.members.indexOf(sender.address) + 1
    const frost = new FrostKey({ ...key, scheme: key.scheme })
    if (!frost.verifyShare(signing.entries, share.digest, { index, z: share.z }))
      return 'its share does not fit the package that it got'
    const { code, culprits } = signFault({ kind: 'packages', first, second }, committee)
    return code === 'E_EQUIV' && culprits[0]?.address === pair.charge.culprit
      ? null
      : `the packages prove ${code}`
  }
}

/** The public part of the key that signed, from the signer's own disk; null if it has moved on. */
async function keyOf({ sender, signing }: Case): Promise<KeyPublic | null> {
  const { ref } = signing.request
  try {
    const record = (await sender.store?.activeShare()) ?? null
    if (record === null || record.epoch !== ref.epoch) return null
    return record.keys.find(({ keyId }) => keyId === ref.keyId) ?? null
  } catch (error) {
    if (isPowerCut(error)) return null
    throw error
  }
}
