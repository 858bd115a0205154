// The pure fold from the contract's state at one final block to what a ceremony is about; every node derives the same.
import type { BlockRef, CommitteeState, EpochInfo } from '../chain/chain.ts'
import { type Address, equal, fromHex } from '../lib/bytes.ts'
import { ChainError } from '../lib/errors.ts'
import { type KeySpec, type RegisteredKey, type Scheme, SCHEMES } from '../protocol/keyshare.ts'
import { type Committee, committeeHash } from '../protocol/party.ts'
import type { CeremonySpec } from '../protocol/spec.ts'

/** Which bridge on which chain. */
export interface Place {
  readonly chainId: number
  readonly bridge: Address
}

/** What the contract says at one final block. */
export interface Facts {
  readonly state: CommitteeState
  /** `epochInfo` of the pending epoch, null if none is pending. */
  readonly pending: EpochInfo | null
  /** `epochInfo` of the running epoch, null before the first. */
  readonly running: EpochInfo | null
  /** The block in which governance asked, null if no change is pending. */
  readonly trigger: BlockRef | null
}

/**
 * What the pending change is about, or null if there is none.
 * @throws ChainError if the contract's statements do not fit each other
 */
export function specOf(place: Place, facts: Facts): CeremonySpec | null {
  const { state, pending, running, trigger } = facts
  if (state.pending === null) return null
  if (pending === null || trigger === null || pending.epoch !== state.pending.epoch)
    throw misfit(`epoch ${state.pending.epoch} is pending, and nothing is known of it`)
  const keygen = state.pending.kind === 'keygen'
  if (!keygen && running?.epoch !== state.pending.predecessor)
    throw misfit(`epoch ${state.pending.predecessor} is to be succeeded, and is not the running one`)
  return {
    op: state.pending.kind,
    ...place,
    held: keygen || running === null ? [] : registeredKeys(state, running),
    generated: generatedKeys(state),
    old: keygen || running === null ? null : committeeOf(place, running),
    next: committeeOf(place, pending),
    triggerBlockHash: fromHex(trigger.hash),
  }
}

/** An epoch's committee. @throws ChainError unless it hashes to what the contract states */
export function committeeOf({ chainId, bridge }: Place, info: EpochInfo): Committee {
  const committee = { epoch: info.epoch, members: info.members, threshold: info.threshold }
  if (!equal(committeeHash(chainId, bridge, committee), fromHex(info.committeeHash)))
    throw misfit(`the members of epoch ${info.epoch} do not hash to its committee hash`)
  return committee
}

/** The registered keys with what the contract stored for the running epoch. @throws ChainError if one is missing */
export function registeredKeys(state: CommitteeState, running: EpochInfo): RegisteredKey[] {
  return state.keys.map(({ keyId, scheme, groupKey }) => {
    const stored = running.commitmentsHashes.find((entry) => entry.keyId === keyId)
    if (stored === undefined || groupKey === '0x') throw misfit(`key ${keyId} has no commitments on chain`)
    return {
      keyId,
      scheme: schemeOf(scheme),
      groupKey: fromHex(groupKey),
      commitmentsHash: fromHex(stored.hash),
    }
  })
}

/** The name of a scheme tag. @throws ChainError for an unknown one */
export function schemeOf(tag: number): Scheme {
  const scheme = SCHEMES[tag]
  if (scheme === undefined)
    throw new ChainError(`read keys: scheme tag ${tag} is unknown`, {
      hint: 'this version of truss is older than the contract: upgrade it',
    })
  return scheme
}

function generatedKeys({ pending, keys }: CommitteeState): KeySpec[] {
  if (pending?.kind === 'keygen')
    return keys.map(({ keyId, scheme }) => ({ keyId, scheme: schemeOf(scheme) }))
  if (pending?.kind !== 'addkey') return []
  if (pending.addedScheme === null) throw misfit('a key is being added, and its scheme is not stated')
  return [{ keyId: keys.length, scheme: schemeOf(pending.addedScheme) }]
}

function misfit(what: string): ChainError {
  return new ChainError(`read committee: ${what}`, {
    hint: 'the RPC endpoints or the contract are not what they should be: check bridge and rpcUrls',
  })
}
