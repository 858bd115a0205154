// `truss status`: what the daemon sees, does, and waits for.
import { Command } from 'commander'
import type { HealthCheck } from '../api/health.ts'
import type { ChangeStatus } from '../bridge/consent.ts'
import type { CeremonyStatus, MemberStatus, Status } from '../bridge/status.ts'
import { columns, contextOf, show } from './command.ts'
import { askDaemon, clientConfig } from './daemon-client.ts'
import type { Io } from './io.ts'
import { type Namer, namerOf } from './names.ts'

/** What the daemon answers: its status and its health checks. */
export type FullStatus = Status & { readonly health: readonly HealthCheck[] }

export function statusCommand(io: Io): Command {
  return new Command('status')
    .description('show epoch, ceremony, members, what is waited for, and health')
    .action(async (_options: object, command: Command) => {
      const context = contextOf(io, command)
      const config = clientConfig(context)
      const status = await askDaemon<FullStatus>(config.dataDirectory, 'GET', ['/status'])
      show(context, status, statusLines(status, namerOf(config)))
    })
}

/** The status as text. */
export function statusLines(status: FullStatus, name: Namer): string[] {
  const { ceremony, change, deletions, obstacles, shares, waitsFor, health } = status
  return [
    ...columns([
      ['address', name(status.address)],
      ['version', status.softwareVersion],
      ['chain', `${status.chainId}, bridge ${status.bridge}`],
      ['block', `${status.head}, final ${status.finalised ?? 'not known yet'}`],
      ['epoch', epochText(status)],
      ['signs', signsText(status)],
      ['can miss', sparesText(status)],
      ...(ceremony === null ? [] : ceremonyRows(ceremony, name)),
      ...deletionRows(deletions),
      ...(change === null ? [] : [['change', changeText(change)] as const]),
      ...obstacles.map(
        ({ who, message, remedy }) => ['BLOCKS', `${name(who)} ${message}: ${remedy}`] as const,
      ),
      ...waitsFor.map(({ what, who }) => ['WAITS FOR', `${what}: ${who.map(name).join(', ')}`] as const),
      ...shares.map(
        ({ epoch, attempt, state }) => ['share', `epoch ${epoch}, attempt ${attempt}: ${state}`] as const,
      ),
    ]),
    '',
    ...memberLines(status, name),
    '',
    ...healthLines(health),
  ]
}

function deletionRows(deletions: Status['deletions']): (readonly [string, string])[] {
  const { epochs, pausesTransfers } = deletions ?? { epochs: [], pausesTransfers: false }
  return epochs.map(({ epoch, known, needed, onChain, missing }) => [
    'deletions',
    `epoch ${epoch}: ${known.length} of ${needed} receipts, ${onChain} on chain${pausesTransfers && missing > 0 ? '; transfers wait for them' : ''}`,
  ])
}

function epochText({ epoch, phase, threshold, members, pendingEpoch }: Status): string {
  if (phase === null) return 'not known yet'
  const size = members.filter(({ index }) => index !== null).length
  const pending = pendingEpoch === null ? '' : `; epoch ${pendingEpoch} is pending`
  return `${epoch}, ${phase}, ${threshold} of ${size} sign${pending}`
}

/** What changes, and whether this operator stands in its way. */
function changeText({
  epoch,
  joins,
  leaves,
  thresholdBefore,
  threshold,
  heldBack,
  decision,
}: ChangeStatus): string {
  const parts = [
    ...(joins.length === 0 || thresholdBefore === null ? [] : [`${joins.length} join`]),
    ...(leaves.length === 0 ? [] : [`${leaves.length} leave`]),
    ...(thresholdBefore === null || thresholdBefore === threshold
      ? []
      : [`threshold ${thresholdBefore} -> ${threshold}`]),
  ]
  const what = parts.length === 0 ? '' : `: ${parts.join(', ')}`
  const said =
    decision === null
      ? heldBack === null
        ? ''
        : `; YOUR RULES HOLD IT BACK: ${heldBack}`
      : `; you ${decision} it`
  return `to epoch ${epoch}${what}${said}; \`truss reshare show\` shows it whole`
}

function signsText({ index, signsWith }: Status): string {
  if (index === null) return 'no: not a member of the running committee'
  return signsWith === null
    ? `no: member ${index} without a usable share`
    : `as member ${index}, epoch ${signsWith}`
}

/** How many more failures until the committee cannot sign, or cannot reshare. */
function sparesText({ epoch, sparesToSign, sparesToReshare }: Status): string {
  if (epoch === 0) return 'there is no key yet'
  const text = (spare: number, what: string) =>
    spare < 0 ? `CANNOT ${what} NOW: ${-spare} more needed` : `${spare} more before it cannot ${what}`
  return `${text(sparesToSign, 'sign')}; ${text(sparesToReshare, 'reshare')}`
}

function ceremonyRows(ceremony: CeremonyStatus, name: Namer): (readonly [string, string])[] {
  const { op, epoch, stage, attempt, window, nextAttemptBlock, coordinator, dealers, halted, failures } =
    ceremony
  const next = nextAttemptBlock === null ? '' : `, next attempt from block ${nextAttemptBlock}`
  const last = failures.at(-1)
  const quitters = ceremony.blockers.filter(({ aborted }) => aborted > 0)
  const counted = quitters.map(({ address, aborted }) => `${name(address)} ${aborted}`)
  return [
    [
      'ceremony',
      `${op} of epoch ${epoch}: ${stage}, attempt ${attempt ?? 'none yet'}, window ${window ?? '-'}${next}`,
    ],
    ...(coordinator === null ? [] : [['leads', name(coordinator)] as const]),
    ...(dealers.length === 0 ? [] : [['deal', dealers.map(name).join(', ')] as const]),
    ...(last === undefined
      ? []
      : [['failed', `${ceremony.failureCount} attempts, the last: ${last.reason}`] as const]),
    ...(counted.length === 0
      ? []
      : [
          [
            'aborted',
            `without proof: ${counted.join(', ')}; governance can cancel and replace them`,
          ] as const,
        ]),
    ...(halted === null
      ? []
      : [['HALTED', `${halted.reason}; proven: ${halted.culprits.map(name).join(', ')}`] as const]),
  ]
}

function memberLines({ members }: Status, name: Namer): string[] {
  const role = ({ index, nextIndex }: MemberStatus) =>
    index === null ? 'joins' : nextIndex === null ? String(index) : `${index}->${nextIndex}`
  const marks = (member: MemberStatus) =>
    [
      member.self ? 'this node' : member.connected ? 'connected' : 'NOT CONNECTED',
      ...(member.announced ? ['announced'] : []),
      ...(member.deals ? ['deals'] : []),
      ...(member.ready ? ['ready'] : []),
      ...(member.softwareVersion === null
        ? []
        : [
            `${member.softwareVersion}${member.protocolVersion === null ? '' : ` (protocol ${member.protocolVersion})`}`,
          ]),
      ...(member.head === null ? [] : [`block ${member.head}`]),
      ...(member.latencyMs === null ? [] : [`${Math.round(member.latencyMs)} ms`]),
    ].join(', ')
  return columns(members.map((member) => [`${role(member)}  ${name(member.address)}`, marks(member)]))
}

function healthLines(health: readonly HealthCheck[]): string[] {
  const wrong = health.filter(({ severity }) => severity !== 'ok')
  if (wrong.length === 0) return ['all checks are well']
  return wrong.map(
    ({ severity, check, message, remedy }) => `${severity.toUpperCase()} ${check}: ${message}: ${remedy}`,
  )
}
