// Carries a governance command out: reads the contract, shows the plan, tries it, asks, sends.
import { committeeAt } from '../bridge/lineage.ts'
import { owedBy } from '../bridge/owed.ts'
import { DEFAULT_RULES } from '../bridge/policy.ts'
import { adminCalldata, type AdminCall } from '../chain/admin.ts'
import type { EthersChain } from '../chain/client.ts'
import { readView } from '../chain/contracts.ts'
import { createEndpoints, type Endpoint } from '../chain/endpoint.ts'
import { Quorum } from '../chain/quorum.ts'
import { RevertError } from '../chain/reverts.ts'
import type { Address } from '../lib/bytes.ts'
import { systemClock } from '../lib/clock.ts'
import { silentLog } from '../lib/log.ts'
import { type AdminOptions, adminKey, type BridgeConfig, bridgeConfig, openChain } from './admin-options.ts'
import { type AdminAction, majorityOf, type Plan, planOf, type Shape, type Situation } from './admin-plan.ts'
import { settingText } from './admin-setting.ts'
import { columns, type Context, show } from './command.ts'
import { confirmed } from './confirm.ts'
import { RefusedError } from './exit.ts'
import { type Namer, namerOf } from './names.ts'

/** The contract at its latest block, with the epochs that a plan looks at. @throws ChainError */
export async function readSituation(chain: EthersChain, config: BridgeConfig): Promise<Situation> {
  const at = await chain.head()
  const state = await chain.committeeState(at)
  const info = (number: number) => chain.epochInfo(number, at)
  const epoch = async (number: number) => (number === 0 ? null : await info(number))
  const owing = state.outstandingEpoch === 0 ? 0 : state.epoch - state.outstandingEpoch
  const [pending, closed, running, paused] = await Promise.all([
    epoch(state.pending?.epoch ?? 0),
    Promise.all(Array.from({ length: owing }, (_, at) => info(state.outstandingEpoch + at))),
    epoch(state.epoch),
    isPaused(config),
  ])
  const since = at.number - DEFAULT_RULES.spanBlocks
  const earlier = running === null ? null : await committeeAt(since, { running, info })
  return { state, pending, owed: owedBy(state, closed), earlier, paused }
}

/** Whether transfers are paused, at the latest block of the endpoint that answers first. @throws ChainError */
async function isPaused({ rpcUrls, rpcTimeoutMs, chainId, bridge }: BridgeConfig): Promise<boolean> {
  const common = { chainId, bridge, timeoutMs: rpcTimeoutMs ?? 10_000, clock: systemClock }
  const endpoints = createEndpoints(rpcUrls, common)
  const view = { bridge, name: 'paused', args: [], at: 'latest' } as const
  try {
    const ask = (endpoint: Endpoint) => readView(endpoint, view)
    return (await new Quorum(endpoints, 1, silentLog).first('whether transfers are paused', ask)) === true
  } finally {
    for (const endpoint of endpoints) endpoint.close()
  }
}

/**
 * One governance command from beginning to end.
 * @throws RefusedError without the role, against the contract's rules or not confirmed; ChainError; ConfigError
 */
export async function govern(context: Context, options: AdminOptions, action: AdminAction): Promise<void> {
  const config = bridgeConfig(context, options)
  const key = await adminKey(context, options)
  const chain = await openChain(config, key)
  try {
    const planned = planOf(action, await readSituation(chain, config))
    const plan = options.calldata === true ? await triedByAdmin(chain, planned) : planned
    const lines = planLines(plan, namerOf(config))
    const { call } = plan
    if (options.calldata === true) return printCalldata(context, { chain, plan, lines, call })
    const from = await sender(chain, key === null ? null : chain.account, options)
    await chain.governance.simulate(call, from)
    if (options.dryRun === true)
      return show(context, { ...plan, from, sent: false }, [
        ...lines,
        'dry run: the call would succeed; nothing was sent',
      ])
    await confirmed(context, options, lines)
    const { hash, block } = await chain.governance.send(call)
    show(context, { ...plan, from, sent: true, hash, block }, [
      `sent: ${hash}, block ${block.number}`,
      ...(plan.ceremony ? ['the relayers take it from here: follow it with `truss status`'] : []),
    ])
  } finally {
    chain.close()
    key?.wipe()
  }
}

/** A call as a person reads it: lists in brackets, texts in quotation marks. */
export function callText({ method, args }: AdminCall): string {
  const one = (value: unknown): string => {
    if (Array.isArray(value)) return `[${value.map(one).join(', ')}]`
    return typeof value === 'string' && !value.startsWith('0x') ? JSON.stringify(value) : String(value)
  }
  return `${method}(${args.map(one).join(', ')})`
}

/** A plan that somebody else will send, with a warning if the bridge would refuse it now. @throws ChainError */
async function triedByAdmin({ governance }: EthersChain, plan: Plan): Promise<Plan> {
  try {
    await governance.simulate(plan.call, await governance.admin())
    return plan
  } catch (error) {
    if (!(error instanceof RevertError)) throw error
    const refused = `the bridge would refuse this now: ${error.reason}`
    return {
      ...plan,
      warnings: [...plan.warnings, error.hint === '' ? refused : `${refused}; ${error.hint}`],
    }
  }
}

/** The account that sends, or, for a dry run without a key, the one that could. */
async function sender(chain: EthersChain, account: Address | null, options: AdminOptions): Promise<Address> {
  if (account === null) {
    if (options.dryRun === true) return chain.governance.admin()
    throw new RefusedError('send: no account is named', {
      hint: 'give --keystore (or --private-key-env), or print the call with --calldata, or try it with --dry-run',
    })
  }
  if (await chain.governance.isAdmin(account)) return account
  throw new RefusedError(
    `send: ${account} does not hold the admin role; ${await chain.governance.admin()} does`,
    {
      hint: 'use its key, or print the call for it with --calldata',
    },
  )
}

function printCalldata(
  context: Context,
  { chain, plan, lines, call }: { chain: EthersChain; plan: Plan; lines: readonly string[]; call: AdminCall },
): void {
  const transaction = { to: chain.bridge, value: '0', data: adminCalldata(call), chainId: chain.chainId }
  if (!context.json) for (const line of lines) context.io.err(line)
  show(
    context,
    { ...plan, transaction, sent: false },
    columns([
      ['to', transaction.to],
      ['value', transaction.value],
      ['data', transaction.data],
    ]),
  )
}

function planLines({ call, before, after, setting, notes, warnings }: Plan, name: Namer): string[] {
  const named = (line: string) => line.replaceAll(/0x[0-9a-f]{40}(?![0-9a-f])/g, name)
  const shape = ({ members, threshold }: Shape) =>
    `${threshold} of ${members.length} sign (a majority is ${majorityOf(members.length)})`
  return columns([
    ['call', callText(call)],
    ['now', setting === null ? shape(before) : settingText(setting.name, setting.now)],
    ...(setting === null ? [] : [['then', settingText(setting.name, setting.then)] as const]),
    ...(after === null ? [] : [['then', shape(after)] as const]),
    ...notes.map((note) => ['note', note] as const),
    ...warnings.map((warning) => ['WARNING', warning] as const),
  ]).map(named)
}
