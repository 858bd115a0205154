// Runs the devnet and then reads chain, processes and ports with ethers, noble and node:crypto only: nothing of ours marks its own work.
import assert from 'node:assert/strict'
import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { createPublicKey, verify } from 'node:crypto'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'
import { schnorr } from '@noble/curves/secp256k1.js'
import { Contract, getBytes, JsonRpcProvider, TypedDataEncoder } from 'ethers'
import { alive, listens } from '../support/outside.ts'
import { found, keyFilesOf, readinessOf, receiptsOf, secretsIn } from '../support/devnet-evidence.ts'
import { scratchWithLogs } from '../support/scratch.ts'

const ABI = [
  'function epochInfo(uint64) view returns (tuple(uint64 epoch, uint8 status, address[] members, uint32 threshold, bytes32 committeeHash, uint64 predecessor, uint64 successor, uint32 attempt, bytes32 transcriptHash, tuple(uint32 keyId, bytes32 hash)[] commitmentsHashes, address[] receipts, uint32 receiptsNeeded, bool waived, uint64 activatedBlock))',
  'function activate(tuple(uint64 epoch, uint32 attempt, bytes32 committeeHash, tuple(uint32 keyId, bytes groupKey, bytes32 commitmentsHash)[] keys, bytes32 transcriptHash) a, bytes[] readiness, bytes groupSignature)',
  'function recordDeletions(tuple(uint64 epoch, address relayer, uint64 successorEpoch, uint32 outstandingBackups)[] receipts, bytes[] signatures)',
  'function _MPCAddress() view returns (address)',
  'function verifyGroupSignature(bytes32, bytes) view returns (bool)',
  'event EpochActivated(tuple(uint64 epoch, uint32 attempt, bytes32 committeeHash, tuple(uint32 keyId, bytes groupKey, bytes32 commitmentsHash)[] keys, bytes32 transcriptHash) activation, bytes groupSignature)',
  'event ReshareCompleted(uint64 indexed epoch)',
  'event ShareDeleted(uint64 indexed epoch, address indexed relayer, uint32 outstandingBackups)',
]

interface Summary {
  ok: boolean
  failure: string | null
  chainId: number
  rpcUrl: string
  bridge: string
  relayers: { name: string; address: string; p2pPort: number; httpPort: number; pid: number | null }[]
  processes: { name: string; pid: number }[]
  stranger: { refused: string[]; served: string[]; counted: number }
  steps: {
    step: string
    epoch: number
    members: string[]
    threshold: number
    groupKeys: { keyId: number; groupKey: string }[]
    probes: {
      keyId: number
      scheme: string
      epoch: number
      text: string
      groupKey: string
      signature: string
      quorum: string[]
    }[]
    reshare?: {
      superseded: number
      receipts: string[]
      traces: { taken: number; found: number }
      returning: { refusals: string[]; mixedSignatureValid: boolean }
    }
  }[]
}

const directory = scratchWithLogs('devnet')
let driver: ChildProcess
let summary: Summary
let output = ''

async function waitFor(what: string, seconds: number, done: () => boolean): Promise<void> {
  for (const deadline = Date.now() + seconds * 1000; Date.now() < deadline; ) {
    if (done()) return
    await sleep(200)
  }
  assert.fail(`waited ${seconds} s for ${what}\n${output.slice(-4000)}`)
}

