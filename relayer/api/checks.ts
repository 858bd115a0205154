// The health checks of a relayer: what its status says is wrong, and what only the network knows.
import type { Status } from '../bridge/status.ts'
import type { Address } from '../lib/bytes.ts'
import { type HealthCheck, ill, well } from './health.ts'

/** What the checks need to know of the network. */
export interface Surroundings {
  readonly bootnodes: readonly { readonly multiaddr: string; readonly connected: boolean }[]
  /** On how many nodes our address record is stored. */
  readonly recordReplicas: number
  /** Members whose boot counter went back, or came twice. */
  readonly bootAlarms: readonly { readonly address: Address; readonly kind: 'rollback' | 'clone' }[]
}

/** Every check, those that are well included; the critical ones make the node unready. */
export function checksOf(status: Status, surroundings: Surroundings): HealthCheck[] {
  const others = status.members.filter(({ self }) => !self)
  const connected = others.filter((member) => member.connected).length
  const checks = [...status.problems, bootstrapCheck(surroundings, connected), ...bootChecks(surroundings)]
  if (status.phase !== null)
    checks.push(well('chain', `block ${status.head}, epoch ${status.epoch}, phase ${status.phase}`))
  else if (!status.problems.some(({ check }) => check === 'rpc'))
    checks.push(
      ill('chain', 'critical', {
        message: 'the contract has not been read yet',
        remedy: 'wait for the first look at the chain; if this stays, check rpcUrls',
      }),
    )
  if (status.evidence > 0)
    checks.push(
      ill('evidence', 'warning', {
        message: `${status.evidence} evidence records are stored`,
        remedy: 'write them to files with `truss evidence save`, and show them to governance',
      }),
    )
  const order = { critical: 0, warning: 1, ok: 2 }
  return checks.sort((a, b) => order[a.severity] - order[b.severity] || a.check.localeCompare(b.check))
}

/** Without a bootnode members who know each other still meet; a node that meets nobody needs one. */
function bootstrapCheck({ bootnodes, recordReplicas }: Surroundings, connected: number): HealthCheck {
  if (bootnodes.length === 0) return well('bootstrap', 'no bootnode is configured')
  const up = bootnodes.filter((bootnode) => bootnode.connected).length
  if (up === 0)
    return ill('bootstrap', connected === 0 ? 'critical' : 'warning', {
      message: `no bootnode is connected (${bootnodes.map(({ multiaddr }) => multiaddr).join(', ')})`,
      remedy: 'see that a bootnode runs and can be reached; this node goes on trying',
    })
  if (recordReplicas === 0)
    return ill('bootstrap', 'warning', {
      message: 'our address record is not stored anywhere yet: newcomers cannot find this node',
      remedy: 'wait a minute; if this stays, see that the bootnode can be reached',
    })
  return well('bootstrap', `${up} of ${bootnodes.length} bootnodes, record on ${recordReplicas} nodes`)
}

function bootChecks({ bootAlarms }: Surroundings): HealthCheck[] {
  return bootAlarms.map(({ address, kind }) =>
    ill('boot', 'warning', {
      message:
        kind === 'rollback'
          ? `${address} counts its starts below what it counted before: its disk was restored`
          : `${address} runs twice: its machine or its disk was cloned`,
      remedy: 'ask its operator; a restored or cloned share must not sign',
    }),
  )
}
