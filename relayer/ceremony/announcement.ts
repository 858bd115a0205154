// The announcement "I am ready for (ceremony, attempt)", its wire form, and the board on which a node collects them.
import { dec, EncodingError, enc } from '../crypto/enc.ts'
import { type Address, equal, toUint, u8, u16, u32, utf8 } from '../lib/bytes.ts'
import { acceptsStart } from './windows.ts'

/** What a node says of itself to every participant before an attempt. */
export interface Announcement {
  /** ctx of the ceremony, 32 bytes. */
  readonly context: Uint8Array
  readonly attempt: number
  /** Members that differ in it do not start a ceremony together. */
  readonly protocolVersion: number
  /** For people to read; at most 32 bytes of UTF-8. */
  readonly softwareVersion: string
  /** Whether it deals if the coordinator chooses it: it holds the old shares and its operator's policy allows the change. */
  readonly deals: boolean
  /** Whether its operator vetoed the change: it takes no part, neither deals nor receives. */
  readonly vetoes: boolean
  /** Why it does not deal or takes no part; empty otherwise. At most 128 bytes of UTF-8. */
  readonly refusal: string
}

const MAX_VERSION = 32
const MAX_REFUSAL = 128
/** What it does: 0, it does not deal; 1, it deals; 2, it takes no part. */
const DEALS = 1
const VETOES = 2

/** At most 256 bytes. */
export function encodeAnnouncement(announcement: Announcement): Uint8Array {
  const { context, attempt, protocolVersion, softwareVersion, deals, vetoes, refusal } = announcement
  return enc(
    context,
    u32(attempt),
    u16(protocolVersion),
    clipped(softwareVersion, MAX_VERSION),
    u8(vetoes ? VETOES : deals ? DEALS : 0),
    clipped(refusal, MAX_REFUSAL),
  )
}

/** @throws EncodingError if the bytes are no announcement */
export function decodeAnnouncement(bytes: Uint8Array): Announcement {
  const [context, attempt, version, software, deals, refusal] = dec(bytes, [32, 4, 2, -1, 1, -1])
  if (filled(deals).some((byte) => byte > VETOES))
    throw new EncodingError('decode announcement: whether it deals')
  if (filled(software).length > MAX_VERSION || filled(refusal).length > MAX_REFUSAL)
    throw new EncodingError('decode announcement: length of a text')
  return {
    context: filled(context),
    attempt: toUint(filled(attempt)),
    protocolVersion: toUint(filled(version)),
    softwareVersion: printable(filled(software)),
    deals: filled(deals)[0] === DEALS,
    vetoes: filled(deals)[0] === VETOES,
    refusal: printable(filled(refusal)),
  }
}

/** The announcements of one ceremony, of attempts near the current one; the last of each sender counts. */
export class AnnouncementBoard {
  readonly #context: Uint8Array
  readonly #participants: ReadonlySet<Address>
  readonly #byAttempt = new Map<number, Map<Address, Announcement>>()
  readonly #elsewhere = new Set<Address>()

  constructor(context: Uint8Array, participants: readonly Address[]) {
    this.#context = context
    this.#participants = new Set(participants)
  }

  /**
   * Takes an announcement by an authenticated sender, unless it belongs to another ceremony or a far attempt.
   * @returns whether it is the sender's first for its attempt; null if it was not taken
   */
  post(from: Address, announcement: Announcement, current: number): boolean | null {
    const { attempt, context } = announcement
    if (!this.#participants.has(from)) return null
    if (!equal(context, this.#context)) {
      this.#elsewhere.add(from)
      return null
    }
    this.#elsewhere.delete(from)
    if (!acceptsStart(attempt, { current, lastJoined: null })) return null
    for (const old of this.#byAttempt.keys()) if (old < current - 1) this.#byAttempt.delete(old)
    const heard = this.#byAttempt.get(attempt) ?? new Map<Address, Announcement>()
    const first = !heard.has(from)
    this.#byAttempt.set(attempt, heard.set(from, announcement))
    return first
  }

  /** Participants that last spoke of another ceremony than this node's: one of the two reads the chain late, or wrongly. */
  get elsewhere(): ReadonlySet<Address> {
    return this.#elsewhere
  }

  /** Who announced itself for an attempt, and what it said. */
  heard(attempt: number): ReadonlyMap<Address, Announcement> {
    return this.#byAttempt.get(attempt) ?? new Map()
  }
}

function clipped(text: string, most: number): Uint8Array {
  return utf8(text).subarray(0, most)
}

/** What a peer wrote, with everything but plain characters replaced: it ends up on terminals. */
function printable(bytes: Uint8Array): string {
  return Buffer.from(bytes)
    .toString('latin1')
    .replaceAll(/[^\x20-\x7e]/g, '?')
}

function filled(part: Uint8Array | undefined): Uint8Array {
  return part ?? new Uint8Array()
}
