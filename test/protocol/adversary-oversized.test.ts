// A commitment as long as a frame has room for without start message: passed on, it must still fit one.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Address } from '../../relayer/lib/bytes.ts'
import { attemptOf } from '../../relayer/protocol/attempt.ts'
import { type Channel, MAX_FRAME } from '../../relayer/protocol/channel.ts'
import { encodeFrame, FRAME_OVERHEAD, seal } from '../../relayer/protocol/envelope.ts'
import { FaultError } from '../../relayer/protocol/faults.ts'
import { ROUND } from '../../relayer/protocol/messages.ts'
import { convicts } from '../../relayer/protocol/proof.ts'
import { openSession } from '../../relayer/protocol/session.ts'
import { committeeOf, operators, specOf, startFor } from '../support/ceremony-run.ts'

const range = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, at) => from + at)

void test('a dealer whose commitments are as long as a frame allows is convicted, and breaks nobody', async () => {
  const [dealing, receiving] = [operators(...range(1, 67)), operators(...range(101, 103))]
  const held = range(0, 7).map((keyId) => ({
    keyId,
    scheme: 'frost-secp256k1-evm' as const,
    groupKey: new Uint8Array(64).fill(1),
    commitmentsHash: new Uint8Array(32),
  }))
  const old = committeeOf(1, dealing, 67)
  const spec = specOf({ op: 'reshare', old, next: committeeOf(2, receiving, 2), held })
  const start = startFor(spec, receiving)
  const attempt = attemptOf(spec, start.start)
  const [honest] = receiving
  const [cheat] = attempt.parties
  const signer = dealing.find(({ address }) => address === cheat?.address)
  assert.ok(honest && cheat && signer)

  let receive: (from: Address, frame: Uint8Array) => void = () => {}
  // As p2p/sessions.ts and the simulated network do it.
  const channel: Channel = {
    send: (_, frame) => {
      if (frame.length > MAX_FRAME) throw new RangeError(`send frame: ${frame.length} bytes`)
    },
    onFrame: (receiver) => {
      receive = receiver
    },
    close: () => {},
  }
  const never = new AbortController().signal
  const rng = (length: number) => new Uint8Array(length).fill(7)
  const session = openSession({ spec, start, signer: honest, channel, rng, deadline: () => never })
  const commit = seal(signer, {
    sessionId: attempt.sessionId,
    round: ROUND.commit,
    from: { role: 'old', index: cheat.index },
    to: null,
    body: new Uint8Array(MAX_FRAME - FRAME_OVERHEAD),
  })
  const frame = encodeFrame(commit)
  assert.ok(frame.length <= MAX_FRAME)
  receive(cheat.address, frame)
  const [taken] = await session.gather(ROUND.commit, [cheat])
  assert.ok(taken, 'the inbox takes it: it is evidence')
  const proof = { code: 'E_LEN' as const, envelopes: [taken], transcript: [] }
  assert.deepEqual(convicts(attempt, proof), [cheat])
  // What `blame` of receiving.ts throws in round 3.
  await assert.rejects(
    session.run(async () => {
      throw session.fault(proof, [cheat])
    }),
    FaultError,
  )
})
