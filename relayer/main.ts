#!/usr/bin/env node
// argv -> one command.
import { processIo } from './cli/io.ts'
import { run } from './cli/program.ts'

// A timer that a library left behind must not keep the process.
process.exit(await run(process.argv.slice(2), processIo()))
