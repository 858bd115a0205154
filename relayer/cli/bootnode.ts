// `truss bootnode`: runs a node that only helps others to find each other, until SIGTERM or SIGINT.
import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { Command } from 'commander'
import { loadBootnodeConfig } from '../config.ts'
import { fromHex, toHex } from '../lib/bytes.ts'
import { ConfigError } from '../lib/errors.ts'
import { Secret } from '../lib/secret.ts'
import { columns, contextOf, show } from './command.ts'
import type { Io } from './io.ts'
import { aborted, stopInTime } from './start.ts'

export function bootnodeCommand(io: Io): Command {
  return new Command('bootnode')
    .description('run a node that only helps others to find each other; its identity is kept in a file')
    .option(
      '--key-file <file>',
      'file with its private key in hex; made if absent (dataDirectory/bootnode.key)',
    )
    .action(async (options: { keyFile?: string }, command: Command) => {
      const stop = io.stopSignal()
      const context = contextOf(io, command)
      const config = loadBootnodeConfig(context.source)
      const privateKey = await bootnodeKey(options.keyFile ?? join(config.dataDirectory, 'bootnode.key'))
      const [{ createBootnode }, { createLog }] = await Promise.all([
        import('../node.ts'),
        import('../lib/log.ts'),
      ])
      const node = createBootnode(config, { privateKey }, createLog(config.logLevel))
      try {
        const up = await node.start()
        show(
          context,
          up,
          columns([
            ['PeerId', up.peerId],
            ['HTTP', up.http],
            ...up.multiaddrs.map((multiaddr): [string, string] => ['bootstrap', multiaddr]),
          ]),
        )
        await aborted(stop)
      } finally {
        await stopInTime(() => node.stop())
      }
    })
}

/** The key in the file, 32 bytes; a new one is written (0600) if there is no file. @throws ConfigError */
async function bootnodeKey(file: string): Promise<Secret> {
  try {
    if (existsSync(file)) return new Secret(parse(readFileSync(file, 'utf8')))
    const { systemRng } = await import('../crypto/rng.ts')
    const key = systemRng(32)
    mkdirSync(dirname(file), { recursive: true, mode: 0o700 })
    writeFileSync(file, `${toHex(key)}\n`, { flag: 'wx', mode: 0o600 })
    chmodSync(file, 0o600)
    return new Secret(key)
  } catch (cause) {
    if (cause instanceof ConfigError) throw cause
    throw new ConfigError(`keep the bootnode's key in ${file}: it cannot be read or written`, {
      hint: 'mend dataDirectory or --key-file, or their permissions',
      cause,
    })
  }
}

/** Nothing of the text goes into the refusal. */
function parse(text: string): Uint8Array {
  const digits = text.trim()
  if (!/^(0x)?[0-9a-fA-F]{64}$/.test(digits))
    throw new ConfigError("read the bootnode's key: not 64 hex digits", {
      hint: 'restore the file, or remove it to get a new identity (relayers must then name its new PeerId)',
    })
  return fromHex(digits)
}
