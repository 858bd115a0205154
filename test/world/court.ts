// Reads the evidence that honest members keep, judges each record as a stranger would, and sees that no innocent is convicted.
import { type Address, toHex } from '../../relayer/lib/bytes.ts'
import { messageOf } from '../../relayer/lib/errors.ts'
import type { TrustedState } from '../../relayer/protocol/evidence.ts'
import { verifyRecord } from '../../relayer/protocol/record.ts'
import { contextOf } from '../../relayer/protocol/spec.ts'
import { isPowerCut, type Member } from './member.ts'
import { trustedOf, weaknessOf } from './offline.ts'
import type { Scene } from './witness.ts'

/** A record, with what the stranger knew who judged it. */
export interface Judged {
  readonly code: string
  readonly bytes: Uint8Array
  readonly trusted: TrustedState
}

/** What a record proves, in which epoch's ceremony or signing. */
interface Proven {
  readonly culprits: readonly Address[]
  readonly epoch: number
  /** Of the ceremony, hex; null for misbehaviour in signing. */
  readonly context: string | null
}

/** One world's evidence. */
export class Court {
  /** What was judged, each record once. */
  readonly records: Judged[] = []
  readonly #scene: Scene
  readonly #called = new Set<Member>()
  /** By the record; null for one that proves nothing. */
  readonly #judged = new Map<string, Proven | null>()
  /** What is on whose disk. */
  readonly #kept = new Map<Member, ReadonlySet<string>>()
  /** What came to a disk since somebody looked. */
  readonly news: { readonly member: Member; readonly proven: Proven }[] = []

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
      const before = this.#kept.get(member)
      this.#kept.set(member, new Set(records.map(({ id }) => id)))
      for (const { id, bytes } of records) {
        const proven = this.#judged.get(id) ?? (this.#judged.has(id) ? null : this.#judge(member, bytes))
        this.#judged.set(id, proven)
        if (proven !== null && before?.has(id) !== true) this.news.push({ member, proven })
      }
    }
  }

  /** Whether a member keeps a record of an epoch that convicts somebody. */
  convicts(member: Member, culprit: Address, epoch: number): boolean {
    return [...(this.#kept.get(member) ?? [])].some((id) => {
      const proven = this.#judged.get(id)
      return proven?.epoch === epoch && proven.culprits.includes(culprit)
    })
  }

  #judge(member: Member, bytes: Uint8Array): Proven | null {
    const { chronicle, members, chain } = this.#scene
    const trusted = trustedOf(chain.head.state)
    try {
      const { code, culprits, ceremony, signing } = verifyRecord(bytes, trusted)
      const names = culprits.map(({ address }) => address)
      chronicle.count(`evidence ${code}`)
      chronicle.tell(`${member.name} keeps evidence of ${code}`)
      const innocent = members.filter(({ address, corrupt }) => names.includes(address) && !corrupt)
      if (innocent.length > 0)
        chronicle.violated(
          'an honest party is never named culprit',
          `${member.name} keeps evidence of ${code} against ${innocent.map(({ name }) => name).join(', ')}`,
        )
      this.records.push({ code, bytes, trusted })
      const weakness = weaknessOf(bytes, trusted)
      if (weakness !== null)
        chronicle.violated('evidence convinces anybody, and only as it is', `of ${code}: ${weakness}`)
      const context = ceremony && toHex(contextOf(ceremony.spec))
      return { culprits: names, epoch: ceremony?.spec.next.epoch ?? signing ?? 0, context }
    } catch (error) {
      chronicle.violated(
        'evidence convinces anybody, and only as it is',
        `${member.name} keeps a record that proves nothing: ${messageOf(error)}`,
      )
      return null
    }
  }
}
