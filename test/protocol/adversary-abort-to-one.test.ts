// A leaving dealer that deals to all but one, and gives up towards that one alone: who then looks silent to all others.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Address, toHex } from '../../relayer/lib/bytes.ts'
import { encodeFrame, seal } from '../../relayer/protocol/envelope.ts'
import { AbortedError } from '../../relayer/protocol/faults.ts'
import { ABORT, encodeAbort } from '../../relayer/protocol/messages.ts'
import { sessionIdOf } from '../../relayer/protocol/spec.ts'
import {
  committeeOf,
  operators,
  preparedOf,
  registered,
  runCeremony,
  sharesOf,
  specOf,
} from '../support/ceremony-run.ts'
import { envelopeOf } from '../support/tamper.ts'

void test('a leaving dealer that gives up towards one newcomer alone is known at everybody as the one that gave up', async () => {
  const signers = operators(1, 2, 3)
  const old = committeeOf(1, signers, 2)
  const born = await runCeremony({ spec: specOf({ op: 'keygen', next: old }), signers })
  const newcomers = operators(5, 6, 7)
  const next = committeeOf(2, newcomers, 2)
  const held = registered(preparedOf(born, old.members[0] ?? '0x'))
  const [liar, victim] = [old.members[1], next.members[0]]
  const signer = signers.find(({ address }) => address === liar)
  assert.ok(liar && victim && signer)
  const run = await runCeremony({
    spec: specOf({ op: 'reshare', old, next, held }),
    signers: [...signers, ...newcomers],
    held: sharesOf(born),
    prepare: (network, start) => {
      const sessionId = sessionIdOf(start)
      const suspects = [{ role: 'old', index: 1 } as const]
      const body = encodeAbort({ code: 'E_STATE', round: 0, suspects, proof: null })
      const abort = seal(signer, { sessionId, from: { role: 'old', index: 2 }, to: null, round: ABORT, body })
      network.rule((packet) => {
        const envelope = envelopeOf(packet)
        if (packet.from !== liar || envelope === null) return 'pass'
        // What the liar really says is all that is needed of it, but for the victim's subshare.
        return envelope.round === ABORT || (packet.to === victim && envelope.to !== null) ? 'drop' : 'pass'
      })
      network.onIdle(() =>
        network.inject({
          from: liar,
          to: victim,
          kind: 'frame',
          session: toHex(sessionId),
          topic: null,
          body: encodeFrame(abort),
        }),
      )
    },
  })
  const named = (address: Address) => {
    const error: unknown = run.endings.get(address)?.error
    return error instanceof AbortedError ? error.by.address : String(error)
  }
  const honest = [old.members[0] ?? '0x', ...next.members]
  assert.deepEqual(
    honest.map((address) => [address, named(address)]),
    honest.map((address) => [address, liar]),
  )
})
