// Who sits where: committees, roles, seats, and the order of seats that every map, hash and gather uses.
import { H, keccak256 } from '../crypto/hash.ts'
import { TAG } from '../crypto/tags.ts'
import { type Address, concat, fromHex, u64 } from '../lib/bytes.ts'

/** The relayers of one epoch with its threshold. */
export interface Committee {
  /** Strictly increasing, not dense; 1 or more. */
  readonly epoch: number
  /** Ascending; a member's index is its position from 1. */
  readonly members: readonly Address[]
  /** Number of signers needed; 2 <= threshold <= members.length <= 100. */
  readonly threshold: number
}

/** Largest committee. */
export const MAX_MEMBERS = 100

/** Old: a member of the committee that deals. New: one of the committee that receives; in a keygen everybody. */
export type Role = 'old' | 'new'

/** A party's seat: an index means something only together with its role, and so with its epoch. */
export interface Seat {
  readonly role: Role
  /** 1-based position in the committee of that role. */
  readonly index: number
}

/** A seat with the address of the member that sits there. */
export interface Party extends Seat {
  readonly address: Address
}

/** The role's byte on the wire. */
export function roleByte(role: Role): 0 | 1 {
  return role === 'old' ? 0 : 1
}

/** `old:3`: the seat as a key of maps. */
export function seatKey(seat: Seat): string {
  return `${seat.role}:${seat.index}`
}

/** Old by index, then new by index. */
export function compareSeats(a: Seat, b: Seat): number {
  return roleByte(a.role) - roleByte(b.role) || a.index - b.index
}

/** The 1-based index of an address in a committee, or null if it is no member. */
export function indexOf(committee: Committee, address: Address): number | null {
  const at = committee.members.indexOf(address)
  return at === -1 ? null : at + 1
}

/** keccak256(abi.encode(chainId, bridge, epoch, members, threshold)), as Bridge.sol computes it; 32 bytes. */
export function committeeHash(chainId: number, bridge: Address, committee: Committee): Uint8Array {
  const word = (value: number) => concat(new Uint8Array(24), u64(value))
  const addressWord = (address: Address) => concat(new Uint8Array(12), fromHex(address))
  return keccak256(
    word(chainId),
    addressWord(bridge),
    word(committee.epoch),
    word(5 * 32),
    word(committee.threshold),
    word(committee.members.length),
    ...committee.members.map(addressWord),
  )
}

/** A committee under its hash, which binds chain, bridge and epoch beside members and threshold. */
export interface HashedCommittee extends Committee {
  /** 32 bytes, see `committeeHash`. */
  readonly hash: Uint8Array
}

/** A committee of a bridge under its hash. */
export function hashedCommittee(
  { chainId, bridge }: { readonly chainId: number; readonly bridge: Address },
  { epoch, members, threshold }: Committee,
): HashedCommittee {
  const hash = committeeHash(chainId, bridge, { epoch, members, threshold })
  return { epoch, members, threshold, hash }
}

/**
 * The members in the order in which they lead an attempt: by H("rank", context, attempt, address).
 * @param context the ceremony's 32-byte ctx
 */
export function rankMembers(context: Uint8Array, attempt: number, members: readonly Address[]): Address[] {
  const rank = new Map(
    members.map((member) => [member, Buffer.from(H(TAG.rank, context, u64(attempt), fromHex(member)))]),
  )
  return [...members].sort((a, b) =>
    Buffer.compare(rank.get(a) ?? Buffer.alloc(0), rank.get(b) ?? Buffer.alloc(0)),
  )
}
