// `truss reshare approve`: lets this node deal for a pending change that the operator's own rules hold back.
import { Command } from 'commander'
import { whole } from '../lib/settings.ts'
import { argument, contextOf, show } from './command.ts'
import { confirmed } from './confirm.ts'
import { askDaemon, clientConfig } from './daemon-client.ts'
import type { Io } from './io.ts'

export function reshareCommand(io: Io): Command {
  const reshare = new Command('reshare').description('changes of the committee, as this operator sees them')
  reshare
    .command('approve')
    .description('deal for a pending change that the rules dealMinThreshold, dealMaxChanges, ... hold back')
    .argument('<epoch>', 'number of the pending epoch', argument(whole(1, Number.MAX_SAFE_INTEGER)))
    .option('--yes', 'do not ask')
    .action(async (epoch: number, options: { yes?: true }, command: Command) => {
      const context = contextOf(io, command)
      const { dataDirectory } = clientConfig(context)
      await confirmed(context, options, [
        `This node will deal for epoch ${epoch} although your rules hold it back (\`truss status\` says which).`,
        'From the moment it deals, the new committee can hold the live key; cancelling does not take that back.',
      ])
      const answer = await askDaemon<object>(dataDirectory, 'POST', ['/approve', { epoch }])
      show(context, answer, [`approved: this node deals for epoch ${epoch} from its next attempt on`])
    })
  return reshare
}
