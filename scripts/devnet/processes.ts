// The devnet's processes: each with a log file of its own, all of them on a leash that stops them when the driver is gone.
import { type ChildProcess, spawn } from 'node:child_process'
import { createServer, type Server } from 'node:net'
import { randomInt } from 'node:crypto'
import { closeSync, mkdirSync, openSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** A child process of the devnet. */
export interface Running {
  readonly name: string
  readonly pid: number
  readonly logFile: string
  /** Resolves with the exit code, or the signal's name, once the process is gone. */
  readonly gone: Promise<number | string>
  kill(signal: NodeJS.Signals): void
}

/** Starts processes and stops all that it started, also when this very process dies. */
export class Processes {
  readonly #directory: string
  readonly #leash: ChildProcess
  readonly #running = new Map<number, Running>()

  /** @param directory where the log files go; it is created */
  constructor(directory: string) {
    this.#directory = directory
    mkdirSync(directory, { recursive: true })
    const script = fileURLToPath(new URL('leash.ts', import.meta.url))
    this.#leash = spawn(process.execPath, [script], { stdio: ['pipe', 'ignore', 'ignore'], detached: true })
  }

  /** Every process that is still there. */
  get running(): readonly Running[] {
    return [...this.#running.values()]
  }

  /**
   * Starts `node script …args`; its output is appended to `<name>.log`.
   * @param options.env added to this process's environment
   */
  start(name: string, args: readonly string[], options: { env?: Record<string, string> } = {}): Running {
    const logFile = join(this.#directory, `${name}.log`)
    const log = openSync(logFile, 'a')
    const child = spawn(process.execPath, args, {
      stdio: ['ignore', log, log],
      env: { ...process.env, ...options.env },
    })
    closeSync(log)
    const pid = child.pid
    if (pid === undefined) throw new Error(`start ${name}: no process; see ${logFile}`)
    this.#leash.stdin?.write(`+${pid}\n`)
    const gone = new Promise<number | string>((resolve) => {
      child.once('exit', (code, signal) => {
        this.#running.delete(pid)
        this.#leash.stdin?.write(`-${pid}\n`)
        resolve(code ?? signal ?? 'unknown')
      })
    })
    const running: Running = { name, pid, logFile, gone, kill: (signal) => void child.kill(signal) }
    this.#running.set(pid, running)
    return running
  }

  /** Stops all: SIGTERM, and SIGKILL after ten seconds. Resolves when every process is gone. */
  async stop(): Promise<void> {
    const left = this.running
    for (const one of left) one.kill('SIGTERM')
    const hard = setTimeout(() => {
      for (const one of this.running) one.kill('SIGKILL')
    }, 10_000)
    await Promise.all(left.map((one) => one.gone))
    clearTimeout(hard)
    this.#leash.stdin?.end()
  }
}

/**
 * Where ports are taken from: below those that a kernel gives to connections (32768 and up on Linux), of which one could be
 * in use when a relayer that was down comes back to it.
 */
const PORTS = { from: 12_000, below: 32_000 }

/** TCP ports of 127.0.0.1 that nobody listens on. */
export async function freePorts(count: number): Promise<number[]> {
  const servers = new Map<number, Server>()
  while (servers.size < count) {
    const port = randomInt(PORTS.from, PORTS.below)
    const server = servers.has(port) ? null : await listening(port)
    if (server !== null) servers.set(port, server)
  }
  const closed = [...servers.values()].map((server) => new Promise((resolve) => server.close(resolve)))
  await Promise.all(closed)
  return [...servers.keys()]
}

/** A server on the port, or null if it is taken. Rejects if this machine lets nobody listen. */
function listening(port: number): Promise<Server | null> {
  const server = createServer()
  return new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) =>
      error.code === 'EADDRINUSE' ? resolve(null) : reject(error),
    )
    server.listen(port, '127.0.0.1', () => resolve(server))
  })
}
