// Whatever prints a store, a loaded share or an error about one shows no secret.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { inspect } from 'node:util'
import { deal, OPERATOR, preparedOf } from '../../support/dealt-shares.ts'
import { MemoryDisk } from '../../support/memory-database.ts'
import { operatorKey, storeOver } from '../../support/open-store.ts'

/** Every way in which these bytes could appear in text. */
function shapes(bytes: Uint8Array): string[] {
  const buffer = Buffer.from(bytes)
  return [
    buffer.toString('hex'),
    buffer.toString('base64'),
    BigInt(`0x${buffer.toString('hex')}`).toString(),
    [...bytes.subarray(0, 8)].join(','),
    [...bytes.subarray(0, 8)].join(', '),
  ]
}

test('a store, its shares and its errors print without the operator key or a share', async () => {
  const disk = new MemoryDisk()
  const store = await storeOver(disk.open())
  const dealt = deal({ epoch: 1 })
  const mine = preparedOf(dealt, OPERATOR)
  await store.savePrepared(dealt.spec, mine)
  const shares = await store.loadShares({ epoch: 1, attempt: 0 })
  const { records } = disk.image()
  disk.restore({ records, files: new Map() })
  const error: unknown = await store.loadShares({ epoch: 1, attempt: 0 }).catch((reason: unknown) => reason)
  const secrets = [operatorKey().expose(), ...mine.shares.map(({ share }) => share.expose())].flatMap(shapes)
  for (const thing of [store, shares, mine, error, operatorKey()]) {
    const printed = [
      inspect(thing, { depth: 20, showHidden: true, getters: true }),
      JSON.stringify(thing),
      String(thing),
    ]
    for (const text of printed)
      for (const secret of secrets) assert.ok(!text?.includes(secret), `${text?.slice(0, 80)} shows a secret`)
  }
})
