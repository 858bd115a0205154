// An operator's life by the command line alone: keygen, probes, a share that cannot be read, and no secret in anything printed.
import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { Contract, JsonRpcProvider } from 'ethers'
import type { SignedProbe } from '../../relayer/bridge/relayer.ts'
import type { KeyStatus } from '../../relayer/bridge/status.ts'
import type { FullStatus } from '../../relayer/cli/status.ts'
import { BRIDGE } from '../../relayer/chain/abi-values.ts'
import { fromHex, toHex } from '../../relayer/lib/bytes.ts'
import { Secret } from '../../relayer/lib/secret.ts'
import { PREFIX } from '../../relayer/store/layout.ts'
import { openLevel } from '../../relayer/store/level.ts'
import { openStore } from '../../relayer/store/store.ts'
import { eventually, type Operator, Operators } from '../support/daemons.ts'
import { CHAIN_ID, ETHER, HardhatChain } from '../support/hardhat-chain.ts'

const operators = new Operators()
const { team } = operators
/** Shares that once existed, as hex. */
const shares: string[] = []
let chain: HardhatChain
let bootstrap = ''
/** What each daemon printed when it came up. */
const ups = new Map<string, Record<string, unknown>>()

function configure(operator: Operator, more: Record<string, string | number> = {}): void {
  operators.configure(operator, { ...chain.settings, pollMs: 100, bootstrap, logLevel: 'trace', ...more })
}

const start = (operator: Operator) => operators.start(operator.name, ['start', '-c', operator.config])
const probe = (operator: Operator, more: readonly string[] = []) =>
  operators.ask<SignedProbe>(['sign-probe', '-c', operator.config, ...more])

const ready = (now: FullStatus) => now.health.every(({ severity }) => severity !== 'critical')

/** The bytes of the shares that a stopped operator holds of an epoch. */
async function noteShares(operator: Operator, epoch: number): Promise<void> {
  const { database, keyFiles } = await openLevel(operator.dataDirectory)
  const operatorKey = new Secret(fromHex(operator.privateKey))
  const identity = { chainId: CHAIN_ID, bridge: chain.bridge, operator: operator.address }
  const store = await openStore({ database, keyFiles, operatorKey, ...identity })
  for (const slot of await store.prepared(epoch))
    shares.push(...(await store.loadShares(slot)).map(({ share }) => toHex(share.expose())))
  await store.close()
}

/** Flips a bit of the sealed share of a stopped operator; gives the record's key. */
async function damageShare(operator: Operator): Promise<string> {
  const { database } = await openLevel(operator.dataDirectory)
  const [entry] = await database.entries(PREFIX.sealed)
  assert.ok(entry)
  const [key, value] = entry
  const damaged = value.slice()
  damaged[damaged.length >> 1] = (damaged[damaged.length >> 1] ?? 0) ^ 1
  await database.batch([{ type: 'put', key, value: damaged }])
  await database.close()
  return key
}

/** Whether the contract takes a probe's signature for key 0's. */
async function verified({ digest, signature }: SignedProbe): Promise<boolean> {
  const provider = new JsonRpcProvider(chain.url, CHAIN_ID, { staticNetwork: true })
  const bridge = new Contract(chain.bridge, BRIDGE, provider)
  try {
    return (await bridge.getFunction('verifyGroupSignature').staticCall(digest, signature)) === true
  } finally {
    provider.destroy()
  }
}

before(async () => {
  for (const name of ['anna', 'bert', 'cleo']) await operators.make(name)
  chain = await HardhatChain.start({ members: team.map(({ address }) => address) })
  await chain.rpc('evm_setIntervalMining', 250)
  bootstrap = await operators.bootnode({ TRUSS_LOG_LEVEL: 'trace' })
  for (const operator of team) {
    configure(operator)
    await chain.fund(operator.address, ETHER)
    ups.set(operator.name, await start(operator))
  }
})
after(async () => {
  await operators.stopAll()
  await chain.stop()
})

test('governance asks for a key, and every operator sees it', async () => {
  await operators.admin('start-keygen')
  await operators.allComplete(1)
  const keys = await Promise.all(
    team.map((operator) => operators.ask<KeyStatus[]>(['keys', '-c', operator.config])),
  )
  for (const [key, ...others] of keys) {
    assert.equal(others.length, 0)
    assert.equal(key?.holdsShare, true)
    assert.equal(key?.groupKey, keys[0]?.[0]?.groupKey)
  }
  const committee = await operators.truss(['admin', 'committee', '-c', operators.at(0).config])
  assert.match(committee.out, /^phase +complete$/m)
})

test('a probe that any member asks for is one that the contract takes for the group', async () => {
  for (const operator of team) {
    const include = operators.at(2).address
    const answer = await probe(operator, ['--text', `from ${operator.name}`, '--include', include])
    assert.ok(answer.signers.includes(include))
    assert.equal(await verified(answer), true)
  }
})

