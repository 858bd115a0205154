// `truss evidence`: saves the daemon's evidence records, and checks one against a committee that the checker knows itself.
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Command } from 'commander'
import type { EvidenceView } from '../api/daemon.ts'
import { type Address, fromHex } from '../lib/bytes.ts'
import { ConfigError, InputError, pathFault } from '../lib/errors.ts'
import { whole } from '../lib/settings.ts'
import type { TrustedState } from '../protocol/evidence.ts'
import type { RegisteredKey, Scheme } from '../protocol/keyshare.ts'
import type { Committee } from '../protocol/party.ts'
import type { Proven } from '../protocol/record.ts'
import {
  type BridgeConfig,
  type BridgeOptions,
  bridgeConfig,
  bridgeOptions,
  openChain,
} from './admin-options.ts'
import { checkedAddress, makeDirectory } from './argument-checks.ts'
import { argument, columns, type Context, contextOf, show } from './command.ts'
import { askDaemon, clientConfig } from './daemon-client.ts'
import { UnprovenError } from './exit.ts'
import type { Io } from './io.ts'
import { namerOf } from './names.ts'

interface VerifyOptions extends BridgeOptions {
  readonly committee?: readonly Committee[]
  readonly key?: readonly RegisteredKey[]
}

export function evidenceCommand(io: Io): Command {
  const evidence = new Command('evidence').description('signed proof that somebody broke the protocol')
  evidence.addCommand(
    bridgeOptions(
      new Command('verify').description('check an evidence record: whom it convicts, and of what'),
    )
      .argument('<file>', 'the record, as bytes or in hex')
      .option(
        '--committee <epoch:threshold:addresses>',
        'a committee known by hand instead of from an endpoint, addresses with commas; once an epoch',
        (value: string, before: readonly Committee[] | undefined) => [
          ...(before ?? []),
          argument(committee)(value),
        ],
      )
      .option(
        '--key <keyId:scheme:groupKey:commitmentsHash>',
        'with --committee: a key of the old epoch as the contract states it; once a key',
        (value: string, before: readonly RegisteredKey[] | undefined) => [
          ...(before ?? []),
          argument(registeredKey)(value),
        ],
      )
      .action(async (file: string, options: VerifyOptions, command: Command) =>
        verify(contextOf(io, command), file, options),
      ),
  )
  evidence
    .command('save')
    .description("write the daemon's evidence records to files")
    .option('-d, --directory <path>', 'where the files go', 'evidence')
    .action(async ({ directory }: { directory: string }, command: Command) => {
      const context = contextOf(io, command)
      const records = await askDaemon<readonly EvidenceView[]>(clientConfig(context).dataDirectory, 'GET', [
        '/evidence',
      ])
      makeDirectory(directory)
      const files = records.map(({ id, record }) => {
        const file = join(directory, `${id}.evidence`)
        writeFileSync(file, fromHex(record))
        return file
      })
      show(context, { files }, files.length === 0 ? ['there is no evidence'] : files)
    })
  return evidence
}

async function verify(context: Context, file: string, options: VerifyOptions): Promise<void> {
  const bytes = readRecord(file)
  const { verifyRecord } = await import('../protocol/record.ts')
  const config = knownBridge(context, options)
  const { committee: committees, key: keys } = options
  const { chainId, bridge } = config
  const proven = await unproven(file, async () => {
    const trusted =
      committees === undefined
        ? await fromChain(config, bytes)
        : { chainId, bridge, committees, ...(keys === undefined ? {} : { keys }) }
    return verifyRecord(bytes, trusted)
  })
  print(context, proven, config)
}

/** With committees by hand no endpoint is needed, and none is asked. */
function knownBridge(context: Context, options: VerifyOptions): BridgeConfig {
  if (options.committee === undefined) return bridgeConfig(context, options)
  return bridgeConfig(context, { ...options, rpc: options.rpc ?? [] })
}

async function unproven<T>(file: string, check: () => Promise<T>): Promise<T> {
  try {
    return await check()
  } catch (error) {
    if (error instanceof Error && ['InputError', 'EncodingError', 'RefusalError'].includes(error.name))
      throw new UnprovenError(`${file}: ${error.message}`, {
        hint: 'it convicts nobody: check that chain, bridge and committee are those that it speaks of',
      })
    throw error
  }
}

