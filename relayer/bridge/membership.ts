// Who is served: members of the running and the pending committee, and whoever still owes a deletion receipt.
import type { Address } from '../lib/bytes.ts'
import type { Sight } from './follower.ts'

/** What `Network.admit` takes. */
export interface Admission {
  readonly committee: readonly Address[]
  readonly receipts: readonly Address[]
}

/** The admission that follows from the contract at one final block. */
export function admissionOf({
  state,
  pending,
  closed,
}: Pick<Sight, 'state' | 'pending' | 'closed'>): Admission {
  const committee = new Set([...state.members, ...(pending?.members ?? [])])
  const owing = closed.flatMap((info) => info.members.filter((member) => !info.receipts.includes(member)))
  const receipts = new Set(owing.filter((member) => !committee.has(member)))
  return { committee: [...committee].sort(), receipts: [...receipts].sort() }
}
