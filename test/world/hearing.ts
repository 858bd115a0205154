// A member's log as its world hears it: every line the moment it is written.
import { type Logger, pino } from 'pino'
import type { Address } from '../../relayer/lib/bytes.ts'

/** What worlds look at in a line. */
export interface Line {
  readonly msg: string
  /** Who sent what the line is about. */
  readonly from?: Address | null
  readonly code?: string
  /** Of the ceremony that the line is about. */
  readonly epoch?: number
  readonly reason?: string
  readonly error?: string
  /** Whom a failed attempt names, or waited for. */
  readonly members?: readonly Address[]
  /** Whom evidence convicts: parties, or addresses alone. */
  readonly culprits?: readonly ({ readonly address: Address } | Address)[]
}

/** A logger at level `debug` that hands on what is logged. */
export function heardBy(listener: (line: Line) => void): Logger {
  const options = { level: 'debug', base: null, timestamp: false }
  return pino(options, {
    write: (text: string) => {
      const line = JSON.parse(text) as Line // CAST: what pino has just written
      listener(line)
    },
  })
}

/** Whether a line says that evidence of one of these codes convicts somebody. */
export function convicts(line: Line, culprit: Address, codes: readonly string[]): boolean {
  return (
    line.msg === 'fault in signing' && codes.includes(line.code ?? '') && culpritsOf(line).includes(culprit)
  )
}

/** Whom a line names culprit. */
export function culpritsOf({ culprits = [] }: Line): Address[] {
  return culprits.map((each) => (typeof each === 'string' ? each : each.address))
}
