// What one corrupt member, or a restart, may try to keep an honest leader from its signature: old nonces, and floods of new ones.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { coordinateSignature } from '../../relayer/protocol/roast.ts'
import { decodeMessage } from '../../relayer/protocol/signwire.ts'
import { SigningWorld } from '../support/signing.ts'
import type { Packet } from '../support/sim-network.ts'

const nobody = (world: SigningWorld) =>
  assert.deepEqual(
    world.members.map(({ faults }) => faults.map(({ code }) => code)),
    world.members.map(() => []),
  )

/** A signing message on its way. */
function tell(world: SigningWorld, from: number, to: number, body: Uint8Array): Packet {
  return {
    from: world.address(from),
    to: world.address(to),
    kind: 'tell',
    session: '',
    topic: 'sign',
    body,
  }
}

void test('old batches that somebody replays to a restarted leader keep no honest signer out', async () => {
  const world = new SigningWorld({ t: 2, n: 3, seed: 'replayed to a restarted leader' })
  const batches: Uint8Array[] = []
  const stop = world.network.rule(({ from, to, body }) => {
    const overheard = from === world.address(2) && to === world.address(3)
    if (overheard && decodeMessage(body).type === 'batch') batches.push(body)
    return 'pass'
  })
  for (let at = 0; at < 3; at++)
    await coordinateSignature({ ...world.coordination(1, 0, `before ${at}`), include: [2] })
  stop()
  world.reopen(1)
  world.member(3).signer.close()
  for (let at = 0; at < 3; at++) {
    for (const body of batches) world.network.inject(tell(world, 3, 1, body))
    await world.network.idle()
    assert.deepEqual((await world.probe(1, 0, `after ${at}`)).quorum, [1, 2])
  }
  nobody(world)
})
