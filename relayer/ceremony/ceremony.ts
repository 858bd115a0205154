// One ceremony from its start block until the chain has decided: attempt after attempt, evidence, and signed activations.
import type { Address } from '../lib/bytes.ts'
import { messageOf } from '../lib/errors.ts'
import { startOfFrame } from '../protocol/envelope.ts'
import { startEquivocation } from '../protocol/evidence.ts'
import { RefusalError } from '../protocol/faults.ts'
import { checkSpec, contextOf, type SignedStart } from '../protocol/spec.ts'
import { MAX_PREPARED } from '../store/shares.ts'
import type { SignedActivation } from './activation.ts'
import { Activations } from './activations.ts'
import { runAttempt } from './attempt.ts'
import { Bell } from './bell.ts'
import { Suspicion } from './dealers.ts'
import { Docket, keptEvidence, tellEvidence } from './evidence.ts'
import { Muster } from './muster.ts'
import { Patience } from './patience.ts'
import { StartDesk } from './starts.ts'
import { type CeremonyDeps, type CeremonyTerms, dealingOf, participantsOf } from './terms.ts'
import { NotStartedError } from './unstarted.ts'
import { ConvictedError, judged, type Verdict, verdictOf } from './verdict.ts'
import { type CeremonyView, newView, noteFailure } from './view.ts'
import { attemptAt, isAlarming, lastClosed, nextUsed, opening, startDeadline } from './windows.ts'

/**
 * Runs a ceremony until the signal aborts, which is the caller's word that the chain has activated or burned the epoch,
 * or that the node stops. Yields each signed activation that this node makes or is told of, verified, once per attempt.
 * @throws StoreError if what earlier starts prepared cannot be read
 */
export async function* runCeremony(
  deps: CeremonyDeps,
  terms: CeremonyTerms,
  signal: AbortSignal,
): AsyncGenerator<SignedActivation, void, undefined> {
  const scope = new AbortController()
  const over = AbortSignal.any([signal, scope.signal])
  const bell = new Bell()
  const made: SignedActivation[] = []
  const ceremony = new Ceremony(deps, terms, {
    signal: over,
    onSigned: (signed) => {
      made.push(signed)
      bell.ring()
    },
  })
  const work = ceremony.run().catch((error: unknown) => {
    if (!over.aborted) throw error
  })
  // Whoever pulls next is told; until then a failure must not count as unhandled.
  work.catch(() => {})
  try {
    for (;;) {
      yield* made.splice(0)
      await Promise.race([bell.heard(over), work])
    }
  } catch (error) {
    if (!over.aborted) throw error
  } finally {
    scope.abort(new DOMException('the ceremony is over', 'AbortError'))
    await work
  }
}

interface Life {
  readonly signal: AbortSignal
  readonly onSigned: (signed: SignedActivation) => void
}

class Ceremony {
  readonly #deps: CeremonyDeps
  readonly #terms: CeremonyTerms
  readonly #life: Life
  readonly #view: CeremonyView
  readonly #suspicion = new Suspicion()
  readonly #excluded = new Set<Address>()
  readonly #docket: Docket
  readonly #activations: Activations
  readonly #desk: StartDesk
  #running: AbortController | null = null
  /** The record that halted this node. */
  #halting: Uint8Array | null = null

