// The fuzzer as a part of the fault tests: it runs beside the others with the lowest priority, and is one row of the table.
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { setPriority } from 'node:os'
import { fileURLToPath } from 'node:url'
import { OUTCOMES, trial } from '../support/fault-table.ts'

export const FUZZ = 'fuzz'
const PROGRAM = fileURLToPath(new URL('fuzz-run.ts', import.meta.url))
const LOWEST = 19

/** A run of the fuzzer over every decoder. */
export class Fuzzing {
  readonly #child: ChildProcess
  readonly #end: Promise<boolean>
  #said = ''

  constructor(inputs: number) {
    const args = ['--expose-gc', PROGRAM, '--inputs', String(inputs)]
    this.#child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] })
    if (this.#child.pid !== undefined) setPriority(this.#child.pid, LOWEST)
    this.#child.stdout?.setEncoding('utf8').on('data', (text: string) => {
      this.#said += text
    })
    // A run that is interrupted leaves nobody behind.
    process.once('exit', () => this.#child.kill())
    const [outcome] = OUTCOMES
    const fault = 'random, mutated and structured input for every decoder'
    const tried = trial({ part: 'hostile', fault, required: [outcome] }, async () => {
      await once(this.#child, 'close')
      if (this.#child.exitCode !== 0) throw new Error(`the fuzzer ended with ${this.#child.exitCode}`)
      return { outcome, measured: this.#said.trim().split('\n').at(-1) ?? '' }
    })
    this.#end = tried().then(
      () => true,
      () => false,
    )
  }

  /** Waits for its end, no longer behind everybody else, and prints its table if it failed. */
  async over(): Promise<boolean> {
    const { pid, exitCode, signalCode } = this.#child
    if (pid !== undefined && exitCode === null && signalCode === null) setPriority(pid, 0)
    const passed = await this.#end
    if (!passed) console.log(this.#said)
    return passed
  }
}
