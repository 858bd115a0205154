// The runner of an honest operator: the product's own steps, with a look at every frame that leaves and at how it ends.
import { createHash } from 'node:crypto'
import type { Run, Runner, RunInput } from '../../relayer/ceremony/runner.ts'
import { coordinatorOf } from '../../relayer/ceremony/starts.ts'
import type { Address } from '../../relayer/lib/bytes.ts'
import { toHex } from '../../relayer/lib/bytes.ts'
import type { Channel } from '../../relayer/protocol/channel.ts'
import { confirm } from '../../relayer/protocol/confirm.ts'
import { decodeFrame, type Envelope } from '../../relayer/protocol/envelope.ts'
import { keygen } from '../../relayer/protocol/keygen.ts'
import { ROUND } from '../../relayer/protocol/messages.ts'
import { reshare } from '../../relayer/protocol/reshare.ts'
import { openSession } from '../../relayer/protocol/session.ts'
import { contextOf, sessionIdOf, startFault } from '../../relayer/protocol/spec.ts'
import { activationDigest, activationOf } from '../../relayer/protocol/typed.ts'
import { KEY } from '../../relayer/store/layout.ts'
import { Arrivals } from './arrivals.ts'
import type { Chronicle } from './chronicle.ts'
import { type Member } from './member.ts'
import type { Trials } from './trials.ts'
import { missingOf } from './witness.ts'

/** What the watch keeps of one operator over all of its lives. */
export interface Watch {
  readonly chronicle: Chronicle
  readonly trials: Trials
  /** Attempts that were run, by operator, life of its disk, ceremony and number. */
  readonly runs: Set<string>
  /** Digests of the activations that were prepared, by address, epoch and attempt. */
  readonly digests: Map<string, string>
  readonly member: () => Member
}

/** A runner that does what `inProcess` does. */
export function watched(watch: Watch): Runner {
  return (input) => {
    const id = toHex(sessionIdOf(input.start.start))
    began(watch, input)
    const { trials } = watch
    const guard = guarded(watch, input)
    const session = openSession({ ...input, channel: guard.channel })
    const arrivals = new Arrivals(input)
    guard.listen((frame, hear) => {
      const before = { ...session.drops }
      hear()
      const drops = { before, after: session.drops }
      arrivals.came(frame, drops)
      trials.looked(watch.member(), id, { frame, ...drops })
    })
    const through = async <T>(stage: 'prepare' | 'confirm', steps: () => Promise<T>): Promise<T> => {
      const member = watch.member()
      try {
        const result = await steps()
        if (member.dying === null) trials.passed(member, id, stage)
        return result
      } catch (error) {
        if (member.dying === null) {
          trials.failed(member, id, error)
          trials.gaveUp(member, id, { belied: arrivals.belies(error, stage), error })
        }
        throw error
      }
    }
    const run: Run = {
      prepare: () =>
        through('prepare', async () => {
          const prepared = await (input.spec.op === 'keygen' ? keygen(session) : reshare(session, input.held))
          const digest = activationDigest(input.spec, activationOf(input.spec, prepared))
          watch.digests.set(`${session.self}/${prepared.epoch}/${prepared.attempt}`, toHex(digest))
          return prepared
        }),
      confirm: (prepared, readiness) => through('confirm', () => confirm(session, prepared, readiness)),
      close: () => session.close(),
    }
    return run
  }
}

/** An attempt is run once, under a start message of its coordinator. */
function began({ chronicle, trials, runs, member }: Watch, { spec, start }: RunInput): void {
  const self = member()
  const { name, address, lives } = self
  trials.joined(self, start.bytes)
  const { attempt } = start.start
  const context = contextOf(spec)
  chronicle.count('sessions joined')
  chronicle.event(
    `joins ${address} ${spec.next.epoch}/${attempt} ${toHex(sessionIdOf(start.start)).slice(0, 8)}`,
  )
  const session = `session ${toHex(sessionIdOf(start.start))}`
  if (!runs.has(session)) chronicle.count('attempts')
  runs.add(session)
  const run = `${address}/${lives}/${toHex(context)}/${attempt}`
  if (runs.has(run))
    chronicle.violated(
      'no attempt is run twice',
      `${name} runs attempt ${attempt} of epoch ${spec.next.epoch} again`,
    )
  runs.add(run)
  const fault = startFault(spec, coordinatorOf(spec, context, attempt), start)
  if (fault !== null)
    chronicle.violated('only a coordinator starts an attempt', `${name} joins one: ${fault}`)
}

/** The channel, with a look at what leaves, and at what comes in once somebody listens. */
function guarded(
  watch: Watch,
  input: RunInput,
): { channel: Channel; listen: (heard: (frame: Uint8Array, hear: () => void) => void) => void } {
  const said = new Map<string, string>()
  let receiver: Parameters<Channel['onFrame']>[0] = () => {}
  const channel: Channel = {
    send: (to, frame) => {
      const envelope = decodeFrame(frame)
      if (ownSeat(input, envelope)) inspect(watch, input, { envelope, said })
      input.channel.send(to, frame)
    },
    onFrame: (next) => {
      receiver = next
    },
    close: () => input.channel.close(),
  }
  return {
    channel,
    listen: (heard) =>
      input.channel.onFrame((carrier, frame) => heard(frame, () => receiver(carrier, frame))),
  }
}

function inspect(
  { chronicle, member }: Watch,
  { spec, start }: RunInput,
  of: { envelope: Envelope; said: Map<string, string> },
): void {
  const { envelope, said } = of
  const self = member()
  const place = placeIn(envelope)
  const body = createHash('sha256').update(envelope.body).digest('hex')
  if ((said.get(place) ?? body) !== body)
    chronicle.violated('an honest party says one thing', `${self.name} signs two bodies for ${place}`)
  said.set(place, body)
  const slot = { epoch: spec.next.epoch, attempt: start.start.attempt }
  if (self.disk.record(KEY.marker(slot.epoch, slot.attempt)) === undefined)
    chronicle.violated(
      'the attempt marker is durable before the first byte',
      `${self.name} sends ${place} without it`,
    )
  if (envelope.round === ROUND.acknowledge && missingOf(self, slot) !== null)
    chronicle.violated(
      'a prepared share is durable before it is acknowledged',
      `${self.name} acknowledges without its ${missingOf(self, slot)}`,
    )
}

/** Whether a node sits where an envelope says that it comes from; others' messages are only passed on. */
export function ownSeat(
  { spec, signer }: Pick<RunInput, 'spec' | 'signer'>,
  { from }: Pick<Envelope, 'from'>,
): boolean {
  const committee = from.role === 'old' ? spec.old : spec.next
  const seated: Address | undefined = committee?.members[from.index - 1]
  return seated === signer.address
}

/** Round, sender and receiver in words of this file's own: the product's may be what is wrong. */
function placeIn({ round, from, to }: Envelope): string {
  const receiver = to === null ? 'all' : `${to.role} ${to.index}`
  return `round ${round} from ${from.role} ${from.index} to ${receiver}`
}
