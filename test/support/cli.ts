// The command line in this process: what it would print, and with which code it would end.
import { run } from '../../relayer/cli/program.ts'
import type { Io } from '../../relayer/cli/io.ts'

/** An Io that keeps what is printed; nobody answers at it. */
export function quietIo(env: Record<string, string> = {}): { io: Io; out: string[]; err: string[] } {
  const out: string[] = []
  const err: string[] = []
  const io: Io = {
    out: (line) => void out.push(line),
    err: (line) => void err.push(line),
    env,
    interactive: false,
    ask: () => Promise.reject(new Error('nobody answers')),
    askSecret: () => Promise.reject(new Error('nobody answers')),
    stopSignal: () => AbortSignal.timeout(60_000),
  }
  return { io, out, err }
}

/** Runs one command line. */
export async function truss(
  args: readonly string[],
  env: Record<string, string> = {},
): Promise<{ code: number; out: string; err: string }> {
  const { io, out, err } = quietIo(env)
  const code = await run(args, io)
  return { code, out: out.join('\n'), err: err.join('\n') }
}

/** A daemon in this process, started by its command line. */
export interface RunningDaemon {
  /** What `--json` printed once it was up. @throws Error with its one line if it refused to start */
  readonly up: Promise<Record<string, unknown>>
  /** Stops it as SIGTERM does; gives its exit code. */
  stop(): Promise<number>
}

/** Runs `truss start` or `truss bootnode`. */
export function daemon(args: readonly string[], env: Record<string, string> = {}): RunningDaemon {
  const { io, err } = quietIo(env)
  const stopping = new AbortController()
  const up = Promise.withResolvers<Record<string, unknown>>()
  const ended = run([...args, '--json'], {
    ...io,
    out: (line) => up.resolve(JSON.parse(line)),
    stopSignal: () => stopping.signal,
  })
  void ended.then((code) => up.reject(new Error(`ended with ${code}: ${err.join(' ')}`)))
  up.promise.catch(() => undefined)
  return {
    up: up.promise,
    stop: () => {
      stopping.abort('SIGTERM')
      return ended
    },
  }
}
