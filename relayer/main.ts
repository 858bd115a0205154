#!/usr/bin/env node
// argv -> one command.
import { EXIT } from './cli/exit.ts'
import { processIo } from './cli/io.ts'
import { run } from './cli/program.ts'
import { messageOf } from './lib/errors.ts'

// A reader that goes away (`truss status | head`) is no failure.
process.stdout.on('error', () => process.exit(0))
for (const event of ['uncaughtException', 'unhandledRejection'] as const)
  process.on(event, (error: unknown) => {
    const stack = process.env.TRUSS_LOG_LEVEL === 'debug' && error instanceof Error ? `\n${error.stack}` : ''
    process.stderr.write(`truss: unexpected: ${messageOf(error)}: please report it${stack}\n`)
    process.exit(EXIT.unexpected.code)
  })

// A timer that a library left behind must not keep the process.
process.exit(await run(process.argv.slice(2), processIo()))
