// Governance's commands against a real contract: calldata, dry runs, confirmation, sending, refusals.
import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { encryptKeystoreJson } from 'ethers'
import { BRIDGE } from '../../relayer/chain/abi-values.ts'
import { EXIT } from '../../relayer/cli/exit.ts'
import { run } from '../../relayer/cli/program.ts'
import { toAddress } from '../../relayer/lib/bytes.ts'
import { quietIo, truss } from '../support/cli.ts'
import { ADMIN_KEY, CHAIN_ID, HardhatChain } from '../support/hardhat-chain.ts'
import { scratch } from '../support/scratch.ts'

const [A, B, C, D] = ['11', '22', '33', '44'].map((byte) => toAddress(`0x${byte.repeat(20)}`))
assert.ok(A && B && C && D)
const MEMBERS = [A, B, C]
const PASSWORD = 'admin only'

let chain: HardhatChain
let keystore: readonly string[] = []

before(async () => {
  chain = await HardhatChain.start({ members: MEMBERS })
  const folder = scratch('admin')
  const account = { address: chain.admin, privateKey: ADMIN_KEY }
  writeFileSync(
    join(folder, 'admin.json'),
    await encryptKeystoreJson(account, PASSWORD, { scrypt: { N: 1024 } }),
  )
  keystore = ['--keystore', join(folder, 'admin.json')]
})
after(() => chain.stop())

const where = () => ['--rpc', chain.url, '--bridge', chain.bridge, '--chain-id', String(CHAIN_ID)]
const admin = (...args: string[]) => truss(['admin', ...args, ...where()], { TRUSS_PASSWORD: PASSWORD })

interface Committee {
  readonly state: {
    readonly members: readonly string[]
    readonly threshold: number
    readonly phase: string
    readonly attemptWindowBlocks: number
    readonly requireDeletionQuorum: boolean
  }
  readonly paused: boolean
}

async function committee(): Promise<Committee['state']> {
  const { out } = await admin('committee', '--json')
  return (JSON.parse(out) as Committee).state // CAST: what the command printed
}

async function call(...args: string[]): Promise<{ name: string; values: readonly unknown[] }> {
  const { code, out, err } = await admin(...args, '--calldata', '--json')
  assert.equal(code, 0, err)
  const { transaction } = JSON.parse(out)
  assert.equal(transaction.to, chain.bridge)
  const parsed = BRIDGE.parseTransaction({ data: transaction.data })
  return { name: parsed?.name ?? '', values: parsed?.args.toArray(true) ?? [] }
}

test('calldata is the call that a Safe would send, for each command', async () => {
  assert.deepEqual(await call('start-keygen'), { name: 'startKeygen', values: [] })
  assert.deepEqual(await call('add-relayer', D), { name: 'adminAddRelayer', values: [D] })
  assert.deepEqual(await call('remove-relayer', A), { name: 'adminRemoveRelayer', values: [A] })
  assert.deepEqual(await call('set-threshold', '3'), { name: 'adminChangeRelayerThreshold', values: [3n] })
  assert.deepEqual(await call('set-window', '60'), { name: 'adminSetAttemptWindow', values: [60n] })
  assert.deepEqual(await call('pause-transfers'), { name: 'adminPauseTransfers', values: [] })
  assert.deepEqual(await call('require-deletions', 'no'), {
    name: 'adminSetRequireDeletionQuorum',
    values: [false],
  })
  assert.deepEqual(await call('cancel'), { name: 'adminCancelCeremony', values: [] })
  assert.deepEqual(await call('waive-deletions', '7'), { name: 'adminWaiveDeletions', values: [7n] })
  assert.deepEqual(await call('set-committee', '--add', D, '--remove', `${A},${B}`), {
    name: 'adminSetCommittee',
    values: [[D], [A, B], 2n],
  })
})

test('calldata that the bridge would refuse from its admin now is printed with a warning', async () => {
  const { code, out, err } = await admin('set-window', '2', '--calldata')
  assert.equal(code, 0)
  assert.match(out, /^data +0x[0-9a-f]+$/m)
  assert.match(
    err,
    /^WARNING +the bridge would refuse this now: WindowOutOfBounds\(blocks 2, min 20, max 50400\)/m,
  )
  const { warnings } = JSON.parse((await admin('cancel', '--calldata', '--json')).out)
  assert.deepEqual(warnings, [
    'the bridge would refuse this now: NoCeremony(); nothing is pending that could be cancelled: see `truss admin committee`',
  ])
  assert.doesNotMatch((await admin('add-relayer', D, '--calldata')).err, /refuse/)
})

test('a dry run needs no key, says what would change, and changes nothing', async () => {
  const { code, out } = await admin('add-relayer', D, '--dry-run')
  assert.equal(code, 0)
  assert.match(out, /^now +2 of 3 sign/m)
  assert.match(out, /^then +2 of 4 sign \(a majority is 3\)$/m)
  assert.match(out, /^WARNING +threshold 2 of 4 is not a majority/m)
  assert.match(out, /nothing was sent/)
  assert.deepEqual((await committee()).members, MEMBERS)
})

