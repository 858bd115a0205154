// Configuration files of daemons in tests.
import { writeFileSync } from 'node:fs'

/** What a file says, by name; what is `null` is left out. */
export type Settings = Readonly<Record<string, string | number | null>>

/** Writes a daemon's configuration: a password in a file beside it, free ports, and what is given. Gives the file's path. */
export function writeSettings(file: string, settings: Settings): string {
  const all: Settings = {
    passwordFile: 'password',
    listen: '[/ip4/127.0.0.1/tcp/0]',
    httpPort: 0,
    ...settings,
  }
  const lines = Object.entries(all).flatMap(([name, value]) => (value === null ? [] : `${name}: ${value}`))
  writeFileSync(file, lines.join('\n'))
  return file
}
