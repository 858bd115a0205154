// Structured logs on standard error, through pino.
import { pino } from 'pino'

/** A pino logger; `child({ component })` names the part that speaks. */
export type Log = pino.Logger

/** Levels that the configuration accepts. */
export const LOG_LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'silent'] as const
export type LogLevel = (typeof LOG_LEVELS)[number]

/** A logger that writes JSON lines to standard error, so that standard output stays the command's own. */
export function createLog(level: LogLevel): Log {
  return pino(
    { level, base: null, timestamp: pino.stdTimeFunctions.isoTime },
    pino.destination({ dest: 2, sync: true }),
  )
}

/** A logger that says nothing. */
export const silentLog: Log = pino({ level: 'silent' })
