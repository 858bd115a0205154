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
