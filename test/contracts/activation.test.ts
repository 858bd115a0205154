// `activate` and `adminSetGroupKey`: what they ask for, what they refuse, and that nothing signed serves twice.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Hex } from '../../relayer/lib/bytes.ts'
import type { ActivateArgs, Activation } from '../support/bridge-shapes.ts'
import { BridgeWorld, bridgeInterface, rpc } from '../support/bridge-world.ts'
import { GroupKey, hex, Q } from '../support/group-key.ts'
import { addressOfPerson, people, word } from '../support/people.ts'

const FIELD = 2n ** 256n - 2n ** 32n - 977n
const activate = (args: ActivateArgs) => ['activate', args] as const

/** A world with a reshare pending. */
async function resharing(scheme = 1): Promise<BridgeWorld> {
  const world = await BridgeWorld.running({ scheme })
  await world.send('adminAddRelayer', [addressOfPerson(3)])
  return world
}

/** A keygen pending, in which the members attest whatever group key is given. */
async function keygen(scheme: number): Promise<BridgeWorld> {
  const world = await BridgeWorld.deploy({ scheme })
  await world.send('startKeygen')
  return world
}

for (const scheme of [0, 1]) {
  test(`a group signature must be key 0's over exactly this activation (scheme ${scheme})`, async () => {
    const world = await resharing(scheme)
    const [a, readiness, signature] = await world.signed(await world.activation())
    const stranger = new GroupKey(99n).sign(scheme, world.digest('Activation', a))
    const other = world.group.sign(scheme, world.digest('Activation', { ...a, attempt: a.attempt + 1 }))
    const wrongScheme = world.group.sign(1 - scheme, world.digest('Activation', a))
    const cut: Hex = `0x${signature.slice(4)}`
    const zeros: Hex = `0x${'00'.repeat(scheme === 0 ? 65 : 52)}`
    for (const bad of [stranger, other, wrongScheme, cut, `${signature}00`, '0x', zeros] as const)
      await world.reverts(activate([a, readiness, bad as Hex]), 'BadGroupSignature', []) // CAST: template of hex
    await world.send('activate', [a, readiness, signature])
  })

  test(`a keygen refuses garbage group signatures and keys that are no points (scheme ${scheme})`, async () => {
    const world = await keygen(scheme)
    const honest = await world.activation()
    const { x } = world.group
    const y = BigInt(`0x${world.group.publicKey.slice(66)}`)
    const withKey = (groupKey: Hex): Activation => ({
      ...honest,
      keys: [{ keyId: 0, groupKey, commitmentsHash: word(1) }],
    })
    for (const groupKey of [
      '0x',
      hex(0n, 32, 0n),
      hex(x, 32, y ^ 1n),
      hex(x + 1n, 32, y),
      hex(FIELD, 32, y),
      hex(x, 32, FIELD),
      hex(Q, 32, y),
      `0x${world.group.publicKey.slice(2, 66)}`,
      `0x04${world.group.publicKey.slice(2)}`,
      word(5),
    ] as Hex[]) // CAST: templates of hex
      await world.reverts(activate(await world.signed(withKey(groupKey))), 'BadGroupKey', [0])

    const [a, readiness, signature] = await world.signed(honest)
    const garbage: Hex[] = [`0x${'00'.repeat(52)}`, `0x${'00'.repeat(65)}`, `0x${'ff'.repeat(65)}`, '0x']
    for (const bad of [...garbage, new GroupKey(98n).sign(scheme, world.digest('Activation', a))])
      await world.reverts(activate([a, readiness, bad]), 'BadGroupSignature', [])
    await world.send('activate', [a, readiness, signature])
    assert.equal(await world.view('_MPCAddress'), world.group.address)
  })
}

test('x of a key that is verified on chain lies below the group order, and on the curve', async () => {
  // The points with the smallest x above the order: a point of the curve that ecrecover could not take.
  let x = Q
  const root = (n: bigint) => power(n, (FIELD + 1n) / 4n)
  for (; ; x++) {
    const square = (x ** 3n + 7n) % FIELD
    if ((root(square) ** 2n - square) % FIELD === 0n) break
  }
  const key = hex(x, 32, root((x ** 3n + 7n) % FIELD))
  const keys = [{ keyId: 0, groupKey: key, commitmentsHash: word(1) }]
  const ecdsa = await keygen(0)
  await ecdsa.reverts(activate(await ecdsa.signed(await ecdsa.activation({ keys }))), 'BadGroupKey', [0])
  const world = await keygen(1)
  await world.reverts(activate(await world.signed(await world.activation({ keys }))), 'BadGroupKey', [0])
  await world.activate()
  // BIP340 keys are not verified on chain: there every point is taken.
  await world.send('adminAddKey', [2])
  world.moreKeys.push(key)
  await world.activate()
  assert.equal((await world.state()).keys[1]?.groupKey, key)
  await world.erase(1)
  // Coordinates have one encoding: those of small points, with the field's prime added, satisfy the equation too.
  let y = 1n
  const cubeRoot = () => power((((y * y - 7n) % FIELD) + FIELD) % FIELD, (FIELD + 2n) / 9n)
  while ((cubeRoot() ** 3n + 7n - y * y) % FIELD !== 0n) y++
  await world.send('adminAddKey', [2])
  for (const twice of [hex(1n + FIELD, 32, root(8n)), hex(cubeRoot(), 32, y + FIELD)]) {
    world.moreKeys[1] = twice
    await world.reverts(activate(await world.signed(await world.activation())), 'BadGroupKey', [2])
  }
  for (const once of [hex(cubeRoot(), 32, y), hex(1n, 32, root(8n))]) {
    world.moreKeys[1] = once
    const args = await world.signed(await world.activation())
    await rpc(
      'eth_call',
      { to: world.bridge, data: bridgeInterface.encodeFunctionData('activate', args) },
      'latest',
    )
  }
})

