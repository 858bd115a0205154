// Evidence records against members, kept until an operator has looked at them.
import { dec, enc } from '../crypto/enc.ts'
import { keccak256 } from '../crypto/hash.ts'
import { toHex } from '../lib/bytes.ts'
import { StoreError } from '../lib/errors.ts'
import { own } from './codec.ts'
import { KEY, PREFIX } from './layout.ts'
import type { Vault } from './shares.ts'

/** Most records that are kept. */
export const MAX_EVIDENCE = 1024

/** A record under the hex of its Keccak-256. */
export interface EvidenceRecord {
  readonly id: string
  readonly bytes: Uint8Array
}

/**
 * Stores a record that the caller has verified; gives its id. The same bytes are stored once.
 * @throws StoreError if as many are kept as may be
 */
export async function addEvidence({ records }: Vault, bytes: Uint8Array): Promise<string> {
  const id = toHex(keccak256(bytes))
  const stored = await records.keys(PREFIX.evidence)
  if (stored.includes(KEY.evidence(id))) return id
  if (stored.length >= MAX_EVIDENCE)
    throw new StoreError(`keep evidence: ${stored.length} records are stored, as many as are kept`, {
      hint: 'write them to files with `truss evidence save`, and let governance replace whom they convict',
    })
  await records.commit(records.put(KEY.evidence(id), enc(bytes)))
  return id
}

/** How many are stored. */
export async function countEvidence({ records }: Vault): Promise<number> {
  return (await records.keys(PREFIX.evidence)).length
}

/** All records that can be read, ascending by id: one that is damaged proves nothing any more. */
export async function listEvidence({ records }: Vault): Promise<EvidenceRecord[]> {
  const found = await records.listReadable(PREFIX.evidence, (body) => own(dec(body, [-1])[0]))
  return found.flatMap(([key, bytes]) =>
    bytes === null ? [] : { id: key.slice(PREFIX.evidence.length), bytes },
  )
}
