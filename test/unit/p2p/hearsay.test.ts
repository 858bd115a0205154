// Nodes of the DHT that say of a member that it is where it is not: what it says of itself stays in the peer book.
import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { peerIdFromString } from '@libp2p/peer-id'
import { multiaddr } from '@multiformats/multiaddr'
import { concat } from '../../../relayer/lib/bytes.ts'
import { DISCOVERY_PROTOCOLS } from '../../../relayer/p2p/protocols.ts'
import { BookInMemory, Hosts, until } from '../../support/p2p-hosts.ts'

const hosts = new Hosts()
after(() => hosts.stop())

/** A field of a protobuf message with bytes in it. */
function field(number: number, value: Uint8Array): Uint8Array {
  return concat(Uint8Array.of(number * 8 + 2), varint(value.length), value)
}

function varint(value: number): Uint8Array {
  return value < 0x80 ? Uint8Array.of(value) : Uint8Array.of((value & 0x7f) | 0x80, value >> 7)
}

/** A node that answers each question of the DHT with one peer at wrong addresses. */
async function liar(seed: number, { peerId, addresses }: { peerId: string; addresses: readonly string[] }) {
  const node = await hosts.stranger(seed)
  const id = peerIdFromString(peerId).toMultihash().bytes
  const peer = concat(field(1, id), ...addresses.map((each) => field(2, multiaddr(each).bytes)))
  let asked = 0
  await node.handle(DISCOVERY_PROTOCOLS.kad, (stream) => {
    stream.addEventListener('message', ({ data }) => {
      const bytes = data instanceof Uint8Array ? data : data.subarray()
      // After the length comes the type, as field 1; closer peers are field 8.
      const answer = concat(Uint8Array.of(8, bytes[bytes.indexOf(8) + 1] ?? 0), field(8, peer))
      stream.send(concat(varint(answer.length), answer))
      asked += 1
    })
  })
  return { multiaddrs: node.getMultiaddrs().map(String), asked: () => asked }
}

test('what others say of where a member is does not push its own word out of the peer book', async () => {
  const wrong = Array.from({ length: 8 }, (_, at) => `/ip4/127.0.0.${at + 2}/tcp/9`)
  const book = new BookInMemory()
  const first = await hosts.start(1)
  const told = await liar(50, { peerId: first.peerId, addresses: wrong })
  const second = await hosts.start(2, { bootstrap: told.multiaddrs, peerBook: book })
  await hosts.end(first)
  // It comes to us by itself, so that we know only what it says.
  const newcomer = await hosts.start(1, { bootstrap: second.multiaddrs() })
  await until('it is there', () => second.peers().some(({ address }) => address === newcomer.self))
  const before = told.asked()
  await until('the liar was asked again', () => told.asked() > before + 2)
  second.admit({ committee: [newcomer.self, second.self], receipts: [] })
  const entry = () => book.entries.find(({ address }) => address === newcomer.self)
  await until('its addresses are kept', () => (entry()?.multiaddrs.length ?? 0) > 0)
  assert.deepEqual(entry()?.multiaddrs, newcomer.multiaddrs())
})
