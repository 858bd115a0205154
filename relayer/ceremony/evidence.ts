// Which evidence records concern a ceremony, whom they convict in it, and which were judged before.
import { keccak256 } from '../crypto/hash.ts'
import { type Address, equal, toHex } from '../lib/bytes.ts'
import { InputError, StoreError } from '../lib/errors.ts'
import { verifyEvidence } from '../protocol/evidence.ts'
import { epochOfSigning } from '../protocol/signepoch.ts'
import { isSignEvidence, verifySignEvidence } from '../protocol/signfault.ts'
import { hashedCommittee } from '../protocol/party.ts'
import { type CeremonySpec, contextOf } from '../protocol/spec.ts'
import type { CeremonyDeps } from './terms.ts'

/** Whom a record convicts. */
export interface Conviction {
  readonly culprits: readonly Address[]
  readonly reason: string
}

/** Most records of its own finding that a node keeps against one member: more would say nothing new, and fill the disk. */
export const MOST_RECORDS = 16

/** The records of one ceremony, each of which counts once. */
export class Docket {
  readonly #spec: CeremonySpec
  readonly #records = new Set<string>()
  readonly #counts = new Map<Address, number>()

  constructor(spec: CeremonySpec) {
    this.#spec = spec
  }

  /**
   * Judges a record: `known` if it was judged before, `nothing` if it convicts nobody of this ceremony. Of what others bring
   * one record against a member is enough, and of what this node finds itself `MOST_RECORDS`: a culprit can sign as many
   * deeds as it likes, and would fill every disk with them.
   * @param from who brings it; null if this node found or kept it itself
   */
  judge(record: Uint8Array, from: Address | null): Conviction | 'known' | 'nothing' {
    const id = toHex(keccak256(record))
    if (this.#records.has(id)) return 'known'
    const found = judgeEvidence(record, this.#spec)
    if (found === null) return 'nothing'
    const most = from === null ? MOST_RECORDS : 1
    const counted = (culprit: Address) => this.#counts.get(culprit) ?? 0
    if (found.culprits.every((culprit) => counted(culprit) >= most)) return 'known'
    this.#records.add(id)
    for (const culprit of found.culprits) this.#counts.set(culprit, counted(culprit) + 1)
    return found
  }
}

/**
 * The conviction by a record that speaks of this very ceremony; null for one that proves nothing, or speaks of another:
 * governance has decided those, and an old record must not stop what came after.
 */
export function judgeEvidence(bytes: Uint8Array, spec: CeremonySpec): Conviction | null {
  if (isSignEvidence(bytes)) return judgeSigning(bytes, spec)
  const committees = spec.old === null ? [spec.next] : [spec.old, spec.next]
  try {
    const verdict = verifyEvidence(bytes, {
      chainId: spec.chainId,
      bridge: spec.bridge,
      committees,
      keys: spec.held,
    })
    if (!equal(contextOf(verdict.spec), contextOf(spec))) return null
    const culprits = [...new Set(verdict.culprits.map(({ address }) => address))]
    return { culprits, reason: `${verdict.code} in attempt ${verdict.attempt}: ${culprits.join(', ')}` }
  } catch (error) {
    if (error instanceof InputError) return null
    throw error
  }
}

/** Misbehaviour when the prepared shares of the pending epoch signed its activation. */
function judgeSigning(bytes: Uint8Array, spec: CeremonySpec): Conviction | null {
  if (epochOfSigning(bytes) !== spec.next.epoch) return null
  const verdict = verifySignEvidence(bytes, hashedCommittee(spec, spec.next))
  if (verdict === null) return null
  const { address } = verdict.culprit
  return { culprits: [address], reason: `${verdict.code} in signing the activation: ${address}` }
}

/** Records of earlier starts. If they cannot be read they convict nobody, and must not keep this node from the ceremony. */
export async function keptEvidence({
  store,
  log,
}: Pick<CeremonyDeps, 'store' | 'log'>): Promise<Uint8Array[]> {
  try {
    return (await store.evidence()).map(({ bytes }) => bytes)
  } catch (error) {
    if (!(error instanceof StoreError)) throw error
    log.error({ error: error.message }, 'read evidence')
    return []
  }
}

/** Tells members of a record. */
export function tellEvidence(
  { network, log }: Pick<CeremonyDeps, 'network' | 'log'>,
  members: readonly Address[],
  record: Uint8Array,
): void {
  try {
    for (const member of members) network.tell(member, 'evidence', record)
  } catch (error) {
    // With many keys and members a record may be larger than a message: it is kept here, and whoever saw the deed has its own.
    if (!(error instanceof RangeError)) throw error
    log.warn({ bytes: record.length }, 'evidence is too large to be passed on: see `truss evidence`')
  }
}
