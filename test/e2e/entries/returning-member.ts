// A member that returns from a copy of its data directory, past the daemon's own refusal to start with it; prints what it met.
import { readFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { openKeystore } from '../../../relayer/chain/keystore.ts'
import { signingMailbox } from '../../../relayer/ceremony/mailbox.ts'
import { type Config, loadConfig } from '../../../relayer/config.ts'
import { FrostKey } from '../../../relayer/crypto/frost.ts'
import { signerOf } from '../../../relayer/crypto/identity.ts'
import { systemRng } from '../../../relayer/crypto/rng.ts'
import { type Address, toHex, utf8 } from '../../../relayer/lib/bytes.ts'
import { silentLog } from '../../../relayer/lib/log.ts'
import { Secret } from '../../../relayer/lib/secret.ts'
import { createHost } from '../../../relayer/p2p/host.ts'
import { peerIdOf } from '../../../relayer/p2p/identity.ts'
import { PROTOCOL_VERSION } from '../../../relayer/protocol/channel.ts'
import { hashedCommittee } from '../../../relayer/protocol/party.ts'
import type { KeyShare } from '../../../relayer/protocol/keyshare.ts'
import { decodeMessage, encodeMessage } from '../../../relayer/protocol/signwire.ts'
import type { ShareRecord } from '../../../relayer/store/codec.ts'
import { openLevel } from '../../../relayer/store/level.ts'
import { openStore } from '../../../relayer/store/store.ts'

/** `--now config=directory,…`: configurations of the members of now, each with a copy of its data directory of now. */
const { values } = parseArgs({
  options: {
    config: { type: 'string', default: '' },
    data: { type: 'string', default: '' },
    now: { type: 'string', default: '' },
  },
})
const WAIT_MS = 8_000

interface Member {
  readonly config: Config
  readonly key: Secret
  readonly address: Address
  readonly boots: number
  readonly record: ShareRecord
  readonly shares: readonly KeyShare[]
}

/** A member's key, and the active share set of a data directory. */
async function memberOf(file: string, directory: string): Promise<Member> {
  const config = loadConfig({ file, env: {} })
  const password = new Secret(utf8(readFileSync(config.passwordFile ?? '', 'utf8').trim()))
  const key = await openKeystore(config.keystore, password)
  const { address } = signerOf(key)
  const { database, keyFiles } = await openLevel(directory)
  const { chainId, bridge } = config
  const store = await openStore({ database, keyFiles, operatorKey: key, chainId, bridge, operator: address })
  const record = await store.activeShare()
  if (record === null) throw new Error(`${directory} holds no active share`)
  const shares = await store.loadShares(record)
  const boots = (await store.nextBoot()) - 1
  await database.close()
  return { config, key, address, boots, record, shares }
}

/** Asks the members of now for nonces of the old share, and gathers what they answer. */
async function askWithOldShare(old: Member, now: readonly Member[]): Promise<string[]> {
  const { config, record, boots } = old
  const bootId = toHex(systemRng(16))
  const entries = now.map(({ config: { listen }, key, address }) => ({
    address,
    multiaddrs: [`${listen[0]}/p2p/${peerIdOf(key)}`],
    bootCounter: 0,
    bootId: '',
  }))
  const host = createHost({
    mode: 'relayer',
    privateKey: old.key,
    listen: ['/ip4/127.0.0.1/tcp/0'],
    announce: [],
    bootstrap: config.bootstrap,
    network: config,
    peerBook: { load: async () => entries, save: async () => {} },
    log: silentLog,
    hello: () => ({
      protocolVersion: PROTOCOL_VERSION,
      softwareVersion: 'copy',
      head: 0,
      epoch: record.epoch,
      bootCounter: boots,
      bootId,
    }),
  })
  await host.start()
  const committee = now.map(({ address }) => address)
  host.admit({ committee: [...committee, old.address], receipts: [] })
  const refusals = new Map<Address, string>()
  const mailbox = signingMailbox(host)
  mailbox.onMessage((from, body) => {
    const message = decodeMessage(body)
    if (message.type === 'stale')
      refusals.set(
        from,
        `${from}: asked for a share of epoch ${message.ref.epoch}, it signs with epoch ${message.epoch}`,
      )
    else refusals.set(from, `${from}: answered ${message.type}`)
  })
  const { epoch, attempt, transcript } = record
  const ask = encodeMessage({
    type: 'ask',
    ref: {
      keyId: 0,
      epoch,
      attempt,
      transcript,
      committeeHash: hashedCommittee(config, record.committee).hash,
    },
    boot: new Uint8Array(16),
  })
  for (
    const end = Date.now() + WAIT_MS;
    Date.now() < end && refusals.size < committee.length;
    await sleep(200)
  )
    for (const address of committee) if (!refusals.has(address)) mailbox.send(address, ask)
  await host.stop()
  return [...refusals.values()]
}

/** Whether t members of now, one of them with its old share in place of the new one, make a signature that verifies. */
function mixed(old: Member, now: readonly Member[]): boolean {
  const [first] = now
  const share = old.shares.find(({ keyId }) => keyId === 0)
  if (first === undefined || share === undefined || share.scheme === 'ecdsa-secp256k1')
    throw new Error('no share of key 0')
  const { record } = first
  const current = record.keys.find(({ keyId }) => keyId === 0)
  if (current === undefined) throw new Error('no key 0')
  const key = new FrostKey({ ...current, scheme: share.scheme })
  const place = record.committee.members.indexOf(old.address) + 1
  const signers = [
    { index: place, share: share.share },
    ...now
      .filter(({ address, record: { epoch } }) => address !== old.address && epoch === record.epoch)
      .map((member) => ({ index: member.record.index, share: secretOf(member) })),
  ]
    .slice(0, record.committee.threshold)
    .sort((a, b) => a.index - b.index)
  const nonces = signers.map(({ index, share: own }) => key.commit(index, own, systemRng))
  const list = nonces.map(({ commitment }) => commitment)
  const message = systemRng(32)
  const shares = new Map(
    signers.map(({ index, share: own }, at) => {
      const secrets = nonces[at]?.secrets
      if (secrets === undefined) throw new Error('no nonces')
      return [index, key.signShare({ index, share: own, nonces: secrets }, list, message)]
    }),
  )
  return key.aggregate(list, message, shares).signature !== undefined
}

function secretOf({ shares }: Member): Secret {
  const share = shares.find(({ keyId }) => keyId === 0)
  if (share === undefined) throw new Error('no share of key 0')
  return share.share
}

const old = await memberOf(values.config, values.data)
const now: Member[] = []
for (const pair of values.now.split(',')) {
  const [file = '', directory = ''] = pair.split('=')
  now.push(await memberOf(file, directory))
}
const refusals = await askWithOldShare(old, now)
console.log(JSON.stringify({ refusals, mixedSignatureValid: mixed(old, now) }))
process.exit(0)