/** What the contract says of the epochs that a record speaks of, and of the keys of the old one. */
async function fromChain(config: BridgeConfig, bytes: Uint8Array): Promise<TrustedState> {
  const { epochsOf } = await import('../protocol/record.ts')
  const { SCHEMES } = await import('../protocol/keyshare.ts')
  const epochs = epochsOf(bytes)
  const chain = await openChain(config, null)
  try {
    const at = await chain.head()
    const state = await chain.committeeState(at)
    const infos = await Promise.all(epochs.map((epoch) => chain.epochInfo(epoch, at)))
    const keys = infos.slice(1).flatMap(({ commitmentsHashes }) =>
      commitmentsHashes.flatMap(({ keyId, hash }): RegisteredKey[] => {
        const key = state.keys.find((one) => one.keyId === keyId)
        const scheme = SCHEMES[key?.scheme ?? 0]
        if (key === undefined || scheme === undefined) return []
        return [{ keyId, scheme, groupKey: fromHex(key.groupKey), commitmentsHash: fromHex(hash) }]
      }),
    )
    const committees = infos.map(({ epoch, members, threshold }) => ({ epoch, members, threshold }))
    return { chainId: config.chainId, bridge: config.bridge, committees, keys }
  } finally {
    chain.close()
  }
}

function print(context: Context, { code, culprits, ceremony, signing }: Proven, config: BridgeConfig): void {
  const name = namerOf(config)
  const who = culprits.map(
    ({ role, index, address }) => ['culprit', `${name(address)}, ${role} member ${index}`] as const,
  )
  if (ceremony === null) {
    const lines = columns([['proves', code], ['signing', `with shares of epoch ${signing}`], ...who])
    return show(context, { valid: true, code, culprits, signing: { epoch: signing } }, lines)
  }
  const { spec, attempt } = ceremony
  const about = { op: spec.op, epoch: spec.next.epoch, predecessor: spec.old?.epoch ?? 0, attempt }
  show(context, { valid: true, code, culprits, ceremony: about }, [
    ...columns([
      ['proves', code],
      ['ceremony', `${spec.op} of epoch ${spec.next.epoch}, attempt ${attempt}`],
      ...who,
    ]),
  ])
}

function readRecord(file: string): Uint8Array {
  let bytes: Buffer
  try {
    bytes = readFileSync(file)
  } catch (cause) {
    const hint = 'name a file that `truss evidence save` wrote'
    throw new ConfigError(`read ${file}: ${pathFault(cause)}`, { hint, cause })
  }
  const text = bytes.toString('latin1').trim()
  return /^(0x)?([0-9a-fA-F]{2})+$/.test(text) ? fromHex(text) : new Uint8Array(bytes)
}

/** `7:2:0x…,0x…,0x…` */
function committee(value: string): Committee {
  const [epoch = '', threshold = '', addresses = ''] = value.split(':')
  const members = addresses.split(',').map((text): Address => checkedAddress(text.trim()))
  if (members.length < 2) throw new InputError('must look like 7:2:0x...,0x...,0x...')
  return {
    epoch: whole(1, Number.MAX_SAFE_INTEGER)(epoch),
    threshold: whole(2, members.length)(threshold),
    members: members.sort(),
  }
}

/** `0:frost-secp256k1-evm:0x…:0x…` */
function registeredKey(value: string): RegisteredKey {
  const [keyId = '', scheme = '', groupKey = '', hash = ''] = value.split(':')
  const schemes: readonly Scheme[] = ['frost-secp256k1-evm', 'frost-secp256k1-bip340', 'frost-ed25519']
  const known = schemes.find((each) => each === scheme)
  if (known === undefined) throw new InputError(`scheme must be one of ${schemes.join(', ')}`)
  const commitmentsHash = fromHex(hash)
  if (commitmentsHash.length !== 32) throw new InputError('must look like 0:frost-secp256k1-evm:0x...:0x...')
  const id = whole(0, Number.MAX_SAFE_INTEGER)(keyId)
  return { keyId: id, scheme: known, groupKey: fromHex(groupKey), commitmentsHash }
}
