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

/** Whether the node is ready, and if not, why: every critical check with its remedy. */
export function readiness(checks: readonly HealthCheck[]): { ready: boolean; reasons: string[] } {
  const reasons = checks
    .filter(({ severity }) => severity === 'critical')
    .map(({ check, message, remedy }) => `${check}: ${message}${remedy === '' ? '' : `: ${remedy}`}`)
  return { ready: reasons.length === 0, reasons }
}
