// Governance through the client: every admin call encodes, is tried before it is sent, and does what it says.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { Interface } from 'ethers'
import { bridgeAbi } from '../../../relayer/chain/abi.ts'
import { ADMIN_METHODS, type AdminCall, adminCalldata } from '../../../relayer/chain/admin.ts'
import type { EthersChain } from '../../../relayer/chain/client.ts'
import { clientOf } from '../../support/chain-client.ts'
import { FIRST, signedActivation, signedReceipt } from '../../support/chain-suite.ts'
import { ADMIN_KEY, HardhatChain } from '../../support/hardhat-chain.ts'
import { people } from '../../support/people.ts'

const [, B] = FIRST
const [NEW] = people(3, 4)

let chain: HardhatChain
let client: EthersChain
before(async () => {
  chain = await HardhatChain.start({ members: FIRST })
  client = clientOf(chain, { key: ADMIN_KEY })
})
after(async () => {
  client.close()
  await chain.stop()
})

/** Tries, sends, and returns the state afterwards. */
async function govern(method: AdminCall['method'], ...args: unknown[]) {
  await client.governance.simulate({ method, args }, chain.admin)
  const { block } = await chain.mineUntil(client.governance.send({ method, args }))
  return client.committeeState(block)
}

async function activate(): Promise<void> {
  await chain.mineUntil(client.activate(await signedActivation(client)))
}

test('the Bridge has every admin function, and its calldata decodes to what was asked', () => {
  const abi = new Interface(bridgeAbi)
  for (const method of ADMIN_METHODS) assert.notEqual(abi.getFunction(method), null, method)
  const data = adminCalldata({ method: 'adminSetCommittee', args: [[NEW], [B], 2] })
  const decoded = abi.decodeFunctionData('adminSetCommittee', data)
  assert.deepEqual([String(decoded[0]).toLowerCase(), decoded[2]], [NEW, 2n])
  assert.equal(adminCalldata({ method: 'startKeygen', args: [] }), '0x6ba6db6b')
})

test('who is admin is read, and a stranger is refused in a trial run', async () => {
  assert.equal(await client.governance.isAdmin(chain.admin), true)
  assert.equal(await client.governance.isAdmin(NEW ?? '0x'), false)
  assert.equal(await client.governance.admin(), chain.admin)
  await assert.rejects(client.governance.simulate({ method: 'startKeygen', args: [] }, NEW ?? '0x'), {
    name: 'RevertError',
    message: /AccessControlUnauthorizedAccount/,
  })
})

test('a committee is led through every governance call', async () => {
  assert.equal((await govern('adminSetAttemptWindow', 30)).attemptWindowBlocks, 30)
  assert.equal((await govern('adminSetRequireDeletionQuorum', false)).requireDeletionQuorum, false)
  assert.equal((await govern('startKeygen')).phase, 'keygen')
  assert.equal((await govern('adminCancelCeremony')).phase, 'idle')
  await govern('startKeygen')
  await activate()
  assert.equal((await govern('adminAddRelayer', NEW)).pending?.epoch, 3)
  assert.equal((await govern('adminChangeRelayerThreshold', 3)).pending?.epoch, 4)
  const replaced = await govern('adminSetCommittee', [], [B], 2)
  assert.deepEqual([replaced.pending?.kind, replaced.pending?.windowBlocks], ['reshare', 30])
  await activate()
  assert.equal((await client.committeeState(await client.head())).phase, 'active')
  await assert.rejects(client.governance.simulate({ method: 'refreshKey', args: ['x'] }, chain.admin), {
    message: /DeletionsOutstanding\(have 0, need 2\)/,
  })
  assert.equal((await govern('adminWaiveDeletions', 2)).phase, 'complete')
  assert.equal((await govern('refreshKey', 'monthly')).pending?.kind, 'refresh')
  await activate()
  const receipts = people(0, 4)
    .filter((relayer) => relayer !== B)
    .map((relayer) => signedReceipt(client, { epoch: 5, relayer, successorEpoch: 6 }))
  await chain.mineUntil(client.recordDeletions(receipts))
  const adding = await govern('adminAddKey', 3)
  assert.deepEqual([adding.pending?.kind, adding.pending?.addedScheme], ['addkey', 3])
  const cancelled = await govern('adminCancelCeremony')
  assert.deepEqual([cancelled.phase, cancelled.epoch, cancelled.keys.length], ['complete', 6, 1])
  assert.equal((await govern('adminRemoveRelayer', NEW)).pending?.epoch, 8)
})