test('readiness of every new member, in member order, over this activation', async () => {
  const world = await resharing()
  const [a, readiness, signature] = await world.signed(await world.activation())
  const members = (await world.info(2)).members
  const [r0, r1, r2, r3] = readiness as [Hex, Hex, Hex, Hex] // CAST: four members
  await world.reverts(activate([a, [r0, r1, r2], signature]), 'WrongReadinessCount', [3, 4])
  await world.reverts(activate([a, [...readiness, r0], signature]), 'WrongReadinessCount', [5, 4])
  await world.reverts(activate([a, [r1, r0, r2, r3], signature]), 'BadReadiness', [0, members[0]])
  await world.reverts(activate([a, [r0, r1, r2, r2], signature]), 'BadReadiness', [3, members[3]])
  await world.reverts(activate([a, [r0, r1, '0x', r3], signature]), 'BadReadiness', [2, members[2]])
  const zeros: Hex = `0x${'00'.repeat(65)}`
  await world.reverts(activate([a, [r0, zeros, r2, r3], signature]), 'BadReadiness', [1, members[1]])
  const s = Q - BigInt(`0x${r0.slice(66, 130)}`)
  const malleated: Hex = `0x${r0.slice(2, 66)}${s.toString(16).padStart(64, '0')}${r0.endsWith('1b') ? '1c' : '1b'}`
  await world.reverts(activate([a, [malleated, r1, r2, r3], signature]), 'BadReadiness', [0, members[0]])
  const { 1: foreign } = await world.signed({ ...a, attempt: a.attempt + 1 })
  await world.reverts(activate([a, foreign, signature]), 'BadReadiness', [0, members[0]])
})

test('an activation names the pending epoch and its committee', async () => {
  const world = await resharing()
  const a = await world.activation()
  const args = await world.signed(a)
  for (const epoch of [0, 1, 3])
    await world.reverts(activate([{ ...a, epoch }, args[1], args[2]]), 'NotPending', [epoch, 2])
  const other = { ...a, committeeHash: word(4) }
  await world.reverts(activate(await world.signed(other)), 'WrongCommittee', [word(4), a.committeeHash])
  await world.send('activate', args)
  await world.reverts(activate(args), 'NotPending', [2, 0])
})

test('an activation covers every key once, in order, and changes none', async () => {
  const world = await BridgeWorld.running()
  await world.send('adminAddKey', [3])
  world.moreKeys.push(word(3))
  const one = await world.activation({ keys: (await world.activation()).keys.slice(0, 1) })
  await world.reverts(activate(await world.signed(one)), 'WrongKeyCount', [1, 2])
  const { keys } = await world.activation()
  const short = keys.map((key) => ({
    ...key,
    groupKey: key.keyId === 1 ? (`0x${'11'.repeat(31)}` as Hex) : key.groupKey,
  })) // CAST: hex
  await world.reverts(
    activate(await world.signed(await world.activation({ keys: short }))),
    'BadGroupKey',
    [1],
  )
  await world.activate()
  await world.erase(1)

  await world.send('refreshKey', [''])
  const a = await world.activation()
  const [first, second] = a.keys as [Activation['keys'][0], Activation['keys'][0]] // CAST: two keys
  const refused = async (changed: Activation['keys'], error: string, args: unknown[]) =>
    await world.reverts(activate(await world.signed({ ...a, keys: changed })), error, args)
  await refused([first, second, { ...second, keyId: 2 }], 'WrongKeyCount', [3, 2])
  await refused([], 'WrongKeyCount', [0, 2])
  await refused([second, first], 'WrongKeyId', [1, 0])
  await refused([first, first], 'WrongKeyId', [0, 1])
  await refused([first, { ...second, groupKey: word(9) }], 'GroupKeyChanged', [1])
  await refused([{ ...first, groupKey: new GroupKey(5n).publicKey }, second], 'GroupKeyChanged', [0])
  await world.activate()
})

