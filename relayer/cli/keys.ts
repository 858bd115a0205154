// `truss keys`: the group keys as the daemon knows them, with what this node holds of each.
import { Command } from 'commander'
import { contextOf, show } from './command.ts'
import { askDaemon, clientConfig } from './daemon-client.ts'
import type { Io } from './io.ts'

export function keysCommand(io: Io): Command {
  return new Command('keys')
    .description('show the group keys, and whether this node holds a share of each')
    .action(async (_options: object, command: Command) => {
      const context = contextOf(io, command)
      const keys = await askDaemon<readonly Record<string, unknown>[]>(
        clientConfig(context).dataDirectory,
        'GET',
        ['/keys'],
      )
      const lines = keys.flatMap((key) => [
        ...Object.entries(key).map(([name, value]) => `${name.padEnd(12)} ${String(value)}`),
        '',
      ])
      show(
        context,
        keys,
        keys.length === 0 ? ['no key yet: governance starts the first keygen'] : lines.slice(0, -1),
      )
    })
}
