// `truss admin`: governance's commands; each says what will change before it is sent.
import { Command } from 'commander'
import { toAddress } from '../lib/bytes.ts'
import { InputError } from '../lib/errors.ts'
import { whole } from '../lib/settings.ts'
import { SCHEMES, type Scheme } from '../protocol/keyshare.ts'
import { checkCommand } from './admin-check.ts'
import { committeeCommand } from './admin-committee.ts'
import type { AdminAction } from './admin-plan.ts'
import { type AdminOptions, changeOptions } from './admin-options.ts'
import { checkedAddress } from './argument-checks.ts'
import { argument, bounded, contextOf, repeated } from './command.ts'
import type { Io } from './io.ts'

const MEMBERS = 100
/** Schemes that the daemon has protocols for. */
const BUILT: readonly Scheme[] = SCHEMES.filter((name) => name !== 'ecdsa-secp256k1')

/** A command without options of its own, made into an action out of its argument. */
interface Simple {
  readonly name: string
  readonly about: string
  /** Name, meaning and parser of the argument; absent if there is none. */
  readonly argument?: readonly [name: string, about: string, parse: (value: string) => string | number]
  readonly action: (value: string | number) => AdminAction
}

const SIMPLE: readonly Simple[] = [
  {
    name: 'start-keygen',
    about: 'ask the first committee for key 0',
    action: () => ({ kind: 'start-keygen' }),
  },
  {
    name: 'add-key',
    about: `ask for one more key; schemes: ${BUILT.join(', ')}`,
    argument: ['scheme', 'signature scheme of the key', scheme],
    action: (value) => ({ kind: 'add-key', scheme: scheme(String(value)) }),
  },
  {
    name: 'add-relayer',
    about: 'add a relayer to the committee',
    argument: ['address', 'address of the relayer', checkedAddress],
    action: (value) => ({ kind: 'add-relayer', relayer: toAddress(String(value)) }),
  },
  {
    name: 'remove-relayer',
    about: 'remove a relayer from the committee',
    argument: ['address', 'address of the relayer', checkedAddress],
    action: (value) => ({ kind: 'remove-relayer', relayer: toAddress(String(value)) }),
  },
  {
    name: 'set-threshold',
    about: 'change how many members must sign',
    argument: ['signers', `number of signers needed, 2 to ${MEMBERS}`, whole(2, MEMBERS)],
    action: (value) => ({ kind: 'set-threshold', threshold: Number(value) }),
  },
  {
    name: 'refresh',
    about: 'ask for fresh shares of every key among the same members',
    argument: ['reason', 'text that the event carries', (value) => value],
    action: (value) => ({ kind: 'refresh', reason: String(value) }),
  },
  {
    name: 'cancel',
    about: 'burn the pending epoch: back to the running committee',
    action: () => ({ kind: 'cancel' }),
  },
  {
    name: 'waive-deletions',
    about: "stop waiting for an epoch's deletion receipts: the emergency exit",
    argument: ['epoch', 'number of the superseded or burned epoch', whole(1, Number.MAX_SAFE_INTEGER)],
    action: (value) => ({ kind: 'waive-deletions', epoch: Number(value) }),
  },
  {
    name: 'set-window',
    about: 'set how many blocks one attempt of a later ceremony has',
    argument: ['blocks', 'length of the window; the bridge takes 20 to 50400', whole(1, 2 ** 32 - 1)],
    action: (value) => ({ kind: 'set-window', blocks: Number(value) }),
  },
  {
    name: 'require-deletions',
    about: 'set whether transfers wait for deletion receipts after a change of the committee',
    argument: ['answer', 'yes or no', yesOrNo],
    action: (value) => ({ kind: 'require-deletions', required: value === 'yes' }),
  },
  {
    name: 'pause-transfers',
    about: 'stop deposits and executions',
    action: () => ({ kind: 'pause-transfers' }),
  },
  {
    name: 'unpause-transfers',
    about: 'let deposits and executions go on',
    action: () => ({ kind: 'unpause-transfers' }),
  },
]

export function adminCommand(io: Io): Command {
  const admin = new Command('admin').description(
    "governance: what only the bridge's admin may do, and what helps to decide",
  )
  for (const simple of SIMPLE) {
    const command = changeOptions(admin.command(simple.name).description(simple.about))
    if (simple.argument === undefined)
      command.action(async (options: AdminOptions, self: Command) =>
        run(io, self, [options, simple.action('')]),
      )
    else {
      const [name, about, parse] = simple.argument
      command
        .argument(`<${name}>`, about, argument(parse))
        .action(async (value: string | number, options: AdminOptions, self: Command) =>
          run(io, self, [options, simple.action(value)]),
        )
    }
  }
  admin.addCommand(setCommittee(io))
  admin.addCommand(committeeCommand(io))
  admin.addCommand(checkCommand(io))
  return admin
}

interface SetCommitteeOptions extends AdminOptions {
  readonly add?: readonly string[]
  readonly remove?: readonly string[]
  readonly threshold?: number
}

function setCommittee(io: Io): Command {
  return changeOptions(
    new Command('set-committee').description('several changes of the committee in one step'),
  )
    .option('--add <address>', 'a relayer to add; may be given several times', repeated(checkedAddress))
    .option('--remove <address>', 'a relayer to remove; may be given several times', repeated(checkedAddress))
    .addOption(
      bounded('--threshold <signers>', 'signers needed afterwards; as now if absent', {
        least: 2,
        most: MEMBERS,
      }),
    )
    .action(async (options: SetCommitteeOptions, self: Command) => {
      const { add = [], remove = [], threshold } = options
      if (add.length + remove.length === 0 && threshold === undefined)
        throw new InputError('set committee: nothing changes', {
          hint: 'give --add, --remove or --threshold',
        })
      const action: AdminAction = {
        kind: 'set-committee',
        add: add.map(toAddress),
        remove: remove.map(toAddress),
        ...(threshold === undefined ? {} : { threshold }),
      }
      await run(io, self, [options, action])
    })
}

async function run(io: Io, command: Command, [options, action]: [AdminOptions, AdminAction]): Promise<void> {
  const { govern } = await import('./admin-run.ts')
  await govern(contextOf(io, command), options, action)
}

function yesOrNo(value: string): string {
  if (value !== 'yes' && value !== 'no') throw new RangeError('must be yes or no')
  return value
}

function scheme(value: string): Scheme {
  const found = SCHEMES.find((name) => name === value)
  if (found === undefined) throw new RangeError(`must be one of ${BUILT.join(', ')}`)
  if (!BUILT.includes(found))
    throw new RangeError(`${found} is not built yet, and every member would refuse: use ${BUILT.join(', ')}`)
  return found
}
