// Keygen and reshare on a bad network: any order, copies, partitions that heal, restarts of links; the outcome is the same.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { DisputeError, SilenceError } from '../../relayer/protocol/faults.ts'
import { assertAgreed, assertConvicted } from '../support/blame.ts'
import {
  committeeOf,
  operators,
  preparedOf,
  type Run,
  registered,
  runCeremony,
  sharesOf,
  specOf,
} from '../support/ceremony-run.ts'
import { encodeCommitments, ROUND } from '../../relayer/protocol/messages.ts'
import { seededChooser } from '../support/seeded-rng.ts'
import type { SimNetwork } from '../support/sim-network.ts'
import { edit } from '../support/tamper.ts'

const signers = operators(1, 2, 3, 4, 5)
const next = committeeOf(1, signers, 3)
const spec = specOf({ op: 'keygen', next })

async function keygenOn(prepare: (network: SimNetwork) => void, seed: number): Promise<Run> {
  return await runCeremony({ spec, signers, seed, startSeed: 'fixed', prepare })
}

test('the order of delivery does not matter', async () => {
  const transcripts = new Set<string>()
  for (let seed = 0; seed < 8; seed++) {
    const run = await runCeremony({ spec, signers, seed, startSeed: 'fixed', rngSeed: 'fixed' })
    assertAgreed(run)
    transcripts.add(String(preparedOf(run, next.members[0] ?? '0x').transcript))
  }
  // The output is a function of input, randomness and what was said.
  assert.equal(transcripts.size, 1)
})

test('messages that come twice, or much later than others, do not matter', async () => {
  for (let seed = 0; seed < 4; seed++) {
    const choose = seededChooser(seed)
    const run = await keygenOn((network) => {
      network.rule((packet) => (choose(3) === 0 ? [packet, packet, packet] : 'pass'))
      network.rule(() => (choose(5) === 0 ? 'hold' : 'pass'))
      releaseWheneverIdle(network)
    }, seed)
    assertAgreed(run)
  }
})

test('a partition that heals in time does not matter, one that does not is silence of the other side', async () => {
  const [one, other] = [next.members.slice(0, 2), next.members.slice(2)]
  const healed = await keygenOn((network) => {
    network.partition(one, other)
    network.onIdle(() => network.heal())
  }, 1)
  assertAgreed(healed)
  const cut = await keygenOn((network) => network.partition(one, other), 2)
  for (const [address, { error }] of cut.endings) {
    assert.ok(error instanceof SilenceError, String(error))
    const far = one.includes(address) ? other : one
    assert.deepEqual(
      error.suspects.map((suspect) => suspect.address),
      far,
    )
  }
})

test('an equivocator is found even where the two halves hear of each other only through it', async () => {
  const [cheater, victim] = [next.members[0] ?? '0x', next.members[4] ?? '0x']
  const signer = signers.find(({ address }) => address === cheater)
  assert.ok(signer)
  const body = encodeCommitments([{ commitment: new Uint8Array(32), oldCommitments: new Uint8Array() }])
  for (let seed = 0; seed < 6; seed++) {
    const run = await keygenOn((network) => {
      network.rule(edit(signer, { round: ROUND.commit, toAll: true, to: [victim] }, () => ({ body })))
    }, seed)
    assertConvicted(run, 'E_EQUIV', [cheater])
  }
})

test('a session that is closed ends what waits on it, and says nothing', async () => {
  const run = await runCeremony({
    spec,
    signers,
    prepare: (network) => {
      network.rule((packet) => (packet.from === next.members[0] ? 'drop' : 'pass'))
    },
    closes: next.members[1] ?? '0x',
  })
  assert.ok(run.endings.get(next.members[1] ?? '0x')?.error instanceof DisputeError)
})

test('the members that stay, join and leave end with the same result', async () => {
  const first = await runCeremony({ spec, signers })
  const moved = await runCeremony({
    spec: specOf({
      op: 'reshare',
      old: next,
      next: committeeOf(2, operators(4, 5, 6), 2),
      held: registered(preparedOf(first, next.members[0] ?? '0x')),
    }),
    signers: operators(1, 2, 3, 4, 5, 6),
    held: sharesOf(first),
    dealers: [1, 3, 5],
  })
  assertAgreed(moved)
  for (const [address, { prepared }] of moved.endings) {
    const stays = moved.spec.next.members.includes(address)
    assert.equal(prepared?.shares.length, stays ? 1 : 0)
  }
})

function releaseWheneverIdle(network: SimNetwork): void {
  network.onIdle(() => {
    network.release()
    if (network.busy) releaseWheneverIdle(network)
  })
}
