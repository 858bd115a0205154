// `npm run check`: formatting, lint, types and the completeness of the lockfile; one line each, exit 1 if any fails.
import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { flagsOf } from './usage.ts'

/** A check by name: what it says when it fails, or null. */
export type Check = { readonly name: string; readonly run: () => string | null }

function command(name: string, program: string, args: readonly string[]): Check {
  return {
    name,
    run: () => {
      const { status, stdout, stderr, error } = spawnSync(`node_modules/.bin/${program}`, args, {
        encoding: 'utf8',
      })
      if (error !== undefined) return error.message
      return status === 0 ? null : `${stdout}${stderr}`
    },
  }
}

/** Names of platform packages that the lockfile asks for and does not hold: `npm ci` would fail on that platform. */
function lockfileGaps(): string | null {
  // CAST: the part of npm's lockfile format that is read here
  const lock = JSON.parse(readFileSync('package-lock.json', 'utf8')) as {
    packages: Record<string, { optionalDependencies?: Record<string, string> }>
  }
  const gaps = Object.entries(lock.packages).flatMap(([at, entry]) =>
    Object.keys(entry.optionalDependencies ?? {}).filter(
      (name) =>
        !(`node_modules/${name}` in lock.packages) && !(`${at}/node_modules/${name}` in lock.packages),
    ),
  )
  return gaps.length === 0 ? null : `missing from package-lock.json: ${gaps.join(', ')}`
}

export const CHECKS: readonly Check[] = [
  command('format (biome)', 'biome', ['format', '.']),
  command('lint (oxlint)', 'oxlint', [
    '--type-aware',
    '--deny-warnings',
    'relayer',
    'scripts',
    'test',
    'hardhat.config.ts',
  ]),
  command('types (tsc)', 'tsc', []),
  command('compose (dclint)', 'dclint', ['docker-compose.yml']),
  { name: 'lockfile is complete', run: lockfileGaps },
]

if (import.meta.main) {
  flagsOf(
    'check: format, lint, types, the compose file and the lockfile; one line each, exit code 1 if any fails',
  )
  for (const { name, run } of CHECKS) {
    const complaint = run()
    console.log(`${complaint === null ? 'ok    ' : 'FAILED'}  ${name}`)
    if (complaint !== null) {
      console.log(complaint)
      process.exitCode = 1
    }
  }
}
