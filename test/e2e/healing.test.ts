// What running relayers live through: each says why on /readyz, does not do what it cannot, and heals by itself or by its remedy.
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { committee, completed } from '../../scripts/devnet/governance.ts'
import { CHAIN_ID, type RelayerNode, truss, type World } from '../../scripts/devnet/world.ts'
import { type Probe, verifyProbe } from '../../scripts/devnet/verify.ts'
import {
  because,
  closeWorld,
  firstKey,
  isReady,
  openRecords,
  openWorld,
  type Readiness,
  readyz,
  relayer,
  setting,
} from '../support/devnet-world.ts'
import { LyingEndpoint } from '../support/lying-endpoint.ts'

let world: World
let endpoints: LyingEndpoint[]
let healthy: RelayerNode
let damaged: RelayerNode
/** Its two endpoints are the test's own, and both must agree. */
let misled: RelayerNode

before(async () => {
  world = await openWorld('--block-time-ms', '300', '--window-blocks', '30')
  healthy = relayer(world, 1)
  damaged = relayer(world, 2)
  misled = relayer(world, 3)
  endpoints = [new LyingEndpoint(world.rpcUrl), new LyingEndpoint(world.rpcUrl)]
  const urls = await Promise.all(endpoints.map((endpoint) => endpoint.start()))
  setting(misled, 'rpcUrls', `[${urls.join(', ')}]\nrpcQuorum: 2`)
  await firstKey(world)
})
after(async () => {
  await closeWorld(world)
  await Promise.all(endpoints.map((endpoint) => endpoint.stop()))
})

/** Has a probe of key 0 signed; whether the contract takes it for the group's. */
async function signs(by: RelayerNode, include: RelayerNode = by): Promise<boolean> {
  const asked = ['--key', '0', '--text', 'who heals', '--include', include.address]
  // CAST: what `sign-probe --json` prints; the signature is verified right below
  const answer = (await truss(['sign-probe', ...asked, '--config', by.config])) as Probe & {
    signers: string[]
  }
  assert.ok(answer.signers.includes(include.address))
  return await verifyProbe({ ...answer, quorum: answer.signers }, CHAIN_ID, world.bridge)
}

const warns = (pattern: RegExp) => (answer: Readiness) =>
  answer.warnings.some((warning) => pattern.test(warning))

test('RPC down: a member stays up and says so, the others sign on, it heals when the endpoints are back', async () => {
  await readyz(misled, isReady)
  for (const endpoint of endpoints) endpoint.rule = () => ({ status: 503 })
  const { reasons } = await readyz(misled, because(/^rpc: /))
  assert.match(reasons[0] ?? '', /503.*: check /, 'reason and remedy')
  assert.equal(await signs(healthy, damaged), true)
  for (const endpoint of endpoints) endpoint.rule = () => null
  await readyz(misled, isReady)
  assert.equal(await signs(misled), true)
})

test('endpoints that disagree: a member acts on neither and says so, and heals when they agree', async () => {
  const { epoch } = await committee(world)
  const [liar] = endpoints
  assert.ok(liar)
  liar.rule = ({ method }, truth) =>
    method === 'eth_getBlockByNumber' && typeof truth === 'object'
      ? { result: { ...truth, hash: `0x${'ab'.repeat(32)}` } }
      : null
  await readyz(misled, because(/^rpc: .*disagree.*: \w/))
  assert.equal((await world.status(misled)).epoch, epoch)
  assert.equal(await signs(healthy, damaged), true)
  liar.rule = () => null
  await readyz(misled, isReady)
})

test('bootnode down: members that know each other sign on, a newcomer says what it lacks, and both heal', async () => {
  const bootnode = world.processes.running.find(({ name }) => name === 'bootnode')
  bootnode?.kill('SIGKILL')
  await bootnode?.gone
  const warned = await readyz(healthy, warns(/^bootstrap: no bootnode is connected/))
  assert.equal(warned.ready, true)
  const newcomer = await world.addRelayer('newcomer')
  await world.start(newcomer)
  await readyz(newcomer, because(/^bootstrap: no bootnode is connected .*: see that a bootnode runs/))
  await world.halt(healthy)
  await world.start(healthy)
  await readyz(healthy, isReady)
  assert.equal(await signs(healthy, misled), true, 'the peer book is enough')
  const config = join(world.directory, 'bootnode', 'truss.yaml')
  world.processes.start('bootnode', ['relayer/main.ts', 'bootnode', '--config', config])
  await readyz(newcomer, isReady)
  await readyz(healthy, (answer) => answer.ready && !warns(/^bootstrap: no bootnode/)(answer))
  await world.halt(newcomer)
})

test('a corrupted share record is never "no share": its node says so and signs nothing, the others sign on, a refresh heals', async () => {
  const { epoch } = await committee(world)
  await world.halt(damaged)
  const [key] = await flip(damaged, 'share/')
  await world.start(damaged)
  const { reasons } = await readyz(damaged, because(/^share: /))
  assert.match(reasons.join(), /share: read record share\/.*damaged.*truss share declare-lost/)
  assert.doesNotMatch(reasons.join(), /no share/)
  const status = await world.status(damaged)
  assert.equal(status.signsWith, null)
  assert.ok(status.shares.some((share) => share.epoch === epoch && share.state === 'active'))
  await assert.rejects(signs(damaged))
  await readyz(healthy, isReady)
  assert.equal(await signs(healthy, misled), true)

  await truss(['share', 'declare-lost', '--yes', '--config', damaged.config])
  const lost = await readyz(damaged, warns(/^share: .*declared lost: ask governance/))
  assert.equal(lost.ready, true)
  await world.govern('refresh', 'a share was lost')
  const now = await completed(world, epoch)
  await readyz(damaged, isReady)
  assert.equal(await signs(damaged), true)
  assert.deepEqual(
    (await world.status(damaged)).shares.map((share) => [share.epoch, share.state]),
    [[now.epoch, 'active']],
  )
  await world.halt(damaged)
  const level = await openRecords(join(damaged.directory, 'data'))
  assert.equal(await level.get(key), undefined, 'the damaged record is erased')
  await level.close()
})

/** Flips a bit in the middle of each record of a family of a stopped relayer; gives the first key. */
async function flip(node: RelayerNode, prefix: string): Promise<[string]> {
  const level = await openRecords(join(node.directory, 'data'))
  const found = await level.iterator({ gte: prefix, lt: `${prefix}\xff` }).all()
  const [first] = found
  assert.ok(first)
  for (const [key, value] of found) {
    const bytes = Buffer.from(value, 'hex')
    const middle = bytes.length >> 1
    bytes[middle] = (bytes[middle] ?? 0) ^ 1
    await level.put(key, bytes.toString('hex'), { sync: true })
  }
  await level.close()
  return [first[0]]
}
