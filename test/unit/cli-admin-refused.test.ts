// Governance's commands against a contract that waits: which epoch lacks receipts, and what ends the wait.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { EXIT } from '../../relayer/cli/exit.ts'
import { clientOf } from '../support/chain-client.ts'
import { FIRST, signedActivation, signedReceipt } from '../support/chain-suite.ts'
import { truss } from '../support/cli.ts'
import { CHAIN_ID, HardhatChain } from '../support/hardhat-chain.ts'
import { people } from '../support/people.ts'

let chain: HardhatChain
before(async () => {
  chain = await HardhatChain.start({ members: FIRST })
})
after(() => chain.stop())

const admin = (...args: string[]) =>
  truss(['admin', ...args, '--rpc', chain.url, '--bridge', chain.bridge, '--chain-id', String(CHAIN_ID)], {})

/** Activates what is pending, signed by everybody. */
async function activate(): Promise<void> {
  const client = clientOf(chain)
  const { activation, readiness, groupSignature } = await signedActivation(client)
  await chain.govern('activate', [activation, readiness, groupSignature])
  client.close()
}

test('while a burned epoch lacks receipts, committee, refusal and hint name that one', async () => {
  await chain.govern('startKeygen')
  await activate()
  await chain.govern('adminSetCommittee', [people(3, 5), [], 2]) // 2, burned: 2 of 5 needs 4
  await chain.govern('adminCancelCeremony')
  await chain.govern('refreshKey', ['']) // 3
  await activate()
  const client = clientOf(chain)
  const receipts = FIRST.map((relayer) => signedReceipt(client, { epoch: 1, relayer, successorEpoch: 3 }))
  client.close()
  assert.match((await admin('committee')).out, /^owed +epoch 1: 0 of 2.*\nowed +epoch 2: 0 of 4/m)
  await chain.govern('recordDeletions', [receipts, receipts.map(({ signature }) => signature)])
  const { out } = await admin('committee')
  assert.match(out, /^owed +epoch 2: 0 of 4 deletion receipts$/m)
  assert.doesNotMatch(out, /epoch 1: /)
  const { code, err } = await admin('refresh', 'next', '--dry-run')
  assert.equal(code, EXIT.refused.code)
  assert.match(err, /epoch 2 has 0 of 4 deletion receipts: wait .*`truss admin waive-deletions 2`/)
  assert.equal((await admin('waive-deletions', '2', '--dry-run')).code, 0)
  await chain.govern('adminWaiveDeletions', [2])
  assert.equal((await admin('refresh', 'next', '--dry-run')).code, 0)
})
