// Exit codes: one page that maps what went wrong to the number with which the process ends.
import { ChainError, ConfigError, InputError, NetworkError, StoreError, TrussError } from '../lib/errors.ts'

/** Every exit code with its meaning, as docs/cli.md prints them. */
export const EXIT = {
  done: { code: 0, about: 'Done.' },
  unexpected: { code: 1, about: 'Something that should not happen: please report it.' },
  usage: {
    code: 2,
    about: 'Unknown command, option or argument, or a request that the daemon cannot make sense of.',
  },
  config: {
    code: 3,
    about:
      'A file that is needed is absent or wrong: configuration, keystore, password, evidence; or a path where none can be written.',
  },
  chain: {
    code: 4,
    about: 'The chain: endpoint down or of another chain, no bridge there, account short of funds.',
  },
  store: {
    code: 5,
    about: 'The data directory: unreadable, locked, or of another chain, bridge or operator.',
  },
  network: { code: 6, about: 'The network: port in use, or nobody reached.' },
  daemon: { code: 7, about: 'The daemon of this data directory does not answer.' },
  refused: { code: 8, about: 'Refused: missing role, against the rules of the contract, or not confirmed.' },
  unproven: {
    code: 9,
    about:
      'Looked, and it is not so: evidence that proves nothing, a check that is not passed, a signature that was not made.',
  },
} as const satisfies Record<string, { code: number; about: string }>

export type ExitName = keyof typeof EXIT

/** The daemon is not there. */
export class DaemonError extends TrussError {}

/** The contract, a policy or the operator says no. */
export class RefusedError extends TrussError {}

/** What was looked at does not hold. */
export class UnprovenError extends TrussError {}

/** By name, so that errors that crossed the control socket keep their code. */
const BY_NAME: Record<string, ExitName> = {
  [ConfigError.name]: 'config',
  ConfigProblems: 'config',
  [InputError.name]: 'usage',
  [ChainError.name]: 'chain',
  WrongChainError: 'chain',
  RevertError: 'refused',
  [StoreError.name]: 'store',
  [NetworkError.name]: 'network',
  [DaemonError.name]: 'daemon',
  [RefusedError.name]: 'refused',
  [UnprovenError.name]: 'unproven',
  NotDoneError: 'unproven',
  // Faults of a protocol, as protocol/faults.ts names them.
  FaultError: 'unproven',
  DisputeError: 'unproven',
  SilenceError: 'unproven',
  AbortedError: 'unproven',
  RefusalError: 'refused',
}

/** The exit code of a thrown value: that of its class, or of the nearest one above it that has one. */
export function exitCodeOf(error: unknown): number {
  if (!(error instanceof Error)) return EXIT.unexpected.code
  const classes = [error.name]
  for (let at: unknown = Object.getPrototypeOf(error); at instanceof Error; at = Object.getPrototypeOf(at))
    classes.push(at.constructor.name)
  const known = classes.find((name) => name in BY_NAME)
  return EXIT[BY_NAME[known ?? ''] ?? 'unexpected'].code
}

/** What can be done about a thrown value; empty if it does not say. */
export function hintOf(error: unknown): string {
  return error instanceof Error && 'hint' in error && typeof error.hint === 'string' ? error.hint : ''
}
