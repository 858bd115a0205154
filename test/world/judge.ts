// What the end of a session must be, given who cheated in it and how: each behaviour states its codes, and culprits are named.
import type { Address } from '../../relayer/lib/bytes.ts'
import {
  AbortedError,
  DisputeError,
  FaultError,
  type ProtocolError,
  SilenceError,
} from '../../relayer/protocol/faults.ts'

/** What must come of a cheat at an honest party that it reaches. */
export interface Expected {
  /**
   * fault: its sender is convicted. suspect: it is named, by no proof. drop: the message is dropped and nothing else
   * happens. harmless: nothing may come of it.
   */
  readonly verdict: 'fault' | 'suspect' | 'drop' | 'harmless'
  /** The codes of which one must be given. */
  readonly codes: readonly string[]
  /** Where an honest party must notice: as it prepares, or as it confirms. */
  readonly stage: 'prepare' | 'confirm'
  /** Only those at whom it is aimed must notice; others may end well. */
  readonly onlyVictims?: boolean
  /** Two bodies make honest views differ: whoever sees another view than its own names those who have it. */
  readonly divides?: boolean
}

/** A cheat that was carried out in a session. */
export interface Cheating {
  readonly name: string
  readonly culprit: Address
  readonly expected: Expected
  /** Whom it was aimed at; null for everybody. */
  readonly victims: readonly Address[] | null
  /** Who did it together and must be named together, unless others cheated too. */
  readonly together?: readonly Address[]
}

/** What an end says of the cheats. */
export interface Judgement {
  /** Names of those that were noticed. */
  readonly reached: readonly string[]
  /** What is wrong with it, or null. */
  readonly complaint: string | null
}

const SILENT: Judgement = { reached: [], complaint: null }

/** Holds an honest party's error against what was done in its session. */
export function judge(error: ProtocolError, cheats: readonly Cheating[]): Judgement {
  if (error instanceof FaultError) return convicted(error, cheats)
  if (error instanceof DisputeError) return isClosed(error) ? SILENT : disputed(error, cheats)
  if (error instanceof AbortedError) return aborted(error, cheats)
  return error instanceof SilenceError ? silent(error, cheats) : SILENT
}

/** Every culprit did what it is convicted of; those who did it together are named together. */
function convicted({ code, culprits }: FaultError, cheats: readonly Cheating[]): Judgement {
  const named = [...new Set(culprits.map(({ address }) => address))]
  const just = named.map((culprit) =>
    cheats.filter(
      ({ culprit: by, expected: { verdict, codes } }) =>
        by === culprit && verdict === 'fault' && codes.includes(code),
    ),
  )
  const wrong = named.find((_, at) => just[at]?.length === 0)
  const plot = just.flat().find(({ together }) => together !== undefined)
  const alone = cheats.every(({ name }) => name === plot?.name)
  const missing = alone ? plot?.together?.find((address) => !named.includes(address)) : undefined
  return {
    reached: [...new Set(just.flat().map(({ name }) => name))],
    complaint:
      wrong !== undefined
        ? `convicts ${wrong} of ${code}, and ${done(cheats)}`
        : missing !== undefined
          ? `convicts ${named.join(', ')} of ${code} and not ${missing}, and ${done(cheats)}`
          : null,
  }
}

/** Without a proof only cheats may end that leave none, and the suspects are those who did them. */
function disputed({ code, message, suspects }: DisputeError, cheats: readonly Cheating[]): Judgement {
  const fitting = cheats.filter(({ expected }) => isOpen(expected) && expected.codes.includes(code))
  const named = fitting.filter(
    ({ culprit, expected }) =>
      expected.divides === true || suspects.some(({ address }) => address === culprit),
  )
  const complaint = named.length > 0 ? null : `says "${message}" and names no culprit; ${done(cheats)}`
  return { reached: named.map(({ name }) => name), complaint }
}

/** What others said without a proof: what they say must have happened, or it is the cheat itself. */
function aborted({ code, by, message }: AbortedError, cheats: readonly Cheating[]): Judgement {
  const fitting = cheats.filter(({ expected }) => expected.codes.includes(code))
  const own = fitting.filter(({ culprit, expected }) => isOpen(expected) && by.address === culprit)
  // Time that is over, and trouble of the sender's own.
  const plain = code === 'E_TIMEOUT' || code === 'E_STATE'
  return {
    reached: own.map(({ name }) => name),
    complaint: plain || fitting.length > 0 ? null : `hears "${message}", and ${done(cheats)}`,
  }
}

function silent({ suspects }: SilenceError, cheats: readonly Cheating[]): Judgement {
  const named = cheats.filter(
    ({ culprit, expected }) =>
      isOpen(expected) &&
      expected.codes.includes('E_TIMEOUT') &&
      suspects.some(({ address }) => address === culprit),
  )
  return { reached: named.map(({ name }) => name), complaint: null }
}

/** Whether it may end without a proof: a suspicion, or two bodies that need not meet in time. */
function isOpen({ verdict, divides }: Expected): boolean {
  return verdict === 'suspect' || divides === true
}

/** Whether this node was stopped, rather than came to the end of its checks. */
function isClosed(error: DisputeError): boolean {
  return /: closed$/.test(error.message)
}

function done(cheats: readonly Cheating[]): string {
  const list = cheats.map(
    ({ name, culprit, expected }) => `"${name}" by ${culprit} (${expected.codes.join(' or ')})`,
  )
  return `what was tried is ${list.join(', ') || 'nothing'}`
}
