// A signed activation as the contract will judge it: every part that may be wrong is found, whoever brought it.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { activationFault, type SignedActivation } from '../../relayer/ceremony/activation.ts'
import type { CeremonySpec } from '../../relayer/protocol/spec.ts'
import { CeremonySim } from '../support/ceremony-sim.ts'

/** A keygen's activation, and that of a refresh after it. */
async function twoActivations(): Promise<{
  sim: CeremonySim
  first: { spec: CeremonySpec; signed: SignedActivation }
  second: { spec: CeremonySpec; signed: SignedActivation }
}> {
  const sim = await CeremonySim.of('activations', 3)
  const old = sim.committee(1, 2, 0, 1, 2)
  const keygen = sim.keygen(old)
  const first = { spec: keygen, signed: await sim.complete(keygen) }
  const refresh = await sim.reshare('refresh', old, sim.committee(2, 2, 0, 1, 2))
  const second = { spec: refresh, signed: await sim.complete(refresh) }
  return { sim, first, second }
}

test('an activation is taken only as the contract would take it', async () => {
  const { sim, first, second } = await twoActivations()
  assert.equal(await activationFault(first.spec, first.signed), null)
  assert.equal(await activationFault(second.spec, second.signed), null)
  const { spec, signed } = second
  const { activation, readiness } = signed
  const [key] = activation.keys
  assert.ok(key)
  const other = `0x${'11'.repeat(32)}` as const
  const cases: [string, SignedActivation, RegExp][] = [
    ['of the former epoch', first.signed, /epoch 1 instead of 2/],
    [
      'another committee',
      { ...signed, activation: { ...activation, committeeHash: other } },
      /another committee/,
    ],
    [
      'another attempt',
      { ...signed, activation: { ...activation, attempt: 9 } },
      /group signature is invalid/,
    ],
    [
      'another transcript',
      { ...signed, activation: { ...activation, transcriptHash: other } },
      /group signature/,
    ],
    ['no key', { ...signed, activation: { ...activation, keys: [] } }, /0 keys instead of 1/],
    ['a key twice', { ...signed, activation: { ...activation, keys: [key, key] } }, /2 keys instead of 1/],
    [
      'another group key',
      { ...signed, activation: { ...activation, keys: [{ ...key, groupKey: `0x${'22'.repeat(64)}` }] } },
      /another group key for key 0/,
    ],
    [
      'the former signature',
      { ...signed, groupSignature: first.signed.groupSignature },
      /group signature is invalid/,
    ],
    [
      'one readiness less',
      { ...signed, readiness: readiness.slice(1) },
      /2 readiness signatures for 3 members/,
    ],
    [
      'readiness out of order',
      { ...signed, readiness: [...readiness].reverse() },
      /readiness signature of 0x/,
    ],
    [
      'readiness for the former',
      { ...signed, readiness: first.signed.readiness },
      /readiness signature of 0x/,
    ],
  ]
  for (const [name, wrong, fault] of cases)
    assert.match((await activationFault(spec, wrong)) ?? 'none', fault, name)
  await sim.stop()
})

test('in a keygen a garbage group key with a garbage signature is refused', async () => {
  const { sim, first } = await twoActivations()
  const { activation } = first.signed
  const [key] = activation.keys
  assert.ok(key)
  for (const groupKey of [`0x${'00'.repeat(64)}`, `0x${'ff'.repeat(64)}`, '0x'] as const) {
    const wrong = { ...activation, keys: [{ ...key, groupKey }] }
    const signature = `0x${'00'.repeat(52)}` as const
    assert.match(
      (await activationFault(first.spec, {
        ...first.signed,
        activation: wrong,
        groupSignature: signature,
      })) ?? '',
      /group signature is invalid/,
    )
  }
  await sim.stop()
})
