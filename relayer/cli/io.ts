// What a command has to do with the world: standard output and error, environment, questions, signals to stop.
import { createInterface } from 'node:readline/promises'
import { Writable } from 'node:stream'

export interface Io {
  /** Writes a line to standard output. */
  out(line: string): void
  /** Writes a line to standard error. */
  err(line: string): void
  readonly env: Readonly<Record<string, string | undefined>>
  /** Whether somebody is there to answer. */
  readonly interactive: boolean
  /** Asks a question on standard error and gives the answer. */
  ask(question: string): Promise<string>
  /** The same without showing what is typed. */
  askSecret(question: string): Promise<string>
  /** Aborts at SIGTERM or SIGINT; from the first call on, these no longer end the process by themselves. */
  stopSignal(): AbortSignal
}

/** The process's own. */
export function processIo(): Io {
  let stopping: AbortController | null = null
  return {
    out: (line) => process.stdout.write(`${line}\n`),
    err: (line) => process.stderr.write(`${line}\n`),
    env: process.env,
    interactive: process.stdin.isTTY === true,
    async ask(question) {
      const terminal = createInterface({ input: process.stdin, output: process.stderr })
      terminal.once('SIGINT', interrupt)
      try {
        return await terminal.question(question)
      } finally {
        terminal.close()
      }
    },
    async askSecret(question) {
      process.stderr.write(question)
      const nowhere = new Writable({ write: (_chunk, _encoding, done) => done() })
      const terminal = createInterface({ input: process.stdin, output: nowhere, terminal: true })
      terminal.once('SIGINT', interrupt)
      try {
        return await terminal.question('')
      } finally {
        terminal.close()
        process.stderr.write('\n')
      }
    },
    stopSignal() {
      if (stopping === null) {
        const controller = new AbortController()
        stopping = controller
        for (const name of ['SIGTERM', 'SIGINT'] as const) process.on(name, () => controller.abort(name))
      }
      return stopping.signal
    },
  }
}

/** A terminal that reads lines takes Ctrl-C for itself: it shall end a question as it ends everything else. */
function interrupt(): void {
  process.kill(process.pid, 'SIGINT')
}
