// What is wrong now, for status, readiness and metrics: each problem under its name, said once when it comes and when it goes.
import type { Log } from '../lib/log.ts'
import type { Metrics } from '../lib/metrics.ts'

/** `critical`: the node cannot do its part now. `warning`: it can, and somebody should look. */
export interface Problem {
  /** Short name, stable over versions: `rpc`, `share`, `epoch`, `ceremony`, `receipts`, `balance`, … */
  readonly check: string
  readonly severity: 'warning' | 'critical'
  readonly message: string
  /** What the operator can do; one sentence. */
  readonly remedy: string
}

/** The problems of now, at most one under each name. */
export class Problems {
  readonly #now = new Map<string, Problem>()
  readonly #log: Log
  readonly #metrics: Metrics | undefined

  constructor(log: Log, metrics?: Metrics) {
    this.#log = log
    this.#metrics = metrics
  }

  /** Raises, replaces or (null) clears what stands under a name. */
  set(check: string, problem: Omit<Problem, 'check'> | null): void {
    const before = this.#now.get(check)
    if (before !== undefined && before.severity !== problem?.severity)
      this.#metrics?.alarms.remove({ check, severity: before.severity })
    if (problem === null) {
      this.#now.delete(check)
      if (before !== undefined) this.#log.info({ check }, 'problem is over')
      return
    }
    this.#now.set(check, { check, ...problem })
    this.#metrics?.alarms.set({ check, severity: problem.severity }, 1)
    if (before?.message === problem.message) return
    const level = problem.severity === 'critical' ? 'error' : 'warn'
    this.#log[level]({ check, remedy: problem.remedy }, problem.message)
  }

  has(check: string): boolean {
    return this.#now.has(check)
  }

  /** Critical ones first, then by name. */
  list(): Problem[] {
    return [...this.#now.values()].sort(
      (a, b) => a.severity.localeCompare(b.severity) || a.check.localeCompare(b.check),
    )
  }
}
