// The software version, as package.json states it.
import { readFileSync } from 'node:fs'

// CAST: our own package.json
const { version } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as {
  version: string
}

/** `truss/0.1.0`: what hellos and `truss --version` say. */
export const SOFTWARE_VERSION = `truss/${version}`
