// A copy of the sources with patches, in which the simulator runs as it does here.
import { cpSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import type { Patch } from '../simulation/mutants/mutants.ts'
import { scratch } from '../support/scratch.ts'

/**
 * Makes the copy; the function returned takes it away.
 * @throws Error if what a patch replaces does not stand in its file exactly once
 */
export function copyWith(patches: readonly Patch[]): { folder: string; remove: () => void } {
  const folder = scratch('copy')
  for (const part of [
    'relayer',
    'test/world',
    'test/support',
    'test/simulation/mutants',
    'scripts',
    'package.json',
  ])
    cpSync(part, join(folder, part), { recursive: true })
  symlinkSync(resolve('node_modules'), join(folder, 'node_modules'))
  for (const { file, find, replace } of patches) {
    const parts = readFileSync(join(folder, file), 'utf8').split(find)
    if (parts.length !== 2) throw new Error(`patch ${file}: "${find}" stands in it ${parts.length - 1} times`)
    writeFileSync(join(folder, file), parts.join(replace))
  }
  return { folder, remove: () => rmSync(folder, { recursive: true }) }
}
