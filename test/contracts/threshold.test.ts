// The daemon's own digests and threshold signatures against the contract: what members sign is what the chain takes.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { FrostKey } from '../../relayer/crypto/frost.ts'
import { systemRng } from '../../relayer/crypto/rng.ts'
import { type Address, to0x } from '../../relayer/lib/bytes.ts'
import type { KeyShare } from '../../relayer/protocol/keyshare.ts'
import {
  activationDigest,
  activationHash,
  activationOf,
  type Domain,
  probeDigest,
  readinessDigest,
  receiptDigest,
  setGroupKeyDigest,
} from '../../relayer/protocol/typed.ts'
import { BridgeWorld } from '../support/bridge-world.ts'
import { deal, firstShare, preparedOf } from '../support/dealt-shares.ts'
import { addressOf } from '../support/group-key.ts'
import { people, sign } from '../support/people.ts'

/** A FROST signature by the first t of these holders of shares of key 0. */
function thresholdSign(shares: readonly KeyShare[], message: Uint8Array): Uint8Array {
  const first = shares[0]
  assert.ok(first)
  assert.ok(first.scheme === 'frost-secp256k1-evm')
  const key = new FrostKey({ ...first, scheme: first.scheme })
  const signers = shares.slice(0, key.threshold).map(({ share }, at) => {
    const { secrets, commitment } = key.commit(at + 1, share, systemRng)
    return { index: at + 1, share, nonces: secrets, commitment }
  })
  const list = signers.map(({ commitment }) => commitment)
  const shared = new Map(signers.map((signer) => [signer.index, key.signShare(signer, list, message)]))
  const { signature } = key.aggregate(list, message, shared)
  assert.ok(signature)
  return signature
}

/** A Bridge whose keygen is pending, with dealt shares of its future key. */
async function dealt(): Promise<{
  world: BridgeWorld
  domain: Domain
  shares: KeyShare[]
  send: () => Promise<void>
}> {
  const world = await BridgeWorld.deploy({ n: 5, threshold: 3 })
  await world.send('startKeygen')
  const members = people(0, 5).sort()
  const { spec, prepared } = deal({ epoch: 1, attempt: 4, members, threshold: 3 })
  const domain = { chainId: world.chainId, bridge: world.bridge }
  const shares = members.map((member) => firstShare(preparedOf({ spec, prepared }, member)))
  const first = preparedOf({ spec, prepared }, members[0] as Address) // CAST: five members
  const activation = activationOf({ ...spec, ...domain }, first)
  const hash = activationHash(activation)
  const readiness = members.map((member) => sign(member, to0x(readinessDigest(domain, hash, member))))
  const signature = to0x(thresholdSign(shares, activationDigest(domain, activation)))
  const send = async () => {
    const { logs } = await world.send('activate', [activation, readiness, signature], world.stranger)
    assert.equal(logs.at(-1)?.name, 'EpochActivated')
  }
  return { world, domain, shares, send }
}

test('an activation signed by a threshold of dealt shares is taken, and so are their probes', async () => {
  const { world, domain, shares, send } = await dealt()
  await send()
  const { groupKey } = (await world.state()).keys[0] ?? {}
  assert.equal(groupKey, to0x(shares[0]?.groupKey ?? new Uint8Array()))
  for (let i = 0; i < 20; i++) {
    const digest = probeDigest(domain, { keyId: 0, epoch: 1, text: `probe ${i}` })
    const signature = thresholdSign(shares, digest)
    assert.equal(await world.view('verifyGroupSignature', [digest, signature]), true)
    const cut = signature.map((byte, at) => (at === i ? byte ^ 1 : byte))
    assert.equal(await world.view('verifyGroupSignature', [digest, cut]), false)
  }
})

test('a member erases with a receipt that the chain takes', async () => {
  const { world, domain, send } = await dealt()
  await send()
  await world.send('refreshKey', [''])
  await world.send('adminCancelCeremony')
  const [relayer] = people(0, 1)
  assert.ok(relayer)
  const receipt = { epoch: 2, relayer, successorEpoch: 1, outstandingBackups: 0 }
  const signature = sign(relayer, to0x(receiptDigest(domain, receipt)))
  const { logs } = await world.send('recordDeletions', [[receipt], [signature]])
  assert.deepEqual(logs, [{ name: 'ShareDeleted', args: [2n, relayer, 0n] }])
})

test('the committee hands its key to the Bridge of another chain', async () => {
  const { shares } = await dealt()
  const destination = await BridgeWorld.deploy({ relayers: [], threshold: 0 })
  const domain = { chainId: destination.chainId, bridge: destination.bridge }
  const groupKey = to0x(shares[0]?.groupKey ?? new Uint8Array())
  const message = {
    scheme: 1,
    groupKey,
    destinationChainId: destination.chainId,
    destinationBridge: destination.bridge,
  }
  const proof = to0x(thresholdSign(shares, setGroupKeyDigest(domain, message)))
  await destination.send('adminSetGroupKey', [1, groupKey, proof])
  assert.equal(await destination.view('_MPCAddress'), addressOf(groupKey))
})
