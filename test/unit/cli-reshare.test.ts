// `truss reshare` against a control socket: what it shows, what it sends, and what it refuses before and after it asks.
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { ControlServer } from '../../relayer/api/control.ts'
import type { Daemon } from '../../relayer/api/daemon.ts'
import type { ChangeStatus } from '../../relayer/bridge/consent.ts'
import { run } from '../../relayer/cli/program.ts'
import { InputError } from '../../relayer/lib/errors.ts'
import { quietIo } from '../support/cli.ts'
import { scratch } from '../support/scratch.ts'
import { member } from '../support/numbered.ts'

const HASH = `0x${'ab'.repeat(32)}` as const

const swap: ChangeStatus = {
  op: 'reshare',
  epoch: 7,
  committeeHash: HASH,
  members: [member(1), member(4), member(5)],
  joins: [member(4), member(5)],
  leaves: [member(2), member(3)],
  thresholdBefore: 3,
  threshold: 2,
  heldBack: '2 members join or leave, more than dealMaxChanges 1',
  waitsForBlock: 1234,
  decision: null,
}

/** A daemon with a pending change; keeps what it was told. */
async function daemon(context: TestContext, change: ChangeStatus | null, decide?: Daemon['decide']) {
  const told: object[] = []
  const not = () => Promise.reject(new Error('not asked for here'))
  const parts: Daemon = {
    status: async () => ({ change }),
    health: async () => [],
    keys: not,
    evidence: not,
    signProbe: not,
    declareLost: not,
    decide:
      decide ??
      (async (verdict, choice) => {
        told.push({ verdict, ...choice })
        return { change: { ...change, decision: verdict }, late: verdict === 'vetoed' }
      }),
  }
  const directory = scratch('reshare')
  const server = new ControlServer(parts, join(directory, 'truss.sock'), () => 0)
  await server.start()
  context.after(() => server.stop())
  const truss = async (args: readonly string[], answer?: string) => {
    const env = { TRUSS_DATA_DIRECTORY: directory, TRUSS_ALIASES: `${member(4)}=dora` }
    const { io, out, err } = quietIo(env)
    const asked = answer === undefined ? io : { ...io, interactive: true, ask: async () => answer }
    const code = await run(['reshare', ...args], asked)
    return { code, out: out.join('\n'), err: err.join('\n') }
  }
  return { truss, told }
}

test('the change is shown with who joins and leaves, the threshold, the hash and what the rules say, and is approved as shown', async (context) => {
  const { truss, told } = await daemon(context, swap)
  const seen = await truss(['show'])
  assert.equal(seen.code, 0)
  for (const line of [
    /^change +reshare to epoch 7$/m,
    /^joins +.*dora.*, 0x0+5$/m,
    /^leaves +0x0+2, 0x0+3$/m,
    /^threshold +2 of 3, now 3$/m,
    new RegExp(`^committee hash +${HASH}$`, 'm'),
    /^your rules +2 members join or leave/m,
    /^waits +until block 1234 is final$/m,
    /^you decided +nothing$/m,
  ])
    assert.match(seen.out, line)
  const approved = await truss(['approve', '7'], 'yes')
  assert.equal(approved.code, 0, approved.err)
  assert.match(approved.err, new RegExp(`^joins .*committee hash +${HASH}`, 'ms'), 'shown before it asks')
  assert.match(approved.err, /cancelling does not take that back/)
  assert.deepEqual(told, [{ verdict: 'approved', epoch: 7, committeeHash: HASH }])
})

test('a veto that comes late says so; one that is not confirmed is not sent', async (context) => {
  const { truss, told } = await daemon(context, swap)
  assert.equal((await truss(['veto', '7'], 'no')).code, 8)
  assert.equal((await truss(['veto', '7'])).code, 8)
  assert.deepEqual(told, [])
  const vetoed = await truss([
    'veto',
    '7',
    '--yes',
    '--committee-hash',
    HASH.toUpperCase().replace('0X', '0x'),
  ])
  assert.match(vetoed.out, /^vetoed: .*\nLATE: .*truss admin cancel/)
  assert.deepEqual(told, [{ verdict: 'vetoed', epoch: 7, committeeHash: HASH }])
})

test('a number, a hash or a time that is not right ends with one line, what to do, and code 2; nothing is sent', async (context) => {
  const { truss, told } = await daemon(context, swap)
  const cases: [string[], RegExp][] = [
    [
      ['approve', '8', '--yes'],
      /^truss: approve epoch 8: 7 is pending: look at it with `truss reshare show`$/,
    ],
    [['veto', '6', '--yes'], /^truss: veto epoch 6: 7 is pending/],
    [
      ['approve', '7', '--yes', '--committee-hash', `0x${'1'.repeat(64)}`],
      /^truss: .*hash is 0xabab.*not 0x11.*show`$/,
    ],
    [['approve', '7', '--yes', '--committee-hash', '0x12'], /must be a hash: 0x and 64 hex digits/],
    [
      ['approve', '7', '--yes'],
      /--yes without --committee-hash approves what nobody has looked at: look with `truss reshare show`/,
    ],
    [['approve', '0', '--yes'], /must be a whole number from 1/],
    [['approve', '--yes'], /epoch/],
  ]
  for (const [args, why] of cases) {
    const { code, err } = await truss(args)
    assert.equal(code, 2, err)
    assert.match(err, why)
  }
  assert.deepEqual(told, [])
  const idle = await daemon(context, null)
  assert.match((await idle.truss(['approve', '7', '--yes'])).err, /no change is pending: see `truss status`/)
  assert.equal((await idle.truss(['show'])).out, 'no change is pending')
})

test('a change that was replaced while the operator looked is not approved', async (context) => {
  const { truss } = await daemon(context, swap, async () => {
    throw new InputError('approve epoch 7: 8 is pending', { hint: 'look at it with `truss reshare show`' })
  })
  const { code, err } = await truss(['approve', '7'], 'yes')
  assert.equal(code, 2)
  assert.match(err, /approve epoch 7: 8 is pending: look at it with/)
})
