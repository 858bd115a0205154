// What every command shares: where its configuration comes from, how it prints, how arguments are parsed.
import { existsSync } from 'node:fs'
import { type Command, InvalidArgumentError, Option } from 'commander'
import type { Source } from '../config.ts'
import { whole } from '../lib/settings.ts'
import { checkedAddress } from './argument-checks.ts'
import type { Io } from './io.ts'

/** Options that every command takes. */
export interface GlobalOptions {
  readonly json?: true
  readonly config?: string
}

const DEFAULT_FILE = 'truss.yaml'

/** What a command's action works with. */
export interface Context {
  readonly io: Io
  readonly json: boolean
  readonly source: Source
}

/** The context of an action, from the options that every command takes. */
export function contextOf(io: Io, command: Command): Context {
  const { json, config } = command.optsWithGlobals<GlobalOptions>()
  const file = config ?? io.env.TRUSS_CONFIG ?? (existsSync(DEFAULT_FILE) ? DEFAULT_FILE : null)
  return { io, json: json === true, source: { file, env: io.env, checkAddress: checkedAddress } }
}

/** Prints a result: one JSON document with --json, else the lines. */
export function show({ io, json }: Context, value: object, lines: readonly string[]): void {
  if (json) io.out(toJson(value))
  else for (const line of lines) io.out(line)
}

/** JSON with bigints as decimal strings. */
export function toJson(value: unknown): string {
  return JSON.stringify(
    value,
    (_key, inner: unknown) => (typeof inner === 'bigint' ? String(inner) : inner),
    2,
  )
}

/** A parser of settings as commander takes one: what it refuses is a usage error. */
export function argument<T>(parse: (value: string) => T): (value: string) => T {
  return (value) => {
    try {
      return parse(value)
    } catch (error) {
      throw new InvalidArgumentError(error instanceof Error ? error.message : '')
    }
  }
}

/** The same for an option that may be given several times, or once with commas. */
export function repeated<T>(parse: (value: string) => T): (value: string, before?: readonly T[]) => T[] {
  const one = argument(parse)
  return (value, before = []) => [...before, ...value.split(',').map((part) => one(part.trim()))]
}

/** An option that takes a whole number from `least` to `most`, and says so in its help. */
export function bounded(
  flags: string,
  about: string,
  { least, most }: { readonly least: number; readonly most: number },
): Option {
  return new Option(flags, `${about}, ${least} to ${most}`).argParser(argument(whole(least, most)))
}

/** Lines of two columns, the first as wide as its widest entry. */
export function columns(rows: readonly (readonly [string, string])[]): string[] {
  const width = Math.max(0, ...rows.map(([name]) => name.length))
  return rows.map(([name, value]) => `${name.padEnd(width)}  ${value}`)
}
