// Health checks as the operator reads them: what is wrong, how bad it is, and what to do about it.

/** `critical`: the node cannot do its part now. `warning`: it can, and somebody should look. */
export type Severity = 'ok' | 'warning' | 'critical'

export interface HealthCheck {
  /** Short name, stable over versions: `rpc`, `bootstrap`, `share`, `balance`, ... */
  readonly check: string
  readonly severity: Severity
  /** One sentence that says what was found. */
  readonly message: string
  /** One sentence that says what to do; empty when all is well. */
  readonly remedy: string
}

/** A check that is well. */
export function well(check: string, message: string): HealthCheck {
  return { check, severity: 'ok', message, remedy: '' }
}

/** A check that is not. */
export function ill(
  check: string,
  severity: 'warning' | 'critical',
  { message, remedy }: { message: string; remedy: string },
): HealthCheck {
  return { check, severity, message, remedy }
}

/** Whether the node is ready and if not, why: every critical check with its remedy; and what else somebody should look at. */
export function readiness(checks: readonly HealthCheck[]): {
  ready: boolean
  reasons: string[]
  warnings: string[]
} {
  const lines = (wanted: Severity) =>
    checks
      .filter(({ severity }) => severity === wanted)
      .map(({ check, message, remedy }) => `${check}: ${message}${remedy === '' ? '' : `: ${remedy}`}`)
  const reasons = lines('critical')
  return { ready: reasons.length === 0, reasons, warnings: lines('warning') }
}
