// What a governance command will change, worked out from the contract's state before anything is sent.
import type { Earlier } from '../bridge/lineage.ts'
import { type Owed, owedText, waiverText } from '../bridge/owed.ts'
import { DEFAULT_RULES, heldBackBy } from '../bridge/policy.ts'
import type { AdminCall } from '../chain/admin.ts'
import type { CommitteeState, EpochInfo } from '../chain/chain.ts'
import type { Address } from '../lib/bytes.ts'
import { SCHEMES, type Scheme } from '../protocol/keyshare.ts'
import { type Setting, type SettingAction, setsParameter, settingPlan } from './admin-setting.ts'
import { RefusedError } from './exit.ts'

/** A governance command. */
export type AdminAction =
  | { readonly kind: 'start-keygen' }
  | { readonly kind: 'add-key'; readonly scheme: Scheme }
  | { readonly kind: 'add-relayer'; readonly relayer: Address }
  | { readonly kind: 'remove-relayer'; readonly relayer: Address }
  | { readonly kind: 'set-threshold'; readonly threshold: number }
  | {
      readonly kind: 'set-committee'
      readonly add: readonly Address[]
      readonly remove: readonly Address[]
      /** As it is if absent. */
      readonly threshold?: number
    }
  | { readonly kind: 'refresh'; readonly reason: string }
  | { readonly kind: 'cancel' }
  | { readonly kind: 'waive-deletions'; readonly epoch: number }
  | SettingAction

/** Those about members, keys and what they owe. */
type CommitteeAction = Exclude<AdminAction, SettingAction>

/** The contract's state with the epochs that matter: the pending one, and those that lack receipts. */
export interface Situation {
  readonly state: CommitteeState
  readonly pending: EpochInfo | null
  /** What the completion of the last reshare waits for. */
  readonly owed: readonly Owed[]
  /** The committee that ran a default span of blocks ago; null before the first key. */
  readonly earlier: Earlier | null
  /** Whether transfers are paused. */
  readonly paused: boolean
}

/** n members of whom t must sign. */
export interface Shape {
  readonly members: readonly Address[]
  readonly threshold: number
}

/** What will happen. */
export interface Plan {
  readonly action: AdminAction
  /** The contract's function and its arguments. */
  readonly call: AdminCall
  /** The committee that the change applies to. */
  readonly before: Shape
  /** The committee afterwards; null if the command changes none. */
  readonly after: Shape | null
  /** The parameter that the command sets; null if it sets none. */
  readonly setting: Setting | null
  /** Whether nodes will run a ceremony, or the contract changes at once. */
  readonly ceremony: boolean
  /** Sentences for a person who is about to agree. */
  readonly notes: readonly string[]
  readonly warnings: readonly string[]
}

/** Smallest number that is more than half. */
export function majorityOf(members: number): number {
  return Math.floor(members / 2) + 1
}

/**
 * The plan of an action.
 * @throws RefusedError if the contract is sure to refuse it
 */
