// Checks that every look at the chain makes: going back, members out of reach, failed attempts, receipts missing, an empty account.
import type { CeremonyView } from '../ceremony/view.ts'
import type { Address } from '../lib/bytes.ts'
import { ChainError, messageOf } from '../lib/errors.ts'
import type { Sight } from './follower.ts'
import { type Owed, waiverText } from './owed.ts'
import type { Desk } from './parts.ts'

/** How often the account is looked at, ms. */
const FUNDS_MS = 60_000
/** Most members that one alarm names. */
const NAMED_BLOCKERS = 5
/** Activations that the account should be able to pay for. */
const WANTED_ACTIVATIONS = 3n

/** An amount in wei as ether, with six digits that count. */
export function etherText(wei: bigint): string {
  return (Number(wei) / 1e18).toLocaleString('en', { maximumSignificantDigits: 6, useGrouping: false })
}

/**
 * Whether the chain shows an epoch below the one that this node has verified, or another attempt of that one; raises or
 * clears the alarm.
 */
export async function hasGoneBack(desk: Desk, { state, running }: Sight): Promise<boolean> {
  const seen = await desk.store.running()
  const back = seen === null || state.epoch >= seen.epoch ? null : `epoch ${state.epoch}`
  const other =
    seen !== null && seen.epoch === running?.epoch && seen.attempt !== running.attempt
      ? `attempt ${running.attempt} of epoch ${running.epoch}`
      : null
  const shown = back ?? other
  desk.problems.set(
    'epoch',
    shown === null
      ? null
      : {
          severity: 'critical',
          message: `the chain shows ${shown}, and this node has seen ${other === null ? '' : `attempt ${seen?.attempt} of `}epoch ${seen?.epoch} activated`,
          remedy:
            'check the RPC endpoints; this node does not sign or erase, and sends the activation again if the chain lost it',
        },
  )
  return shown !== null
}

/** Members of the running committee that are connected, this node included. */
export function online({ network, self }: Desk, members: readonly Address[]): Address[] {
  return members.filter((member) => member === self || network.connected(member))
}

/** Raises and clears what follows from who can be reached. */
export function checkReach(desk: Desk, { state, running }: Sight): void {
  const { problems, self } = desk
  const up = running === null ? [] : online(desk, running.members)
  const spare = up.length - (running?.threshold ?? 0)
  const seated = running?.members.includes(self) === true
  problems.set(
    'quorum',
    !seated || spare > 0
      ? null
      : {
          severity: spare < 0 ? 'critical' : 'warning',
          message: `${up.length} of ${running.members.length} members of epoch ${state.epoch} are connected, ${running.threshold} are needed to sign`,
          remedy: 'reach the operators of the members that `truss status` shows as not connected',
        },
  )
}

/** Raises and clears what a ceremony says of itself. */
export function checkCeremony({ problems }: Pick<Desk, 'problems'>, view: CeremonyView | null): void {
  const { halted } = view ?? { halted: null }
  if (halted !== null)
    problems.set('halted', {
      severity: 'critical',
      message: `the ceremony for epoch ${view?.epoch} is halted: ${halted.reason}`,
      remedy:
        'governance must replace the culprit or cancel: `truss admin set-committee` or `truss admin cancel`',
    })
  else problems.set('halted', null)
  const aside = view?.setAside ?? []
  problems.set(
    'prepared',
    aside.length === 0
      ? null
      : {
          severity: 'warning',
          message: `epoch ${view?.epoch}: prepared shares set aside: ${aside.map(({ attempt, reason }) => `attempt ${attempt}: ${reason}`).join('; ')}`,
          remedy:
            'later attempts go on without them; only if such an attempt is activated this node lacks its share: then restore the data directory from a backup of this epoch, or ask governance for `truss admin refresh`',
        },
  )
  problems.set(
    'attempts',
    view?.alarm === true
      ? {
          severity: 'warning',
          message: `${view.failureCount} attempts for epoch ${view.epoch} have failed: ${view.failures.at(-1)?.reason ?? 'see the log'}${blockersText(view)}`,
          remedy: view.blockers.some(({ aborted }) => aborted > 0)
            ? 'governance can cancel, and replace the newcomer or member that aborts or is accused: `truss admin cancel`, `truss admin set-committee`'
            : 'see `truss status` for whom they wait; governance can replace that member or cancel',
        }
      : null,
  )
}

/** Who aborted how many attempts, and for whom others waited; empty if nobody. */
function blockersText({ blockers }: CeremonyView): string {
  const named = blockers.slice(0, NAMED_BLOCKERS).map(({ address, aborted, silent }) => {
    const deeds = [
      ...(aborted > 0 ? [`aborted ${aborted}`] : []),
      ...(silent > 0 ? [`silent in ${silent}`] : []),
    ]
    return `${address} ${deeds.join(', ')}`
  })
  return named.length === 0 ? '' : `. Of these: ${named.join('; ')}`
}

/** Watches what the completion of a reshare waits for; receipts that take longer than an attempt are a problem. */
export class DeletionsCheck {
  readonly #desk: Pick<Desk, 'problems' | 'metrics'>
  #since: { readonly epoch: number; readonly block: number } | null = null

  constructor(desk: Pick<Desk, 'problems' | 'metrics'>) {
    this.#desk = desk
  }

  /** @param all what the completion waits for */
  run({ state, head }: Pick<Sight, 'state' | 'head'>, all: readonly Owed[]): void {
    const { problems, metrics } = this.#desk
    const owed = all.filter(({ missing }) => missing > 0)
    metrics?.receiptsMissing.set(owed.reduce((sum, { missing }) => sum + missing, 0))
    if (owed.length === 0) {
      this.#since = null
      problems.set('deletions', null)
      return
    }
    if (this.#since?.epoch !== state.outstandingEpoch)
      this.#since = { epoch: state.outstandingEpoch, block: head.number }
    if (head.number - this.#since.block < state.attemptWindowBlocks) return
    const lacks = owed.map(({ epoch, missing, needed }) => `epoch ${epoch} lacks ${missing} of ${needed}`)
    problems.set('deletions', {
      severity: 'warning',
      message: `${lacks.join(', ')} deletion receipts`,
      remedy: `bring the members that \`truss status\` names back up; governance can end the wait with ${waiverText(state, owed)}`,
    })
  }
}

/** Looks at the account now and then. */
export class FundsCheck {
  readonly #desk: Desk
  #next = 0

  constructor(desk: Desk) {
    this.#desk = desk
  }

  async run(signal: AbortSignal): Promise<void> {
    const { chain, clock, problems, metrics } = this.#desk
    if (clock.now() < this.#next) return
    this.#next = clock.now() + FUNDS_MS
    try {
      const { balance, activationCost } = await chain.funds(signal)
      metrics?.balance.set(Number(balance) / 1e18)
      problems.set(
        'balance',
        balance >= WANTED_ACTIVATIONS * activationCost
          ? null
          : {
              severity: balance < activationCost ? 'critical' : 'warning',
              message: `account ${chain.account} holds ${etherText(balance)} ether, one activation costs ${etherText(activationCost)}`,
              remedy: `send at least ${etherText(WANTED_ACTIVATIONS * activationCost - balance)} ether to ${chain.account}`,
            },
      )
    } catch (error) {
      if (!(error instanceof ChainError)) throw error
      problems.set('balance', {
        severity: 'warning',
        message: messageOf(error),
        remedy: error.hint || 'check the RPC endpoints',
      })
    }
  }
}
