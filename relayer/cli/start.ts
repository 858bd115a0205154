// `truss start`: runs the relayer until SIGTERM or SIGINT.
import { Command } from 'commander'
import { loadConfig } from '../config.ts'
import { systemClock } from '../lib/clock.ts'
import { columns, contextOf, show } from './command.ts'
import type { Io } from './io.ts'

export function startCommand(io: Io): Command {
  return new Command('start')
    .description('run the relayer; SIGTERM or Ctrl-C stops it')
    .action(async (_options: object, command: Command) => {
      // First of all: unlocking the key takes seconds, and whoever stops the service then wants a clean end too.
      const stop = io.stopSignal()
      const context = contextOf(io, command)
      const config = loadConfig(context.source)
      const [{ openOperatorKey }, { createNode }, { createLog }] = await Promise.all([
        import('./operator-key.ts'),
        import('../node.ts'),
        import('../lib/log.ts'),
      ])
      // A person who is asked for the password ends the question by stopping.
      const operatorKey = await Promise.race([openOperatorKey(io, config), aborted(stop)])
      if (operatorKey === undefined || stop.aborted) return operatorKey?.wipe()
      const node = createNode(config, { operatorKey }, createLog(config.logLevel))
      try {
        const up = await node.start(stop)
        show(context, up, [
          ...columns([
            ['address', up.address],
            ['PeerId', up.peerId],
            ['listening', up.multiaddrs.join(', ')],
            ['HTTP', up.http],
            ['control', up.control],
          ]),
        ])
        await aborted(stop)
      } catch (error) {
        if (!stop.aborted) throw error
      } finally {
        await stopInTime(() => node.stop())
      }
    })
}

/** What systems give a service before they kill it; every durable step is whole before and after. */
const STOP_MS = 9_000

/** Waits for a stop, but not for ever: the process ends after it in any case. */
export async function stopInTime(stop: () => Promise<void>): Promise<void> {
  const late = new AbortController()
  await Promise.race([stop(), systemClock.sleep(STOP_MS, late.signal)])
  late.abort()
}

/** Resolves when the signal aborts. */
export function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve()
    else signal.addEventListener('abort', () => resolve(), { once: true })
  })
}