before(async () => {
  driver = spawn(process.execPath, ['scripts/devnet.ts', '--directory', directory], {
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  driver.stdout?.on('data', (chunk) => (output += chunk))
  driver.stderr?.on('data', (chunk) => (output += chunk))
  const file = join(directory, 'summary.json')
  await waitFor('the end of the story', 360, () => existsSync(file) || driver.exitCode !== null)
  assert.ok(existsSync(file), output.slice(-4000))
  summary = JSON.parse(readFileSync(file, 'utf8'))
})

after(() => {
  driver.kill('SIGKILL')
})

function bridge(): Contract {
  const provider = new JsonRpcProvider(summary.rpcUrl, summary.chainId, { staticNetwork: true })
  return new Contract(summary.bridge, ABI, provider)
}

test('the story ends well, with every step in it', () => {
  assert.equal(summary.failure, null)
  assert.equal(summary.ok, true)
  assert.deepEqual(
    summary.steps.map(({ step }) => step),
    ['2', '2b', '3', '4', '5', '6', '7', '8'],
  )
})

test('the epochs, members and thresholds of the story are those of the chain', async () => {
  const shapes = summary.steps.map(({ members, threshold }) => `${threshold} of ${members.length}`)
  assert.deepEqual(shapes, ['2 of 3', '2 of 3', '2 of 4', '3 of 4', '3 of 3', '2 of 3', '3 of 4', '3 of 4'])
  const contract = bridge()
  for (const { epoch, members, threshold } of summary.steps) {
    const info = await contract.getFunction('epochInfo')(epoch)
    assert.deepEqual(
      [...info.members].map((member) => String(member).toLowerCase()),
      members,
    )
    assert.equal(Number(info.threshold), threshold)
  }
})

test('every activation has the same group keys, and the bridge the address of key 0', async () => {
  const contract = bridge()
  const activations = await contract.queryFilter('EpochActivated', 0)
  const keys = new Map<number, string>()
  for (const event of activations) {
    assert.ok('args' in event)
    for (const { keyId, groupKey } of event.args.activation.getValue('keys')) {
      assert.equal(groupKey, keys.get(Number(keyId)) ?? groupKey, `key ${keyId} changed`)
      keys.set(Number(keyId), groupKey)
    }
  }
  assert.equal(keys.size, 3)
  for (const { groupKeys } of summary.steps)
    for (const { keyId, groupKey } of groupKeys) assert.equal(groupKey, keys.get(keyId))
})

test('every probe of every step verifies, and its quorum has the newest member in it', async () => {
  const contract = bridge()
  const seen = new Set<string>()
  for (const { step, epoch, members, threshold, probes } of summary.steps) {
    assert.equal(probes.length, step === '2' ? 1 : 3)
    for (const probe of probes) {
      assert.equal(probe.epoch, epoch)
      assert.equal(probe.quorum.length, threshold)
      assert.ok(probe.quorum.every((address) => members.includes(address)))
      const digest = TypedDataEncoder.hash(
        { name: 'Bridge', version: '3.1.0', chainId: summary.chainId, verifyingContract: summary.bridge },
        {
          Probe: [
            { name: 'keyId', type: 'uint32' },
            { name: 'epoch', type: 'uint64' },
            { name: 'text', type: 'string' },
          ],
        },
        probe,
      )
      const signature = getBytes(probe.signature)
      if (probe.scheme === 'frost-secp256k1-evm') {
        assert.equal(await contract.getFunction('verifyGroupSignature')(digest, signature), true)
      } else if (probe.scheme === 'frost-secp256k1-bip340') {
        assert.ok(schnorr.verify(signature, getBytes(digest), getBytes(probe.groupKey).subarray(0, 32)))
      } else {
        const x = Buffer.from(getBytes(probe.groupKey)).toString('base64url')
        const key = createPublicKey({ key: { kty: 'OKP', crv: 'Ed25519', x }, format: 'jwk' })
        assert.ok(verify(null, getBytes(digest), key, signature))
      }
      seen.add(probe.scheme)
    }
  }
  assert.equal(seen.size, 3)
})

test('every reshare has the receipts that it needs on chain, each signed by its member, and completed', async () => {
  const contract = bridge()
  const completed = (await contract.queryFilter('ReshareCompleted', 0)).map((event) =>
    'args' in event ? Number(event.args.epoch) : 0,
  )
  const reshares = summary.steps.flatMap(({ reshare }) => (reshare === undefined ? [] : [reshare]))
  assert.equal(reshares.length, 6)
  for (const { superseded } of reshares) {
    const info = await contract.getFunction('epochInfo')(superseded)
    assert.ok(Number(info.receiptsNeeded) > 0)
    assert.ok(info.receipts.length >= Number(info.receiptsNeeded), `epoch ${superseded}`)
    assert.ok(completed.includes(superseded))
    const events = await contract.queryFilter(contract.filters.ShareDeleted?.() ?? 'ShareDeleted', 0)
    const deleters = events.flatMap((event) =>
      'args' in event && Number(event.args.epoch) === superseded ? [event.args.relayer] : [],
    )
    for (const relayer of info.receipts) assert.ok(deleters.includes(relayer))
  }
})

test('the readiness in every activation and each deletion receipt is signed by the member that it names', async () => {
  const contract = bridge()
  const seen = { contract, address: summary.bridge, chainId: summary.chainId }
  const membersOf = async (epoch: number): Promise<string[]> => [
    ...(await contract.getFunction('epochInfo')(epoch)).members,
  ]
  const ready = await readinessOf(seen, membersOf)
  const epochs = new Set(ready.map(({ epoch }) => epoch))
  for (const { epoch } of summary.steps) assert.ok(epochs.has(epoch), `epoch ${epoch}`)
  const deleted = await receiptsOf(seen)
  for (const { epoch, named, signer } of [...ready, ...deleted]) assert.equal(signer, named, `epoch ${epoch}`)
  for (const { reshare } of summary.steps) {
    if (reshare === undefined) continue
    const info = await contract.getFunction('epochInfo')(reshare.superseded)
    const signers = new Set(
      deleted.flatMap((word) => (word.epoch === reshare.superseded ? [word.signer] : [])),
    )
    for (const relayer of info.receipts) assert.ok(signers.has(relayer), `epoch ${reshare.superseded}`)
    for (const signer of signers) assert.ok(info.members.includes(signer))
  }
})

test('no running relayer has a byte of an old share or of its key on disk, and only members have a key file', async () => {
  const last = summary.steps.at(-1)
  assert.ok(last)
  const running = summary.relayers.filter(({ pid }) => pid !== null)
  for (const { name, address } of running) {
    const epochs = keyFilesOf(join(directory, name, 'data')).map((file) => Number(file.split('-')[0]))
    assert.deepEqual(epochs, last.members.includes(address) ? [last.epoch] : [], name)
  }
  for (const { step, reshare } of summary.steps) {
    if (reshare === undefined) continue
    const copies = join(directory, 'copies', step)
    for (const name of readdirSync(copies)) {
      const copy = join(copies, name, 'data')
      const secrets = await secretsIn(copy, reshare.superseded)
      assert.ok(secrets.length > 4, `${step}: the copy of ${name} has the share`)
      assert.ok(found(secrets, copy).length > 0, 'what is on a disk is found')
      for (const one of running)
        assert.deepEqual(
          found(secrets, join(directory, one.name, 'data')),
          [],
          `${step}: ${name} at ${one.name}`,
        )
    }
  }
})

test('no trace of an old share is left, a returning member is refused with both epochs, mixed shares sign nothing', () => {
  for (const { epoch, reshare } of summary.steps) {
    if (reshare === undefined) continue
    assert.ok(reshare.traces.taken > 0)
    assert.equal(reshare.traces.found, 0)
    assert.ok(reshare.returning.refusals.length > 0)
    for (const refusal of reshare.returning.refusals)
      assert.ok(refusal.includes(String(epoch)) && /epoch/.test(refusal), refusal)
    assert.equal(reshare.returning.mixedSignatureValid, false)
  }
})

/** Streams that running relayers refused so far, as their metrics say. */
async function refusedStreams(): Promise<number> {
  const running = summary.relayers.filter(({ pid }) => pid !== null)
  const pages = await Promise.all(
    running.map(async ({ httpPort }) => (await fetch(`http://127.0.0.1:${httpPort}/metrics`)).text()),
  )
  const counts = pages.flatMap((page) => [...page.matchAll(/^truss_refused_streams_total\{.*\} (\d+)$/gm)])
  return counts.reduce((sum, [, count]) => sum + Number(count), 0)
}

test('a stranger was refused every protocol beyond discovery, and the members counted it', async () => {
  assert.ok(summary.stranger.refused.length >= 3)
  assert.ok(
    summary.stranger.served.every((name) => /kad|identify|id\/|ping|hello/.test(name)),
    summary.stranger.served.join(),
  )
  assert.ok(summary.stranger.counted >= summary.stranger.refused.length)
  // Once more, and this time the replies and the counters are looked at from here.
  const running = summary.relayers.filter(({ pid }) => pid !== null)
  const before = await refusedStreams()
  const members = running.map(({ address, p2pPort }) => `${address}@${p2pPort}`).join(',')
  const args = ['test/e2e/entries/stranger.ts', '--members', members]
  const { stdout } = await promisify(execFile)(process.execPath, args, { timeout: 60_000 })
  const { refused, served }: { refused: string[]; served: string[] } = JSON.parse(stdout)
  assert.ok(refused.length >= 3 * running.length, stdout)
  for (const { address } of running) assert.ok(refused.some((line) => line.startsWith(address)))
  assert.deepEqual(
    served.filter((line) => !/\/(kad|id|ping|hello)\//.test(line)),
    [],
  )
  assert.ok((await refusedStreams()) >= before + refused.length)
})

test('relayers are separate processes that listen, and all of them end with the driver', async () => {
  const running = summary.relayers.filter(({ pid }) => pid !== null)
  assert.ok(running.length >= 4)
  assert.equal(new Set(running.map(({ pid }) => pid)).size, running.length)
  for (const { pid, p2pPort } of running) {
    assert.ok(alive(Number(pid)))
    assert.equal(await listens(p2pPort), true)
  }
  driver.kill('SIGKILL')
  await waitFor('every process to end', 20, () => summary.processes.every(({ pid }) => !alive(pid)))
  for (const { p2pPort } of running) assert.equal(await listens(p2pPort), false)
})
