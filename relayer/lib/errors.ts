// The error classes of what can go wrong outside a protocol; the faults of a protocol stand in protocol/faults.ts.

/** Options of every error of ours: `hint` says what the operator can do about it. */
export interface ErrorOptionsWithHint extends ErrorOptions {
  hint?: string
}

/** Base of the errors below: one line that says what was being done, and a hint that says what to do. */
export class TrussError extends Error {
  /** What the reader can do about it, one sentence; empty if there is nothing to do. */
  readonly hint: string

  constructor(message: string, options: ErrorOptionsWithHint = {}) {
    super(message, options)
    this.name = new.target.name
    this.hint = options.hint ?? ''
  }
}

/** Bad input of ours: an argument, a request, a file that the caller handed over. */
export class InputError extends TrussError {}

/** The configuration, a keystore or a password is absent or wrong; the daemon refuses to start. */
export class ConfigError extends TrussError {}

/** Several things wrong with one configuration, each as one line that says what to do. */
export class ConfigProblems extends ConfigError {
  readonly problems: readonly string[]

  constructor(problems: readonly string[]) {
    super(problems.join('; '))
    this.problems = problems
  }
}

/** An RPC endpoint is unreachable, lies, disagrees with the others, or a transaction did not go through. */
export class ChainError extends TrussError {}

/** A record, a key file or the database itself is unreadable or belongs to somebody else. */
export class StoreError extends TrussError {}

/** What a record says, or null if it is not there or cannot be read: for what can be had elsewhere, or done without. */
export async function readable<T>(reading: Promise<T | null | undefined>): Promise<T | null> {
  try {
    return (await reading) ?? null
  } catch (error) {
    if (error instanceof StoreError) return null
    throw error
  }
}

/** The libp2p host cannot do what was asked: port in use, peer unreachable, stream refused. */
export class NetworkError extends TrussError {}

const PATH_FAULTS: Record<string, string> = {
  ENOENT: 'there is no such file',
  EISDIR: 'it is a directory',
  EEXIST: 'a file stands where a directory must be',
  ENOTDIR: 'a file stands where a directory must be',
  EACCES: 'this user may not',
  EPERM: 'this user may not',
}

/** What is wrong with a path, for an error of the file system; `otherwise` for any other. */
export function pathFault(error: unknown, otherwise = 'it cannot be read'): string {
  const code = error instanceof Error && 'code' in error ? String(error.code) : ''
  return PATH_FAULTS[code] ?? otherwise
}

/** One line for an unknown thrown value. Never use on values that may carry secrets. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
