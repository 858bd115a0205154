// One attempt that was joined: the protocol over its channel, the prepared result made durable, and the certificate.
import { toHex } from '../lib/bytes.ts'
import type { Channel } from '../protocol/channel.ts'
import type { Prepared } from '../protocol/prepared.ts'
import { type SignedStart, sessionIdOf } from '../protocol/spec.ts'
import { activationHash, activationOf, readinessDigest } from '../protocol/typed.ts'
import { wipeShares } from '../store/shares.ts'
import type { Activations } from './activations.ts'
import { deadlineAt } from './blocks.ts'
import { Progress } from './progress.ts'
import { type CeremonyDeps, type CeremonyTerms, dealingOf, seatsOf } from './terms.ts'
import type { CeremonyView } from './view.ts'
import { opening, roundDeadline } from './windows.ts'
import { defaultRunner } from './worker.ts'

/** What an attempt works on. */
export interface AttemptParts {
  readonly deps: CeremonyDeps
  readonly terms: CeremonyTerms
  readonly activations: Activations
  readonly view: CeremonyView
  /** Aborts when the ceremony is left: the chain has decided, or the operator vetoed. Nothing is sent from then on. */
  readonly left: AbortSignal
}

/**
 * Runs the attempt of a start message whose marker is durable. Resolves with the certificate collected, or at once for a
 * node without a seat in it.
 * @throws the errors of protocol/faults.ts; StoreError if the prepared share cannot be made durable; ChainError if the
 *   trigger block is gone; the signal's reason
 */
export async function runAttempt(
  parts: AttemptParts,
  signed: SignedStart,
  signal: AbortSignal,
): Promise<void> {
  const { deps, terms, activations, view, left } = parts
  const { spec } = terms
  const { attempt, dealers } = signed.start
  const seats = seatsOf(spec, dealers)
  const self = deps.network.self
  if (!seats.includes(self)) {
    view.stage = 'waiting'
    return
  }
  // The marker took its time: what was left or vetoed meanwhile is not begun.
  signal.throwIfAborted()
  view.stage = 'dealing'
  const over = new AbortController()
  const scope = AbortSignal.any([signal, over.signal])
  const progress = new Progress(view, self, { spec, dealing: dealingOf(spec, dealers) })
  const opened = lingering(deps.network.open(sessionIdOf(signed.start), seats), {
    left,
    later: (close) => void deps.blocks.reached(opening(terms, attempt + 1), signal).then(close, close),
  })
  const channel = progress.watch(opened)
  const index = (spec.old?.members.indexOf(self) ?? -1) + 1
  try {
    const run = (deps.runner ?? defaultRunner)({
      spec,
      start: signed,
      signer: deps.signer,
      channel,
      rng: deps.rng,
      held: dealers.includes(index) ? terms.held : [],
      deadline: (round) => deadlineAt(deps.blocks, roundDeadline(terms, attempt, round), scope),
    })
    try {
      const prepared = await run.prepare()
      const readiness = await ready(parts, prepared, signal)
      const certificate = await run.confirm(prepared, readiness)
      deps.log.info({ attempt, session: toHex(sessionIdOf(signed.start)) }, 'attempt certified')
      view.waitingFor = null
      activations.certified(attempt, certificate)
    } finally {
      run.close()
    }
  } finally {
    over.abort(new DOMException('the attempt is over', 'AbortError'))
    channel.close()
  }
}

/** Makes a prepared result durable and signs readiness for it; null for a dealer that leaves. */
async function ready(
  parts: AttemptParts,
  prepared: Prepared,
  signal: AbortSignal,
): Promise<Uint8Array | null> {
  const { deps, terms, activations, view } = parts
  const { spec } = terms
  if (prepared.shares.length === 0) return null
  try {
    signal.throwIfAborted()
    // Durable first: from here on the share is kept, whatever becomes of the attempt.
    await deps.store.savePrepared(spec, prepared)
  } catch (error) {
    wipeShares(prepared.shares)
    throw error
  }
  view.stage = 'prepared'
  activations.hold(prepared)
  // A trigger that was reorganised away must not become a committee.
  await terms.recheck?.(signal)
  const hash = activationHash(activationOf(spec, prepared))
  return deps.signer.sign(readinessDigest(spec, hash, deps.network.self))
}

/**
 * A channel that goes on sending for a while after it was closed: the last acknowledgement or the accusation of an
 * attempt must still reach members that are slower. Once the ceremony is left nothing new is sent: a worker thread that
 * has not heard of it would go on to deal.
 */
function lingering(
  channel: Channel,
  { left, later }: { left: AbortSignal; later: (close: () => void) => void },
): Channel {
  let open = true
  return {
    send: (to, frame) => {
      if (!left.aborted) channel.send(to, frame)
    },
    onFrame: (receiver) =>
      channel.onFrame((from, frame) => {
        if (open) receiver(from, frame)
      }),
    close: () => {
      if (!open) return
      open = false
      later(() => channel.close())
    },
  }
}