test('governance finds every member through the DHT', async () => {
  const answer = await operators.ask<{ findings: { found: boolean; epoch: number }[] }>([
    'admin',
    'check',
    '--all',
    '-c',
    operators.at(0).config,
  ])
  assert.deepEqual(
    answer.findings.map(({ found }) => found),
    [true, true, true],
  )
})

test('a share that cannot be read: the node stays up and says so, the others sign on, a refresh heals it', async () => {
  const victim = operators.at(0)
  assert.equal(await operators.stop(victim.name), 0)
  await noteShares(victim, 1)
  const lost = await damageShare(victim)
  ups.set(victim.name, await start(victim))
  const { health } = await eventually(
    () => operators.status(victim),
    (now) => now.health.some(({ check, severity }) => check === 'share' && severity === 'critical'),
  )
  assert.ok(health.every(({ severity, remedy }) => severity === 'ok' || remedy !== ''))
  const readyz = await fetch(`${String(ups.get(victim.name)?.http)}/readyz`)
  assert.equal(readyz.status, 503)
  assert.match(await readyz.text(), /declare-lost/)
  assert.equal(await verified(await probe(operators.at(1))), true, 'two of three sign on')
  const own = await operators.truss(['sign-probe', '-c', victim.config])
  assert.notEqual(own.code, 0)

  await operators.truss(['share', 'declare-lost', '--yes', '-c', victim.config])
  await operators.admin('refresh', 'a share was lost')
  await operators.allComplete(2)
  await eventually(() => operators.status(victim), ready)
  await eventually(
    () => operators.status(victim),
    (now) => now.shares.every(({ epoch }) => epoch === 2),
  )
  assert.equal(await verified(await probe(victim, ['--include', victim.address])), true)
  assert.equal(await operators.stop(victim.name), 0)
  const { database } = await openLevel(victim.dataDirectory)
  assert.equal(await database.get(lost), undefined, 'the damaged record is erased')
  await database.close()
})

test("an operator's rule holds a change back until it is approved", async () => {
  // Two of three veto: the one that is left is no threshold to deal.
  const strict = [operators.at(0), operators.at(1)]
  for (const operator of strict) {
    await operators.stop(operator.name)
    configure(operator, { dealMinThreshold: 3 })
    ups.set(operator.name, await start(operator))
  }
  await Promise.all(team.map((operator) => eventually(() => operators.status(operator), ready)))
  await operators.admin('refresh', 'monthly')
  const vetoed = (now: FullStatus) => now.health.some(({ check }) => check === 'policy')
  for (const operator of strict) {
    const { health, pendingEpoch } = await eventually(() => operators.status(operator), vetoed)
    assert.equal(pendingEpoch, 3)
    const said = health.find(({ check }) => check === 'policy')
    assert.match(said?.message ?? '', /threshold 2 is below dealMinThreshold 3/)
    assert.match(said?.remedy ?? '', /truss reshare approve 3/)
  }
  const hash = String((await operators.status(operators.at(1))).change?.committeeHash)
  const approve = (epoch: number) =>
    operators.truss([
      ...['reshare', 'approve', String(epoch), '--yes', '--committee-hash', hash],
      ...['-c', operators.at(1).config],
    ])
  const other = await approve(4)
  assert.equal(other.code, 2)
  assert.match(other.err, /approve epoch 4: 3 is pending/)
  assert.equal((await approve(3)).code, 0)
  await operators.allComplete(3)
})

test('nothing that was printed or logged holds a key, a password or a share', async () => {
  const metrics = await fetch(`${String(ups.get('bert')?.http)}/metrics`)
  operators.printed.push(await metrics.text())
  await operators.stopAll()
  for (const operator of team) await noteShares(operator, 3)
  assert.equal(shares.length, 4)
  const logs = readdirSync(operators.folder).filter((name) => name.endsWith('.log'))
  assert.equal(logs.length, 4)
  const everything = [
    ...operators.printed,
    ...logs.map((name) => readFileSync(join(operators.folder, name), 'utf8')),
  ]
  const keys = team.map(({ privateKey }) => privateKey.slice(2))
  const secrets = [...keys, ...shares].flatMap((hex) => [
    hex,
    hex.toUpperCase(),
    Buffer.from(hex, 'hex').toString('base64'),
    BigInt(`0x${hex}`).toString(),
    [...Buffer.from(hex, 'hex').subarray(0, 8)].join(','),
  ])
  for (const text of everything) {
    assert.ok(!text.includes(Operators.password), text.slice(0, 200))
    for (const secret of secrets) assert.ok(!text.includes(secret), text.slice(0, 200))
  }
})
