// Reads the evidence that honest members keep, judges each record as a stranger would, and sees that no innocent is convicted.
import type { Address } from '../../relayer/lib/bytes.ts'
import { fromHex } from '../../relayer/lib/bytes.ts'
import { messageOf } from '../../relayer/lib/errors.ts'
import { verifyEvidence } from '../../relayer/protocol/evidence.ts'
import { SCHEMES } from '../../relayer/protocol/keyshare.ts'
import { isSignEvidence, verifySignEvidence } from '../../relayer/protocol/signfault.ts'
import { BRIDGE, CHAIN_ID, isPowerCut, type Member } from './member.ts'
import type { Scene } from './witness.ts'

/** One world's evidence. */
export class Court {
  readonly #scene: Scene
  readonly #called = new Set<Member>()
  readonly #judged = new Set<string>()

  constructor(scene: Scene) {
    this.#scene = scene
  }

  /** This member has written evidence. */
  call(member: Member): void {
    this.#called.add(member)
  }

  /** Judges what is new. */
  async sit(): Promise<void> {
    for (const member of this.#called) {
      if (member.store === null || !member.up) continue
      this.#called.delete(member)
      const records = await member.store.evidence().catch((error: unknown) => {
        if (isPowerCut(error)) return []
        throw error
      })
      for (const { id, bytes } of records) {
        if (this.#judged.has(id)) continue
        this.#judged.add(id)
        this.#judge(member, bytes)
      }
    }
  }

  #judge(member: Member, bytes: Uint8Array): void {
    const { chronicle, members } = this.#scene
    try {
      const { code, culprits } = this.#verdict(bytes)
      chronicle.count(`evidence ${code}`)
      chronicle.tell(`${member.name} keeps evidence of ${code}`)
      const innocent = members.filter(({ address, corrupt }) => culprits.includes(address) && !corrupt)
      if (innocent.length > 0)
        chronicle.violated(
          'an honest party is never named culprit',
          `${member.name} keeps evidence of ${code} against ${innocent.map(({ name }) => name).join(', ')}`,
        )
    } catch (error) {
      chronicle.violated(
        'evidence convinces anybody',
        `${member.name} keeps a record that proves nothing: ${messageOf(error)}`,
      )
    }
  }

  #verdict(bytes: Uint8Array): { code: string; culprits: readonly Address[] } {
    const { epochs, keys } = this.#scene.chain.head.state
    const committees = Object.values(epochs)
    if (isSignEvidence(bytes)) {
      for (const committee of committees) {
        const verdict = verifySignEvidence(bytes, committee)
        if (verdict !== null) return { code: verdict.code, culprits: [verdict.culprit.address] }
      }
      throw new Error('no committee is convinced')
    }
    const registered = committees.flatMap(({ commitmentsHashes }) =>
      commitmentsHashes.flatMap(({ keyId, hash }) => {
        const key = keys.find((each) => each.keyId === keyId)
        const scheme = SCHEMES[key?.scheme ?? 0]
        return key === undefined || scheme === undefined
          ? []
          : [{ keyId, scheme, groupKey: fromHex(key.groupKey), commitmentsHash: fromHex(hash) }]
      }),
    )
    const verdict = verifyEvidence(bytes, { chainId: CHAIN_ID, bridge: BRIDGE, committees, keys: registered })
    return { code: verdict.code, culprits: verdict.culprits.map(({ address }) => address) }
  }
}
