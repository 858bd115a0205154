// Runs whole ceremonies over the simulated network: operators with keys, specs, sessions, deadlines that fall when nothing moves.
import { H } from '../../relayer/crypto/hash.ts'
import { type Signer, signerOf } from '../../relayer/crypto/identity.ts'
import { TAG } from '../../relayer/crypto/tags.ts'
import { type Address, concat, to0x, toAddress, utf8 } from '../../relayer/lib/bytes.ts'
import { Secret } from '../../relayer/lib/secret.ts'
import { addressesOf, attemptOf } from '../../relayer/protocol/attempt.ts'
import { type Certificate, confirm } from '../../relayer/protocol/confirm.ts'
import { keygen } from '../../relayer/protocol/keygen.ts'
import { commitmentsHash, type KeyShare, type RegisteredKey } from '../../relayer/protocol/keyshare.ts'
import { type Committee, rankMembers } from '../../relayer/protocol/party.ts'
import type { Prepared } from '../../relayer/protocol/prepared.ts'
import { reshare } from '../../relayer/protocol/reshare.ts'
import { openSession, type Session } from '../../relayer/protocol/session.ts'
import {
  type CeremonySpec,
  contextOf,
  type SignedStart,
  type StartMessage,
  signStart,
} from '../../relayer/protocol/spec.ts'
import { activationHash, activationOf, readinessDigest } from '../../relayer/protocol/typed.ts'
import type { Rogues } from './rogue.ts'
import { seededRng } from './seeded-rng.ts'
import { SimNetwork } from './sim-network.ts'

export const CHAIN_ID = 31337
export const BRIDGE: Address = toAddress('0x00000000000000000000000000000000000b71d6')

/** An operator with a key that follows from its number. */
export function operator(number: number): Signer {
  return signerOf(new Secret(H(TAG.rank, utf8(`operator ${number}`))))
}

/** Operators of these numbers in ascending order of address. */
export function operators(...numbers: readonly number[]): Signer[] {
  return numbers.map(operator).sort((a, b) => (a.address < b.address ? -1 : 1))
}

export function committeeOf(epoch: number, members: readonly Signer[], threshold: number): Committee {
  return { epoch, members: members.map(({ address }) => address).sort(), threshold }
}

/** What a ceremony is about, with the constants of these tests. */
export function specOf(of: Pick<CeremonySpec, 'op' | 'next'> & Partial<CeremonySpec>): CeremonySpec {
  return {
    chainId: CHAIN_ID,
    bridge: BRIDGE,
    held: [],
    generated: of.op === 'keygen' ? [{ keyId: 0, scheme: 'frost-secp256k1-evm' }] : [],
    old: null,
    triggerBlockHash: new Uint8Array(32).fill(0xb1),
    ...of,
  }
}

/** The keys of a result as the contract would state them after its activation. */
export function registered(prepared: Pick<Prepared, 'keys'>): RegisteredKey[] {
  return prepared.keys.map((key) => ({
    keyId: key.keyId,
    scheme: key.scheme,
    groupKey: key.groupKey,
    commitmentsHash: commitmentsHash(key),
  }))
}

/** How one party came out. */
export interface Ending {
  readonly prepared: Prepared | null
  readonly certificate: Certificate | null
  readonly error: unknown
}

export interface Run {
  readonly spec: CeremonySpec
  readonly start: SignedStart
  readonly endings: ReadonlyMap<Address, Ending>
  readonly sessions: ReadonlyMap<Address, Session>
  readonly network: SimNetwork
}

export interface RunOptions {
  readonly spec: CeremonySpec
  readonly signers: readonly Signer[]
  /** Shares of the dealers by address. */
  readonly held?: ReadonlyMap<Address, readonly KeyShare[]>
  /** Old indices that deal; by default the first t. */
  readonly dealers?: readonly number[]
  readonly attempt?: number
  readonly seed?: string | number
  /** Of the start message; by default `seed`. */
  readonly startSeed?: string | number
  /** Of the parties' randomness; by default `seed`. */
  readonly rngSeed?: string | number
  /** A party whose session is closed once nothing more is under way. */
  readonly closes?: Address
  /** Called before anybody speaks: put rules on the wire here. */
  readonly prepare?: (network: SimNetwork, start: StartMessage) => void
  /** Called when the time of a round (4: of disputes) is over for everybody. */
  readonly fallen?: (round: number, network: SimNetwork) => void
  /** Parties that run this instead of the protocol. */
  readonly rogues?: Rogues
  /** Who confirms what it prepared; by default everybody. */
  readonly confirms?: (address: Address) => boolean
}