  constructor(deps: CeremonyDeps, terms: CeremonyTerms, life: Life) {
    this.#deps = deps
    this.#terms = terms
    this.#life = life
    this.#docket = new Docket(terms.spec)
    this.#view = terms.view ?? newView(terms.spec)
    const onEvidence = (evidence: Uint8Array) => void this.#report(evidence, null)
    const onSigned = (signed: SignedActivation) => {
      life.onSigned(signed)
      this.#running?.abort(new DOMException('an activation is signed', 'AbortError'))
    }
    this.#activations = new Activations({
      deps,
      terms,
      view: this.#view,
      signal: life.signal,
      onSigned,
      onEvidence,
    })
    this.#desk = new StartDesk(terms.spec, contextOf(terms.spec), {
      equivocated: (first, second) => this.#equivocated(first, second),
      refused: (reason) => deps.log.debug({ reason }, 'start message refused'),
    })
  }

  async run(): Promise<void> {
    const { network, store } = this.#deps
    const { spec } = this.#terms
    const closed = lastClosed(this.#terms, await store.lastJoined(spec.next.epoch))
    const muster = new Muster({
      deps: this.#deps,
      terms: this.#terms,
      desk: this.#desk,
      suspicion: this.#suspicion,
      excluded: this.#excluded,
      view: this.#view,
      onAnnounced: (from) => this.#inform(from),
      lastJoined: closed,
    })
    const participants = new Set(participantsOf(spec))
    const patience = new Patience(this.#deps.blocks)
    const stop = [
      this.#activations.listen(),
      muster.listen(),
      network.onUnopened((from, _, frame) => {
        const start = participants.has(from) ? startOfFrame(frame) : null
        if (start !== null) muster.offer(from, start)
      }),
      network.onTell('evidence', (from, bytes) => {
        if (participants.has(from) && patience.spend(from)) void this.#report(bytes, from)
      }),
    ]
    try {
      this.#checkServed()
      await this.#activations.load()
      for (const bytes of await keptEvidence(this.#deps)) this.#weighed(bytes, null)
      await this.#attempts(muster, closed ?? -1)
    } finally {
      for (const each of stop) each()
    }
  }

  async #attempts(muster: Muster, closed: number): Promise<never> {
    const { blocks } = this.#deps
    const { signal } = this.#life
    let tried = closed
    for (;;) {
      await blocks.reached(this.#terms.startBlock, signal)
      await this.#full()
      // Then there is nothing to do but answer others, until the chain or governance has decided.
      if (this.#activations.signed !== null || this.#view.halted !== null) await new Bell().heard(signal)
      const now = attemptAt(this.#terms, blocks.head()) ?? 0
      const attempt = nextUsed(Math.max(now, tried + 1))
      // Several windows may pass meanwhile, so the reckoning begins anew.
      if (attempt > now) await this.#waitFor(attempt)
      // Nothing begins so late, and nobody is to blame for it: finality shows a ceremony when it will.
      else if (blocks.head() >= startDeadline(this.#terms, attempt)) tried = attempt
      else tried = Math.max(attempt, await this.#try(muster, attempt))
    }
  }

  /** One attempt, from muster to certificate or failure; gives the attempt that was joined, which may be a neighbour. */
  async #try(muster: Muster, attempt: number): Promise<number> {
    const stop = new AbortController()
    const scope = AbortSignal.any([this.#life.signal, stop.signal])
    this.#view.nextAttemptBlock = null
    this.#running = stop
    let signed: SignedStart | null = null
    try {
      signed = await muster.gather(attempt, scope)
      const { signal: left } = this.#life
      const parts = { deps: this.#deps, terms: this.#terms, activations: this.#activations, view: this.#view }
      await runAttempt({ ...parts, left }, signed, scope)
    } catch (error) {
      this.#life.signal.throwIfAborted()
      if (this.#activations.signed === null)
        await this.#failed(signed, attempt, stop.signal.aborted ? stop.signal.reason : error)
    } finally {
      this.#running = null
    }
    return signed?.start.attempt ?? attempt
  }

  async #failed(signed: SignedStart | null, attempt: number, error: unknown): Promise<void> {
    const { log, blocks } = this.#deps
    const { spec } = this.#terms
    const verdict = verdictOf(error, spec, this.#excluded)
    const { members: missing, silent } =
      error instanceof NotStartedError ? error : { members: [], silent: [] }
    if (signed !== null) this.#suspicion.add({ ...verdict, dealers: dealingOf(spec, signed.start.dealers) })
    const failure = {
      attempt: signed?.start.attempt ?? attempt,
      block: blocks.head(),
      reason: verdict.reason,
      suspects: [...new Set([...verdict.suspects, ...silent])],
      culprits: verdict.culprits,
    }
    noteFailure(this.#view, failure, { aborted: verdict.aborted, seen: [...verdict.seen, ...silent] })
    // By the number of windows, not of failures seen: a restart does not silence it, and a late start does not raise it.
    this.#view.alarm = isAlarming(attempt + 1)
    this.#view.waitingFor = missing.length > 0 ? { what: verdict.reason, members: missing } : null
    const members = [...new Set([...verdict.culprits, ...verdict.suspects, ...missing])]
    log.warn({ epoch: spec.next.epoch, attempt, reason: verdict.reason, members }, 'attempt failed')
    if (verdict.evidence !== null) await this.#report(verdict.evidence, null)
    this.#apply(verdict)
  }

  #apply({ kind, culprits, reason }: Pick<Verdict, 'kind' | 'culprits' | 'reason'>): void {
    if (kind === 'retry') return
    if (kind === 'retry-without') {
      for (const culprit of culprits) this.#excluded.add(culprit)
      return
    }
    this.#halt(reason, culprits)
  }

  #halt(reason: string, culprits: readonly Address[]): void {
    if (this.#view.halted !== null) return
    this.#view.halted = { reason, culprits }
    if (this.#activations.signed === null) this.#view.stage = 'halted'
    this.#deps.log.error({ epoch: this.#terms.spec.next.epoch, reason, culprits }, 'ceremony halted')
  }

  /** Verifies a record, keeps it, acts on it, and tells the others. */
  async #report(evidence: Uint8Array, from: Address | null): Promise<void> {
    const { store, network, log } = this.#deps
    const weighed = this.#weighed(evidence, from)
    if (weighed !== 'convicts') return log.debug({ from, weighed }, 'evidence refused')
    log.warn({ from, epoch: this.#terms.spec.next.epoch }, 'evidence kept')
    try {
      await store.addEvidence(evidence)
    } catch (error) {
      log.error({ error: messageOf(error) }, 'keep evidence')
    }
    // What others bring too: told to one alone, it would make that one look silent.
    const others = participantsOf(this.#terms.spec).filter((each) => each !== network.self && each !== from)
    tellEvidence(this.#deps, others, evidence)
  }

  /** Whatever a judge stumbles over proves nothing, and ends no process. */
  #weighed(evidence: Uint8Array, from: Address | null): 'convicts' | 'known' | 'nothing' {
    try {
      return this.#weigh(evidence, from)
    } catch (error) {
      this.#deps.log.error({ from, error: messageOf(error) }, 'judge evidence')
      return 'nothing'
    }
  }

  /** Answers who still looks for an attempt with what makes one unnecessary, or impossible. */
  #inform(peer: Address): void {
    this.#activations.inform(peer)
    if (this.#halting !== null) tellEvidence(this.#deps, [peer], this.#halting)
  }

  /** Acts on a record that convinces us and was not weighed before. */
  #weigh(evidence: Uint8Array, from: Address | null): 'convicts' | 'known' | 'nothing' {
    const found = this.#docket.judge(evidence, from)
    if (typeof found === 'string') return found
    const verdict = judged(found.culprits, this.#terms.spec, this.#excluded)
    this.#apply({ ...verdict, reason: found.reason })
    if (verdict.kind === 'halt') {
      this.#halting ??= evidence
      this.#running?.abort(new ConvictedError(found.reason, found.culprits))
    }
    return 'convicts'
  }

  #equivocated(first: SignedStart, second: SignedStart): void {
    this.#deps.log.warn({ attempt: first.start.attempt }, 'the coordinator signed two start messages')
    void this.#report(startEquivocation(this.#terms.spec, first, second), null)
  }

  async #waitFor(attempt: number): Promise<void> {
    const block = opening(this.#terms, attempt)
    this.#view.nextAttemptBlock = block
    if (this.#view.stage !== 'signing') this.#view.stage = 'waiting'
    await this.#deps.blocks.reached(block, this.#life.signal)
  }

  /** What this version does not run, every member says itself: no coordinator could start it, and none is to blame. */
  #checkServed(): void {
    try {
      checkSpec(this.#terms.spec)
    } catch (error) {
      if (!(error instanceof RefusalError)) throw error
      this.#halt(error.hint === '' ? error.message : `${error.message}. ${error.hint}`, [])
    }
  }

  /** An epoch with too many prepared shares waits for governance. */
  async #full(): Promise<void> {
    const kept = await this.#deps.store.preparedSlots(this.#terms.spec.next.epoch)
    if (kept.length >= MAX_PREPARED)
      this.#halt(`epoch ${this.#terms.spec.next.epoch} has ${kept.length} prepared shares already`, [])
  }
}
