// `truss admin committee`: the committee as the contract states it, with what is pending and what is owed.
import { Command } from 'commander'
import { SCHEMES } from '../protocol/keyshare.ts'
import { type BridgeOptions, bridgeConfig, bridgeOptions, openChain } from './admin-options.ts'
import { majorityOf, type Situation } from './admin-plan.ts'
import { settingText } from './admin-setting.ts'
import { columns, contextOf, show } from './command.ts'
import type { Io } from './io.ts'
import { type Namer, namerOf } from './names.ts'

export function committeeCommand(io: Io): Command {
  return bridgeOptions(
    new Command('committee').description('show the committee, what is pending, what is owed'),
  ).action(async (options: BridgeOptions, command: Command) => {
    const context = contextOf(io, command)
    const config = bridgeConfig(context, options)
    const { readSituation } = await import('./admin-run.ts')
    const chain = await openChain(config, null)
    try {
      const situation = await readSituation(chain, config)
      const admin = await chain.governance.admin()
      show(context, { ...situation, admin }, lines({ ...situation, admin }, namerOf(config)))
    } finally {
      chain.close()
    }
  })
}

function lines(
  { state, pending, owed, paused, admin }: Situation & { admin: string },
  name: Namer,
): string[] {
  const { members, threshold, attemptWindowBlocks, requireDeletionQuorum } = state
  return columns([
    ['phase', state.phase],
    ['epoch', String(state.epoch)],
    ['threshold', `${threshold} of ${members.length} (a majority is ${majorityOf(members.length)})`],
    ...members.map((member) => ['member', name(member)] as const),
    ...state.keys.map(
      ({ keyId, scheme, groupKey }) =>
        [
          `key ${keyId}`,
          `${SCHEMES[scheme] ?? '?'} ${groupKey === '0x' ? 'not made yet' : groupKey}`,
        ] as const,
    ),
    ...(state.pending === null || pending === null
      ? []
      : ([
          [
            'pending',
            `epoch ${pending.epoch} (${state.pending.kind}), since block ${state.pending.startBlock}`,
          ],
          ['', `${pending.threshold} of ${pending.members.length}: ${pending.members.map(name).join(', ')}`],
        ] as const)),
    ...owed.map(
      ({ epoch, onChain, needed }) =>
        ['owed', `epoch ${epoch}: ${onChain} of ${needed} deletion receipts`] as const,
    ),
    ['window', settingText('attemptWindowBlocks', attemptWindowBlocks)],
    ['receipts', settingText('requireDeletionQuorum', requireDeletionQuorum)],
    ['transfers', settingText('paused', paused)],
    ['admin', admin],
  ])
}