/** The coordinator's start message for a spec. */
export function startFor(
  spec: CeremonySpec,
  signers: readonly Signer[],
  of: { attempt?: number; dealers?: readonly number[]; seed?: string | number } = {},
): SignedStart {
  const context = contextOf(spec)
  const attempt = of.attempt ?? 0
  const [first] = rankMembers(context, attempt, spec.next.members)
  const coordinator = signers.find(({ address }) => address === first)
  if (coordinator === undefined) throw new RangeError('start ceremony: the coordinator has no signer')
  const dealers = of.dealers ?? Array.from({ length: spec.old?.threshold ?? 0 }, (_, at) => at + 1)
  const startNonce = seededRng(`start/${of.seed ?? 0}/${attempt}`)(32)
  return signStart(coordinator, { context, attempt, dealers, startNonce })
}

/** Runs a ceremony to its end at every party; deadlines fall, round after round, whenever nothing more is under way. */
export async function runCeremony(options: RunOptions): Promise<Run> {
  const { spec, signers } = options
  const start = startFor(spec, signers, { ...options, seed: options.startSeed ?? options.seed ?? 0 })
  const attempt = attemptOf(spec, start.start)
  const peers = addressesOf(attempt)
  const network = new SimNetwork(options.seed ?? 0)
  options.prepare?.(network, start.start)
  const deadlines = [1, 2, 3, 4].map(() => new AbortController())
  const deadline = (round: number) => deadlines[round - 1]?.signal ?? AbortSignal.abort()
  const sessions = new Map<Address, Session>()
  const endings = new Map<Address, Ending>()
  for (const address of peers) {
    const node = network.join(address)
    node.admit({ committee: peers, receipts: [] })
    const signer = signers.find((each) => each.address === address)
    if (signer === undefined) throw new RangeError(`run ceremony: no signer of ${address}`)
    const channel = node.open(attempt.sessionId, peers)
    const rng = seededRng(`${options.rngSeed ?? options.seed ?? 0}/${address}/${start.start.attempt}`)
    sessions.set(address, openSession({ spec, start, signer, channel, rng, deadline }))
  }
  const parties = [...sessions].map(async ([address, session]) => {
    endings.set(address, await runParty(session, { options, address }))
  })
  const all = Promise.all(parties)
  for (let round = 1; endings.size < sessions.size; ) {
    await Promise.race([network.idle(), all])
    await new Promise<void>((resolve) => setImmediate(resolve))
    if (network.busy || endings.size === sessions.size) continue
    if (network.whenIdle()) continue
    if (options.closes !== undefined) sessions.get(options.closes)?.close()
    deadlines[round - 1]?.abort()
    options.fallen?.(round, network)
    round += 1
    await new Promise<void>((resolve) => setImmediate(resolve))
    if (round > 5 && !network.busy) throw new Error('run ceremony: a party waits for ever')
  }
  await all
  await network.idle()
  for (const session of sessions.values()) session.close()
  return { spec, start, endings, sessions, network }
}

async function runParty(session: Session, of: { options: RunOptions; address: Address }): Promise<Ending> {
  const { options, address } = of
  const { spec, signers, held, confirms } = options
  let prepared: Prepared | null = null
  try {
    const rogue = options.rogues?.get(address)
    if (rogue !== undefined) {
      await rogue(session, held?.get(address) ?? [])
      return { prepared, certificate: null, error: null }
    }
    prepared = spec.op === 'keygen' ? await keygen(session) : await reshare(session, held?.get(address) ?? [])
    if (confirms?.(address) === false) return { prepared, certificate: null, error: null }
    const signer = signers.find((each) => each.address === address)
    const readiness =
      session.seat('new') === null || signer === undefined ? null : readinessOf(spec, prepared, signer)
    return { prepared, certificate: await confirm(session, prepared, readiness), error: null }
  } catch (error) {
    return { prepared, certificate: null, error }
  }
}

/** A member's Readiness signature for a result. */
export function readinessOf(spec: CeremonySpec, prepared: Prepared, signer: Signer): Uint8Array {
  const hash = activationHash(activationOf(spec, prepared))
  return signer.sign(readinessDigest(spec, hash, signer.address))
}

/** What a party prepared; its error if it did not. */
export function preparedOf(run: Run, address: Address): Prepared {
  const ending = run.endings.get(address)
  if (ending === undefined || ending.prepared === null)
    throw ending?.error ?? new Error(`no ending of ${address}`)
  return ending.prepared
}

/** Every party's shares by address, for the next ceremony. */
export function sharesOf(run: Run): Map<Address, readonly KeyShare[]> {
  return new Map(run.spec.next.members.map((address) => [address, preparedOf(run, address).shares] as const))
}

/** Hex of a group key, for comparisons. */
export function groupKeysOf(prepared: Prepared): string[] {
  return prepared.keys.map((key) => to0x(concat(key.groupKey)))
}