export function planOf(action: AdminAction, situation: Situation): Plan {
  const { state, pending } = situation
  const { members, threshold } = pending ?? state
  const before: Shape = { members, threshold }
  if (setsParameter(action)) {
    const { attemptWindowBlocks, requireDeletionQuorum } = state
    const parameters = { attemptWindowBlocks, requireDeletionQuorum, paused: situation.paused }
    const plan = settingPlan(action, parameters, state.pending?.windowBlocks ?? null)
    return { action, ...plan, before, after: null, ceremony: false }
  }
  const after = afterOf(action, before)
  if (after !== null) checkShape(action, after, state)
  const returns = state.pending !== null && after !== null && sameShape(after, state)
  const ceremony = needsCeremony(action, situation) && !returns
  const changesCommittee = 'relayer' in action || 'threshold' in action || action.kind === 'set-committee'
  if (changesCommittee && state.phase === 'keygen')
    throw new RefusedError(`plan: epoch ${state.pending?.epoch ?? '?'}, the first keygen, is pending`, {
      hint: 'wait for its activation, or cancel it with `truss admin cancel`',
    })
  if (ceremony && state.phase === 'active')
    throw new RefusedError(`plan: ${situation.owed.map(owedText).join(', ')}`, {
      hint: `wait for the receipts, or give up on them with ${waiverText(state, situation.owed)}`,
    })
  if (changesCommittee && after !== null && sameShape(after, before))
    throw new RefusedError(
      `plan: threshold ${threshold} with ${members.length} members is so already, and nothing changes`,
      {
        hint:
          state.pending === null
            ? 'see `truss admin committee`'
            : `epoch ${state.pending.epoch} is pending with this committee; to call it off use \`truss admin cancel\``,
      },
    )
  return {
    action,
    call: callOf(action, before),
    before,
    after,
    setting: null,
    ceremony,
    notes: returns
      ? ['this is the running committee again: the contract takes it as a cancellation']
      : notesOf(action, situation, { after, ceremony }),
    warnings: warningsOf(action, situation, after),
  }
}

function afterOf(action: CommitteeAction, { members, threshold }: Shape): Shape | null {
  switch (action.kind) {
    case 'add-relayer':
      return edit({ members, threshold }, [action.relayer], [])
    case 'remove-relayer':
      return edit({ members, threshold }, [], [action.relayer])
    case 'set-threshold':
      return { members, threshold: action.threshold }
    case 'set-committee':
      return {
        ...edit({ members, threshold }, action.add, action.remove),
        threshold: action.threshold ?? threshold,
      }
    case 'start-keygen':
    case 'add-key':
    case 'refresh':
      return { members, threshold }
    default:
      return null
  }
}

function edit(shape: Shape, add: readonly Address[], remove: readonly Address[]): Shape {
  for (const relayer of add)
    if (shape.members.includes(relayer))
      throw new RefusedError(`plan: ${relayer} is already a member`, { hint: 'see `truss admin committee`' })
  for (const relayer of remove)
    if (!shape.members.includes(relayer))
      throw new RefusedError(`plan: ${relayer} is no member`, { hint: 'see `truss admin committee`' })
  const members = [...shape.members.filter((member) => !remove.includes(member)), ...add].sort()
  return { members, threshold: shape.threshold }
}

function sameShape(a: Shape, b: Shape): boolean {
  return a.threshold === b.threshold && a.members.join() === b.members.join()
}

function checkShape(action: CommitteeAction, { members, threshold }: Shape, state: CommitteeState): void {
  if (threshold < 2 || threshold > members.length || members.length > 100)
    throw new RefusedError(
      `plan: threshold ${threshold} with ${members.length} members: 2 <= threshold <= members <= 100 must hold`,
      { hint: 'change members and threshold in one step with `truss admin set-committee`' },
    )
  if (action.kind === 'start-keygen' && state.phase !== 'idle')
    throw new RefusedError(`plan: a keygen starts in phase idle, and the phase is ${state.phase}`, {
      hint: 'for one more key use `truss admin add-key`; see `truss admin committee`',
    })
  if ((action.kind === 'refresh' || action.kind === 'add-key') && state.epoch === 0)
    throw new RefusedError('plan: there is no key yet', { hint: 'start with `truss admin start-keygen`' })
  if ((action.kind === 'refresh' || action.kind === 'add-key') && state.pending !== null)
    throw new RefusedError(`plan: epoch ${state.pending.epoch} is pending`, {
      hint: 'wait for its activation, or cancel it with `truss admin cancel`',
    })
}

function needsCeremony({ kind }: CommitteeAction, { state }: Situation): boolean {
  if (kind === 'cancel' || kind === 'waive-deletions') return false
  return kind === 'start-keygen' || state.phase !== 'idle'
}

