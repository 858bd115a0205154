// A relayer that writes down every session frame and control message that it sends or receives, to be played again later.
import { appendFileSync, readFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { openKeystore } from '../../../relayer/chain/keystore.ts'
import { stopInTime } from '../../../relayer/cli/start.ts'
import { loadConfig } from '../../../relayer/config.ts'
import { concat, toHex, utf8 } from '../../../relayer/lib/bytes.ts'
import { createLog } from '../../../relayer/lib/log.ts'
import { Secret } from '../../../relayer/lib/secret.ts'
import { createNode } from '../../../relayer/node.ts'
import { Host } from '../../../relayer/p2p/host.ts'
import { KIND, kindOf, protocolOf } from '../../../relayer/p2p/protocols.ts'
import { TOPICS, type Topic } from '../../../relayer/protocol/channel.ts'
import { taping } from '../../support/taping.ts'

/** `--tape FILE`: one line for each frame: protocol, kind, body in hex. */
const { values } = parseArgs({
  options: { config: { type: 'string', default: '' }, tape: { type: 'string', default: '' } },
})

const write = (protocol: string, kind: number, body: Uint8Array) =>
  appendFileSync(values.tape, `${protocol} ${kind} ${toHex(body)}\n`)
const topics = Object.keys(TOPICS) as Topic[] // CAST: the keys of TOPICS are Topic

// oxlint-disable-next-line typescript/unbound-method -- each is called with its host as `this` below
const { open, tell, onTell } = Host.prototype
Host.prototype.open = function (sessionId, peers) {
  return taping(open.call(this, sessionId, peers), (frame) =>
    write('session', KIND.session, concat(sessionId, frame)),
  )
}
Host.prototype.tell = function (to, topic, body) {
  write(protocolOf(topic), kindOf(topic), body)
  tell.call(this, to, topic, body)
}
Host.prototype.onTell = function (topic, handler) {
  return onTell.call(this, topic, (from, body) => {
    if (topics.includes(topic)) write(protocolOf(topic), kindOf(topic), body)
    handler(from, body)
  })
}

const config = loadConfig({ file: values.config, env: {} })
const password = new Secret(utf8(readFileSync(config.passwordFile ?? '', 'utf8').trim()))
const operatorKey = await openKeystore(config.keystore, password)
const node = createNode(config, { operatorKey }, createLog(config.logLevel))
const stopping = new AbortController()
for (const signal of ['SIGTERM', 'SIGINT'] as const)
  process.once(signal, () => {
    stopping.abort()
    void stopInTime(() => node.stop()).then(() => process.exit(0))
  })
await node.start(stopping.signal)
