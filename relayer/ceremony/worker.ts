// The parent's side of an attempt in a worker thread, and the choice between that and running it here.
import { Worker } from 'node:worker_threads'
import type { Address } from '../lib/bytes.ts'
import { messageOf } from '../lib/errors.ts'
import type { Certificate } from '../protocol/confirm.ts'
import type { Prepared } from '../protocol/prepared.ts'
import { estimateMs, inProcess, type Run, type RunInput, type Runner } from './runner.ts'
import {
  bareShares,
  type FromWorker,
  secretShares,
  thrownError,
  type ToWorker,
  type WorkerStart,
  wipeBare,
} from './worker-wire.ts'

/** Attempts whose arithmetic is estimated to take longer than this, in ms, leave the event loop's thread. */
export const WORKER_ABOVE_MS = 50

/** In a worker thread if the mathematics would hold the event loop up for long, otherwise here. */
export const defaultRunner: Runner = (input) =>
  estimateMs(input.spec) > WORKER_ABOVE_MS ? inWorker(input) : inProcess(input)

/**
 * Runs an attempt in a thread of its own. The operator's key stays here: the thread asks for each signature and waits.
 * The thread draws from the operating system's generator, whatever `input.rng` is.
 */
export function inWorker(input: RunInput): Run {
  return new WorkerRun(input)
}

type Outcome = Extract<FromWorker, { type: 'prepared' | 'certificate' }>

class WorkerRun implements Run {
  readonly #input: RunInput
  readonly #worker: Worker
  readonly #signing = new SharedArrayBuffer(4 + 68)
  #waiting: { resolve: (outcome: Outcome) => void; reject: (error: unknown) => void } | null = null
  #failure: Error | null = null
  #closed = false

  constructor(input: RunInput) {
    this.#input = input
    const { spec, start, signer } = input
    const held = bareShares(input.held)
    const data: WorkerStart = {
      spec,
      start,
      held,
      address: signer.address,
      publicKey: signer.publicKey,
      signing: this.#signing,
    }
    this.#worker = new Worker(new URL('./worker-thread.ts', import.meta.url), { workerData: data })
    wipeBare(held)
    this.#worker.on('message', (message: FromWorker) => this.#heard(message))
    this.#worker.on('error', (error: Error) => this.#fail(error))
    this.#worker.on('exit', () => this.#fail(new Error('run attempt: its worker thread ended')))
    input.channel.onFrame((from, frame) => this.#say({ type: 'frame', from, frame }))
  }

  async prepare(): Promise<Prepared> {
    const outcome = await this.#ask({ type: 'prepare' })
    if (outcome.type !== 'prepared') throw new Error('run attempt: the worker answered out of turn')
    return { ...outcome.prepared, shares: secretShares(outcome.prepared.shares) }
  }

  async confirm(_: Prepared, readiness: Uint8Array | null): Promise<Certificate> {
    const outcome = await this.#ask({ type: 'confirm', readiness })
    if (outcome.type !== 'certificate') throw new Error('run attempt: the worker answered out of turn')
    return outcome.certificate
  }

  close(): void {
    if (this.#closed) return
    this.#say({ type: 'close' })
    this.#closed = true
    this.#input.channel.close()
  }

  #ask(message: ToWorker): Promise<Outcome> {
    return new Promise((resolve, reject) => {
      if (this.#failure !== null) {
        reject(this.#failure)
        return
      }
      this.#waiting = { resolve, reject }
      this.#say(message)
    })
  }

  #heard(message: FromWorker): void {
    switch (message.type) {
      case 'send':
        this.#send(message.to, message.frame)
        break
      case 'sign':
        this.#sign(message.digest)
        break
      case 'deadline':
        this.#watch(message.round)
        break
      case 'error':
        this.#settle()?.reject(thrownError(message.error))
        break
      case 'prepared':
      case 'certificate':
        this.#settle()?.resolve(message)
    }
  }

  /** What the channel refuses fails the attempt, as it would without a thread, and not the process. */
  #send(to: Address, frame: Uint8Array): void {
    if (this.#closed) return
    try {
      this.#input.channel.send(to, frame)
    } catch (error) {
      this.#fail(error instanceof Error ? error : new Error(messageOf(error)))
    }
  }

  #sign(digest: Uint8Array): void {
    new Uint8Array(this.#signing, 4).set(this.#input.signer.sign(digest))
    const state = new Int32Array(this.#signing, 0, 1)
    Atomics.store(state, 0, 1)
    Atomics.notify(state, 0)
  }

  #watch(round: number): void {
    const signal = this.#input.deadline(round)
    const over = () => this.#say({ type: 'deadline', round })
    if (signal.aborted) over()
    else signal.addEventListener('abort', over, { once: true })
  }

  #say(message: ToWorker): void {
    if (!this.#closed) this.#worker.postMessage(message)
  }

  #settle() {
    const waiting = this.#waiting
    this.#waiting = null
    return waiting
  }

  #fail(error: Error): void {
    this.#failure = error
    this.#settle()?.reject(error)
  }
}