function callOf(action: CommitteeAction, before: Shape): Plan['call'] {
  switch (action.kind) {
    case 'start-keygen':
      return { method: 'startKeygen', args: [] }
    case 'add-key':
      return { method: 'adminAddKey', args: [SCHEMES.indexOf(action.scheme)] }
    case 'add-relayer':
      return { method: 'adminAddRelayer', args: [action.relayer] }
    case 'remove-relayer':
      return { method: 'adminRemoveRelayer', args: [action.relayer] }
    case 'set-threshold':
      return { method: 'adminChangeRelayerThreshold', args: [action.threshold] }
    case 'set-committee':
      return {
        method: 'adminSetCommittee',
        args: [action.add, action.remove, action.threshold ?? before.threshold],
      }
    case 'refresh':
      return { method: 'refreshKey', args: [action.reason] }
    case 'cancel':
      return { method: 'adminCancelCeremony', args: [] }
    case 'waive-deletions':
      return { method: 'adminWaiveDeletions', args: [action.epoch] }
  }
}

function notesOf(
  action: CommitteeAction,
  situation: Situation,
  { after, ceremony }: { after: Shape | null; ceremony: boolean },
): string[] {
  const { state } = situation
  const notes: string[] = []
  if (ceremony && after !== null) {
    notes.push(
      `all ${after.members.length} members of the new committee must be online: ${after.members.join(', ')}`,
    )
    if (state.epoch > 0)
      notes.push(
        `and any ${state.threshold} of the ${state.members.length} members of the running one, to deal`,
      )
    if (state.epoch > 0)
      notes.push(
        `afterwards epoch ${state.epoch} is superseded and owes ${state.members.length - state.threshold + 1} deletion receipts`,
      )
  } else if (after !== null) notes.push('no key exists: the first committee is changed at once')
  if (state.pending !== null && (ceremony || action.kind === 'cancel'))
    notes.push(
      `pending epoch ${state.pending.epoch} (${state.pending.kind}) is burned: its shares are erased, with receipts`,
    )
  if (situation.owed.length > 0) notes.push(situation.owed.map(owedText).join(', '))
  return notes
}

function warningsOf(
  action: CommitteeAction,
  { state, owed, earlier }: Situation,
  after: Shape | null,
): string[] {
  const warnings: string[] = []
  const members = after?.members.length ?? 0
  if (after !== null && after.threshold < majorityOf(members)) {
    warnings.push(
      `threshold ${after.threshold} of ${members} is not a majority (${majorityOf(members)}): two disjoint groups could sign`,
    )
  }
  if (after !== null && after.threshold === members)
    warnings.push('every member will be needed: one lost share stops signing and resharing for ever')
  if (state.epoch > 0 && 2 * state.threshold <= state.members.length)
    warnings.push(
      'the dealers alone cannot give enough deletion receipts: more members of the old committee must',
    )
  const held =
    after === null || state.epoch === 0
      ? null
      : heldBackBy(DEFAULT_RULES, { old: state, next: after, earlier })
  if (held !== null)
    warnings.push(
      `by default the operators' rules hold this back (${held}): ${state.threshold} of the running members must \`truss reshare approve\` it`,
    )
  if (action.kind === 'waive-deletions')
    warnings.push(
      'shares that nobody has confirmed as erased may still exist, and together they hold the key',
    )
  if (action.kind === 'waive-deletions' && owed.length === 0)
    warnings.push('no deletions are outstanding for a superseded epoch: the contract may refuse')
  const burned = owed.filter(({ epoch }) => epoch !== state.outstandingEpoch).map(({ epoch }) => epoch)
  if (action.kind === 'waive-deletions' && action.epoch === state.outstandingEpoch && burned.length > 0)
    warnings.push(
      `epoch ${action.epoch} is the superseded one: the wait for epoch ${burned.join(', ')} ends with it too`,
    )
  if (action.kind === 'cancel' && state.pending !== null && state.epoch > 0)
    warnings.push(
      'members of the pending committee that were dealt shares already hold a sharing of the live key',
    )
  return warnings
}
