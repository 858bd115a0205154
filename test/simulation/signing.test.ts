// The signing service: what active shares sign and refuse, its own attempts and back-off, and its allowance of probes.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { InputError } from '../../relayer/lib/errors.ts'
import { to0x } from '../../relayer/lib/bytes.ts'
import { SilenceError } from '../../relayer/protocol/faults.ts'
import { SCHEMES } from '../../relayer/protocol/keyshare.ts'
import { CeremonySim, type SimRelayer } from '../support/ceremony-sim.ts'

async function committee(seed: string): Promise<{ sim: CeremonySim; leader: SimRelayer }> {
  const sim = await CeremonySim.of(seed, 3)
  await sim.complete(sim.keygen(sim.committee(1, 2, 0, 1, 2)))
  const [leader] = sim.relayers
  assert.ok(leader)
  return { sim, leader }
}

const probe = (text: string) => ({
  keyId: 0,
  payload: (epoch: number) => ({ type: 'probe' as const, probe: { keyId: 0, epoch, text } }),
})
const never = new AbortController().signal

/** Lets network and clock take turns until the promise is settled. */
async function settled<T>(sim: CeremonySim, promise: Promise<T>): Promise<T | Error> {
  let outcome: T | Error | undefined
  promise.then(
    (value) => {
      outcome = value
    },
    (error: unknown) => {
      outcome = error instanceof Error ? error : new Error(String(error))
    },
  )
  for (let turn = 0; outcome === undefined && turn < 400; turn++) {
    await sim.quiet()
    if (outcome === undefined) await sim.clock.advance(500)
  }
  assert.ok(outcome !== undefined, 'it comes to an end')
  return outcome
}

test('a payload that names another key, epoch or group key is refused before anybody is asked', async () => {
  const { sim, leader } = await committee('wrong payload')
  const wrong = { type: 'probe' as const, probe: { keyId: 0, epoch: 9, text: 'x' } }
  const refused = await settled(sim, leader.signing.sign({ keyId: 0, payload: () => wrong }, never))
  assert.match(refused instanceof Error ? refused.message : '', /the probe names key 0 of epoch 9/)
  const message = {
    scheme: SCHEMES.indexOf('frost-secp256k1-evm'),
    groupKey: to0x(new Uint8Array(64).fill(1)),
    destinationChainId: 5,
    destinationBridge: leader.address,
  }
  const other = { keyId: 0, payload: () => ({ type: 'set-group-key' as const, message }) }
  const foreign = await settled(sim, leader.signing.sign(other, never))
  assert.match(foreign instanceof Error ? foreign.message : '', /names another group key/)
  await sim.stop()
})

test('key 0 signs its own group key for another bridge', async () => {
  const { sim, leader } = await committee('set group key')
  const key = (await leader.store.activeShare())?.keys[0]
  assert.ok(key)
  const message = {
    scheme: SCHEMES.indexOf(key.scheme),
    groupKey: to0x(key.groupKey),
    destinationChainId: 5,
    destinationBridge: leader.address,
  }
  const order = { keyId: 0, payload: () => ({ type: 'set-group-key' as const, message }) }
  const signed = await settled(sim, leader.signing.sign(order, never))
  assert.ok(!(signed instanceof Error))
  assert.equal(signed.signature.length, 52)
  await sim.stop()
})

test('an unknown key, and a member to include that is none, are the caller\u2019s mistakes', async () => {
  const { sim, leader } = await committee('mistakes')
  await assert.rejects(leader.signing.sign({ ...probe('x'), keyId: 7 }, never), InputError)
  const stranger = `0x${'99'.repeat(20)}` as const
  await assert.rejects(
    leader.signing.sign({ ...probe('x'), include: [stranger] }, never),
    (error) =>
      error instanceof InputError &&
      /no member of epoch 1$/.test(error.message) &&
      error.hint === 'see the members with `truss status`',
  )
  await sim.stop()
})

test('with too few members up it tries again with growing pauses, and signs as soon as one is back', async () => {
  const { sim, leader } = await committee('back-off')
  const others = sim.some(1, 2).map(({ address }) => address)
  sim.net.partition([leader.address], others)
  const pending = leader.signing.sign(probe('patience'), never)
  for (let turn = 0; turn < 60; turn++) {
    await sim.quiet()
    await sim.clock.advance(500)
  }
  sim.net.heal()
  const signed = await settled(sim, pending)
  assert.ok(!(signed instanceof Error))
  assert.ok(signed.attempts > 1)
  await sim.stop()
})

test('a request ends with its attempts, or with its signal, and says why nobody signed', async () => {
  const { sim, leader } = await committee('given up')
  sim.net.partition(
    [leader.address],
    sim.some(1, 2).map(({ address }) => address),
  )
  const spent = await settled(sim, leader.signing.sign({ ...probe('x'), attempts: 2 }, never))
  assert.ok(spent instanceof SilenceError)
  const controller = new AbortController()
  const pending = leader.signing.sign(probe('x'), controller.signal)
  for (let turn = 0; turn < 30; turn++) {
    await sim.quiet()
    await sim.clock.advance(500)
  }
  controller.abort(new Error('the caller left'))
  const error = await settled(sim, pending)
  assert.match(
    error instanceof Error ? error.message : '',
    /given up in attempt \d+ \(the caller left\), last: E_TIMEOUT/,
  )
  await sim.stop()
})

test('a signer that was asked for too many probes refuses that leader more until its allowance is back, and no other', async () => {
  const { sim, leader } = await committee('allowance')
  let signed = 0
  let refusal = ''
  // Time stands still as long as everybody answers, so nothing of the allowance comes back.
  for (let count = 0; count < 120 && refusal === ''; count++) {
    const outcome = await settled(
      sim,
      leader.signing.sign({ ...probe(`probe ${count}`), attempts: 1 }, never),
    )
    if (outcome instanceof Error) refusal = outcome.message
    else signed += 1
  }
  assert.ok(signed >= 64 && signed <= 96, `${signed} were signed`)
  assert.match(refusal, /too many probes, ask later/)
  const other = sim.relayers[1]?.signing.sign({ ...probe('of another'), attempts: 1 }, never)
  assert.ok(other)
  assert.ok(!((await settled(sim, other)) instanceof Error))
  await sim.clock.advance(60_000)
  assert.ok(!((await settled(sim, leader.signing.sign(probe('later'), never))) instanceof Error))
  await sim.stop()
})
