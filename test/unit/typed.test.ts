// The EIP-712 digests against ethers' own TypedDataEncoder.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { TypedDataEncoder } from 'ethers'
import { to0x, toAddress } from '../../relayer/lib/bytes.ts'
import type { KeyPublic } from '../../relayer/protocol/keyshare.ts'
import { commitmentsHash } from '../../relayer/protocol/keyshare.ts'
import { committeeHash } from '../../relayer/protocol/party.ts'
import {
  type Activation,
  activationDigest,
  activationHash,
  activationOf,
  probeDigest,
  readinessDigest,
  receiptDigest,
  setGroupKeyDigest,
} from '../../relayer/protocol/typed.ts'
import { DOMAIN, TYPES } from '../support/typed-data.ts'

const bridge = toAddress(`0x${'b1'.repeat(20)}`)
const relayer = toAddress(`0x${'4e'.repeat(20)}`)
const domain = { chainId: 31_337, bridge }
const ethersDomain = { ...DOMAIN, chainId: 31_337, verifyingContract: bridge }

const activation: Activation = {
  epoch: 7,
  attempt: 300,
  committeeHash: `0x${'11'.repeat(32)}`,
  keys: [
    { keyId: 0, groupKey: `0x${'a5'.repeat(64)}`, commitmentsHash: `0x${'22'.repeat(32)}` },
    { keyId: 2, groupKey: `0x${'e5'.repeat(32)}`, commitmentsHash: `0x${'33'.repeat(32)}` },
  ],
  transcriptHash: `0x${'44'.repeat(32)}`,
}

const key: KeyPublic = {
  keyId: 1,
  scheme: 'frost-ed25519',
  groupKey: new Uint8Array(32).fill(9),
  commitments: [new Uint8Array(32).fill(9), new Uint8Array(32).fill(8)],
  verificationShares: [],
}

function ethersDigest(type: keyof typeof TYPES, value: object): string {
  return TypedDataEncoder.hash(ethersDomain, TYPES[type], { ...value })
}

void test('an activation hashes as ethers hashes it', () => {
  assert.equal(to0x(activationDigest(domain, activation)), ethersDigest('Activation', activation))
  assert.equal(
    to0x(activationHash(activation)),
    TypedDataEncoder.hashStruct('Activation', TYPES.Activation, { ...activation }),
  )
})

void test('readiness, receipt, probe and SetGroupKey hash as ethers hashes them', () => {
  const hash = activationHash(activation)
  assert.equal(
    to0x(readinessDigest(domain, hash, relayer)),
    ethersDigest('Readiness', { activationHash: to0x(hash), relayer }),
  )
  const receipt = { epoch: 3, relayer, successorEpoch: 2 ** 40, outstandingBackups: 5 }
  assert.equal(to0x(receiptDigest(domain, receipt)), ethersDigest('DeletionReceipt', receipt))
  const probe = { keyId: 2, epoch: 9, text: 'grüß Gott' }
  assert.equal(to0x(probeDigest(domain, probe)), ethersDigest('Probe', probe))
  const setKey = {
    scheme: 1,
    groupKey: to0x(new Uint8Array(64).fill(3)),
    destinationChainId: 1337,
    destinationBridge: relayer,
  }
  assert.equal(to0x(setGroupKeyDigest(domain, setKey)), ethersDigest('SetGroupKey', setKey))
})

void test('the activation of a prepared result carries the hashes of its committee and commitments', () => {
  const next = { epoch: 7, members: [relayer], threshold: 2 }
  const built = activationOf(
    { chainId: domain.chainId, bridge, next },
    { epoch: 7, attempt: 4, transcript: new Uint8Array(32).fill(5), keys: [key] },
  )
  assert.deepEqual(built, {
    epoch: 7,
    attempt: 4,
    committeeHash: to0x(committeeHash(domain.chainId, bridge, next)),
    keys: [{ keyId: 1, groupKey: to0x(key.groupKey), commitmentsHash: to0x(commitmentsHash(key)) }],
    transcriptHash: to0x(new Uint8Array(32).fill(5)),
  })
})

void test('a digest binds chain and bridge, and malformed fields are refused', () => {
  const here = to0x(activationDigest(domain, activation))
  assert.notEqual(to0x(activationDigest({ chainId: 1, bridge }, activation)), here)
  assert.notEqual(to0x(activationDigest({ chainId: domain.chainId, bridge: relayer }, activation)), here)
  assert.throws(() => activationHash({ ...activation, transcriptHash: '0x12' }), RangeError)
  assert.throws(() => activationHash({ ...activation, epoch: -1 }), RangeError)
  assert.throws(() => probeDigest(domain, { keyId: 0, epoch: 1, text: 'x'.repeat(257) }), RangeError)
})
