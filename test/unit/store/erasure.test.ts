// What was erased is in no file of a real data directory, whatever LevelDB had done with it before.
import assert from 'node:assert/strict'
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { KEY } from '../../../relayer/store/layout.ts'
import { openLevel } from '../../../relayer/store/level.ts'
import { deal, OPERATOR, preparedOf } from '../../support/dealt-shares.ts'
import { activationArgs, receiptFor, storeOver } from '../../support/open-store.ts'
import { scratch } from '../../support/scratch.ts'

/** The files under a directory that contain the bytes. */
async function filesWith(directory: string, needle: Uint8Array): Promise<string[]> {
  const entries = await readdir(directory, { recursive: true, withFileTypes: true })
  const found: string[] = []
  for (const entry of entries.filter((item) => item.isFile()))
    if ((await readFile(join(entry.parentPath, entry.name))).includes(Buffer.from(needle)))
      found.push(entry.name)
  return found
}

/** 32 bytes out of the middle: enough to know them by, and no framing around them. */
const trace = (bytes: Uint8Array) => bytes.slice(bytes.length - 80, bytes.length - 48)

const HISTORIES = {
  'written just now': { before: 0, after: 0, reopen: false },
  'compacted into deeper levels by other records': { before: 400, after: 400, reopen: false },
  'read back from the log after a restart': { before: 20, after: 20, reopen: true },
}

for (const [name, history] of Object.entries(HISTORIES)) {
  test(`erased: sealed shares and wrapped key are in no file (${name})`, async () => {
    const directory = scratch('store')
    let handles = await openLevel(directory)
    let store = await storeOver(handles)
    const fill = async (count: number) => {
      for (let i = 0; i < count; i++)
        await handles.database.batch([
          { type: 'put', key: `evidence/${i}-${count}`, value: new Uint8Array(8192).fill(i) },
        ])
    }
    await fill(history.before)
    const [old, next] = [deal({ epoch: 1 }), deal({ epoch: 2 })]
    await store.savePrepared(old.spec, preparedOf(old, OPERATOR))
    await store.promote(activationArgs(old, preparedOf(old, OPERATOR)))
    await fill(history.after)
    if (history.reopen) {
      await store.close()
      handles = await openLevel(directory)
      store = await storeOver(handles)
    }
    const sealed = trace((await handles.database.get(KEY.sealed(1, 0))) ?? new Uint8Array())
    const wrapped = (await handles.keyFiles.read('1-0.key')) ?? new Uint8Array()
    assert.notDeepEqual(await filesWith(directory, sealed), [])
    assert.deepEqual(await filesWith(directory, wrapped), ['1-0.key'])

    await store.savePrepared(next.spec, preparedOf(next, OPERATOR))
    await store.promote(activationArgs(next, preparedOf(next, OPERATOR)))
    await store.erase({ epoch: 1, attempt: 0 }, receiptFor(1, 2))
    assert.deepEqual(await filesWith(directory, sealed), [])
    assert.deepEqual(await filesWith(directory, wrapped), [])
    assert.equal((await store.loadShares({ epoch: 2, attempt: 0 })).length, 1)
    await store.close()
    assert.deepEqual(await filesWith(directory, sealed), [])
  })
}

test('neither a share nor a data key stands on the disk in the clear', async () => {
  const directory = scratch('store')
  const store = await storeOver(await openLevel(directory))
  const dealt = deal({ epoch: 1, schemes: ['frost-secp256k1-evm', 'frost-ed25519'] })
  const mine = preparedOf(dealt, OPERATOR)
  await store.savePrepared(dealt.spec, mine)
  await store.close()
  for (const { share } of mine.shares) {
    assert.deepEqual(await filesWith(directory, share.expose()), [])
    assert.deepEqual(await filesWith(directory, Buffer.from(Buffer.from(share.expose()).toString('hex'))), [])
  }
})

test('a damaged share record is unreadable while its epoch runs, and erased like any other once it is marked', async () => {
  const handles = await openLevel(scratch('store'))
  const store = await storeOver(handles)
  const [old, next] = [deal({ epoch: 1 }), deal({ epoch: 2 })]
  await store.savePrepared(old.spec, preparedOf(old, OPERATOR))
  await store.promote(activationArgs(old, preparedOf(old, OPERATOR)))
  const key = KEY.share(1, 0)
  const value = (await handles.database.get(key)) ?? new Uint8Array()
  value[value.length >> 1] = (value[value.length >> 1] ?? 0) ^ 1
  await handles.database.batch([{ type: 'put', key, value }])
  await assert.rejects(store.prepared(1), /read record share\/.*damaged/)
  await assert.rejects(store.activeShare(), /read record share\/.*damaged/)

  await store.savePrepared(next.spec, preparedOf(next, OPERATOR))
  await store.promote(activationArgs(next, preparedOf(next, OPERATOR)))
  assert.deepEqual(await store.prepared(1), [])
  await store.erase({ epoch: 1, attempt: 0 }, receiptFor(1, 2))
  assert.deepEqual(await store.epochsHeld(), [2])
  await store.close()
})
