// `truss sign-probe`: has the committee sign a harmless text with a key, to see that it can.
import { Command } from 'commander'
import type { SignedProbe } from '../bridge/relayer.ts'
import { whole } from '../lib/settings.ts'
import { checkedAddress } from './argument-checks.ts'
import { argument, bounded, columns, contextOf, show } from './command.ts'
import { askDaemon, clientConfig } from './daemon-client.ts'
import type { Io } from './io.ts'
import { namerOf } from './names.ts'

interface ProbeOptions {
  readonly key: number
  readonly text: string
  readonly include?: string
  readonly timeoutMs: number
}

export function probeCommand(io: Io): Command {
  return new Command('sign-probe')
    .description('have the committee sign a Probe with one key; every signer builds the message itself')
    .option('--key <number>', 'key id', argument(whole(0, 2 ** 32 - 1)), 0)
    .option('--text <text>', 'text of the probe, at most 256 bytes', 'probe')
    .option('--include <address>', 'a member that must be among the signers', argument(checkedAddress))
    .addOption(bounded('--timeout-ms <ms>', 'how long to try', { least: 100, most: 600_000 }).default(30_000))
    .action(async ({ key, text, include, timeoutMs }: ProbeOptions, command: Command) => {
      const context = contextOf(io, command)
      const config = clientConfig(context)
      const body = { keyId: key, text, timeoutMs, ...(include === undefined ? {} : { include }) }
      const answer = await askDaemon<SignedProbe>(config.dataDirectory, 'POST', ['/sign-probe', body])
      const name = namerOf(config)
      show(
        context,
        answer,
        columns([
          ['key', `${answer.keyId} (${answer.scheme}), epoch ${answer.epoch}`],
          ['group key', answer.groupKey],
          ['digest', answer.digest],
          ['signature', answer.signature],
          ['signers', answer.signers.map(name).join(', ')],
        ]),
      )
    })
}
