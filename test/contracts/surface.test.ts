// What outsiders rely on: selectors, topics, type hashes, the size, the generated ABI, and hashes that nodes compute too.
import assert from 'node:assert/strict'
import { globSync, readFileSync } from 'node:fs'
import { test } from 'node:test'
import { id } from 'ethers'
import { committeeHash } from '../../relayer/protocol/party.ts'
import { fromHex, to0x, toAddress } from '../../relayer/lib/bytes.ts'
import { ABI_FILE, generateAbi } from '../../scripts/abi.ts'
import { artifactOf, link } from '../../scripts/deploy.ts'
import { BridgeWorld, bridgeInterface, rpc } from '../support/bridge-world.ts'
import { people } from '../support/people.ts'

const SELECTORS: Record<string, string> = {
  'adminAddRelayer(address)': '0xcdb0f73a',
  'adminRemoveRelayer(address)': '0x9d82dd63',
  'adminChangeRelayerThreshold(uint256)': '0x4e056005',
  'startKeygen()': '0x6ba6db6b',
  'refreshKey(string)': '0xd8236744',
  'adminPauseTransfers()': '0x80ae1c28',
  'adminUnpauseTransfers()': '0xffaac0eb',
}

/** Beginnings of topics. */
const TOPICS: Record<string, string> = {
  'RelayerAdded(address)': '0x03580ee9',
  'RelayerRemoved(address)': '0x10e1f7ce',
  'RelayerThresholdChanged(uint256)': '0xa20d6b84',
  'StartKeygen()': '0x24e723a5',
  'EndKeygen()': '0x4187686c',
  'KeyRefresh(string)': '0xe78d813a',
}

test('the familiar functions keep their selectors', () => {
  for (const [signature, selector] of Object.entries(SELECTORS))
    assert.equal(bridgeInterface.getFunction(signature)?.selector, selector, signature)
})

test('the familiar events keep their topics and index nothing', () => {
  for (const [signature, topic] of Object.entries(TOPICS)) {
    const event = bridgeInterface.getEvent(signature)
    assert.ok(event, signature)
    assert.ok(event.topicHash.startsWith(topic), signature)
    assert.ok(
      event.inputs.every(({ indexed }) => indexed !== true),
      signature,
    )
  }
})

test('the familiar views answer', async () => {
  const world = await BridgeWorld.deploy({ n: 4, threshold: 3, domainId: 9 })
  const [member] = people(0, 1)
  assert.equal(await world.view('isRelayer', [member]), true)
  assert.equal(await world.view('isRelayer', [world.stranger]), false)
  assert.equal(await world.view('_totalRelayers'), 4n)
  assert.equal(await world.view('_relayerThreshold'), 3n)
  assert.equal(await world.view('_domainID'), 9n)
  assert.equal(await world.view('_MPCAddress'), `0x${'0'.repeat(40)}`)
  assert.equal(await world.view('isProposalExecuted', [1, 300]), false)
})

test('events and structs of the committee have the shapes that nodes compute topics and hashes from', () => {
  const record = '(uint32,bytes,bytes32)'
  const events = [
    'CeremonyStarted(uint8,uint64,uint64,bytes32,uint64,uint32)',
    `EpochActivated((uint64,uint32,bytes32,${record}[],bytes32),bytes)`,
    'ShareDeleted(uint64,address,uint32)',
    'ReshareCompleted(uint64)',
    'ThresholdBelowMajority(uint256,uint256)',
  ]
  for (const event of events) assert.equal(bridgeInterface.getEvent(event)?.topicHash, id(event))
  for (const name of [
    `activate((uint64,uint32,bytes32,${record}[],bytes32),bytes[],bytes)`,
    'recordDeletions((uint64,address,uint64,uint32)[],bytes[])',
    'adminSetCommittee(address[],address[],uint256)',
    'adminSetGroupKey(uint8,bytes,bytes)',
    'verifyGroupSignature(bytes32,bytes)',
  ])
    assert.ok(bridgeInterface.getFunction(name), name)
})

test('the EIP-712 domain is the familiar one', async () => {
  const world = await BridgeWorld.deploy()
  const data = bridgeInterface.encodeFunctionData('eip712Domain')
  const answer = await rpc('eth_call', { to: world.bridge, data }, 'latest')
  const [fields, name, version, chainId, contract, salt] = bridgeInterface.decodeFunctionResult(
    'eip712Domain',
    String(answer),
  )
  assert.deepEqual(
    [fields, name, version, chainId, toAddress(String(contract)), salt],
    ['0x0f', 'Bridge', '3.1.0', 31337n, world.bridge, `0x${'0'.repeat(64)}`],
  )
})

test('the Bridge stays below 18,000 bytes, its library below 24,000', () => {
  const size = (file: string, name: string) => {
    const { deployedBytecode } = artifactOf(file, name)
    return (deployedBytecode.length - 2) / 2
  }
  // 24,000 with the transfers, for which 6,000 are kept.
  assert.ok(size('Bridge.sol', 'Bridge') < 18_000)
  assert.ok(size('Committees.sol', 'Committees') < 24_000)
})

test('every function, event and error of the interface is named in a contract test', () => {
  const tests = globSync('test/{contracts,support}/*.ts')
    .map((file) => readFileSync(file, 'utf8'))
    .join('\n')
  const source = readFileSync('contracts/IBridge.sol', 'utf8')
  const declared = [...source.matchAll(/^ {4}(?:event|error|function) (\w+)\(/gm)].map(
    ([, name]) => name ?? '',
  )
  assert.ok(declared.length > 60)
  assert.deepEqual(
    declared.filter((name) => !new RegExp(`\\b${name}\\b`).test(tests)),
    [],
  )
})

test('a Bridge is not linked without its library', () => {
  assert.throws(() => link(artifactOf('Bridge.sol', 'Bridge'), {}), /no address for library Committees/)
})

test('the generated ABI is current', () => {
  assert.equal(readFileSync(ABI_FILE, 'utf8'), generateAbi(), 'run `npm run abi`')
})

for (const n of [2, 3, 50, 100]) {
  test(`the committee hash of ${n} members is the one that nodes compute`, async () => {
    const world = await BridgeWorld.deploy({ n, threshold: 2 })
    await world.send('startKeygen')
    const info = await world.info(1)
    const members = info.members.map(toAddress)
    assert.deepEqual(members, people(0, n).sort())
    const expected = committeeHash(world.chainId, world.bridge, { epoch: 1, members, threshold: 2 })
    assert.equal(info.committeeHash, to0x(expected))
    assert.equal(fromHex(info.committeeHash).length, 32)
  })
}
