// What `truss status` shows: plain JSON of where this node and its committee stand, and what they wait for.
import type { AttemptFailure, Blocker, Stage } from '../ceremony/view.ts'
import { attemptAt } from '../ceremony/windows.ts'
import type { CeremonyKind, Phase } from '../chain/chain.ts'
import type { Address, Hex } from '../lib/bytes.ts'
import { type PeerView, PROTOCOL_VERSION } from '../protocol/channel.ts'
import { indexOf } from '../protocol/party.ts'
import type { Ceremonies } from './ceremonies.ts'
import { online } from './checks.ts'
import type { ChangeStatus } from './consent.ts'
import type { Sight } from './follower.ts'
import { type Obstacle, obstaclesOf } from './obstacles.ts'
import { type Owed, owedBy } from './owed.ts'
import type { Desk } from './parts.ts'
import type { Problem } from './problems.ts'
import type { ReceiptDesk } from './receipts.ts'

/** One member of the running or the pending committee, as this node sees it. */
export interface MemberStatus {
  readonly address: Address
  readonly alias: string | null
  readonly self: boolean
  /** 1-based index in the running committee, null for a newcomer. */
  readonly index: number | null
  /** 1-based index in the pending committee, null if none is pending or it leaves. */
  readonly nextIndex: number | null
  readonly connected: boolean
  /** Has announced itself for the attempt. */
  readonly announced: boolean
  /** Its readiness for the attempt is known. */
  readonly ready: boolean
  readonly deals: boolean
  readonly protocolVersion: number | null
  readonly softwareVersion: string | null
  /** Latest block that it reports. */
  readonly head: number | null
  /** Running epoch as it reports it. */
  readonly epoch: number | null
  readonly latencyMs: number | null
}

/** The ceremony that this node takes part in. */
export interface CeremonyStatus {
  readonly op: CeremonyKind
  readonly epoch: number
  readonly stage: Stage
  readonly startBlock: number
  readonly windowBlocks: number
  /** k at the latest head. */
  readonly window: number | null
  /** The attempt that runs or ran last. */
  readonly attempt: number | null
  readonly nextAttemptBlock: number | null
  readonly coordinator: Address | null
  readonly dealers: readonly Address[]
  readonly failureCount: number
  readonly failures: readonly AttemptFailure[]
  /** Who aborted, or was waited for in vain, in how many attempts; nothing of it is proven. */
  readonly blockers: readonly Blocker[]
  readonly halted: { readonly reason: string; readonly culprits: readonly Address[] } | null
}

/** A share set on this node's disk. */
export interface ShareStatus {
  readonly epoch: number
  readonly attempt: number
  readonly state: 'active' | 'prepared' | 'retired' | 'lost'
}

/** All of it. */
export interface Status {
  readonly address: Address
  readonly softwareVersion: string
  readonly chainId: number
  readonly bridge: Address
  readonly head: number
  readonly finalised: number | null
  /** Null before the first look at the chain. */
  readonly phase: Phase | null
  readonly epoch: number
  readonly threshold: number
  readonly pendingEpoch: number | null
  /** This node's index in the running committee, or null. */
  readonly index: number | null
  /** The epoch whose shares this node signs with, or null. */
  readonly signsWith: number | null
  /** Members of the running and the pending committee, ascending by address. */
  readonly members: readonly MemberStatus[]
  readonly ceremony: CeremonyStatus | null
  readonly waitsFor: readonly { readonly what: string; readonly who: readonly Address[] }[]
  /** The pending change, and what this operator's rules and its decision say of it. */
  readonly change: ChangeStatus | null
  /** Who holds the pending ceremony up, why, and what can be done. */
  readonly obstacles: readonly Obstacle[]
  /** How many more members may fail before the committee cannot sign, or cannot reshare; negative: it cannot now. */
  readonly sparesToSign: number
  readonly sparesToReshare: number
  /** What the completion of the last reshare waits for; null if it is complete. */
  readonly deletions: {
    /** The superseded epoch and those burned before its successor, as far as they lack receipts on chain; ascending. */
    readonly epochs: readonly Owed[]
    /** Whether transfers wait for them: not once enough are known, on chain or not. */
    readonly pausesTransfers: boolean
  } | null
  readonly shares: readonly ShareStatus[]
  readonly evidence: number
  readonly problems: readonly Problem[]
}

/** One key for `truss keys`. */
export interface KeyStatus {
  readonly keyId: number
  readonly scheme: string
  readonly groupKey: Hex
  readonly epoch: number
  readonly holdsShare: boolean
}

/** What the status is made of. */
export interface StatusParts {
  readonly desk: Desk
  readonly sight: Sight | null
  readonly ceremonies: Ceremonies
  readonly change: ChangeStatus | null
  readonly receipts: ReceiptDesk
  readonly signsWith: number | null
}

