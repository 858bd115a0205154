// Parameters of the contract that governance sets beside the committee: each as it is and as it will be.
import type { AdminCall } from '../chain/admin.ts'
import { RefusedError } from './exit.ts'

/** A command that sets one parameter. */
export type SettingAction =
  | { readonly kind: 'set-window'; readonly blocks: number }
  | { readonly kind: 'require-deletions'; readonly required: boolean }
  | { readonly kind: 'pause-transfers' }
  | { readonly kind: 'unpause-transfers' }

/** The parameters now. */
export interface Parameters {
  readonly attemptWindowBlocks: number
  readonly requireDeletionQuorum: boolean
  readonly paused: boolean
}

/** One of them, before and after. */
export interface Setting {
  readonly name: keyof Parameters
  readonly now: number | boolean
  readonly then: number | boolean
}

/** What a plan says of a parameter. */
export interface SettingPlan {
  readonly call: AdminCall
  readonly setting: Setting
  readonly notes: readonly string[]
  readonly warnings: readonly string[]
}

const MOVES_NOTHING =
  'the bridge of this version moves no value yet: who reads the contract sees this, and nothing else changes'

/** Whether a command sets a parameter. */
export function setsParameter(action: { readonly kind: string }): action is SettingAction {
  return ['set-window', 'require-deletions', 'pause-transfers', 'unpause-transfers'].includes(action.kind)
}

/**
 * What a command will set.
 * @param windowBlocks the window of the pending ceremony, or null
 * @throws RefusedError if the contract is sure to refuse it
 */
export function settingPlan(
  action: SettingAction,
  parameters: Parameters,
  windowBlocks: number | null,
): SettingPlan {
  const { call, name, then } = parameterOf(action)
  const setting: Setting = { name, now: parameters[name], then }
  const same = setting.now === then
  if (same && name === 'paused')
    throw new RefusedError(
      `plan: ${then === true ? 'transfers are paused already' : 'transfers are not paused'}`,
      {
        hint: 'see `truss admin committee`',
      },
    )
  const notes = [
    ...(same ? ['it is so already: the call changes nothing'] : []),
    ...(name === 'attemptWindowBlocks' ? [] : [MOVES_NOTHING]),
    ...(name === 'attemptWindowBlocks' && windowBlocks !== null
      ? [`the pending ceremony keeps its window of ${windowBlocks} blocks`]
      : []),
  ]
  const warnings =
    name === 'requireDeletionQuorum' && then === false
      ? ['transfers will go on while shares of the old committee may still exist']
      : []
  return { call, setting, notes, warnings }
}

/** A parameter as people read it. */
export function settingText(name: keyof Parameters, value: number | boolean): string {
  if (name === 'attemptWindowBlocks') return `${value} blocks an attempt`
  if (name === 'paused') return value === true ? 'transfers are paused' : 'transfers go on'
  return `transfers ${value === true ? 'wait' : 'do not wait'} for deletion receipts`
}

function parameterOf(action: SettingAction): Pick<Setting, 'name' | 'then'> & { call: AdminCall } {
  switch (action.kind) {
    case 'set-window':
      return {
        call: { method: 'adminSetAttemptWindow', args: [action.blocks] },
        name: 'attemptWindowBlocks',
        then: action.blocks,
      }
    case 'require-deletions':
      return {
        call: { method: 'adminSetRequireDeletionQuorum', args: [action.required] },
        name: 'requireDeletionQuorum',
        then: action.required,
      }
    case 'pause-transfers':
      return { call: { method: 'adminPauseTransfers', args: [] }, name: 'paused', then: true }
    case 'unpause-transfers':
      return { call: { method: 'adminUnpauseTransfers', args: [] }, name: 'paused', then: false }
  }
}
