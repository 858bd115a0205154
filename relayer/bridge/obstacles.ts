// Who holds the pending ceremony up: each member with the reason, and what whoever reads it can do.
import { NO_SHARE } from '../ceremony/muster.ts'
import { NOT_STARTED } from '../ceremony/unstarted.ts'
import type { AnnouncedMember, CeremonyView } from '../ceremony/view.ts'
import type { Address } from '../lib/bytes.ts'
import { PROTOCOL_VERSION } from '../protocol/channel.ts'
import type { CeremonySpec } from '../protocol/spec.ts'
import { DELAY, VETOED } from './consent.ts'
import type { Problem } from './problems.ts'

/** Stable names, for metrics. */
export const OBSTACLE_REASONS = [
  'policy',
  'veto',
  'node',
  'offline',
  'behind',
  'quiet',
  'version',
  'refuses',
  'vetoes',
  'no-share',
  'silent',
  'suspect',
  'aborts',
  'culprit',
] as const

/** A member that the ceremony waits for, or that keeps it from going on. */
export interface Obstacle {
  readonly who: Address
  readonly reason: (typeof OBSTACLE_REASONS)[number]
  readonly message: string
  /** One sentence. */
  readonly remedy: string
}

/** What the judgement is made from. */
export interface Scene {
  readonly self: Address
  readonly spec: CeremonySpec
  readonly view: CeremonyView
  readonly problems: readonly Problem[]
  /** Latest head here. */
  readonly head: number
  readonly connected: (member: Address) => boolean
  /** Latest head that a peer reports, or null. */
  readonly headOf: (member: Address) => number | null
}

/** A peer so many blocks behind has trouble with its chain. */
const BEHIND_BLOCKS = 5
/** Problems of this node that keep it from a ceremony. */
const OWN_TROUBLE = ['rpc', 'store', 'share', 'epoch', 'internal', 'ceremony', 'activate', 'balance']

/** One entry for each reason that a member gives, this node's own first, then by address. */
export function obstaclesOf(scene: Scene): Obstacle[] {
  const { self, view, problems } = scene
  const found: Obstacle[] = problems
    .filter(({ check, severity }) => severity === 'critical' && OWN_TROUBLE.includes(check))
    .map(({ message, remedy }) => ({ who: self, reason: 'node', message, remedy }))
  found.push(...(view.halted?.culprits ?? []).map((who) => convicted(who, view)))
  if (view.halted === null)
    found.push(
      ...(['waiting', 'announcing'].includes(view.stage) ? beforeAttempt(scene) : duringAttempt(view)),
    )
  return found.sort((a, b) => Number(b.who === self) - Number(a.who === self) || (a.who < b.who ? -1 : 1))
}

function convicted(who: Address, view: CeremonyView): Obstacle {
  return {
    who,
    reason: 'culprit',
    message: `is proven to have broken the protocol: ${view.halted?.reason ?? ''}`,
    remedy:
      'governance replaces it or cancels: `truss admin set-committee --remove` or `truss admin cancel`; `truss evidence save` writes the proof',
  }
}

function duringAttempt({ waitingFor, attempt }: CeremonyView): Obstacle[] {
  return (waitingFor?.members ?? []).map((who) => ({
    who,
    reason: 'silent',
    message: `attempt ${attempt} waits for its ${waitingFor?.what ?? 'message'}`,
    remedy: 'wait for the end of this attempt; if it stays silent, ask its operator to look at its log',
  }))
}

function beforeAttempt(scene: Scene): Obstacle[] {
  const { spec, view, self } = scene
  const said = new Map(view.announced.map((each) => [each.address, each]))
  const old = spec.old?.members ?? []
  const version = said.get(self)?.protocolVersion ?? PROTOCOL_VERSION
  const willing = old.filter((member) => {
    const each = said.get(member)
    return each?.deals === true && each.protocolVersion === version
  })
  const coming = old.filter((member) => view.coming.includes(member))
  const lacking = willing.length + coming.length < (spec.old?.threshold ?? 0)
  const needed = new Set([...spec.next.members, ...(lacking ? old : [])])
  const found: Obstacle[] = []
  for (const who of needed) {
    const each = said.get(who)
    if (each === undefined) found.push(...unheard(who, scene))
    else if (each.protocolVersion !== version) found.push(foreign(each, version))
    else if (each.vetoes) found.push(vetoing(each, scene))
    else if (lacking && old.includes(who) && !each.deals) found.push(refusing(each, scene))
  }
  for (const { address: who, aborted } of view.blockers)
    if (aborted > 0 && who !== self && needed.has(who)) found.push(quitting(who, aborted))
  const last = view.failures.at(-1)
  const named = new Set(found.map(({ who }) => who))
  // Whoever was missing when an attempt did not start is looked at anew; see above.
  const silent = last?.reason.startsWith(NOT_STARTED) === true ? [] : (last?.suspects ?? [])
  for (const who of silent)
    if (who !== self && !named.has(who) && needed.has(who)) found.push(suspect(who, last))
  return found
}

