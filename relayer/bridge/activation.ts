// The chain's activation, verified by this node itself before it promotes a share or marks one for erasure; and sent in turn.
import type { ActivationEvent, EpochInfo } from '../chain/chain.ts'
import { leadDelay } from '../ceremony/windows.ts'
import { verifySignature } from '../crypto/schnorr.ts'
import { type Address, equal, fromHex, to0x } from '../lib/bytes.ts'
import { ChainError, messageOf, readable } from '../lib/errors.ts'
import { commitmentsHash } from '../protocol/keyshare.ts'
import { committeeHash, rankMembers } from '../protocol/party.ts'
import { type CeremonySpec, contextOf } from '../protocol/spec.ts'
import { activationDigest } from '../protocol/typed.ts'
import type { ActivationArgs, ShareRecord } from '../store/codec.ts'
import type { Slot } from '../store/sealing.ts'
import type { Store } from '../store/store.ts'
import { type Place, schemeOf } from './committee.ts'
import type { Sight } from './follower.ts'
import type { Desk } from './parts.ts'

/** The doubt about another group key than the known one. */
const OTHER_KEY = 'it names another group key'
const NO_KEY = 'no group key is known here to verify it under, and shares would be erased'

/** What the event must fit. */
export interface ActivationFacts {
  readonly place: Place
  readonly event: ActivationEvent
  readonly info: EpochInfo
  /** Scheme tag of key 0. */
  readonly scheme: number
  /** Group key 0 as this node knows it; null if it has never held or seen one. */
  readonly knownKey: Uint8Array | null
  /** This node's prepared share set of exactly that epoch and attempt, if it has one. */
  readonly prepared: ShareRecord | null
}

/**
 * Why a final `EpochActivated` must not move any share, or null if it stands: the group signature under the known key, the
 * committee hash that `epochInfo` gives, the attempt, and, if this node prepared that attempt, its very transcript.
 */
export function activationDoubt(facts: ActivationFacts): string | null {
  const { place, event, info, prepared } = facts
  const { activation, groupSignature } = event
  const { epoch, members, threshold } = info
  if (info.status !== 'active' && info.status !== 'superseded') return `epoch ${epoch} is ${info.status}`
  if (activation.epoch !== epoch || activation.attempt !== info.attempt)
    return 'event and epochInfo name different epochs or attempts'
  const committee = to0x(committeeHash(place.chainId, place.bridge, { epoch, members, threshold }))
  if (committee !== info.committeeHash || committee !== activation.committeeHash)
    return 'the committee hash is not that of the epoch'
  if (activation.transcriptHash !== info.transcriptHash)
    return 'event and epochInfo name different transcripts'
  const key = activation.keys[0]
  if (key?.keyId !== 0) return 'key 0 is missing'
  const groupKey = fromHex(key.groupKey)
  if (facts.knownKey !== null && !equal(facts.knownKey, groupKey)) return OTHER_KEY
  const digest = activationDigest(place, activation)
  if (!verifySignature({ scheme: schemeOf(facts.scheme), groupKey }, digest, fromHex(groupSignature)))
    return 'the group signature is invalid'
  return prepared === null ? null : preparedDoubt(prepared, event)
}

function preparedDoubt(prepared: ShareRecord, { activation }: ActivationEvent): string | null {
  if (to0x(prepared.transcript) !== activation.transcriptHash) return 'this node prepared another transcript'
  const same = activation.keys.every((record, at) => {
    const key = prepared.keys[at]
    return key?.keyId === record.keyId && to0x(commitmentsHash(key)) === record.commitmentsHash
  })
  return same && activation.keys.length === prepared.keys.length ? null : 'this node prepared other keys'
}

/**
 * Follows the chain to its running epoch: verifies the activation and promotes.
 * @param signed activations that the ceremony made or heard, for their readiness signatures
 * @throws ChainError if the activation does not stand; nothing is touched then
 */
export async function follow(
  desk: Desk,
  sight: Sight,
  signed: readonly ActivationArgs[],
  signal: AbortSignal,
): Promise<void> {
  const { chain, store, problems } = desk
  const { state, running: info, finalised } = sight
  const running = await store.running()
  if (info === null || (running?.epoch ?? 0) >= state.epoch) return problems.set('activation', null)
  const event = await chain.activation(state.epoch, finalised, signal)
  if (event === null) throw doubtful(state.epoch, 'no event of it is found')
  const lost = (await store.lost()).includes(state.epoch)
  const slots = lost ? [] : await store.preparedSlots(state.epoch)
  const own = slots.find(({ attempt }) => attempt === info.attempt)
  // Damage of the very record that is activated stops here; that of another attempt's does not matter.
  const prepared = own === undefined ? null : await store.shareRecord(own)
  // A keygen has no key that is known before: then what this node prepared says it, be it in another attempt, for without
  // this node's readiness no attempt is activated, and each has a key of its own.
  const scheme = state.keys[0]?.scheme ?? -1
  const knownKey =
    (await knownGroupKey(store)) ??
    (prepared ?? (await anyReadable(store, slots)))?.keys[0]?.groupKey ??
    (await missedGroupKey(desk, sight, signal))
  const doubt = activationDoubt({ place: chain, event, info, scheme, knownKey, prepared })
  const unknown = doubt === null && knownKey === null && !lost && (await holdsBelow(store, sight))
  // It never had a share that is active, and what it prepared in a keygen says nothing of another attempt: nothing is
  // promoted or erased, and what it prepares in the next change as a newcomer says the key.
  if (running === null && (unknown || (doubt === OTHER_KEY && prepared === null)))
    return problems.set('activation', unverified(state.epoch, doubt ?? NO_KEY))
  if (doubt !== null || unknown) throw doubtful(state.epoch, doubt ?? NO_KEY)
  const heard = signed.find(
    ({ activation }) => activation.epoch === state.epoch && activation.attempt === info.attempt,
  )
  const { activation, groupSignature } = event
  await store.promote({ activation, groupSignature, readiness: heard?.readiness ?? [] })
  problems.set('activation', null)
  desk.log.info({ epoch: state.epoch, attempt: info.attempt, held: prepared !== null }, 'epoch activated')
}

