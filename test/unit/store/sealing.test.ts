// What is sealed opens at its own place and nowhere else.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { toAddress } from '../../../relayer/lib/bytes.ts'
import { Secret } from '../../../relayer/lib/secret.ts'
import { type Identity, Sealer } from '../../../relayer/store/sealing.ts'
import { seededRng } from '../../support/seeded-rng.ts'

const bytes = (byte: number) => new Uint8Array(32).fill(byte)
const home: Identity = {
  chainId: 1,
  bridge: toAddress(`0x${'b1'.repeat(20)}`),
  operator: toAddress(`0x${'0a'.repeat(20)}`),
}
const slot = { epoch: 3, attempt: 1 }
const key = { keyId: 1, scheme: 'frost-ed25519' } as const
const elsewhere: readonly Identity[] = [
  { ...home, chainId: 2 },
  { ...home, bridge: home.operator },
  { ...home, operator: home.bridge },
]
const sealerOf = (identity: Identity, operatorKey = bytes(5)) =>
  new Sealer(identity, new Secret(operatorKey), seededRng('sealing'))

test('a sealed share opens for its own key, scheme, epoch, attempt, operator, chain and bridge, and for no other', () => {
  const sealer = sealerOf(home)
  const dataKey = sealer.newDataKey()
  const box = sealer.sealShare(dataKey, new Secret(bytes(9)), { key, slot })
  assert.deepEqual(sealer.openShare(dataKey, box, { key, slot })?.expose(), bytes(9))
  for (const at of [
    { key: { ...key, keyId: 0 }, slot },
    { key: { ...key, scheme: 'frost-secp256k1-evm' } as const, slot },
    { key, slot: { ...slot, epoch: 4 } },
    { key, slot: { ...slot, attempt: 0 } },
  ])
    assert.equal(sealer.openShare(dataKey, box, at), null)
  for (const identity of elsewhere)
    assert.equal(sealerOf(identity).openShare(dataKey, box, { key, slot }), null)
  assert.equal(sealer.openShare(new Secret(bytes(1)), box, { key, slot }), null)
})

test('a key file opens for its own slot, operator, chain and bridge, under the operator key that wrapped it', () => {
  const sealer = sealerOf(home)
  const dataKey = sealer.newDataKey()
  const file = sealer.wrap(dataKey, slot)
  assert.deepEqual(sealer.unwrap(file, slot)?.expose(), dataKey.expose())
  for (const other of [
    { ...slot, epoch: 2 },
    { ...slot, attempt: 2 },
  ])
    assert.equal(sealer.unwrap(file, other), null)
  for (const identity of elsewhere) assert.equal(sealerOf(identity).unwrap(file, slot), null)
  assert.equal(sealerOf(home, bytes(6)).unwrap(file, slot), null)
  for (const damaged of [file.subarray(1), file.subarray(0, -1), new Uint8Array(), file.toReversed()])
    assert.equal(sealer.unwrap(damaged, slot), null)
})
