// The messages between an attempt's worker thread and its parent, and how errors and shares cross.
import type { Address } from '../lib/bytes.ts'
import { messageOf } from '../lib/errors.ts'
import { Secret } from '../lib/secret.ts'
import type { Certificate } from '../protocol/confirm.ts'
import {
  AbortedError,
  type Accusation,
  DisputeError,
  type FaultCode,
  FaultError,
  RefusalError,
  SilenceError,
} from '../protocol/faults.ts'
import type { KeyPublic, KeyShare } from '../protocol/keyshare.ts'
import type { Party } from '../protocol/party.ts'
import type { Prepared } from '../protocol/prepared.ts'
import type { CeremonySpec, SignedStart } from '../protocol/spec.ts'

/** A share whose secret bytes are bare: only between the two threads of one process, wiped after use. */
export interface BareShare extends KeyPublic {
  readonly share: Uint8Array
}

/** What the thread is started with. */
export interface WorkerStart {
  readonly spec: CeremonySpec
  readonly start: SignedStart
  readonly held: readonly BareShare[]
  readonly address: Address
  /** 33 bytes. */
  readonly publicKey: Uint8Array
  /** Word 0: 1 when the answer is there; bytes 4 to 68: the signature that the parent made. */
  readonly signing: SharedArrayBuffer
}

export type ToWorker =
  | { readonly type: 'frame'; readonly from: Address; readonly frame: Uint8Array }
  | { readonly type: 'deadline'; readonly round: number }
  | { readonly type: 'prepare' }
  | { readonly type: 'confirm'; readonly readiness: Uint8Array | null }
  | { readonly type: 'close' }

export type FromWorker =
  | { readonly type: 'send'; readonly to: Address; readonly frame: Uint8Array }
  | { readonly type: 'sign'; readonly digest: Uint8Array }
  | { readonly type: 'deadline'; readonly round: number }
  | { readonly type: 'prepared'; readonly prepared: BarePrepared }
  | { readonly type: 'certificate'; readonly certificate: Certificate }
  | { readonly type: 'error'; readonly error: BareError }

export type BarePrepared = Omit<Prepared, 'shares'> & { readonly shares: readonly BareShare[] }

/** Copies the secrets out. */
export function bareShares(shares: readonly KeyShare[]): BareShare[] {
  return shares.map((share) => ({ ...share, share: share.share.expose().slice() }))
}

/** Takes the secrets over. */
export function secretShares(shares: readonly BareShare[]): KeyShare[] {
  return shares.map((share) => ({ ...share, share: new Secret(share.share) }))
}

/** Overwrites the secrets of a copy that has served. */
export function wipeBare(shares: readonly BareShare[]): void {
  for (const { share } of shares) share.fill(0)
}

export type BareError =
  | {
      readonly kind: 'fault'
      readonly code: FaultCode
      readonly message: string
      readonly parties: readonly Party[]
      readonly evidence: Uint8Array
    }
  | {
      readonly kind: 'dispute'
      readonly code: FaultCode
      readonly message: string
      readonly parties: readonly Party[]
    }
  | { readonly kind: 'silence'; readonly round: number; readonly parties: readonly Party[] }
  | { readonly kind: 'aborted'; readonly by: Party; readonly accusation: Accusation }
  | {
      readonly kind: 'refusal'
      readonly code: RefusalError['code']
      readonly message: string
      readonly hint: string
    }
  | { readonly kind: 'other'; readonly message: string }

/** An error without its class, for the way between threads. */
export function bareError(error: unknown): BareError {
  const message = messageOf(error)
  if (error instanceof FaultError)
    return { kind: 'fault', code: error.code, message, parties: error.culprits, evidence: error.evidence }
  if (error instanceof DisputeError)
    return { kind: 'dispute', code: error.code, message, parties: error.suspects }
  if (error instanceof SilenceError) return { kind: 'silence', round: error.round, parties: error.suspects }
  if (error instanceof AbortedError) return { kind: 'aborted', by: error.by, accusation: error.accusation }
  if (error instanceof RefusalError) return { kind: 'refusal', code: error.code, message, hint: error.hint }
  return { kind: 'other', message }
}

/** The error with its class and its own words again. */
export function thrownError(bare: BareError): Error {
  switch (bare.kind) {
    case 'fault':
      return worded(
        new FaultError(bare.code, { culprits: bare.parties, evidence: bare.evidence, message: '' }),
        bare.message,
      )
    case 'dispute':
      return worded(new DisputeError(bare.code, { suspects: bare.parties, message: '' }), bare.message)
    case 'silence':
      return new SilenceError(bare.round, bare.parties)
    case 'aborted':
      return new AbortedError(bare.by, bare.accusation)
    case 'refusal':
      return worded(new RefusalError(bare.code, '', bare.hint), bare.message)
    case 'other':
      return new Error(bare.message)
  }
}

function worded<E extends Error>(error: E, message: string): E {
  error.message = message
  return error
}
