// Where settings come from, a file and the environment, and what is wrong with how they are written there.
import { readFileSync } from 'node:fs'
import { ConfigError, messageOf, pathFault } from './errors.ts'

/** Where configuration comes from: a file (or none) and the environment, which wins. */
export interface Source {
  readonly file: string | null
  readonly env: Readonly<Record<string, string | undefined>>
  /** Looks at an address as it is written: its letters' case may carry a checksum. @throws Error that says what to do */
  readonly checkAddress?: (text: string) => void
}

/** What a configuration file says. @throws ConfigError if it is a directory, or nothing that this user may read */
export function configText(file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch (cause) {
    const hint = 'name your configuration with --config FILE or TRUSS_CONFIG, and let this user read it'
    throw new ConfigError(`read configuration ${file}: ${pathFault(cause)}`, { hint, cause })
  }
}

/** The environment variable of a field: rpcUrls is TRUSS_RPC_URLS. */
export function variableOf(field: string): string {
  return `TRUSS_${field.replaceAll(/[A-Z]/g, (letter) => `_${letter}`).toUpperCase()}`
}

/** Whether a setting, or a variable that is none, comes from the environment or from the file. */
export function placeOf(name: string, { file, env }: Source): string {
  return env[variableOf(name)] !== undefined || name.startsWith('TRUSS_')
    ? 'environment'
    : (file ?? 'environment')
}

/** One line for each address among the values that the source's check refuses. */
export function misspeltIn(values: Readonly<Record<string, unknown>>, source: Source): string[] {
  const { checkAddress } = source
  if (checkAddress === undefined) return []
  return Object.entries(values).flatMap(([name, value]) =>
    addressesIn(name, value).flatMap(([where, text]) => {
      try {
        checkAddress(text)
        return []
      } catch (error) {
        return [`configuration (${placeOf(name, source)}): ${where}: ${messageOf(error)}`]
      }
    }),
  )
}

/** Where texts with the form of an address stand in a setting (keys included), each with the text as it is written. */
function addressesIn(name: string, value: unknown): [where: string, text: string][] {
  if (typeof value === 'string') return /^0x[0-9a-f]{40}$/i.test(value) ? [[name, value]] : []
  if (typeof value !== 'object' || value === null) return []
  if (Array.isArray(value)) return value.flatMap((inner, at) => addressesIn(`${name}[${at}]`, inner))
  return Object.entries(value).flatMap(([key, inner]) => [
    ...addressesIn(name, key),
    ...addressesIn(`${name}.${key}`, inner),
  ])
}