/**
 * Group key 0 as an activation says it that this node prepared and missed, verified under the very key that it prepared: a
 * disk from before the first activation comes back when later epochs have followed. Null if there is none.
 */
async function missedGroupKey(desk: Desk, sight: Sight, signal: AbortSignal): Promise<Uint8Array | null> {
  const { chain, store } = desk
  const scheme = sight.state.keys[0]?.scheme ?? -1
  for (const epoch of (await store.epochsHeld()).filter((each) => each < sight.state.epoch)) {
    const info = await sight.info(epoch)
    const slots = (await store.preparedSlots(epoch)).filter(({ attempt }) => attempt === info.attempt)
    const prepared = await anyReadable(store, slots)
    const knownKey = prepared?.keys[0]?.groupKey
    const event = knownKey === undefined ? null : await chain.activation(epoch, sight.finalised, signal)
    if (prepared === null || knownKey === undefined || event === null) continue
    if (activationDoubt({ place: chain, event, info, scheme, knownKey, prepared }) === null) return knownKey
  }
  return null
}

/** The first share record among these that can be read, or null. */
async function anyReadable(store: Store, slots: readonly Slot[]): Promise<ShareRecord | null> {
  for (const slot of slots) {
    const record = await readable(store.shareRecord(slot))
    if (record !== null) return record
  }
  return null
}

/** Whether shares of epochs up to the running one are kept that no deep burn lets go of. */
async function holdsBelow(store: Store, { state, closedDeep }: Sight): Promise<boolean> {
  for (const epoch of (await store.epochsHeld()).filter((each) => each <= state.epoch)) {
    const burned = closedDeep.some((info) => info.epoch === epoch && info.status === 'burned')
    if (!burned || (await store.activationSeen(epoch))) return true
  }
  return false
}

/** Group key 0 of the last verified activation, or of the active share; null if this node has neither. */
async function knownGroupKey(store: Store): Promise<Uint8Array | null> {
  const activated = (await readable(store.activation()))?.activation.keys[0]
  if (activated !== undefined) return fromHex(activated.groupKey)
  return (await readable(store.activeShare()))?.keys[0]?.groupKey ?? null
}

/**
 * Sends an activation when it is this node's turn, and looks after it until the signal aborts: an activation that was
 * reorganised away is sent again. Members of the new committee come first, in order of rank.
 */
export async function submitInTurn(
  desk: Desk,
  { spec, args, windowBlocks }: { spec: CeremonySpec; args: ActivationArgs; windowBlocks: number },
  signal: AbortSignal,
): Promise<void> {
  const { chain, blocks, log, metrics } = desk
  const { epoch, attempt } = args.activation
  const delay = Math.max(2, leadDelay({ windowBlocks, startBlock: 0 }))
  const turn = turnOf(desk.self, rankMembers(contextOf(spec), attempt, spec.next.members))
  let due = blocks.head() + turn * delay
  let failures = 0
  for (;;) {
    await blocks.reached(due, signal)
    try {
      const outcome = await chain.activate(args, signal)
      metrics?.transactions.inc({ method: 'activate', outcome: outcome.kind })
      if (outcome.kind === 'mined') log.info({ epoch, attempt, tx: outcome.hash }, 'activation mined')
      desk.problems.set('activate', null)
      failures = 0
    } catch (error) {
      signal.throwIfAborted()
      metrics?.transactions.inc({ method: 'activate', outcome: 'failed' })
      failures += 1
      // Two members that send in the same block are no problem: the next look shows that it is done.
      if (failures > 1)
        desk.problems.set('activate', {
          severity: 'warning',
          message: messageOf(error),
          remedy: 'check the account of this node and its RPC endpoints; other members send it too',
        })
    }
    due = blocks.head() + (failures === 1 ? 1 : delay * (spec.next.members.length + 1))
  }
}

/** Position in a ranking; behind all others for somebody who is not ranked. */
export function turnOf(self: Address, ranked: readonly Address[]): number {
  const at = ranked.indexOf(self)
  return at === -1 ? ranked.length : at
}

function unverified(epoch: number, why: string) {
  return {
    severity: 'critical',
    message: `verify activation of epoch ${epoch}: ${why}`,
    remedy:
      'check the RPC endpoints of this node against others; it keeps its shares, unused, and takes part in the next change, in which it receives a new one',
  } as const
}

function doubtful(epoch: number, why: string): ChainError {
  return new ChainError(`verify activation of epoch ${epoch}: ${why}`, {
    hint: 'this node keeps its shares as they are: check its RPC endpoints against others',
  })
}
