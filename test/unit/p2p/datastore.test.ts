// The bounded memory behind libp2p: what strangers store makes way for what strangers store, and our own entry stays.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { BoundedDatastore } from '../../../relayer/p2p/datastore.ts'

type Key = Parameters<BoundedDatastore['put']>[0]

/** As much of a datastore's key as the store looks at. */
function key(name: string): Key {
  return { toString: () => name } as Key // CAST: the store reads the name only
}

const value = Uint8Array.of(1)

async function names(store: BoundedDatastore, prefix: string): Promise<string[]> {
  const found: string[] = []
  for await (const each of store.queryKeys({ prefix })) found.push(each.toString())
  return found
}

test('what was put is found, by name and by prefix, and what was deleted is not', async () => {
  const store = new BoundedDatastore()
  store.put(key('/dht/provider/a/1'), value)
  store.put(key('/dht/provider/b/2'), value)
  assert.deepEqual(store.get(key('/dht/provider/a/1')), value)
  assert.deepEqual(await names(store, '/dht/provider/a'), ['/dht/provider/a/1'])
  store.delete(key('/dht/provider/a/1'))
  assert.equal(store.has(key('/dht/provider/a/1')), false)
  assert.throws(() => store.get(key('/dht/provider/a/1')), { name: 'NotFoundError' })
})

test('one peer keeps few provider records, its latest, and takes no room from others', async () => {
  const store = new BoundedDatastore()
  store.put(key('/dht/provider/good/honest'), value)
  for (let at = 0; at < 10_000; at++) store.put(key(`/dht/provider/${at}/liar`), value)
  const all = await names(store, '/dht/provider/')
  assert.equal(all.length, 9)
  assert.ok(all.includes('/dht/provider/good/honest') && all.includes('/dht/provider/9999/liar'))
})

test('ever new peers push out the least recently used one, never our own', async () => {
  const store = new BoundedDatastore()
  store.put(key('/peers/self'), value)
  store.put(key('/peers/friend'), value)
  for (let at = 0; at < 10_000; at++) {
    store.put(key(`/peers/${at}`), value)
    store.get(key('/peers/friend'))
  }
  const all = await names(store, '/peers/')
  assert.equal(all.length, 4096)
  assert.ok(all.includes('/peers/self') && all.includes('/peers/friend') && !all.includes('/peers/0'))
})

test('a large value is refused', () => {
  assert.throws(() => new BoundedDatastore().put(key('/peers/x'), new Uint8Array(16_385)), /at most/)
})
