// The worker thread of one attempt: the same protocol functions over a channel, a signer and deadlines that the parent lends.
import { parentPort, workerData } from 'node:worker_threads'
import type { Signer } from '../crypto/identity.ts'
import { systemRng } from '../crypto/rng.ts'
import type { Address } from '../lib/bytes.ts'
import type { Channel } from '../protocol/channel.ts'
import type { Prepared } from '../protocol/prepared.ts'
import { inProcess } from './runner.ts'
import {
  bareError,
  bareShares,
  type FromWorker,
  secretShares,
  type ToWorker,
  type WorkerStart,
  wipeBare,
} from './worker-wire.ts'

const SIGNATURE_BYTES = 65

function serve(start: WorkerStart, port: NonNullable<typeof parentPort>): void {
  const say = (message: FromWorker) => port.postMessage(message)
  const deadlines = new Map<number, AbortController>()
  let receiver: ((from: Address, frame: Uint8Array) => void) | null = null
  const early: { from: Address; frame: Uint8Array }[] = []
  const channel: Channel = {
    send: (to, frame) => say({ type: 'send', to, frame }),
    onFrame: (each) => {
      receiver = each
      for (const { from, frame } of early.splice(0)) each(from, frame)
    },
    close: () => {},
  }
  const deadline = (round: number) => {
    const known = deadlines.get(round)
    if (known !== undefined) return known.signal
    const controller = new AbortController()
    deadlines.set(round, controller)
    say({ type: 'deadline', round })
    return controller.signal
  }
  const held = secretShares(start.held)
  const run = inProcess({
    spec: start.spec,
    start: start.start,
    signer: remoteSigner(start, say),
    channel,
    rng: systemRng,
    held,
    deadline,
  })
  let prepared: Prepared | null = null
  const part = (work: Promise<FromWorker>) => {
    work.then(say, (error: unknown) => say({ type: 'error', error: bareError(error) }))
  }
  port.on('message', (message: ToWorker) => {
    switch (message.type) {
      case 'frame':
        if (receiver === null) early.push(message)
        else receiver(message.from, message.frame)
        break
      case 'deadline':
        deadlines.get(message.round)?.abort()
        break
      case 'prepare':
        part(
          run.prepare().then((result) => {
            prepared = result
            return { type: 'prepared', prepared: { ...result, shares: bareShares(result.shares) } }
          }),
        )
        break
      case 'confirm':
        if (prepared === null) throw new Error('confirm attempt: nothing is prepared')
        part(
          run
            .confirm(prepared, message.readiness)
            .then((certificate) => ({ type: 'certificate', certificate })),
        )
        break
      case 'close':
        run.close()
        wipeBare(start.held)
        for (const { share } of prepared?.shares ?? []) share.wipe()
        port.close()
    }
  })
}

/** Signs through the parent, which alone has the operator's key; this thread stands still meanwhile. */
function remoteSigner(start: WorkerStart, say: (message: FromWorker) => void): Signer {
  const state = new Int32Array(start.signing, 0, 1)
  const signature = new Uint8Array(start.signing, 4, SIGNATURE_BYTES)
  return {
    address: start.address,
    publicKey: start.publicKey,
    sign: (digest) => {
      Atomics.store(state, 0, 0)
      say({ type: 'sign', digest })
      Atomics.wait(state, 0, 0)
      return signature.slice()
    },
  }
}

if (parentPort === null) throw new Error('start attempt: this file runs in a worker thread only')
// CAST: `inWorker` is the only one that starts this file, with exactly this
serve(workerData as WorkerStart, parentPort)