test('activations and readiness of another chain, bridge, epoch or attempt are refused', async () => {
  const world = await resharing()
  const a = await world.activation()
  const domain = world.domain()
  const foreign = [
    { ...domain, chainId: 1 },
    { ...domain, verifyingContract: world.stranger },
    { ...domain, version: '3.1.1' },
  ]
  const honest = await world.signed(a)
  for (const elsewhere of foreign) {
    const args = await world.signed(a, elsewhere)
    await world.reverts(activate(args), 'BadReadiness')
    await world.reverts(activate([a, honest[1], args[2]]), 'BadGroupSignature')
  }
  const later = { ...a, attempt: a.attempt + 1 }
  await world.reverts(activate([later, honest[1], honest[2]]), 'BadReadiness')
  await world.reverts(activate([later, (await world.signed(later))[1], honest[2]]), 'BadGroupSignature')
  // The same members and threshold under the next number: the former activation is worthless.
  await world.send('adminCancelCeremony')
  await world.reverts(activate(honest), 'NotPending', [2, 0])
  await world.send('adminAddRelayer', [addressOfPerson(3)])
  await world.reverts(activate(honest), 'NotPending', [2, 3])
  const renumbered = { ...a, epoch: 3 }
  await world.reverts(activate([renumbered, honest[1], honest[2]]), 'WrongCommittee')
  const { committeeHash } = await world.info(3)
  await world.reverts(activate([{ ...renumbered, committeeHash }, honest[1], honest[2]]), 'BadReadiness')
})

for (const scheme of [0, 1]) {
  test(`verifyGroupSignature serves tools (scheme ${scheme})`, async () => {
    const world = await BridgeWorld.deploy({ scheme })
    const digest = world.digest('Probe', { keyId: 0, epoch: 1, text: 'hello' })
    const signature = world.group.sign(scheme, digest)
    assert.equal(await world.view('verifyGroupSignature', [digest, signature]), false, 'no key yet')
    await world.send('startKeygen')
    await world.activate()
    assert.equal(await world.view('verifyGroupSignature', [digest, signature]), true)
    assert.equal(await world.view('verifyGroupSignature', [word(1), signature]), false)
    assert.equal(await world.view('verifyGroupSignature', [digest, '0x']), false)
  })

  test(`another chain's Bridge takes the group key once, with its proof (scheme ${scheme})`, async () => {
    const world = await BridgeWorld.deploy({ relayers: [], threshold: 0, scheme })
    const { publicKey, address } = world.group
    const value = { scheme, groupKey: publicKey, destinationChainId: 31337, destinationBridge: world.bridge }
    const proof = world.group.sign(scheme, world.digest('SetGroupKey', value))
    const set = (...args: unknown[]) => ['adminSetGroupKey', args] as const
    await world.reverts(set(1 - scheme, publicKey, proof), 'SchemeMismatch', [scheme, 1 - scheme])
    await world.reverts(set(scheme, word(1), proof), 'BadGroupKey', [0])
    await world.reverts(set(scheme, new GroupKey(6n).publicKey, proof), 'BadGroupSignature', [])
    for (const elsewhere of [
      world.digest('SetGroupKey', { ...value, destinationChainId: 1 }),
      world.digest('SetGroupKey', { ...value, destinationBridge: world.stranger }),
      world.digest('SetGroupKey', value, { ...world.domain(), verifyingContract: world.stranger }),
      world.digest('SetGroupKey', value, { ...world.domain(), chainId: 1 }),
    ])
      await world.reverts(
        set(scheme, publicKey, world.group.sign(scheme, elsewhere)),
        'BadGroupSignature',
        [],
      )
    assert.deepEqual((await world.send(...set(scheme, publicKey, proof))).logs, [
      { name: 'GroupKeySet', args: [BigInt(scheme), publicKey, address] },
    ])
    assert.equal(await world.view('_MPCAddress'), address)
    assert.equal(
      (await world.state()).keys[0]?.groupKey,
      publicKey,
      'what the watch over other bridges reads',
    )
    await world.reverts(set(scheme, publicKey, proof), 'KeyExists', [])
    await world.send('adminSetCommittee', [people(0, 3), [], 2])
    await world.reverts(['startKeygen'], 'KeyExists', [])
  })
}

test('a Bridge without relayers starts no keygen, and one with a keygen running takes no foreign key', async () => {
  const empty = await BridgeWorld.deploy({ relayers: [], threshold: 0 })
  await empty.reverts(['startKeygen'], 'ThresholdOutOfBounds', [0, 0])
  const world = await keygen(1)
  await world.reverts(['adminSetGroupKey', [1, world.group.publicKey, '0x']], 'KeygenPending', [1])
})

function power(base: bigint, exponent: bigint): bigint {
  let result = 1n
  for (let b = base, e = exponent; e > 0n; e >>= 1n, b = (b * b) % FIELD)
    if (e & 1n) result = (result * b) % FIELD
  return result
}