/** The status now. Records that cannot be read show as problems, never as an error of the status. */
export async function statusOf(parts: StatusParts): Promise<Status> {
  const { desk, sight, ceremonies } = parts
  const { chain, self, blocks, softwareVersion, problems, store } = desk
  const running = sight?.running ?? null
  const ceremony = ceremonyStatus(ceremonies, blocks.head())
  const spares = sight === null ? { toSign: 0, toReshare: 0 } : sparesOf(desk, sight)
  const deletions = sight === null ? null : await deletionsOf(parts, sight)
  return {
    address: self,
    softwareVersion,
    chainId: chain.chainId,
    bridge: chain.bridge,
    head: blocks.head(),
    finalised: sight?.finalised.number ?? null,
    phase: sight?.state.phase ?? null,
    epoch: sight?.state.epoch ?? 0,
    threshold: sight?.state.threshold ?? 0,
    pendingEpoch: sight?.state.pending?.epoch ?? null,
    index: running === null ? null : indexOf(running, self),
    signsWith: parts.signsWith,
    members: sight === null ? [] : membersOf(desk, sight, ceremonies),
    ceremony,
    waitsFor: waitsOf(ceremonies, deletions),
    change: parts.change,
    obstacles: obstaclesNow(desk, ceremonies),
    sparesToSign: spares.toSign,
    sparesToReshare: spares.toReshare,
    deletions,
    shares: await sharesOf(desk),
    evidence: await store.evidenceCount().catch(() => 0),
    problems: problems.list(),
  }
}

function ceremonyStatus({ current }: Ceremonies, head: number): CeremonyStatus | null {
  if (current === null) return null
  const { view, startBlock, windowBlocks } = current
  const { op, epoch, stage, attempt, nextAttemptBlock, coordinator, dealers } = view
  const { failureCount, failures, blockers, halted } = view
  const window = attemptAt(current, head)
  const times = { startBlock, windowBlocks, window, attempt, nextAttemptBlock }
  return { op, epoch, stage, ...times, coordinator, dealers, failureCount, failures, blockers, halted }
}

/** Who holds up the ceremony that this node takes part in. */
export function obstaclesNow(desk: Desk, { current }: Ceremonies): Obstacle[] {
  if (current === null) return []
  const heads = new Map(
    (desk.peers?.() ?? []).map(({ address, hello }) => [address, hello?.head ?? null] as const),
  )
  return obstaclesOf({
    self: desk.self,
    spec: current.spec,
    view: current.view,
    problems: desk.problems.list(),
    head: desk.blocks.head(),
    connected: (member) => member === desk.self || desk.network.connected(member),
    headOf: (member) => heads.get(member) ?? null,
  })
}

function membersOf(desk: Desk, { state, running, pending }: Sight, { current }: Ceremonies): MemberStatus[] {
  const peers = new Map<Address, PeerView>((desk.peers?.() ?? []).map((peer) => [peer.address, peer]))
  const announced = new Map((current?.view.announced ?? []).map((said) => [said.address, said]))
  const all = new Set([...state.members, ...(running?.members ?? []), ...(pending?.members ?? [])])
  return [...all].sort().map((address) => {
    const hello = peers.get(address)?.hello ?? null
    const said = announced.get(address)
    const self = address === desk.self
    return {
      address,
      alias: desk.aliases?.[address] ?? null,
      self,
      index: indexOf(running ?? state, address),
      nextIndex: pending === null ? null : indexOf(pending, address),
      connected: self || desk.network.connected(address),
      announced: said !== undefined,
      ready: current?.view.ready.includes(address) ?? false,
      deals: current?.view.dealers.includes(address) ?? false,
      protocolVersion: self ? PROTOCOL_VERSION : (hello?.protocolVersion ?? said?.protocolVersion ?? null),
      softwareVersion: self
        ? desk.softwareVersion
        : (hello?.softwareVersion ?? said?.softwareVersion ?? null),
      head: self ? desk.blocks.head() : (hello?.head ?? null),
      epoch: self ? state.epoch : (hello?.epoch ?? null),
      latencyMs: peers.get(address)?.latencyMs ?? null,
    }
  })
}

/** A reshare needs all of the committee that is to be, and a threshold of the one that is. */
function sparesOf(desk: Desk, { running, pending }: Sight): { toSign: number; toReshare: number } {
  if (running === null) return { toSign: 0, toReshare: 0 }
  const toSign = online(desk, running.members).length - running.threshold
  const next = pending?.members ?? running.members
  const absent = next.length - online(desk, next).length
  return { toSign, toReshare: Math.min(toSign, -absent) }
}

async function deletionsOf({ receipts }: StatusParts, sight: Sight): Promise<Status['deletions']> {
  const { state, closed } = sight
  const epochs = await receipts.owed(sight).catch(() => owedBy(state, closed))
  if (epochs.length === 0) return null
  return {
    epochs,
    pausesTransfers: state.requireDeletionQuorum && epochs.some(({ missing }) => missing > 0),
  }
}

function waitsOf({ current }: Ceremonies, deletions: Status['deletions']): Status['waitsFor'] {
  const waits: { what: string; who: readonly Address[] }[] = []
  const { waitingFor } = current?.view ?? { waitingFor: null }
  if (waitingFor !== null && waitingFor !== undefined)
    waits.push({ what: waitingFor.what, who: waitingFor.members })
  for (const { epoch, known, needed, owing, missing } of deletions?.epochs ?? [])
    if (missing > 0)
      waits.push({ what: `deletion receipts of epoch ${epoch} (${known.length} of ${needed})`, who: owing })
  return waits
}

async function sharesOf({ store }: Desk): Promise<ShareStatus[]> {
  const [slots, retired, lost] = await Promise.all([
    store.slots(),
    store.retired().catch(() => []),
    store.lost(),
  ])
  const running = await store.running().catch(() => null)
  return slots.map(({ epoch, attempt }) => {
    const gone = retired.some((slot) => slot.epoch === epoch && slot.attempt === attempt)
    const active = running?.epoch === epoch && running.attempt === attempt
    if (gone && !active) return { epoch, attempt, state: 'retired' }
    if (lost.includes(epoch)) return { epoch, attempt, state: 'lost' }
    return { epoch, attempt, state: active ? 'active' : 'prepared' }
  })
}
