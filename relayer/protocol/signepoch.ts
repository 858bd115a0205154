// Which epoch's shares a record of misbehaviour in signing speaks of: whoever judges it must know that committee.
import { decList } from '../crypto/enc.ts'
import { decodeBatch } from './nonces.ts'
import { decodePackage } from './signwire.ts'

/** The epoch that a signing record names, or null for bytes that name none; the record is not judged here. */
export function epochOfSigning(bytes: Uint8Array): number | null {
  try {
    const [, name, first] = decList(bytes, 8)
    if (name === undefined || first === undefined) return null
    const kind = Buffer.from(name).toString('latin1')
    // Records of published nonces begin with a batch, all others with a package.
    if (kind !== 'point' && kind !== 'batches') return decodePackage(first).request.ref.epoch
    // The points' length matters only for their number: one of the two always fits a well-formed batch.
    return [33, 32].map((length) => epochOfBatch(first, length)).find((epoch) => epoch !== null) ?? null
  } catch {
    return null
  }
}

function epochOfBatch(batch: Uint8Array, pointLength: number): number | null {
  try {
    return decodeBatch(batch, pointLength).ref.epoch
  } catch {
    return null
  }
}
