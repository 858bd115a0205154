// Hellos: one encoding, signed by their sender, bound to a bridge; and what boot counters give away.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { encode, rfc8949EncodeOptions } from 'cborg'
import { signerOf } from '../../../relayer/crypto/identity.ts'
import { concat, fromHex } from '../../../relayer/lib/bytes.ts'
import { type BootAlarm, PeerBook } from '../../../relayer/p2p/book.ts'
import {
  decodeHello,
  encodeHello,
  HelloError,
  helloDigest,
  newBootMemo,
  NO_BRIDGE,
  sameBridge,
} from '../../../relayer/p2p/hello.ts'
import { peerIdOf } from '../../../relayer/p2p/identity.ts'
import { MAX_HELLO } from '../../../relayer/p2p/protocols.ts'
import { keyOf, NETWORK } from '../../support/p2p-hosts.ts'

const signer = signerOf(keyOf(1))
const hello = {
  protocolVersion: 1,
  softwareVersion: '1.2.3',
  head: 12_345_678,
  epoch: 7,
  bootCounter: 3,
  bootId: '0f'.repeat(16),
}

function fields(change: (fields: unknown[]) => void = () => {}): Uint8Array {
  const list: unknown[] = [
    1,
    '1.2.3',
    NETWORK.chainId,
    fromHex(NETWORK.bridge),
    12_345_678,
    7,
    3,
    fromHex(hello.bootId),
  ]
  list.push(signer.sign(helloDigest(NETWORK, hello)))
  change(list)
  return encode(list, rfc8949EncodeOptions)
}

test('a hello comes back as it was said', () => {
  const bytes = encodeHello(hello, NETWORK, signer)
  assert.deepEqual(decodeHello(bytes, signer.address), { hello, network: NETWORK })
  assert.deepEqual(bytes, fields())
  assert.ok(bytes.length <= MAX_HELLO)
})

test('a hello of somebody else, or about another boot, is refused', () => {
  const bytes = encodeHello(hello, NETWORK, signer)
  assert.throws(() => decodeHello(bytes, signerOf(keyOf(2)).address), HelloError)
  for (const [at, value] of [
    [2, 1],
    [3, new Uint8Array(20)],
    [6, 4],
    [7, new Uint8Array(16)],
    [8, new Uint8Array(65)],
  ] as const)
    assert.throws(
      () =>
        decodeHello(
          fields((list) => (list[at] = value)),
          signer.address,
        ),
      HelloError,
    )
})

test('anything but the one encoding of a hello is refused', () => {
  const good = encodeHello(hello, NETWORK, signer)
  const bad: Uint8Array[] = [
    new Uint8Array(0),
    good.subarray(0, -1),
    concat(good, Uint8Array.of(0)),
    concat(Uint8Array.of(0x9f), good.subarray(1), Uint8Array.of(0xff)), // an indefinite array
    concat(Uint8Array.of(0x98, 9), good.subarray(1)), // a longer head than needed
    concat(good.subarray(0, 1), Uint8Array.of(0x18, 1), good.subarray(2)), // a longer integer than needed
    fields((list) => list.pop()),
    fields((list) => list.push(0)),
    fields((list) => (list[0] = -1)),
    fields((list) => (list[0] = 1.5)),
    fields((list) => (list[1] = 'x'.repeat(33))),
    fields((list) => (list[1] = 'a\nb')),
    fields((list) => (list[1] = '')),
    fields((list) => (list[4] = 2n ** 60n)),
    fields((list) => (list[4] = '5')),
    fields((list) => (list[7] = new Uint8Array(15))),
    encode({ 0: 1 }, rfc8949EncodeOptions),
    new Uint8Array(MAX_HELLO + 1),
  ]
  for (const bytes of bad) assert.throws(() => decodeHello(bytes, signer.address), HelloError)
})

test('what would be no hello is not sent', () => {
  assert.throws(() => encodeHello({ ...hello, softwareVersion: 'x'.repeat(33) }, NETWORK, signer), RangeError)
  assert.throws(() => encodeHello({ ...hello, bootId: 'ff' }, NETWORK, signer), RangeError)
})

