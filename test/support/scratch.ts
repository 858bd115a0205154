// Folders under the system's temporary directory for one process: whatever becomes of its tests, they are gone when it ends.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** What is to be removed at the end, by path; `logs` tells those that a failure keeps. */
const folders = new Map<string, { readonly logs: boolean }>()
/** A LevelDB that nobody closed may write on in its own thread for a moment. */
const PATIENT = { recursive: true, force: true, maxRetries: 3, retryDelay: 50 } as const

/** A fresh folder, gone when this process ends. */
export function scratch(name: string): string {
  return fresh(name, false)
}

/** A fresh folder for daemons and what they log; if this process ends with a failure it stays, and its path is printed. */
export function scratchWithLogs(name: string): string {
  return fresh(name, true)
}

function fresh(name: string, logs: boolean): string {
  if (folders.size === 0) process.once('exit', clear)
  const folder = mkdtempSync(join(tmpdir(), `truss-${name}-`))
  folders.set(folder, { logs })
  return folder
}

function clear(code: number): void {
  for (const [folder, { logs }] of folders) {
    if (logs && code !== 0) {
      console.error(`kept for its logs: ${folder}`)
      continue
    }
    try {
      rmSync(folder, PATIENT)
    } catch (error) {
      console.error(`remove ${folder}: ${error instanceof Error ? error.message : String(error)}`)
    }
  }
}
