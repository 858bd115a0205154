// `truss keys`: the group keys as the daemon knows them, with what this node holds of each.
import { Command } from 'commander'
import type { KeyStatus } from '../bridge/status.ts'
import { columns, contextOf, show } from './command.ts'
import { askDaemon, clientConfig } from './daemon-client.ts'
import type { Io } from './io.ts'

export function keysCommand(io: Io): Command {
  return new Command('keys')
    .description('show the group keys, and whether this node holds a share of each')
    .action(async (_options: object, command: Command) => {
      const context = contextOf(io, command)
      const { dataDirectory } = clientConfig(context)
      const keys = await askDaemon<readonly KeyStatus[]>(dataDirectory, 'GET', ['/keys'])
      show(
        context,
        keys,
        keys.length === 0 ? ['no key yet: governance starts the first keygen'] : lines(keys),
      )
    })
}

/** A paragraph for each key. */
function lines(keys: readonly KeyStatus[]): string[] {
  return keys
    .flatMap(({ keyId, scheme, groupKey, epoch, holdsShare }) => [
      ...columns([
        ['key', `${keyId} (${scheme})`],
        ['group key', groupKey],
        ['epoch', String(epoch)],
        [
          'your share',
          holdsShare ? 'held: this node signs with it' : 'none to sign with: see `truss status`',
        ],
      ]),
      '',
    ])
    .slice(0, -1)
}
