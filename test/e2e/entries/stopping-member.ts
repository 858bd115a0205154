// A relayer whose disk never finishes a chosen write: the record is durable, and the node goes no further with it.
import { readFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { openKeystore } from '../../../relayer/chain/keystore.ts'
import { loadConfig } from '../../../relayer/config.ts'
import { utf8 } from '../../../relayer/lib/bytes.ts'
import { createLog } from '../../../relayer/lib/log.ts'
import { Secret } from '../../../relayer/lib/secret.ts'
import { createNode } from '../../../relayer/node.ts'
import { openLevel } from '../../../relayer/store/level.ts'

/** `--stop-at share/`: after the prepared share, before its acknowledgement; `marker/`: before the attempt's first byte. */
const { values } = parseArgs({
  options: { config: { type: 'string', default: '' }, 'stop-at': { type: 'string', default: 'share/' } },
})

const config = loadConfig({ file: values.config, env: {} })
const password = new Secret(utf8(readFileSync(config.passwordFile ?? '', 'utf8').trim()))
const operatorKey = await openKeystore(config.keystore, password)
const openDisk: typeof openLevel = async (directory) => {
  const { database, keyFiles } = await openLevel(directory)
  const batch: typeof database.batch = async (ops) => {
    await database.batch(ops)
    if (!ops.some(({ type, key }) => type === 'put' && key.startsWith(values['stop-at']))) return
    console.log(`stopped at ${values['stop-at']}`)
    await new Promise(() => {})
  }
  return { keyFiles, database: { ...database, batch } }
}
const node = createNode(config, { operatorKey, openDisk }, createLog(config.logLevel))
await node.start(new AbortController().signal)
