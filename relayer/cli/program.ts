// The `truss` program: its commands, and the one place where an error becomes a line on standard error and an exit code.
import { Command, CommanderError } from 'commander'
import { ConfigProblems, InputError, messageOf } from '../lib/errors.ts'
import { SOFTWARE_VERSION } from '../lib/version.ts'
import { adminCommand } from './admin.ts'
import { bootnodeCommand } from './bootnode.ts'
import { type GlobalOptions, toJson } from './command.ts'
import { configCommand } from './config-check.ts'
import { evidenceCommand } from './evidence.ts'
import { EXIT, exitCodeOf, hintOf } from './exit.ts'
import { initCommand } from './init.ts'
import type { Io } from './io.ts'
import { keysCommand } from './keys.ts'
import { reshareCommand } from './reshare.ts'
import { shareCommand } from './share.ts'
import { probeCommand } from './sign-probe.ts'
import { startCommand } from './start.ts'
import { statusCommand } from './status.ts'

/** The program with all of its commands; nothing heavy is loaded before a command runs. */
export function createProgram(io: Io): Command {
  const program = new Command('truss')
    .description('The daemon that each operator of a bridge runs, and its tools.')
    .option('-c, --config <file>', 'configuration file (TRUSS_CONFIG; truss.yaml if it is there)')
    .version(SOFTWARE_VERSION, '--version', 'print the version')
    .option('--json', 'print one JSON document instead of text')
  for (const command of [
    initCommand(io),
    configCommand(io),
    startCommand(io),
    bootnodeCommand(io),
    statusCommand(io),
    keysCommand(io),
    probeCommand(io),
    shareCommand(io),
    reshareCommand(io),
    evidenceCommand(io),
    adminCommand(io),
  ])
    program.addCommand(command)
  prepare(program, io)
  return program
}

/** Runs one command line (without node and file name); gives the exit code and never throws. */
export async function run(args: readonly string[], io: Io, create = createProgram): Promise<number> {
  const program = create(io)
  try {
    await program.parseAsync([...args], { from: 'user' })
    return EXIT.done.code
  } catch (error) {
    const json = program.opts<GlobalOptions>().json === true || args.includes('--json')
    if (error instanceof CommanderError) return usage(error, io, json)
    report(error, io, json)
    return exitCodeOf(error)
  }
}

/** Every command throws instead of exiting, prints through `io`, and shows the options that all take. */
function prepare(command: Command, io: Io): void {
  command
    .exitOverride()
    .configureHelp({ showGlobalOptions: true })
    .configureOutput({
      writeOut: (text) => io.out(text.trimEnd()),
      writeErr: (text) => io.err(text.trimEnd()),
      outputError: () => undefined,
    })
  for (const inner of command.commands) prepare(inner, io)
}

function usage(error: CommanderError, io: Io, json: boolean): number {
  if (error.exitCode === 0) return EXIT.done.code
  if (error.code === 'commander.help') return EXIT.usage.code
  const hint = 'see truss --help, or --help after the command'
  report(new InputError(usageText(error.message), { hint }), io, json)
  return EXIT.usage.code
}

/** What commander says of a command line, in our words: the argument by its name, and what it must be. */
function usageText(message: string): string {
  return message
    .replace(/^error: /, '')
    .replace(/^command-argument value '(.*)' is invalid for argument '(.*?)'\. /s, '<$2> $1: ')
    .replace(/^option '(.*?)' argument '(.*)' is invalid\. /s, '$1 $2: ')
    .replace(
      /^too many arguments for '(.*?)'\. Expected (\d+) arguments? but got \d+: (.*)\.$/s,
      (_, name, takes, got) =>
        `${name} takes ${takes === '0' ? 'no argument' : argumentsText(takes)}, and got ${got}`,
    )
}

function argumentsText(count: string): string {
  return count === '1' ? '1 argument' : `${count} arguments`
}

/** One line without what moves a terminal's cursor or turns its text: arguments and files of others are quoted in messages. */
function plain(text: string): string {
  return text.replaceAll(/\s*\n\s*/g, ' ').replaceAll(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, '?')
}

function report(error: unknown, io: Io, json: boolean): void {
  const hint = hintOf(error)
  const line = `${messageOf(error)}${hint === '' ? '' : `: ${hint}`}`
  const lines = error instanceof ConfigProblems ? error.problems : [line]
  for (const line of lines) io.err(`truss: ${plain(line)}`)
  if (io.env.TRUSS_LOG_LEVEL === 'debug' && error instanceof Error) io.err(error.stack ?? '')
  if (!json) return
  const name = error instanceof Error ? error.name : 'Error'
  const body = { name, code: exitCodeOf(error), message: lines.join('; ') }
  io.out(toJson({ error: { ...body, hint } }))
}
