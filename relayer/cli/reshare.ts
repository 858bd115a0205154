// `truss reshare`: shows a pending change of the committee as this node's rules see it, and approves or vetoes exactly that one.
import { Command } from 'commander'
import type { ChangeStatus, Decided } from '../bridge/consent.ts'
import type { Hex } from '../lib/bytes.ts'
import { InputError } from '../lib/errors.ts'
import { hash32, whole } from '../lib/settings.ts'
import type { OperatorVerdict } from '../store/decisions.ts'
import { argument, columns, type Context, contextOf, show } from './command.ts'
import { confirmed } from './confirm.ts'
import { askDaemon, clientConfig } from './daemon-client.ts'
import type { Io } from './io.ts'
import { type Namer, namerOf } from './names.ts'
import type { FullStatus } from './status.ts'

const LATE =
  'LATE: this node has joined an attempt of it before and may have dealt; have governance cancel it (`truss admin cancel`)'

interface Options {
  readonly yes?: true
  readonly committeeHash?: Hex
}

/** What is decided, and the words around it. */
const WORDS: Record<OperatorVerdict, { verb: string; about: string; warning: string[]; done: string }> = {
  approved: {
    verb: 'approve',
    about: 'deal for a pending change that your rules hold back, or withdraw your veto of it',
    warning: [
      'This node will deal for exactly this change, whatever its rules and its delay say.',
      'From the moment it deals, the new committee can hold the live key; cancelling does not take that back.',
    ],
    done: 'approved: this node takes part from the next block on, and deals where it is named to',
  },
  vetoed: {
    verb: 'veto',
    about: 'take no part in a pending change, whatever your rules say: neither deal nor receive',
    warning: [
      'This node will take no part in this change: it neither deals nor receives a share of it.',
      'What it has dealt already is not taken back; `truss reshare approve` withdraws the veto.',
    ],
    done: 'vetoed: this node takes no part in this change, also after a restart',
  },
}

export function reshareCommand(io: Io): Command {
  const reshare = new Command('reshare').description('changes of the committee, as this operator sees them')
  reshare
    .command('show')
    .description('show the pending change, what your rules say of it, and what you decided')
    .action(async (_options: object, command: Command) => {
      const context = contextOf(io, command)
      const { change, name } = await pendingOf(context)
      show(context, { change }, change === null ? ['no change is pending'] : changeLines(change, name))
    })
  reshare.addCommand(decision(io, 'approved')).addCommand(decision(io, 'vetoed'))
  return reshare
}

function decision(io: Io, verdict: OperatorVerdict): Command {
  const { verb, about, warning, done } = WORDS[verdict]
  return new Command(verb)
    .description(about)
    .argument('<epoch>', 'number of the pending epoch', argument(whole(1, Number.MAX_SAFE_INTEGER)))
    .option(
      '--committee-hash <hash>',
      'hash of its committee, if you have it from elsewhere: nothing is done for another',
      argument(hash32),
    )
    .option('--yes', verdict === 'approved' ? 'do not ask; needs --committee-hash' : 'do not ask')
    .action(async (epoch: number, options: Options, command: Command) => {
      const context = contextOf(io, command)
      const { change, name, dataDirectory } = await pendingOf(context)
      const committeeHash = options.committeeHash ?? change?.committeeHash
      if (change === null || committeeHash === undefined)
        throw new InputError(`${verb} epoch ${epoch}: no change is pending`, { hint: 'see `truss status`' })
      if (change.epoch !== epoch)
        throw new InputError(`${verb} epoch ${epoch}: ${change.epoch} is pending`, {
          hint: 'look at it with `truss reshare show`',
        })
      if (verdict === 'approved' && options.yes === true && options.committeeHash === undefined)
        throw new InputError(
          `${verb} epoch ${epoch}: --yes without --committee-hash approves what nobody has looked at`,
          {
            hint: 'look with `truss reshare show`, then add --committee-hash, or leave --yes out and be asked',
          },
        )
      if (change.committeeHash !== committeeHash)
        throw new InputError(
          `${verb} epoch ${epoch}: its committee hash is ${change.committeeHash}, not ${committeeHash}`,
          { hint: 'this is not the change that you mean: look at it with `truss reshare show`' },
        )
      await confirmed(context, options, [...changeLines(change, name), ...warning])
      // Bound to what was shown: what is pending by then may be another change.
      const body = { verdict, epoch, committeeHash }
      const decided = await askDaemon<Decided>(dataDirectory, 'POST', ['/decide', body])
      show(context, decided, verdict === 'vetoed' && decided.late ? [done, LATE] : [done])
    })
}

async function pendingOf(context: Context) {
  const config = clientConfig(context)
  const { change } = await askDaemon<FullStatus>(config.dataDirectory, 'GET', ['/status'])
  return { change, name: namerOf(config), dataDirectory: config.dataDirectory }
}

/** The change as text. */
export function changeLines(change: ChangeStatus, name: Namer): string[] {
  const { op, epoch, members, joins, leaves, threshold, thresholdBefore, committeeHash } = change
  const list = (addresses: readonly `0x${string}`[]) =>
    addresses.length === 0 ? 'nobody' : addresses.map(name).join(', ')
  const step = thresholdBefore === null || thresholdBefore === threshold ? '' : `, now ${thresholdBefore}`
  const moment =
    change.waitsForBlock === null
      ? []
      : ([['waits', `until block ${change.waitsForBlock} is final`]] as const)
  return columns([
    ['change', `${op} to epoch ${epoch}`],
    ['joins', list(joins)],
    ['leaves', list(leaves)],
    ['threshold', `${threshold} of ${members.length}${step}`],
    ['members', list(members)],
    ['committee hash', committeeHash],
    ['your rules', change.heldBack ?? 'let it pass'],
    ...moment,
    ['you decided', change.decision ?? 'nothing'],
  ])
}