test("a dry run meets the contract's own refusal", async () => {
  const { code, err } = await admin('set-window', '2', '--dry-run')
  assert.equal(code, EXIT.refused.code)
  assert.match(err, /^truss: .*WindowOutOfBounds\(blocks 2, min 20, max 50400\)/)
})

test('without a key, without a yes, or with a no, nothing is sent', async () => {
  const keyless = await admin('add-relayer', D, '--yes')
  assert.equal(keyless.code, EXIT.refused.code)
  assert.match(keyless.err, /no account is named: give --keystore/)
  const unasked = await admin('add-relayer', D, ...keystore)
  assert.equal(unasked.code, EXIT.refused.code)
  assert.match(unasked.err, /nobody is there to answer: give --yes/)
  const { io, err } = quietIo({ TRUSS_PASSWORD: PASSWORD })
  const args = ['admin', 'add-relayer', D, ...keystore, ...where()]
  assert.equal(await run(args, { ...io, interactive: true, ask: async () => 'no' }), EXIT.refused.code)
  assert.match(err.at(-1) ?? '', /not confirmed, nothing was done/)
  assert.deepEqual((await committee()).members, MEMBERS)
})

test('with the key and a yes it is sent, and mined', async () => {
  const { io, out, err } = quietIo({ TRUSS_PASSWORD: PASSWORD })
  const args = ['admin', 'add-relayer', D, ...keystore, ...where(), '--json']
  const ended = run(args, { ...io, interactive: true, ask: async () => ' Yes ' })
  assert.equal(await chain.mineUntil(ended), 0, err.join('\n'))
  const { sent, hash, after: then } = JSON.parse(out.join('\n'))
  assert.equal(sent, true)
  assert.match(hash, /^0x[0-9a-f]{64}$/)
  assert.deepEqual(then, { members: [...MEMBERS, D], threshold: 2 })
  assert.deepEqual((await committee()).members, [...MEMBERS, D])
})

/** Sends a command with the admin's key. */
async function sent(...args: string[]): Promise<{ code: number; out: string; err: string }> {
  return chain.mineUntil(admin(...args, ...keystore, '--yes'))
}

test('the window, the rule about receipts and the pause are shown before and after, sent, and read back', async () => {
  const plan = (await admin('set-window', '60', '--dry-run')).out
  assert.match(plan, /^now +20 blocks an attempt$/m)
  assert.match(plan, /^then +60 blocks an attempt$/m)
  const rule = (await admin('require-deletions', 'no', '--dry-run')).out
  assert.match(rule, /^now +transfers wait for deletion receipts$/m)
  assert.match(rule, /^then +transfers do not wait for deletion receipts$/m)
  const pause = (await admin('pause-transfers', '--dry-run')).out
  assert.match(pause, /^now +transfers go on$/m)
  assert.match(pause, /^then +transfers are paused$/m)
  assert.match(pause, /^note +.*moves no value yet/m)

  for (const args of [['set-window', '60'], ['require-deletions', 'no'], ['pause-transfers']]) {
    const { code, err } = await sent(...args)
    assert.equal(code, 0, err)
  }
  const { state, paused } = JSON.parse((await admin('committee', '--json')).out) as Committee // CAST: what the command printed
  assert.deepEqual([state.attemptWindowBlocks, state.requireDeletionQuorum, paused], [60, false, true])
  const { out } = await admin('committee')
  assert.match(out, /^window +60 blocks an attempt$/m)
  assert.match(out, /^receipts +transfers do not wait for deletion receipts$/m)
  assert.match(out, /^transfers +transfers are paused$/m)

  const again = await sent('pause-transfers')
  assert.equal(again.code, EXIT.refused.code)
  assert.match(again.err, /transfers are paused already: see `truss admin committee`/)
  assert.equal((await sent('unpause-transfers')).code, 0)
  assert.match((await admin('committee')).out, /^transfers +transfers go on$/m)
  assert.equal((await admin('require-deletions', 'maybe')).code, EXIT.usage.code)
})

test('help states the bounds of the window that the bridge keeps', async () => {
  const { err } = await admin('set-window', '2', '--dry-run')
  const [, min, max] = /min (\d+), max (\d+)/.exec(err) ?? []
  assert.match((await truss(['admin', 'set-window', '--help'])).out, new RegExp(`${min} to ${max}`))
})

test('what the contract is sure to refuse is refused before anything is signed', async () => {
  for (const [args, reason] of [
    [['add-relayer', A], /already a member/],
    [['remove-relayer', `0x${'55'.repeat(20)}`], /is no member/],
    [['set-threshold', '5'], /threshold 5 with 4 members/],
    [['refresh', 'monthly'], /no key yet/],
    [['add-key', 'frost-ed25519'], /no key yet/],
  ] as const) {
    const { code, err } = await admin(...args, ...keystore, '--yes')
    assert.equal(code, EXIT.refused.code, args.join(' '))
    assert.match(err, reason)
  }
})

test('an endpoint of another chain, or no bridge there, is a matter of the chain', async () => {
  const elsewhere = ['--rpc', chain.url, '--chain-id', '5', '--bridge', chain.bridge]
  const other = await truss(['admin', 'committee', ...elsewhere])
  assert.equal(other.code, EXIT.chain.code)
  assert.match(other.err, /serves chain 31337, not 5/)
})
