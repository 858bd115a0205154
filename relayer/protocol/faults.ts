// What can go wrong in a protocol: the codes, and the errors that say whom they blame (docs/protocols.md, Blame and abort).
import type { Party } from './party.ts'

/** Every code of blame; the position is the code's byte on the wire. */
export const FAULT_CODES = [
  'E_SIG',
  'E_SIZE',
  'E_ROUND',
  'E_SID_MISMATCH',
  'E_SID_REUSE',
  'E_AUTH',
  'E_STATE',
  'E_POLICY',
  'E_LEN',
  'E_POINT',
  'E_SCALAR',
  'E_COMMIT',
  'E_POK',
  'E_POS',
  'E_CONST',
  'E_DEGREE',
  'E_ZSHARE',
  'E_EQUIV',
  'E_ECHO',
  'E_CERT',
  'E_PAIR',
  'E_B',
  'E_SHARE',
  'E_FALSE',
  'E_TIMEOUT',
  'TAINT',
  'E_FINAL',
] as const
export type FaultCode = (typeof FAULT_CODES)[number]

/** What a message is dropped for: it aborts nothing and blames nobody. */
export type DropCode = 'E_SIG' | 'E_SIZE' | 'E_ROUND' | 'E_SID_MISMATCH'

/** A party that a protocol error names, as text. */
export function nameOf(party: Party): string {
  return `${party.role} member ${party.index} (${party.address})`
}

/** Base of the ways in which an attempt fails. */
export abstract class ProtocolError extends Error {
  readonly code: FaultCode

  constructor(code: FaultCode, message: string) {
    super(`${code}: ${message}`)
    this.name = new.target.name
    this.code = code
  }
}

/** Somebody provably broke the protocol: `evidence` convinces anybody (protocol/evidence.ts). */
export class FaultError extends ProtocolError {
  readonly culprits: readonly Party[]
  /** An evidence record. */
  readonly evidence: Uint8Array

  constructor(code: FaultCode, of: { culprits: readonly Party[]; evidence: Uint8Array; message: string }) {
    super(code, `${of.message}: ${of.culprits.map(nameOf).join(', ')}`)
    this.culprits = of.culprits
    this.evidence = of.evidence
  }
}

/** Views differ or a sum is unusable, and no signed message proves whose doing it is; suspects may be empty. */
export class DisputeError extends ProtocolError {
  readonly suspects: readonly Party[]

  constructor(code: FaultCode, of: { suspects: readonly Party[]; message: string }) {
    super(code, of.message + (of.suspects.length > 0 ? `: ${of.suspects.map(nameOf).join(', ')}` : ''))
    this.suspects = of.suspects
  }
}

/** A round's time was over before these had spoken. */
export class SilenceError extends ProtocolError {
  readonly suspects: readonly Party[]
  readonly round: number

  constructor(round: number, suspects: readonly Party[]) {
    super('E_TIMEOUT', `gather round ${round}: nothing from ${suspects.map(nameOf).join(', ')}`)
    this.round = round
    this.suspects = suspects
  }
}

/** What a party says when it aborts without proof. */
export interface Accusation {
  readonly code: FaultCode
  readonly round: number
  readonly suspects: readonly Party[]
}

/** Another party gave the attempt up and could not prove why; its accusation orders dealers, nothing more. */
export class AbortedError extends ProtocolError {
  readonly by: Party
  readonly accusation: Accusation

  constructor(by: Party, accusation: Accusation) {
    const suspects = accusation.suspects.map(nameOf).join(', ')
    super(accusation.code, `aborted by ${nameOf(by)}${suspects === '' ? '' : `, who suspects ${suspects}`}`)
    this.by = by
    this.accusation = accusation
  }
}

/** This node refuses to take part: nobody is blamed. */
export class RefusalError extends ProtocolError {
  declare readonly code: 'E_SID_REUSE' | 'E_AUTH' | 'E_STATE' | 'E_POLICY'
  /** What the operator can do about it. */
  readonly hint: string

  constructor(code: 'E_SID_REUSE' | 'E_AUTH' | 'E_STATE' | 'E_POLICY', message: string, hint = '') {
    super(code, message)
    this.hint = hint
  }
}

/** A signed body is invalid in this way; caught where the sender and its evidence are at hand. */
export class ContentError extends ProtocolError {}
