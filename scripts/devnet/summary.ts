// The record that the devnet writes of its story: what was done, what was seen, and whether all of it held.
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Probe } from './verify.ts'

/** A key as the chain has it. */
export interface GroupKey {
  readonly keyId: number
  readonly scheme: string
  readonly groupKey: string
}

/** What was seen after one step. */
export interface StepRecord {
  readonly step: string
  readonly title: string
  readonly epoch: number
  readonly members: readonly string[]
  readonly threshold: number
  readonly groupKeys: readonly GroupKey[]
  /** One of each key, each verified where it says. */
  readonly probes: readonly (Probe & { readonly verified: boolean })[]
  /** Absent in the steps that supersede nothing. */
  readonly reshare?: ReshareRecord
  readonly seconds: number
}

/** What a reshare leaves behind. */
export interface ReshareRecord {
  readonly superseded: number
  /** Members whose receipt is recorded for the superseded epoch. */
  readonly receipts: readonly string[]
  readonly receiptsNeeded: number
  /** ReshareCompleted was emitted for it. */
  readonly completed: boolean
  /** Byte strings of sealed shares and wrapped keys taken from the copy, and how many of them a file still holds. */
  readonly traces: { readonly taken: number; readonly found: number }
  /** What a member started from the copy met. */
  readonly returning: {
    readonly member: string
    readonly refusals: readonly string[]
    readonly mixedSignatureValid: boolean
  }
}

/** The whole story. */
export interface Summary {
  readonly ok: boolean
  readonly failure: string | null
  readonly chainId: number
  readonly rpcUrl: string
  readonly bridge: string
  readonly bootnode: string
  readonly relayers: readonly {
    readonly name: string
    readonly address: string
    readonly p2pPort: number
    readonly httpPort: number
    readonly pid: number | null
  }[]
  /** Pids of all processes that still run. */
  readonly processes: readonly { readonly name: string; readonly pid: number }[]
  readonly stranger: {
    readonly refused: readonly string[]
    readonly served: readonly string[]
    readonly counted: number
  } | null
  readonly steps: readonly StepRecord[]
  readonly seconds: number
}

/** Writes `summary.json` into a directory. */
export function writeSummary(directory: string, summary: Summary): void {
  writeFileSync(join(directory, 'summary.json'), `${JSON.stringify(summary, null, 2)}\n`)
}
