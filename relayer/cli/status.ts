// `truss status`: what the daemon sees, does, and waits for.
import { Command } from 'commander'
import { contextOf, show } from './command.ts'
import { askDaemon, clientConfig } from './daemon-client.ts'
import type { Io } from './io.ts'

export function statusCommand(io: Io): Command {
  return new Command('status')
    .description('show epoch, ceremony, members, what is waited for, and health')
    .action(async (_options: object, command: Command) => {
      const context = contextOf(io, command)
      const status = await askDaemon<object>(clientConfig(context).dataDirectory, 'GET', ['/status'])
      show(context, status, JSON.stringify(status, null, 2).split('\n'))
    })
}
