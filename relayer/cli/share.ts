// `truss share declare-lost`: gives up shares that cannot be read, so that the node receives new ones in the next reshare.
import { Command } from 'commander'
import { InputError } from '../lib/errors.ts'
import { contextOf, show } from './command.ts'
import { confirmed } from './confirm.ts'
import { askDaemon, clientConfig } from './daemon-client.ts'
import type { Io } from './io.ts'
import type { FullStatus } from './status.ts'

export function shareCommand(io: Io): Command {
  const share = new Command('share').description("this node's shares of the keys")
  share
    .command('declare-lost')
    .description(
      'give up the shares of the running epoch: until the next reshare this node neither signs nor deals',
    )
    .option('--yes', 'do not ask')
    .action(async (options: { yes?: true }, command: Command) => {
      const context = contextOf(io, command)
      const { dataDirectory } = clientConfig(context)
      const { epoch } = await askDaemon<Pick<FullStatus, 'epoch'>>(dataDirectory, 'GET', ['/status'])
      if (epoch === 0)
        throw new InputError(
          'declare share lost: no epoch is running, or the daemon has not read the chain yet',
          {
            hint: 'see `truss status`; just after a start, try again in a moment',
          },
        )
      await confirmed(context, options, [
        `The shares of epoch ${epoch} are given up. This node signs and deals again only after the next reshare;`,
        'until then the committee has one signer less. Do this only when the shares cannot be recovered.',
      ])
      const answer = await askDaemon<object>(dataDirectory, 'POST', ['/declare-lost', { epoch }])
      show(context, answer, ['declared lost: ask governance for a refresh (`truss admin refresh`)'])
    })
  return share
}
