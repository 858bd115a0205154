// Addresses with the names that the configuration gives them.
import type { ToolConfig } from '../config.ts'

/** Shows an address: `anna (0x12…)` where it has an alias. */
export type Namer = (address: string) => string

export function namerOf({ aliases }: Pick<ToolConfig, 'aliases'>): Namer {
  const names = new Map(Object.entries(aliases ?? {}))
  return (address) => {
    const name = names.get(address.toLowerCase())
    return name === undefined ? address : `${name} (${address})`
  }
}