/** Before anybody was heard only a missing connection says something. */
function unheard(who: Address, { view, connected, headOf, head, self }: Scene): Obstacle[] {
  if (who === self) return []
  if (!connected(who))
    return [
      {
        who,
        reason: 'offline',
        message: 'is not connected',
        remedy: `ask its operator to start its daemon and to see that its port can be reached; \`truss admin check ${who}\` tries it from here`,
      },
    ]
  // Its head is what it last reported: that it looks behind as well says nothing yet.
  if (view.announced.length === 0 || view.coming.includes(who)) return []
  const at = headOf(who)
  if (at !== null && at < head - BEHIND_BLOCKS)
    return [
      {
        who,
        reason: 'behind',
        message: `is connected and sees block ${at} where this node sees ${head}`,
        remedy: 'ask its operator to check its RPC endpoints (rpcUrls)',
      },
    ]
  return [
    {
      who,
      reason: 'quiet',
      message: 'is connected and has not announced itself',
      remedy: 'ask its operator for its `truss status`: its chain endpoints, its share, or its clock',
    },
  ]
}

function foreign({ address: who, protocolVersion, softwareVersion }: AnnouncedMember, own: number): Obstacle {
  return {
    who,
    reason: 'version',
    message: `speaks protocol version ${protocolVersion} (${softwareVersion}), this node ${own}`,
    remedy: 'upgrade whoever is older: all members of a ceremony speak one version',
  }
}

function vetoing({ address: who, refusal }: AnnouncedMember, { self, spec }: Scene): Obstacle {
  const { epoch } = spec.next
  if (who === self)
    return {
      who,
      reason: spec.old === null && refusal !== VETOED ? 'policy' : 'veto',
      message: `takes no part: ${refusal}`,
      remedy: `\`truss reshare approve ${epoch}\` lets this node take part; otherwise governance cancels: \`truss admin cancel\``,
    }
  return {
    who,
    reason: 'vetoes',
    message: `takes no part: ${refusal}`,
    remedy: `ask its operator why: only it can withdraw (\`truss reshare approve ${epoch}\` there); otherwise governance cancels: \`truss admin cancel\``,
  }
}

function refusing({ address: who, refusal }: AnnouncedMember, { self, spec }: Scene): Obstacle {
  const { epoch } = spec.next
  if (refusal === NO_SHARE)
    return {
      who,
      reason: 'no-share',
      message: 'holds no share that it can deal from',
      remedy:
        'bring other old members back: a threshold of them must deal; this one gets a share again in the reshare',
    }
  if (who === self)
    return {
      who,
      reason: 'policy',
      message: `does not deal: ${refusal}`,
      remedy: `look with \`truss reshare show\`; then \`truss reshare approve ${epoch}\` or \`truss reshare veto ${epoch}\``,
    }
  if (refusal.includes(DELAY))
    return {
      who,
      reason: 'refuses',
      message: `does not deal yet: ${refusal}`,
      remedy: `wait for that block, or look at the change meanwhile: \`truss reshare approve ${epoch}\` there lets it deal at once`,
    }
  return {
    who,
    reason: 'refuses',
    message: `does not deal: ${refusal}`,
    remedy: `ask its operator to look at the change: \`truss reshare approve ${epoch}\` there lets it deal`,
  }
}

function quitting(who: Address, aborted: number): Obstacle {
  return {
    who,
    reason: 'aborts',
    message: `gave up ${aborted} attempts without a proof against anybody`,
    remedy:
      'ask its operator for its log; if it goes on, governance replaces it: `truss admin set-committee --remove`',
  }
}

function suspect(who: Address, last: CeremonyView['failures'][number] | undefined): Obstacle {
  return {
    who,
    reason: 'suspect',
    message: `was silent or differed in attempt ${last?.attempt}: ${last?.reason}`,
    remedy:
      'the next attempt tries again; if it happens again, ask its operator, or let governance replace it',
  }
}
