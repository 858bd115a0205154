// `truss evidence verify`: checks an evidence record offline, against a committee given by the chain or by hand.
import { Command } from 'commander'
import type { Io } from './io.ts'

export function evidenceCommand(_io: Io): Command {
  return new Command('evidence').description('evidence of faults')
}
