// The mathematics in worker threads: the same ceremonies with the same outcome, errors included, and threads that end.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { estimateMs, inProcess } from '../../relayer/ceremony/runner.ts'
import { inWorker, WORKER_ABOVE_MS } from '../../relayer/ceremony/worker.ts'
import { bareError, thrownError } from '../../relayer/ceremony/worker-wire.ts'
import { systemRng } from '../../relayer/crypto/rng.ts'
import { toAddress } from '../../relayer/lib/bytes.ts'
import {
  AbortedError,
  DisputeError,
  FaultError,
  RefusalError,
  SilenceError,
} from '../../relayer/protocol/faults.ts'
import { decodeFrame } from '../../relayer/protocol/envelope.ts'
import type { Party } from '../../relayer/protocol/party.ts'
import { committeeOf, operators, specOf, startFor } from '../support/ceremony-run.ts'
import { CeremonySim } from '../support/ceremony-sim.ts'
import { member } from '../support/numbered.ts'

test('members with worker threads and members without complete a keygen and a reshare together', async () => {
  const sim = await CeremonySim.of('workers', 3)
  const committee = sim.committee(1, 2, 0, 1, 2)
  const [first, second, third] = sim.relayers
  assert.ok(first && second && third)
  first.runner = inWorker
  second.runner = inWorker
  third.runner = inProcess
  await sim.begin(sim.keygen(committee))
  await Promise.all(sim.relayers.map(({ activated }) => activated))
  const [signed] = first.activations
  assert.ok(signed)
  await sim.activate(signed)
  const groupKey = (await first.store.activeShare())?.keys[0]?.groupKey
  await sim.begin(await sim.reshare('refresh', committee, sim.committee(2, 2, 0, 1, 2)))
  await Promise.all(sim.relayers.map(({ activated }) => activated))
  const [next] = third.activations
  assert.ok(next)
  await sim.activate(next)
  for (const { store } of sim.relayers) {
    const record = await store.activeShare()
    assert.deepEqual([record?.epoch, record?.keys[0]?.groupKey], [2, groupKey])
  }
  await sim.stop()
})

test('a thread whose attempt is given up ends with it', async () => {
  const sim = await CeremonySim.of('worker stops', 2)
  const [first] = sim.relayers
  assert.ok(first)
  first.runner = inWorker
  const dealing = Promise.withResolvers<void>()
  sim.net.rule((packet) => {
    if (packet.kind !== 'frame' || decodeFrame(packet.body).round !== 2) return 'pass'
    dealing.resolve()
    return 'drop'
  })
  await sim.begin(sim.keygen(sim.committee(1, 2, 0, 1)))
  await dealing.promise
  // The test process ends only if no thread is left.
  await sim.stop()
})

test('small committees stay in this thread, large ones leave it', () => {
  const members = (n: number) => Array.from({ length: n }, (_, at) => member(at + 1))
  const estimate = (n: number, t: number) => {
    const next = { epoch: 1, threshold: t, members: members(n) }
    return estimateMs({
      op: 'keygen',
      chainId: 1,
      bridge: toAddress(`0x${'01'.repeat(20)}`),
      held: [],
      generated: [{ keyId: 0, scheme: 'frost-ed25519' }],
      old: null,
      next,
      triggerBlockHash: new Uint8Array(32),
    })
  }
  assert.ok(estimate(5, 3) < WORKER_ABOVE_MS)
  assert.ok(estimate(20, 14) < WORKER_ABOVE_MS)
  assert.ok(estimate(50, 34) > WORKER_ABOVE_MS)
  assert.ok(estimate(100, 67) > WORKER_ABOVE_MS)
})

test('every protocol error keeps its class, its words and whom it names on the way between threads', () => {
  const party: Party = { role: 'old', index: 2, address: toAddress(`0x${'0a'.repeat(20)}`) }
  const errors = [
    new FaultError('E_POK', { culprits: [party], evidence: Uint8Array.of(1, 2), message: 'check proof' }),
    new DisputeError('E_ECHO', { suspects: [party], message: 'compare views' }),
    new SilenceError(2, [party]),
    new AbortedError(party, { code: 'E_TIMEOUT', round: 1, suspects: [party] }),
    new RefusalError('E_STATE', 'reshare key 0', 'restore it'),
    new TypeError('a bug'),
  ]
  for (const error of errors) {
    const back = thrownError(structuredClone(bareError(error)))
    assert.equal(back.message, error.message)
    assert.equal(back instanceof error.constructor, error.constructor !== TypeError)
    assert.deepEqual(bareError(back), bareError(error))
  }
})

test('a frame of a worker thread that the channel refuses fails the attempt, and not the process', async () => {
  const signers = operators(1, 2, 3)
  const spec = specOf({ op: 'keygen', next: committeeOf(1, signers, 2) })
  const start = startFor(spec, signers)
  const [signer] = signers
  assert.ok(signer)
  const late = new AbortController()
  const run = inWorker({
    spec,
    start,
    signer,
    rng: systemRng,
    held: [],
    deadline: () => late.signal,
    channel: {
      send: () => {
        setImmediate(() => late.abort())
        throw new RangeError('send frame: 65827 bytes, at most 65536')
      },
      onFrame: () => {},
      close: () => {},
    },
  })
  const uncaught: unknown[] = []
  const note = (error: unknown) => void uncaught.push(error)
  process.on('uncaughtException', note)
  await assert.rejects(run.prepare(), /send frame: 65827 bytes/)
  run.close()
  process.off('uncaughtException', note)
  assert.deepEqual(uncaught.map(String), [])
})
