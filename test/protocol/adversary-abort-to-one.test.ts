// A leaving dealer that tells one member something else than the others, who then see that one fall silent.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Address, toHex } from '../../relayer/lib/bytes.ts'
import { encodeFrame, seal } from '../../relayer/protocol/envelope.ts'
import { AbortedError, FaultError } from '../../relayer/protocol/faults.ts'
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

const signers = operators(1, 2, 3, 4)
const old = committeeOf(1, signers, 3)
const newcomers = operators(5, 6, 7)
const next = committeeOf(2, newcomers, 2)
const [first, liar, other] = old.members
const [newcomer] = next.members
const born = await runCeremony({ spec: specOf({ op: 'keygen', next: old }), signers })

/**
 * A reshare whose second dealer says to each what these say.
 * @param drops what it keeps back, of its own messages
 * @param words the body of an abort and to whom, one after the other has arrived
 */
async function reshare(
  drops: (to: Address, toAll: boolean) => boolean,
  words: readonly { readonly body: Uint8Array; readonly to: readonly Address[] }[],
) {
  const signer = signers.find(({ address }) => address === liar)
  assert.ok(first && liar && signer)
  const run = await runCeremony({
    spec: specOf({ op: 'reshare', old, next, held: registered(preparedOf(born, first)) }),
    signers: [...signers, ...newcomers],
    held: sharesOf(born),
    prepare: (network, start) => {
      const sessionId = sessionIdOf(start)
      network.rule((packet) => {
        const envelope = envelopeOf(packet)
        if (packet.from !== liar || envelope === null) return 'pass'
        return envelope.round === ABORT || drops(packet.to, envelope.to === null) ? 'drop' : 'pass'
      })
      const say = ([now, ...later]: typeof words) => {
        if (now === undefined) return
        const place = { sessionId, from: { role: 'old', index: 2 }, to: null, round: ABORT } as const
        const body = encodeFrame(seal(signer, { ...place, body: now.body }))
        for (const to of now.to)
          network.inject({ from: liar, to, kind: 'frame', session: toHex(sessionId), topic: null, body })
        network.onIdle(() => say(later))
      }
      network.onIdle(() => say(words))
    },
  })
  return new Map([...run.endings].map(([address, { error }]) => [address, error as unknown]))
}

/** Who gave up over the dealer's words, and who holds evidence against it. */
function verdicts(endings: ReadonlyMap<Address, unknown>) {
  return new Map(
    [...endings].map(([address, error]) => {
      if (error instanceof AbortedError) return [address, `words of ${error.by.address}`]
      const culprits = error instanceof FaultError ? error.culprits.map((culprit) => culprit.address) : []
      return [address, error instanceof FaultError ? `${error.code} of ${culprits.join()}` : String(error)]
    }),
  )
}

const words = (round: number) => encodeAbort({ code: 'E_STATE', round, suspects: [], proof: null })

void test('a leaving dealer that gives up towards one newcomer alone is known at everybody as the one that gave up', async () => {
  assert.ok(newcomer)
  // What the liar really says is all that is needed of it, but for the victim's subshare.
  const endings = await reshare(
    (to, toAll) => to === newcomer && !toAll,
    [{ body: words(0), to: [newcomer] }],
  )
  const found = verdicts(endings)
  for (const address of [first, other, ...next.members].flatMap((each) => each ?? []))
    assert.equal(found.get(address), `words of ${liar}`)
})

void test('a leaving dealer that gives up with other words towards one dealer is convicted by the two, and that one is not blamed', async () => {
  assert.ok(first && other)
  const rest = [other, ...next.members]
  // The rest owe it nothing and heed no word of it; the victim has nothing of it, and gives up.
  const endings = await reshare(
    (to) => to === first,
    [
      { body: words(0), to: rest },
      { body: words(1), to: [first] },
    ],
  )
  const found = verdicts(endings)
  for (const address of rest) assert.equal(found.get(address), `E_EQUIV of ${liar}`)
  assert.equal(found.get(first), `words of ${liar}`)
})