test('a bootnode goes with every bridge, two bridges do not go together', () => {
  const other = { ...NETWORK, chainId: 1 }
  assert.equal(sameBridge(NETWORK, NO_BRIDGE), true)
  assert.equal(sameBridge(NETWORK, { ...NETWORK }), true)
  assert.equal(sameBridge(NETWORK, other), false)
})

test('a lower boot counter is a rollback, the same one with another id a clone', () => {
  const book = new PeerBook()
  const say = (counter: number, id: string): BootAlarm['kind'] | null =>
    book.boot(signer.address, counter, id)?.kind ?? null
  assert.equal(say(0, ''), null)
  assert.equal(say(5, 'aa'), null)
  assert.equal(say(5, 'aa'), null)
  assert.equal(say(6, 'bb'), null)
  assert.equal(say(5, 'aa'), 'rollback')
  assert.equal(say(6, 'cc'), 'clone')
  assert.equal(say(0, ''), 'rollback')
  assert.equal(say(6, 'bb'), null)
  assert.equal(say(5, 'aa'), null, 'told once')
  assert.equal(book.alarms().length, 3)
  assert.deepEqual(book.alarms()[0]?.seen, { bootCounter: 6, bootId: 'bb' })
})

test('a boot counter above all before ends the alarm, and the other machine raises it anew', () => {
  const book = new PeerBook()
  const [one, other] = [signer.address, signerOf(keyOf(2)).address]
  for (const address of [one, other]) {
    book.boot(address, 5, 'aa')
    assert.equal(book.boot(address, 5, 'bb')?.kind, 'clone')
  }
  assert.equal(book.boot(one, 6, 'cc'), null)
  assert.deepEqual(
    book.alarms().map(({ address }) => address),
    [other],
  )
  assert.equal(book.boot(one, 5, 'bb')?.kind, 'rollback')
  assert.equal(book.alarms().length, 2)
})

test('the peer book keeps the highest boot counter, and only addresses that end in the right PeerId', () => {
  const [mine, others] = [peerIdOf(keyOf(1)), peerIdOf(keyOf(2))]
  const book = new PeerBook()
  book.boot(signer.address, 9, 'aa')
  book.remember(signer.address, [`/ip4/10.0.0.1/tcp/1/p2p/${others}`, '/ip4/10.0.0.1/tcp/1', 'nonsense'])
  assert.deepEqual(book.multiaddrs(signer.address), [])
  for (let port = 1; port <= 20; port++)
    book.remember(signer.address, [`/dns4/a.example/tcp/${port}/p2p/${mine}`])
  assert.equal(book.multiaddrs(signer.address).length, 8)
  assert.equal(book.multiaddrs(signer.address)[0], `/dns4/a.example/tcp/20/p2p/${mine}`)
  const again = new PeerBook()
  again.fill(book.take())
  assert.equal(book.changed, false)
  assert.deepEqual(again.multiaddrs(signer.address), book.multiaddrs(signer.address))
  assert.equal(again.boot(signer.address, 8, 'bb')?.kind, 'rollback')
})

test('of a connection that shows one start after another two signatures are looked at, and its true hello always counts', () => {
  const memo = newBootMemo()
  const own = encodeHello(hello, NETWORK, signer)
  assert.ok(decodeHello(own, signer.address, memo))
  const forged = (counter: number) =>
    encode(
      [
        1,
        '1.2.3',
        NETWORK.chainId,
        fromHex(NETWORK.bridge),
        1,
        7,
        counter,
        fromHex(hello.bootId),
        signer.sign(new Uint8Array(32).fill(1)),
      ],
      rfc8949EncodeOptions,
    )
  for (let counter = 100; counter < 110; counter++)
    assert.throws(() => decodeHello(forged(counter), signer.address, memo), HelloError)
  assert.throws(() => decodeHello(forged(200), signer.address, memo), /too many boots on one connection/)
  assert.equal(memo.looks, 0)
  assert.ok(decodeHello(own, signer.address, memo))
})
