// `truss keys` against a control socket: what a person reads, and what a script gets.
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { ControlServer } from '../../relayer/api/control.ts'
import { scratch } from '../support/scratch.ts'
import { truss } from '../support/cli.ts'

const GROUP_KEY = `0x${'ab'.repeat(64)}`
const KEYS = [
  { keyId: 0, scheme: 'frost-secp256k1-evm', groupKey: GROUP_KEY, epoch: 4, holdsShare: true },
  { keyId: 1, scheme: 'frost-ed25519', groupKey: `0x${'cd'.repeat(32)}`, epoch: 4, holdsShare: false },
]

/** A daemon's control socket with two keys. @returns the environment that leads a command there */
async function withKeys(context: TestContext): Promise<Record<string, string>> {
  const directory = scratch('keys')
  const unasked = () => Promise.reject(new Error('not asked here'))
  const daemon = {
    keys: async () => KEYS,
    status: unasked,
    health: unasked,
    evidence: unasked,
    decide: unasked,
    signProbe: unasked,
    declareLost: unasked,
  }
  const server = new ControlServer(daemon, join(directory, 'truss.sock'), () => 1000)
  await server.start()
  context.after(() => server.stop())
  return { TRUSS_DATA_DIRECTORY: directory }
}

test('keys are told in words: scheme, group key, epoch, and whether this node signs with a share', async (context) => {
  const { code, out } = await truss(['keys'], await withKeys(context))
  assert.equal(code, 0)
  assert.match(out, /^key +0 \(frost-secp256k1-evm\)$/m)
  assert.match(out, new RegExp(`^group key +${GROUP_KEY}$`, 'm'))
  assert.match(out, /^epoch +4$/m)
  assert.match(out, /^your share +held: this node signs with it$/m)
  assert.match(out, /^key +1 \(frost-ed25519\)$/m)
  assert.match(out, /^your share +none to sign with: see `truss status`$/m)
  assert.doesNotMatch(out, /true|false|keyId|holdsShare/)
})

test('with --json keys are what the daemon says of them', async (context) => {
  const { out } = await truss(['keys', '--json'], await withKeys(context))
  assert.deepEqual(JSON.parse(out), KEYS)
})
