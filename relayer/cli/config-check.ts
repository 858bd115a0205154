// `truss config check`: reads the configuration and unlocks the keystore; tells what the daemon would run with.
import { Command } from 'commander'
import { loadConfig } from '../config.ts'
import { columns, contextOf, show } from './command.ts'
import type { Io } from './io.ts'

export function configCommand(io: Io): Command {
  const config = new Command('config').description('the configuration')
  config
    .command('check')
    .description('check settings, keystore and password, without touching chain, network or data directory')
    .action(async (_options: object, command: Command) => {
      const context = contextOf(io, command)
      const loaded = loadConfig(context.source)
      const [{ openOperatorKey }, { signerOf }, { peerIdOf }] = await Promise.all([
        import('./operator-key.ts'),
        import('../crypto/identity.ts'),
        import('../p2p/identity.ts'),
      ])
      const key = await openOperatorKey(io, loaded)
      const { address } = signerOf(key)
      const peerId = peerIdOf(key)
      key.wipe()
      // URLs of endpoints may carry keys: only their hosts are shown.
      const rpcUrls = loaded.rpcUrls.map((url) => new URL(url).host)
      const shown = { ...loaded, rpcUrls }
      show(context, { address, peerId, config: shown }, [
        ...columns([
          ['address', address],
          ['PeerId', peerId],
          ...Object.entries(shown).map(([name, value]): [string, string] => [
            name,
            typeof value === 'object' ? Object.values(value).join(', ') : String(value),
          ]),
        ]),
        'the configuration is in order',
      ])
    })
  return config
}
