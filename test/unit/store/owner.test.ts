// A store opens for its own operator, bridge, chain and schema only, and says whose it is to everybody else.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { enc } from '../../../relayer/crypto/enc.ts'
import { fromHex, toAddress, u32, u64 } from '../../../relayer/lib/bytes.ts'
import { StoreError } from '../../../relayer/lib/errors.ts'
import { openStore } from '../../../relayer/store/store.ts'
import { CHAIN, OPERATOR } from '../../support/dealt-shares.ts'
import { MemoryDisk } from '../../support/memory-database.ts'
import { DISKS, operatorKey, storeOver, withStore } from '../../support/open-store.ts'

const OTHER = toAddress(`0x${'99'.repeat(20)}`)

for (const { name, make } of DISKS) {
  test(`${name}: a store of another operator, bridge or chain is refused with both names, and stays as it is`, async () => {
    const disk = make()
    await withStore(disk, async (store) => assert.equal(await store.nextBoot(), 1))
    const wrong = [
      { change: { operator: OTHER }, says: /operator 0x2222.* keystore is of 0x9999/ },
      { change: { bridge: OTHER }, says: /bridge 0xb1b1.* not 0x9999/ },
      { change: { chainId: 1 }, says: /chain 31337, not .* on 1$/ },
    ]
    for (const { change, says } of wrong) {
      const handles = await disk.open()
      const options = { ...handles, ...CHAIN, operator: OPERATOR, operatorKey: operatorKey(), ...change }
      await assert.rejects(openStore(options), (error: unknown) => {
        assert.ok(error instanceof StoreError)
        assert.match(error.message, says)
        assert.match(error.hint, /data directory/)
        return true
      })
      await handles.database.close()
    }
    await withStore(disk, async (store) => assert.equal(await store.nextBoot(), 2))
  })
}

test('the right address with another key behind it is refused: records carry a code under the operator key', async () => {
  const disk = new MemoryDisk()
  await storeOver(disk.open())
  const options = { ...disk.open(), ...CHAIN, operator: OPERATOR, operatorKey: operatorKey(6) }
  await assert.rejects(openStore(options), /read record schema: damaged \(its authentication code is wrong\)/)
})

test('an unknown schema version is refused and both versions are named', async () => {
  const disk = new MemoryDisk()
  const body = enc(u32(9), u64(CHAIN.chainId), fromHex(CHAIN.bridge), fromHex(OPERATOR))
  const schema = enc(body, new Uint8Array(32))
  disk.restore({ records: new Map([['schema', schema]]), files: new Map() })
  await assert.rejects(storeOver(disk.open()), /schema version is 9, not 1/)
})

test('a damaged schema record is no empty directory', async () => {
  const disk = new MemoryDisk()
  disk.restore({ records: new Map([['schema', new Uint8Array(3)]]), files: new Map() })
  await assert.rejects(storeOver(disk.open()), /schema record is damaged/)
})

test('key files without their database are not taken for a new directory', async () => {
  const disk = new MemoryDisk()
  disk.restore({ records: new Map(), files: new Map([['1-0.key', new Uint8Array(72)]]) })
  await assert.rejects(storeOver(disk.open()), (error: unknown) => {
    assert.ok(error instanceof StoreError)
    assert.match(error.message, /0 records and 1 key files/)
    assert.match(error.hint, /restore it from a backup/)
    return true
  })
})
